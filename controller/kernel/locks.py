"""One kernel for each port and each unit: locks that the operating system drops with the process.

The lock is flock, not the file: what a killed kernel leaves behind locks nothing. The file's text
only serves to name the holder.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

TEXT_MAX_BYTES: Final = 64


class HeldError(Exception):
    """Another process holds the lock."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(f"held by process {pid}" if pid else "held by another process")
        self.pid = pid


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
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = os.read(descriptor, TEXT_MAX_BYTES)
            os.close(descriptor)
            raise HeldError(int(said) if said.strip().isdigit() else None) from None
        except OSError:
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


def is_held(path: Path) -> bool:
    """Return True while some process holds the lock at ``path``."""
    probe = Lock(path)
    try:
        probe.take()
    except HeldError:
        return True
    except OSError:
        return False
    probe.release()
    return False
