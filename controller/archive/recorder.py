"""The recorder of waveforms: a process that the kernel starts and never waits for.

It keeps a worker that takes from the queue, which is standard input, and puts another in its place
when it dies or stops taking. A worker is a fork, so that the next one is there at once, and no
start of a process holds up a kernel in mid-treatment. Both end when the queue is closed.
"""

import contextlib
import fcntl
import mmap
import os
import signal
import sys
import termios
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

NICE: Final = 5
"""Behind the kernel and whoever looks at it, before what is done when nothing else is."""

WORKERS_MAX: Final = 8
"""In the life of one recorder: what kills so many has a reason that kills the next one too."""

LOOK_S: Final = 0.5
FULL_BYTES: Final = 32_768
"""Five seconds of samples; a worker that takes them has one at most before itself."""

STUCK_LOOKS: Final = 8
"""So many looks one after the other at a queue as full as that: its worker is stopped or hangs."""

USAGE: Final = "usage: python -m controller.archive.recorder FOLDER [TREATMENT]"


def main(arguments: Sequence[str]) -> int:
    """Record into a folder from standard input until that is closed; returns the exit code.

    With the number of a treatment its file is gone on with.
    """
    if not 1 <= len(arguments) <= 2 or not all(word.isdecimal() for word in arguments[1:]):  # noqa: PLR2004
        sys.stderr.write(f"{USAGE}\n")
        return 2
    with contextlib.suppress(OSError):
        os.nice(NICE)
    for number in (signal.SIGINT, signal.SIGTERM):  # the end of the queue is the end
        signal.signal(number, signal.SIG_IGN)
    folder, go_on = Path(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 0
    return _keep(folder, sys.stdin.fileno(), go_on)


def _keep(folder: Path, queue: int, go_on: int) -> int:
    from controller.archive import worker  # noqa: PLC0415 - after it was made nice

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    keeper, code = os.getpid(), 0
    with mmap.mmap(-1, worker.UNDER_WAY.size) as shared:
        worker.UNDER_WAY.pack_into(shared, 0, go_on)
        for _ in range(WORKERS_MAX):
            pid = os.fork()
            if pid == 0:
                # Nothing of the keeper may run again in the worker.
                os._exit(worker.work(folder, queue, shared, partial(_is_parent, keeper)))
            code = _watch(pid, queue)
            if code >= 0:
                break
    return abs(code)


def _is_parent(keeper: int) -> bool:
    return os.getppid() == keeper


def _watch(pid: int, queue: int) -> int:
    """Wait for the end of a worker and return its code, below 0 where it was killed."""
    full = 0
    while True:
        signal.sigtimedwait({signal.SIGCHLD}, LOOK_S)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        full = full + 1 if _waiting_bytes(queue) > FULL_BYTES else 0
        if full > STUCK_LOOKS:
            os.kill(pid, signal.SIGKILL)


def _waiting_bytes(queue: int) -> int:
    """Return how much is in the queue."""
    return int.from_bytes(fcntl.ioctl(queue, termios.FIONREAD, bytes(4)), sys.byteorder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
