"""The smallest client of a kernel: asks one question, waits for the answer.

`corneum status` must answer in 0.4 s from the start of its process, so this file imports neither
asyncio nor pydantic.
"""

import contextlib
import errno
import json
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ANSWER_MAX_BYTES: Final = 1_000_000
"""An answer of the kernel is a few kB; a plan with all its receipts is below 100 kB."""

CHUNK_BYTES: Final = 65_536
TIMEOUT_S: Final = 2.0
"""For what a kernel answers within milliseconds, from what it knows."""

END_MAX_S: Final = 5.0
"""The kernel's own bound on an act of a person, whatever its steps: it has its end by then, or that
is not known. The journal gives a row up after 1 s, and a one-shot that waits for the unknown end of
another one has its own after 3 s at most."""

PREPARED_MAX_S: Final = 10.0
"""The kernel's own bound on what comes before a treatment: its record is ready and its plan made,
or it does not begin."""

MARGIN_S: Final = 4.0
"""Beyond a bound of the kernel: three rows of at most 1 s beside the act itself (a screen that
takes the lead, a booking, the list of what is unfinished), and the way there and back."""

ACT_TIMEOUT_S: Final = END_MAX_S + MARGIN_S
TREAT_TIMEOUT_S: Final = PREPARED_MAX_S + END_MAX_S + MARGIN_S
"""Whoever asks waits longer than the kernel takes: a question that is given up would leave open
whether it was done."""

_TIMEVAL: Final = struct.Struct("@ll")  # seconds and microseconds: socket(7), SO_SNDTIMEO


_NOBODY: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ECONNREFUSED})
"""Only with these it is sure that nobody listens; others say that it could not be looked."""


class KernelAbsentError(Exception):
    """No kernel answers there."""


class KernelUnreachedError(KernelAbsentError):
    """It could not be reached, so that it is not known whether one listens there."""


class KernelSilentError(KernelUnreachedError):
    """Somebody listens there, and does not answer: frozen, or overloaded."""


@contextlib.contextmanager
def short_name(path: Path) -> Iterator[str]:
    """Give a name for a socket's path that fits into the 107 bytes of a socket address."""
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def dial(path: Path, timeout_s: float = TIMEOUT_S) -> socket.socket:
    """Return a socket that is connected to the kernel at ``path``.

    Raises:
        KernelAbsentError: nobody listens there.
        KernelSilentError: somebody does and takes nobody in.
        KernelUnreachedError: whether somebody does is not known.
    """
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The system waits for room in the kernel's queue; a socket with a timeout of Python's own
        # would be refused at once.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEVAL.pack(*_parts(timeout_s)))
        with short_name(path) as name:
            line.connect(name)
        line.settimeout(timeout_s)
    except OSError as error:
        line.close()
        raise _why_not(path, error, f"for {timeout_s:g} s") from error
    return line


def knock(path: Path) -> socket.socket:
    """Return a socket that is connected to the kernel at ``path`` and never waits; see `dial`.

    KernelSilentError means that its queue has no room at this moment.
    """
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        with short_name(path) as name:
            line.connect(name)
    except OSError as error:
        line.close()
        raise _why_not(path, error, "now") from error
    return line


def _why_not(path: Path, error: OSError, how_long: str) -> KernelAbsentError:
    if isinstance(error, BlockingIOError):
        return KernelSilentError(f"the kernel at {path} takes nobody in {how_long}")
    if error.errno in _NOBODY:
        return KernelAbsentError(f"no kernel listens at {path} ({error.strerror})")
    return KernelUnreachedError(f"{path} could not be reached ({error.strerror or error})")


def _parts(span_s: float) -> tuple[int, int]:
    whole_s = int(span_s)
    return whole_s, int((span_s - whole_s) * 1_000_000)


def ask(
    path: Path,
    do: str,
    args: Mapping[str, object] | None = None,
    who: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> dict[str, Any]:
    """Ask the kernel at ``path`` for ``do`` and return its answer as it came.

    Raises:
        KernelAbsentError: nobody listens there, or it hangs up.
        KernelSilentError: the answer does not come within ``timeout_s``.
    """
    request = {"id": 1, "do": do, "args": dict(args or {})}
    if who is not None:
        request["who"] = dict(who)
    with contextlib.closing(dial(path, timeout_s)) as line:
        try:
            line.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(_read_line(line))
        except TimeoutError as error:
            raise KernelSilentError(
                f"the kernel at {path} has not answered for {timeout_s:g} s"
            ) from error
        except (OSError, ValueError) as error:
            raise KernelAbsentError(f"the kernel at {path} does not answer ({error})") from error
    if not isinstance(answer, dict):
        raise KernelAbsentError(f"the kernel at {path} answers in another language")
    return answer


def _read_line(line: socket.socket) -> bytes:
    read = bytearray()
    while b"\n" not in read:
        chunk = line.recv(CHUNK_BYTES)
        if not chunk or len(read) + len(chunk) > ANSWER_MAX_BYTES:
            raise OSError("the line was closed")
        read += chunk
    return bytes(read)
