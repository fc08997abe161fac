"""What a fault of the journal's file means: one sentence, and what is to be done about it."""

import errno
import sqlite3
from enum import Enum

from monitor.store.journal_schema import Foreign, Unusable

FAULTS = (sqlite3.Error, OSError, Unusable, Foreign)


class Cure(Enum):
    BEGIN_ANEW = "begin anew"  # put the file aside
    SOON = "soon"  # another process writes
    WAIT = "wait"  # somebody has to mend it


_SENTENCES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the file or its folder may only be read",
    sqlite3.SQLITE_PERM: "the file may not be opened",
    sqlite3.SQLITE_CANTOPEN: "the file can neither be opened nor created",
    sqlite3.SQLITE_BUSY: "another process keeps the file locked",
    sqlite3.SQLITE_LOCKED: "another process keeps the file locked",
    sqlite3.SQLITE_IOERR: "the disk refuses to read or write",
}
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def cure(fault: BaseException) -> Cure:
    if isinstance(fault, Unusable) or _code(fault) in _DAMAGE:
        return Cure.BEGIN_ANEW
    if _code(fault) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Cure.SOON
    return Cure.WAIT


def sentence(fault: BaseException) -> str:
    """For a person, without a full stop."""
    if isinstance(fault, OSError):
        if fault.errno == errno.ENOSPC:
            return "the disk is full"
        return f"{fault.strerror or fault}: {fault.filename}" if fault.filename else str(fault)
    said = _SENTENCES.get(_code(fault))
    return f"{said} ({fault})" if said else str(fault)


def spoils_one(fault: BaseException) -> bool:
    """Whether only the one decision is at fault, not the file."""
    if isinstance(fault, sqlite3.Error):
        # A value that is too large or of no type SQLite knows, or a statement misused.
        one = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError)
        return isinstance(fault, (*one, sqlite3.InterfaceError))
    return not isinstance(fault, FAULTS)


def _code(fault: BaseException) -> int:
    """SQLite's primary result code; 0 where there is none."""
    return int(getattr(fault, "sqlite_errorcode", 0)) & 0xFF
