"""A path that belongs to one living simulator: its link, its control socket.

A claim is an advisory lock on a small file beside the path. The system gives it up with the process
that holds it, however that ends, so that a claim that can be had is of nobody who lives, and one of
a frozen process is still held. The file names its holder for the sentence that refuses the second.
"""

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from typing import Final

TRIES_MAX: Final = 10  # a holder that ends between our open and our lock takes its file along
PID_MAX_BYTES: Final = 32


class TakenError(Exception):
    """Another living process holds the path; the text is who, as far as it says."""


class Claim:
    """Holds ``path`` until `release`; TakenError where another process does."""

    def __init__(self, path: Path) -> None:
        """Take the path; OSError where nothing can be written beside it."""
        self._lock = lock_path(path)
        self.inherited = False
        """True where a simulator that is dead had claimed the path: what lies there is its."""
        for _ in range(TRIES_MAX):
            self.inherited = os.path.lexists(self._lock)
            self._fd = os.open(
                self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644
            )
            if self._locked():
                return
            os.close(self._fd)
        raise TakenError("several at once")

    def _locked(self) -> bool:
        """Lock the file that is open; False where it is not the one that lies there any more."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not self._is_there():
                return False
            os.truncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            holder = self._holder()
            os.close(self._fd)
            if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
                raise TakenError(holder) from error
            raise
        return True

    def _is_there(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self._fd), os.lstat(self._lock))
        return False

    def _holder(self) -> str:
        with contextlib.suppress(OSError):
            said = os.pread(self._fd, PID_MAX_BYTES, 0).strip()
            return f"pid {said.decode()}" if said.isdigit() else "pid unknown"
        return "pid unknown"

    def release(self) -> None:
        """Give the path back; the lock goes with the file, which nobody else removes."""
        with contextlib.suppress(OSError):
            if self._is_there():
                self._lock.unlink()
        os.close(self._fd)


def lock_path(path: Path) -> Path:
    """Return the file beside ``path`` that is locked while somebody owns it."""
    return path.with_name(f".{path.name}.lock")
