"""Who has a port open: read from /proc, where the system has one."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")
_PTY_MASTERS: Final = frozenset({Path("/dev/ptmx"), Path("/dev/pts/ptmx")})
_COMMAND_MAX: Final = 80  # characters of a command line in a sentence


class Holder(NamedTuple):
    """A process that has the port open."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command})"


def holders_of(path: str) -> tuple[Holder, ...]:
    """Return the other processes that have the port at ``path`` open, as far as this user may see.

    The process that owns the master side of a pty is its unit, not a rival, and is left out.
    """
    real = Path(path).resolve()
    own = os.getpid()
    return tuple(Holder(pid, _command(pid)) for pid in _pids() if pid != own and _holds(pid, real))


def held_here(path: str) -> bool:
    """True where this process itself has the port open."""
    real = Path(path).resolve()
    return any(target == real for _, target in _descriptors(os.getpid()))


def _pids() -> Iterator[int]:
    with contextlib.suppress(OSError):
        for entry in _PROC.iterdir():
            if entry.name.isdigit():
                yield int(entry.name)


def _holds(pid: int, real: Path) -> bool:
    held = False
    for link, target in _descriptors(pid):
        if target in _PTY_MASTERS and _is_master_of(pid, link.name, real):
            return False
        held = held or target == real
    return held


def _descriptors(pid: int) -> Iterator[tuple[Path, Path]]:
    with contextlib.suppress(OSError):  # ended meanwhile, or of another user
        for link in (_PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield link, link.readlink()


def _is_master_of(pid: int, number: str, real: Path) -> bool:
    try:
        about = (_PROC / str(pid) / "fdinfo" / number).read_text()
    except OSError:
        return False
    return any(
        line.startswith("tty-index:") and real == Path("/dev/pts", line.split()[-1])
        for line in about.splitlines()
    )


def _command(pid: int) -> str:
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return "ended meanwhile"
    words = " ".join(raw.replace(b"\0", b" ").decode(errors="replace").split())
    return words[:_COMMAND_MAX] or "unnamed"
