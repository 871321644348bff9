"""What SQLite asks of the disk, written down and made to fail, below the real library.

Theory of operation. SQLite reaches the operating system through a table of functions, its VFS. The
table of the very library that Python's `sqlite3` has loaded is found by `ctypes`, and its functions
for opening and deleting are replaced by ours, which call them; a file that they open gets a table
of methods whose writing, syncing and truncating are ours. Nothing else changes: `controller.record`
runs as it is, on its own connections, and files, locks and shared memory are the real ones.

Why so: a preloaded library below the C library would need a compiler and a process of its own for
each run, and `apsw` brings another build of SQLite, on whose connections our store does not run.

An error is what `os_unix.c` returns for it: ENOSPC in a write is SQLITE_FULL, every other one
SQLITE_IOERR_WRITE, a failed fsync SQLITE_IOERR_FSYNC.
"""

import _sqlite3
import contextlib
import ctypes
import sqlite3
from collections.abc import Callable, Iterator
from ctypes import POINTER, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from enum import Enum, unique
from pathlib import Path
from typing import Any, Final, NamedTuple

SECTOR_BYTES: Final = 512
"""What a disk writes whole or not at all."""

KEPT_OPENS: Final = 0x100 | 0x800 | 0x80000
"""SQLITE_OPEN_MAIN_DB, MAIN_JOURNAL and WAL: files that outlive a power cut."""

PRNG_SEED: Final = 28
"""SQLITE_TESTCTRL_PRNG_SEED: salts of logs and names of journals come from a seed."""

IO_POINTERS: Final = 18
"""Pointers of `sqlite3_io_methods` in its third version."""
WRITE_AT: Final = 2
TRUNCATE_AT: Final = 3
SYNC_AT: Final = 4


class DiskError(Exception):
    """The library cannot be reached; says why."""


@unique
class Act(Enum):
    """One thing that happened to the files, or that somebody was told."""

    CREATE = "create"
    WRITE = "write"
    TRUNCATE = "truncate"
    SYNC = "sync"
    SYNC_FAILED = "failed sync"
    """The pages that it was for are lost, and Linux takes them for clean from then on."""
    DELETE = "delete"
    NOTE = "note"
    """A small file beside the record was replaced as a whole; nobody synced it."""
    TOLD = "told"
    """Rows up to ``offset`` were called durable."""


ON_DISK: Final = frozenset({Act.WRITE, Act.TRUNCATE, Act.SYNC, Act.DELETE})
"""What may be the last thing before a power cut, or fail."""


class Step(NamedTuple):
    """An act with what it was done with."""

    act: Act
    file: str
    offset: int = 0
    data: bytes = b""
    at_s: float = 0.0


@unique
class Failure(Enum):
    """What the disk answers."""

    FULL = "ENOSPC"
    """From then on: no block is left, and of a write the first sector is done."""
    BROKEN = "EIO"
    """Once: a write fails after its first sector."""
    UNSYNCED = "fsync"
    """Once: what was to be synced is lost."""


class Fault(NamedTuple):
    """Which failure, and at which act of those that may fail."""

    failure: Failure
    at: int


@dataclass
class Log:
    """What was asked of the disk in a folder, in order."""

    folder: Path
    now: Callable[[], float] = lambda: 0.0
    fault: Fault | None = None
    steps: list[Step] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    """Files that were there at the beginning, or were made since."""
    asked: int = 0
    """Writes, truncations and syncs so far."""
    failed: int = 0
    """How many of them were answered with an error."""

    def add(self, act: Act, file: str, offset: int = 0, data: bytes = b"") -> None:
        """Write one act down."""
        self.steps.append(Step(act, file, offset, data, self.now()))

    def told(self, row: int) -> None:
        """Write down that rows up to ``row`` were called durable."""
        if row != next((step.offset for step in reversed(self.steps) if step.act is Act.TOLD), -1):
            self.add(Act.TOLD, "", row)

    def mend(self) -> None:
        """Let the disk work from now on."""
        self.fault = None

    def fails(self, *of: Failure) -> Failure | None:
        """Count an act that may fail, and return how it does."""
        number, self.asked = self.asked, self.asked + 1
        fault = self.fault
        if fault is None or fault.failure not in of:
            return None
        due = number >= fault.at if fault.failure is Failure.FULL else number == fault.at
        if not due:
            return None
        self.failed += 1
        return fault.failure


class _Vfs(ctypes.Structure):
    """The beginning of `sqlite3_vfs`."""

    _fields_ = (
        ("iVersion", c_int), ("szOsFile", c_int), ("mxPathname", c_int), ("pNext", c_void_p),
        ("zName", c_char_p), ("pAppData", c_void_p), ("xOpen", c_void_p), ("xDelete", c_void_p),
    )  # fmt: skip


class _Methods(ctypes.Structure):
    """`sqlite3_io_methods`: a version and pointers, xClose first."""

    _fields_ = (("iVersion", c_int), ("calls", c_void_p * IO_POINTERS))


# SQLite keeps the pointer to a name, and reads behind its end: no copy of it is handed on.
_OPEN: Final = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE: Final = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_WRITE: Final = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE: Final = ctypes.CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC: Final = ctypes.CFUNCTYPE(c_int, c_void_p, c_int)


