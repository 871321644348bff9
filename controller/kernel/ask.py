"""The smallest client of a kernel: finds it, asks one question, waits for the answer.

`corneum status` must answer in 0.4 s from the start of its process, so this file imports neither
asyncio nor pydantic.
"""

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from controller.config.paths import run_dir

ANSWER_MAX_BYTES: Final = 1_000_000
"""An answer of the kernel is a few kB; a plan with all its receipts is below 100 kB."""

CHUNK_BYTES: Final = 65_536
TIMEOUT_S: Final = 2.0
"""The kernel answers within milliseconds; only connecting to a unit takes longer."""

LISTED_MAX: Final = 64
"""Kernels of one user on one machine: one for each port."""


class KernelAbsentError(Exception):
    """No kernel answers there."""


class KernelAddress(NamedTuple):
    """A kernel that says it runs, in its file under the state folder."""

    pid: int
    port: str
    socket: Path


def kernels(state: Path) -> list[KernelAddress]:
    """Return the kernels that have a file in the state folder; a killed one leaves its file."""
    found = []
    with contextlib.suppress(OSError):
        for path in sorted(run_dir(state).glob("*.json"))[:LISTED_MAX]:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                said = json.loads(path.read_bytes())
                socket_at = Path(said.get("socket") or path.with_suffix(".sock"))
                found.append(KernelAddress(int(said["pid"]), str(said["port"]), socket_at))
    return found


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
    """
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.settimeout(timeout_s)
        with short_name(path) as name:
            line.connect(name)
    except OSError as error:
        line.close()
        raise KernelAbsentError(
            f"no kernel listens at {path} ({error.strerror or error})"
        ) from error
    return line


def ask(
    path: Path,
    do: str,
    args: Mapping[str, object] | None = None,
    who: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> dict[str, Any]:
    """Ask the kernel at ``path`` for ``do`` and return its answer as it came.

    Raises:
        KernelAbsentError: nobody listens there, or the answer does not come within ``timeout_s``.
    """
    request = {"id": 1, "do": do, "args": dict(args or {})}
    if who is not None:
        request["who"] = dict(who)
    with contextlib.closing(dial(path, timeout_s)) as line:
        try:
            line.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(_read_line(line))
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
