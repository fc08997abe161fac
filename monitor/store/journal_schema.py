"""The tables of the journal's file, its version, and files that are put aside."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

APPLICATION_ID = 0x53574D4A  # "SWMJ": tells our file from another program's
KEPT_ASIDE = 2
_ASIDE = ".corrupt-"
_PARTS = ("", "-wal", "-shm")

# One text per version of the schema. Never change one that was released: add one.
MIGRATIONS = (
    """
    CREATE TABLE decision (
        seq INTEGER PRIMARY KEY,
        run TEXT NOT NULL,
        id TEXT,
        wall REAL NOT NULL,
        kept_at REAL NOT NULL,
        service_id TEXT NOT NULL,
        service_name TEXT NOT NULL,
        rule TEXT NOT NULL,
        reason TEXT NOT NULL,
        action TEXT NOT NULL,
        intended INTEGER NOT NULL,
        outcome TEXT,
        detail TEXT NOT NULL DEFAULT '',
        posted TEXT NOT NULL DEFAULT '',
        body BLOB NOT NULL,
        UNIQUE (run, id)
    );
    CREATE INDEX decision_by_service ON decision (service_id, rule, seq);
    CREATE INDEX decision_by_name ON decision (service_name, seq);
    CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), kept_at REAL, wall REAL);
    """,
)


class Unusable(Exception):
    """The file cannot be gone on with, and is to be put aside. `str()` says why."""


class Foreign(Exception):
    """The file is another program's database: it is left alone."""


def migrate(connection: sqlite3.Connection, steps: Sequence[str] = MIGRATIONS) -> None:
    """Brings the file to the version len(steps), in one transaction: all of it or nothing.

    Raises Unusable for a newer version, Foreign for a database of another program, sqlite3.Error.
    """
    # Outside of a transaction and before the first table, else SQLite ignores it.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    if _version(connection) == len(steps) and _ours(connection):
        return
    # Two agents may begin at the same moment; the second finds the work of the first.
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        _check(connection, version, len(steps))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for step in steps[version:]:
            # executescript() would commit what is open.
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check(connection: sqlite3.Connection, version: int, known: int) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and not _ours(connection):
        raise Foreign("it is another program's database; name another file")
    if version > known:
        raise Unusable(f"it has version {version} of its schema, and this program knows {known}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _ours(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID)


def put_aside(path: Path, wall: float) -> Path:
    """Renames the file, its log with it, and deletes all but the newest so renamed. OSError.

    A log that stayed behind would be taken for that of the file that is begun anew.
    """
    moment = datetime.fromtimestamp(wall, UTC).strftime("%Y%m%dT%H%M%S.%f")
    aside = path.with_name(f"{path.name}{_ASIDE}{moment}")
    for part in _PARTS:
        source = path.with_name(path.name + part)
        if source.exists():
            source.rename(aside.with_name(aside.name + part))
    earlier = [
        found
        for found in path.parent.glob(f"{path.name}{_ASIDE}*")
        if not found.name.endswith(_PARTS[1:]) and found != aside
    ]
    # By when they were put aside, which a clock that jumped does not tell.
    earlier.sort(key=lambda found: (found.stat().st_ctime, found.name), reverse=True)
    for old in earlier[KEPT_ASIDE - 1 :]:
        for part in _PARTS:
            old.with_name(old.name + part).unlink(missing_ok=True)
    return aside
