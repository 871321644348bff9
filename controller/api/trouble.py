"""What the environment refuses, in a sentence with a next step: a person can mend it.

An `OSError` that says which file, or what this computer has run out of, is told so wherever it
comes out. Every other exception that nobody expected is a fault of our own (`fault_files`).
"""

import contextlib
import errno
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from controller.config.paths import NoStateFolderError, state_dir
from controller.safety.refusal import ENVIRONMENT, Refusal

_trouble: Final = partial(Refusal, ENVIRONMENT)

_RIGHTS: Final = "Mend its rights, or name another place."
_OTHER_THING: Final = "Something else lies there: move it away, or name another place."
_STEPS: Final[Mapping[int | None, str]] = MappingProxyType(
    {
        errno.EACCES: _RIGHTS,
        errno.EPERM: _RIGHTS,
        errno.EROFS: "Mount its disk writable, or name another place.",
        errno.ENOENT: "Check the name.",
        errno.ENAMETOOLONG: "Name a shorter path.",
        errno.EEXIST: _OTHER_THING,
        errno.EISDIR: _OTHER_THING,
        errno.ENOTDIR: _OTHER_THING,
        errno.ELOOP: "Its links lead in a circle: mend them, or name another place.",
        errno.ENOSPC: "Free space on its disk.",
        errno.EDQUOT: "Free space on its disk.",
        errno.EIO: "Look at its disk: the system's log names it.",
    }
)
_SHORT_OF: Final[Mapping[int | None, Refusal]] = MappingProxyType(
    {
        errno.EMFILE: _trouble(
            "This process may open no more files.", "Raise its limit: ulimit -n."
        ),
        errno.ENFILE: _trouble("This computer may open no more files.", "Close other programs."),
        errno.ENOMEM: _trouble("This computer has no memory left.", "Close other programs."),
        errno.ENOSPC: _trouble("The disk is full.", "Free space on it."),
        errno.EDQUOT: _trouble("This account may use no more of the disk.", "Free space on it."),
        errno.EIO: _trouble("A disk or line reports an error.", "The system's log names it."),
    }
)
FOLDER_GONE: Final = _trouble(
    "The folder in which this was started is gone.", "Go to another one and try again."
)


def trouble_of(error: BaseException) -> Refusal | None:
    """Return what the environment refused; None for a fault of our own."""
    if isinstance(error, NoStateFolderError):
        return error.refusal
    if isinstance(error, MemoryError):
        return _SHORT_OF[errno.ENOMEM]
    if not isinstance(error, OSError):
        return None
    if error.filename is None:
        astray = error.errno == errno.ENOENT and _is_astray()
        return FOLDER_GONE if astray else _SHORT_OF.get(error.errno)
    named = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
    step = _STEPS.get(error.errno, "Check the path and its rights.")
    if error.errno in {errno.EACCES, errno.EPERM}:
        with contextlib.suppress(NoStateFolderError):
            step = owner_step(Path(str(named)), state_dir()) or step
    return _trouble(f"{named} cannot be used ({error.strerror or error}).", step)


def owner_step(path: Path, state: Path) -> str | None:
    """Say how the state folder is given back where ``path`` in it belongs to another account."""
    for place in (path, *path.parents):
        if not place.is_relative_to(state):
            break
        with contextlib.suppress(OSError):
            uid = place.stat().st_uid
            if uid == os.getuid():
                break
            return (
                f"{place} belongs to {account_of(uid)}: give the whole folder back with `sudo "
                f"chown -R {account_of(os.getuid())} {state}`."
            )
    return None


def account_of(uid: int) -> str:
    """Return the name of an account, or its number where it has none."""
    import pwd  # noqa: PLC0415 - a start without trouble needs no account

    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):
        return str(uid)


def _is_astray() -> bool:
    """Return True where the current folder was removed."""
    try:
        Path.cwd()
    except OSError:
        return True
    return False
