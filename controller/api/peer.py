"""Who is at the other end of a unix socket, and where the socket lies: nobody else's business."""

import contextlib
import errno
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Final

from controller.api.ask import (
    KernelAbsentError,
    KernelSilentError,
    KernelUnreachedError,
    dial,
    short_name,
)

SOCKET_MODE: Final = 0o600
BACKLOG: Final = 128
_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid: unix(7), SO_PEERCRED
_ROOT_UID: Final = 0  # root can do anything to this process anyway


def peer_uid(line: socket.socket) -> int | None:
    """Return the user at the other end, or None where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    with contextlib.suppress(OSError, struct.error):
        said = line.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
        _, uid, _ = _CREDENTIALS.unpack(said)
        return int(uid)
    return None


def is_welcome(uid: int | None, own_uid: int) -> bool:
    """Return True for the own user and root; an unknown user is a foreign one."""
    return uid is not None and uid in {own_uid, _ROOT_UID}


def listen(path: Path) -> socket.socket:
    """Return a listening socket at ``path`` that only the own user can reach.

    A socket that a killed kernel left behind is removed; one that somebody may listen at, or a
    file that is no socket, is left alone: OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_left_over(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 ^ SOCKET_MODE)
    try:
        with short_name(path) as name:
            listener.bind(name)
        listener.listen(BACKLOG)
        listener.setblocking(False)  # noqa: FBT003 - the name of the standard library
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _remove_left_over(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise FileExistsError(errno.EEXIST, "there is a file that is no socket", str(path))
    try:
        dial(path).close()
    except KernelSilentError as error:
        words = "another kernel listens there and does not answer"
        raise OSError(errno.EADDRINUSE, words, str(path)) from error
    except KernelUnreachedError as error:
        words = "whether another kernel listens there cannot be seen"
        raise OSError(errno.EADDRINUSE, words, str(path)) from error
    except KernelAbsentError:
        path.unlink(missing_ok=True)
        return
    raise OSError(errno.EADDRINUSE, "another kernel listens there", str(path))
