"""The time by which what is kept grows old: one that no jump of the wall clock disturbs."""

import sqlite3

from monitor.model.now import Now

GAP = 86_400.0
"""Seconds that the time between two runs counts at most."""

SAVE_EVERY = 600.0


class JournalTime:
    """Seconds of the file's own, which never go back.

    While an agent runs they follow the monotonic clock. Between two runs only the wall clock can
    tell, and it may be wrong at either end: backwards counts as nothing, forwards as one day at
    most. So a clock that is years ahead for one start costs a day of history, not all of it, and
    one that fell back neither keeps old rows for ever nor makes new ones old.
    """

    def __init__(self, db: sqlite3.Connection, now: Now) -> None:
        row = db.execute("SELECT kept_at, wall FROM clock").fetchone()
        start, wall = row or (0.0, now.wall)
        self._zero = start + min(max(now.wall - wall, 0.0), GAP) - now.mono
        self._saved = now.mono
        self._db = db
        self.save(now)

    def at(self, now: Now) -> float:
        """Seconds of the file's time."""
        return self._zero + now.mono

    def due(self, now: Now) -> bool:
        return now.mono - self._saved >= SAVE_EVERY

    def save(self, now: Now) -> None:
        """Raises sqlite3.Error."""
        self._db.execute(
            "INSERT INTO clock VALUES (1, ?, ?) ON CONFLICT (one)"
            " DO UPDATE SET kept_at = max(kept_at, excluded.kept_at), wall = excluded.wall",
            (self.at(now), now.wall),
        )
        self._saved = now.mono
