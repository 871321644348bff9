"""One kernel for each port and each unit: locks that the operating system drops with the process.

The lock is that of an open file (F_OFD_SETLK), not the file: what a killed kernel leaves behind
locks nothing. The file's text only serves to name the holder. Such a lock can be looked at without
being taken (F_OFD_GETLK), so a look never makes a start fail, which flock cannot offer. flock is
taken beside it, since builds of November know only that one.
"""

import contextlib
import fcntl
import os
import struct
from enum import Enum, unique
from pathlib import Path
from typing import Final

TEXT_MAX_BYTES: Final = 64

_FLOCK: Final = struct.Struct("hhqqi0q")
"""`struct flock` of fcntl(2): type, whence, start, length (0 is all), pid (0 with these locks)."""

_WHOLE: Final = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


class HeldError(Exception):
    """Another process holds the lock."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(f"held by process {pid}" if pid else "held by another process")
        self.pid = pid


@unique
class LockState(Enum):
    """What a look at a lock has found."""

    HELD = "held"
    FREE = "free"
    UNKNOWN = "unknown"
    """The lock could not be looked at: no descriptor was left, or the rights forbid it."""


class Lock:
    """An exclusive lock on a file; held until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """True while this process holds it through this object."""
        return self._descriptor is not None

    def take(self) -> None:
        """Take the lock now or raise.

        Raises:
            HeldError: another process has it; its pid where the file says so.
            OSError: the file cannot be made.
        """
        if self.held:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            _take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it up; the file stays, so that nobody can lock a file that is being removed."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
            os.close(descriptor)


def look(path: Path) -> LockState:
    """Say whether some process holds the lock at ``path``, without taking it from anybody."""
    try:
        # Without waiting: a pipe in the place of the file would wait for its other end, for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return LockState.FREE  # nobody ever took it, for its file stays
    except OSError:
        return LockState.UNKNOWN
    try:
        found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _WHOLE)
    except OSError:
        return LockState.UNKNOWN
    finally:
        os.close(descriptor)
    return LockState.FREE if _FLOCK.unpack(found)[0] == fcntl.F_UNLCK else LockState.HELD


def _take(descriptor: int) -> None:
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _WHOLE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.pread(descriptor, TEXT_MAX_BYTES, 0)
        raise HeldError(int(said) if said.strip().isdigit() else None) from None
