"""The recorder of waveforms as a process: its pipe, its start, and what it says.

Its program is named and not imported: nothing of it may be in the kernel's memory. The pipe is made
once for each recorder that was given up, and outlives one that died.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

PROGRAM: Final = (sys.executable, "-m", "controller.archive.recorder")
FOLDER: Final = "waveforms"
"""Below the state folder."""

QUEUE_BYTES: Final = 262_144
"""Room in the pipe: 40 s of readings at 50 Hz. The system's memory, not the kernel's; a system that
grants less holds 10 s."""

LINE_MAX_BYTES: Final = 8_192
"""The longest line of a recorder."""


def file_name(treatment: int) -> str:
    """Return the name of the file of a treatment."""
    return f"treatment-{treatment:06}.mcap"


class RecorderProcess:
    """One queue, and whichever process takes from it."""

    def __init__(self, folder: Path, program: Iterable[str] = PROGRAM) -> None:
        self.folder = folder
        self.began = 0
        """The treatment whose file the recorder has opened last."""
        self.told: dict[str, Any] = {}
        """What the recorder has told of a file last."""
        self.news = asyncio.Event()
        """Set when it has said something, or has ended."""
        self._program = tuple(program)
        self._process: subprocess.Popen[bytes] | None = None
        self._read_end = self._write_end = self._output = -1
        self._line = b""

    @property
    def lives(self) -> bool:
        """True while any process may take from the queue: none has closed its output."""
        return self._output >= 0

    @property
    def pid(self) -> int | None:
        """The process that was started last, which leads a session of its own; None before."""
        return None if self._process is None else self._process.pid

    def start(self, go_on: int = 0) -> None:
        """Start a process that takes from the queue; ``go_on`` is a treatment that was begun.

        The loop stands still for some milliseconds: nothing may be under way.

        Raises:
            OSError: no memory, process or descriptor is left.
        """
        self._hear_no_more()
        if self._write_end < 0:
            self._open()
        self.began, self.told, self._line = 0, {}, b""
        self._output, theirs = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                (*self._program, str(self.folder), *((str(go_on),) if go_on else ())),
                stdin=self._read_end,
                stdout=theirs,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the kernel, which ends in order
            )
        except OSError:
            os.close(self._output)
            self._output = -1
            raise
        finally:
            os.close(theirs)
        asyncio.get_running_loop().add_reader(self._output, self._readable)

    def put(self, record: bytes) -> bool:
        """Put one record into the queue; False where it has no room. Never waits, never raises."""
        try:
            return os.write(self._write_end, record) == len(record)
        except OSError:  # EAGAIN: full; EBADF: there is no queue any more
            return False

    def kill(self) -> None:
        """End a recorder that does not answer, with its workers; they are stopped, perhaps."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def give_up(self, *, kill: bool = True) -> None:
        """Close the queue: a recorder that lives finishes what it has, unless it is killed."""
        if kill:
            self.kill()
        for end in (self._read_end, self._write_end):
            if end >= 0:
                os.close(end)
        self._read_end = self._write_end = -1
        self._hear_no_more()

    def _open(self) -> None:
        self._read_end, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # more than an ordinary user may have in all
            fcntl.fcntl(self._write_end, fcntl.F_SETPIPE_SZ, QUEUE_BYTES)

    def _readable(self) -> None:
        try:
            said = os.read(self._output, LINE_MAX_BYTES)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            self._hear_no_more()
            self.news.set()
            return
        *lines, rest = (self._line + said).split(b"\n")
        self._line = rest[:LINE_MAX_BYTES]
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        with contextlib.suppress(ValueError):  # none of ours
            said = json.loads(line)
            if isinstance(said, dict):
                self.began = int(said.get("began", self.began))
                self.told = said if "treatment" in said else self.told
                self.news.set()

    def _hear_no_more(self) -> None:
        if self._output >= 0:
            asyncio.get_running_loop().remove_reader(self._output)
            os.close(self._output)
            self._output = -1
        if self._process is not None:
            self._process.poll()
