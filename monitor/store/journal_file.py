"""The journal's SQLite file: rows in, rows out. Belongs to one thread; raises sqlite3.Error."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.model.codec import Codec
from monitor.model.decision import Decision
from monitor.model.now import Now
from monitor.model.outcome import Outcome
from monitor.store.journal_row import COLUMNS, Row, pack
from monitor.store.journal_schema import migrate
from monitor.store.journal_time import JournalTime

BUSY = 0.5
"""Seconds to wait for another process's write: well below what a caller waits for an intent."""

_PUT = """
    INSERT INTO decision (run, id, wall, kept_at, service_id, service_name, rule, reason, action,
        intended, outcome, detail, posted, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run, id) DO UPDATE SET
        intended = max(intended, excluded.intended),
        outcome = coalesce(excluded.outcome, outcome),
        detail = iif(excluded.outcome IS NULL, detail, excluded.detail),
        posted = iif(excluded.outcome IS NULL, posted, excluded.posted)
"""


class JournalFile:
    """run: the mark of this run, by which outcomes find their decisions.

    Ids of decisions are unique within a run alone. Rows are in the order of their writing, not
    of wall time, which may jump.
    """

    def __init__(self, path: Path, run: str, codec: Codec, now: Now, wal_bytes: int) -> None:
        """Opens or creates it. Raises Unusable, Foreign, sqlite3.Error."""
        self.path = path
        self._run = run
        self._codec = codec
        self.db = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
        try:
            migrate(self.db)
            # Where shared memory is not to be had this stays the rollback journal, slower.
            self.db.execute("PRAGMA journal_mode = WAL")
            # Each commit is on disk when it returns: an intent must outlive a power cut.
            self.db.execute("PRAGMA synchronous = FULL")
            self.db.execute(f"PRAGMA journal_size_limit = {wal_bytes // 2}")
            self.db.execute(f"PRAGMA wal_autocheckpoint = {max(16, wal_bytes // 4 // 4096)}")
            self.time = JournalTime(self.db, now)
            self._inode = path.stat().st_ino
        except BaseException:
            self.db.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            # SQLite may have rolled back by itself, as it does where the disk is full.
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def put(self, decision: Decision, intended: bool, outcome: Outcome | None, now: Now) -> None:
        """A new row; where this run has one of this decision, its outcome is filled in."""
        self.db.execute(
            _PUT,
            (
                self._run,
                decision.id or None,
                decision.time.wall,
                self.time.at(now),
                decision.subject_id,
                decision.subject_name,
                decision.rule,
                decision.reason.value,
                decision.action_name,
                int(intended),
                None if outcome is None else outcome.kind.value,
                "" if outcome is None else outcome.detail,
                "" if outcome is None else outcome.posted,
                pack(self._codec, decision),
            ),
        )

    def newest(self, limit: int, service_name: str | None, rule: str | None) -> list[Row]:
        """Newest first, at most `limit`, of all or of one service and/or rule."""
        wanted = {"service_name": service_name, "rule": rule}
        given = {column: value for column, value in wanted.items() if value is not None}
        where = " AND ".join(f"{column} = ?" for column in given) or "1"
        found = self.db.execute(
            f"SELECT {COLUMNS} FROM decision WHERE {where} ORDER BY seq DESC LIMIT ?",  # noqa: S608
            (*given.values(), limit),
        )
        return [Row(*row) for row in found]

    def by_service(self, limit: int) -> list[Row]:
        """Newest first, at most `limit` of each service and rule."""
        found = self.db.execute(
            f"""
            SELECT {COLUMNS} FROM decision WHERE seq IN (
                SELECT seq FROM (
                    SELECT seq, row_number() OVER (
                        PARTITION BY service_id, rule ORDER BY seq DESC
                    ) AS place FROM decision
                ) WHERE place <= ?
            ) ORDER BY seq DESC
            """,  # noqa: S608
            (limit,),
        )
        return [Row(*row) for row in found]

    def in_place(self) -> bool:
        """Whether the path still leads to this file. OSError."""
        try:
            return self.path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def close(self) -> None:
        self.db.close()