class _Shim:
    """The replaced functions; made once, and never unmade while a file may be open through it."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(_sqlite3.__file__)
            find = self._library.sqlite3_vfs_find
        except (OSError, AttributeError) as error:
            raise DiskError(f"SQLite is not reachable from outside here: {error}") from error
        find.restype = POINTER(_Vfs)
        find.argtypes = [c_char_p]
        self.log: Log | None = None
        self._vfs = find(None).contents
        self._names: dict[int, str] = {}
        """Of each watched file, by its address."""
        self._tables: dict[int, tuple[_Methods, tuple[Any, ...]]] = {}
        """Our methods by the address of those in whose place they are."""
        self._behind: dict[int, tuple[Any, Any, Any]] = {}
        """Of each watched file: the real write, truncate and sync."""
        self._open_behind = _OPEN(self._vfs.xOpen)
        self._delete_behind = _DELETE(self._vfs.xDelete)
        self._own = (_OPEN(self._open), _DELETE(self._delete))
        self._vfs.xOpen = ctypes.cast(self._own[0], c_void_p).value
        self._vfs.xDelete = ctypes.cast(self._own[1], c_void_p).value

    def seed(self, seed: int) -> None:
        """Let all of SQLite's chance follow from ``seed``; 0 is chance again."""
        self._library.sqlite3_test_control(PRNG_SEED, c_int(seed), None)

    def _watched(self, name: int | None) -> str | None:
        if self.log is None or name is None:
            return None
        path = Path(ctypes.string_at(name).decode())
        return path.name if path.parent == self.log.folder else None

    def _open(self, vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        watched = self._watched(name) if flags & KEPT_OPENS else None
        code = int(self._open_behind(vfs, name, file, flags, out))
        if watched is not None and code == sqlite3.SQLITE_OK and self.log is not None:
            self._names[file] = watched
            self._replace(file)
            if watched not in self.log.known:  # our store makes its file before SQLite opens it
                self.log.known.add(watched)
                self.log.add(Act.CREATE, watched)
        return code

    def _replace(self, file: int) -> None:
        slot = c_void_p.from_address(file)
        real = int(slot.value or 0)
        if real not in self._tables:
            table = _Methods.from_buffer_copy(_Methods.from_address(real))
            behind = (
                _WRITE(table.calls[WRITE_AT]),
                _TRUNCATE(table.calls[TRUNCATE_AT]),
                _SYNC(table.calls[SYNC_AT]),
            )
            own = (_WRITE(self._write), _TRUNCATE(self._truncate), _SYNC(self._sync))
            for at, call in zip((WRITE_AT, TRUNCATE_AT, SYNC_AT), own, strict=True):
                table.calls[at] = ctypes.cast(call, c_void_p).value
            self._tables[real] = (table, (*behind, *own))
        table, calls = self._tables[real]
        self._behind[file] = (calls[0], calls[1], calls[2])
        slot.value = ctypes.addressof(table)

    def _write(self, file: int, data: int, count: int, offset: int) -> int:
        write, _, _ = self._behind[file]
        log, name = self.log, self._names[file]
        if log is None:
            return int(write(file, data, count, offset))
        failure = log.fails(Failure.FULL, Failure.BROKEN)
        done = count if failure is None else min(count, SECTOR_BYTES)
        log.add(Act.WRITE, name, offset, ctypes.string_at(data, done))
        code = int(write(file, data, done, offset))
        if failure is Failure.FULL:
            return sqlite3.SQLITE_FULL
        return code if failure is None else sqlite3.SQLITE_IOERR_WRITE

    def _truncate(self, file: int, size: int) -> int:
        _, truncate, _ = self._behind[file]
        if self.log is not None:
            self.log.fails()
            self.log.add(Act.TRUNCATE, self._names[file], size)
        return int(truncate(file, size))

    def _sync(self, file: int, flags: int) -> int:
        _, _, sync = self._behind[file]
        log, name = self.log, self._names[file]
        if log is None:
            return int(sync(file, flags))
        if log.fails(Failure.UNSYNCED) is not None:
            log.add(Act.SYNC_FAILED, name)
            return sqlite3.SQLITE_IOERR_FSYNC
        code = int(sync(file, flags))
        log.add(Act.SYNC, name)
        return code

    def _delete(self, vfs: int, name: int, sync_folder: int) -> int:
        watched = self._watched(name)
        code = int(self._delete_behind(vfs, name, sync_folder))
        if self.log is not None and watched in self.log.known and code == sqlite3.SQLITE_OK:
            self.log.known.remove(watched)
            self.log.add(Act.DELETE, watched, sync_folder)
        return code


_made: list[_Shim] = []


def _shim() -> _Shim:
    if not _made:
        _made.append(_Shim())
    return _made[0]


@contextlib.contextmanager
def watched(log: Log, seed: int) -> Iterator[Log]:
    """Write down what SQLite does in the folder of ``log`` while the block runs.

    Raises:
        DiskError: the library of this Python cannot be reached from outside.
    """
    shim = _shim()
    shim.seed(seed)
    shim.log = log
    try:
        yield log
    finally:
        shim.log = None
        shim.seed(0)
