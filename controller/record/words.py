"""What is wrong with a record's file, by cause, each with a next step that loses nothing.

A new record beside treated skin would forget what that skin has had. So no sentence here proposes
to remove the file, or to begin another one.
"""

import errno
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

RESTORE: Final = (
    "put the newest backup back (journal.sqlite3 together with its -wal and -shm), and keep the "
    "damaged files beside it"
)

UPGRADE: Final = "end every kernel, then convert it with `corneum records upgrade`"

_BUSY: Final = (
    "is held by another program, such as a backup tool",
    "let that program finish or end it, then try again",
)
_FULL: Final = ("cannot be written: its disk is full", "free space on that disk, then try again")
_RIGHTS: Final = (
    "cannot be opened or written: rights or mount do not allow it",
    "mend the rights of the folder and of each journal.sqlite3* in it, or mount the disk writable",
)
_DAMAGED: Final = ("is damaged, or is no record", f"leave it where it is; {RESTORE}")
_DISK: Final = (
    "cannot be read or written: the disk reports an error",
    "look at the disk (the system's log names it), and copy the whole folder to another one first",
)
_QUOTA: Final = (
    "cannot be written: the disk reports an error, or a quota on it is used up",
    "free space under the quota; if there is none, look at the disk (the system's log names it)",
)
_ELSEWHERE: Final = (
    "is not in its place any more: it was moved or replaced while it was open",
    "put it back, together with its -wal and -shm, then try again",
)
_MEMORY: Final = (
    "cannot be read or written: this computer has no memory left",
    "close other programs, then try again",
)
_OTHER: Final = ("cannot be used", "look at the file and its folder, then try again")

_BY_SQLITE: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        sqlite3.SQLITE_BUSY: _BUSY,
        sqlite3.SQLITE_LOCKED: _BUSY,
        sqlite3.SQLITE_PROTOCOL: _BUSY,  # the locks of a log changed hands too often
        sqlite3.SQLITE_FULL: _FULL,
        sqlite3.SQLITE_READONLY: _RIGHTS,
        sqlite3.SQLITE_PERM: _RIGHTS,
        sqlite3.SQLITE_CANTOPEN: _RIGHTS,
        sqlite3.SQLITE_CORRUPT: _DAMAGED,
        sqlite3.SQLITE_NOTADB: _DAMAGED,
        sqlite3.SQLITE_SCHEMA: _DAMAGED,
        sqlite3.SQLITE_IOERR: _DISK,
        sqlite3.SQLITE_NOMEM: _MEMORY,
    }
)
_BY_DETAIL: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        sqlite3.SQLITE_IOERR_WRITE: _QUOTA,  # SQLite tells only "no space left" as a full disk
        sqlite3.SQLITE_IOERR_NOMEM: _MEMORY,
        sqlite3.SQLITE_READONLY_DBMOVED: _ELSEWHERE,
    }
)
"""Where the detail of an error has another way out than its kind."""
_BY_ERRNO: Final[Mapping[int | None, tuple[str, str]]] = MappingProxyType(
    {
        errno.ENOSPC: _FULL,
        errno.EDQUOT: _FULL,
        errno.EACCES: _RIGHTS,
        errno.EPERM: _RIGHTS,
        errno.EROFS: _RIGHTS,
        errno.EIO: _DISK,
        errno.ENOMEM: _MEMORY,
    }
)
_PRIMARY: Final = 0xFF
"""SQLite keeps the kind of an error in its low byte, the detail above it."""


DAMAGE: Final = (sqlite3.IntegrityError, UnicodeDecodeError)
"""What SQLite holds whole contradicts itself, or its own words quote a name that is no text."""


class KnownError(sqlite3.DatabaseError):
    """A file that SQLite can read and this build cannot use; it says what, and what to do."""

    def __init__(self, what: str, step: str) -> None:
        super().__init__(what)
        self.what = what
        self.step = step


def primary(error: sqlite3.Error) -> int:
    """Return the kind of an error of SQLite; 0 where the error does not say."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & _PRIMARY


def is_damage(error: sqlite3.Error) -> bool:
    """Return True where a page of the file is not what SQLite wrote."""
    return primary(error) == sqlite3.SQLITE_CORRUPT


def sentence(error: Exception, path: Path | None) -> str:
    """Return what is wrong with the record at ``path``, and what to do about it."""
    where = f"record {path}" if path else "record in memory"
    if isinstance(error, KnownError):
        return f"The {where} {error.what}: {error.step}."
    if isinstance(error, DAMAGE):
        what, step = _DAMAGED
    elif isinstance(error, sqlite3.Error):
        detail = int(getattr(error, "sqlite_errorcode", 0) or 0)
        what, step = _BY_DETAIL.get(detail) or _BY_SQLITE.get(primary(error), _OTHER)
    else:
        what, step = _BY_ERRNO.get(getattr(error, "errno", None), _OTHER)
    return f"The {where} {what} ({error}): {step}."
