"""How much the journal keeps: by age and by size, whichever is less; what is more goes in steps."""

from dataclasses import dataclass
from pathlib import Path

from monitor.model.now import Now
from monitor.store.journal_file import BUSY, JournalFile

DAY = 86_400.0
STEP_ROWS = 50
STEP_PAGES = 256
"""What one step gives back at most; less where the log has little room for it."""
_WAL_ROOM = 16 << 20


@dataclass(frozen=True, slots=True)
class JournalLimits:
    """max_age: seconds. max_bytes: of the file and its log together."""

    max_age: float = 7 * DAY
    max_bytes: int = 200_000_000

    def __post_init__(self) -> None:
        if self.max_age <= 0:
            raise ValueError("the journal's age must be above 0 seconds; 7 days are 604800")
        if self.max_bytes < 1_000_000:
            raise ValueError("the journal's size must be at least 1 MB (1000000 bytes)")

    @property
    def wal_bytes(self) -> int:
        """What of it is for the log."""
        return min(_WAL_ROOM, self.max_bytes // 2)


def prune(file: JournalFile, limits: JournalLimits, now: Now) -> bool:
    """One step, short enough to wait for; returns whether there is more to do. sqlite3.Error."""
    if file.time.due(now):
        file.time.save(now)
    room = limits.max_bytes - limits.wal_bytes
    pages, free, page = (
        int(file.db.execute(f"PRAGMA {what}").fetchone()[0])
        for what in ("page_count", "freelist_count", "page_size")
    )
    oldest = "seq IN (SELECT seq FROM decision ORDER BY seq LIMIT ?)"
    if (pages - free) * page > room:
        deleted = file.db.execute(f"DELETE FROM decision WHERE {oldest}", (STEP_ROWS,))  # noqa: S608
    else:
        # From the oldest end alone: what was written later is never taken for older.
        deleted = file.db.execute(
            f"DELETE FROM decision WHERE {oldest} AND kept_at < ?",  # noqa: S608
            (STEP_ROWS, file.time.at(now) - limits.max_age),
        )
    more = deleted.rowcount > 0
    if pages * page > room and free:
        step = max(16, min(STEP_PAGES, limits.wal_bytes // page // 8))
        # execute() would free one page: it stops at the first row, and these have no columns.
        file.db.executescript(f"PRAGMA incremental_vacuum({step})")
        more = more or int(file.db.execute("PRAGMA page_count").fetchone()[0]) < pages
    return more


def overfull(file: JournalFile, limits: JournalLimits) -> bool:
    """Whether the log outgrew its room and cannot be folded back, as somebody reads for long.

    OSError, sqlite3.Error.
    """
    if _size(file.path, "-wal") <= limits.wal_bytes:
        return False
    # Without waiting for the reader: this is tried before every write from now on.
    file.db.execute("PRAGMA busy_timeout = 0").fetchall()
    file.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    file.db.execute(f"PRAGMA busy_timeout = {BUSY * 1000:.0f}").fetchall()
    return _size(file.path, "") + _size(file.path, "-wal") > limits.max_bytes


def _size(path: Path, part: str) -> int:
    try:
        return path.with_name(path.name + part).stat().st_size
    except FileNotFoundError:
        return 0
