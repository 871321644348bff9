"""Standard input, output and error of a process: theirs alone, and what a kernel writes on them."""

import contextlib
import io
import os
import sys
from typing import Final, TextIO

STANDARD: Final = 2
"""The highest number of a standard descriptor."""

LOG_MAX_BYTES: Final = 65_536
"""Complaints of one start: dozens of tracebacks. After that the first ones say what is wrong."""


class BoundedLog(io.TextIOBase):
    """A text stream that takes ``LOG_MAX_BYTES`` and drops the rest; it never raises."""

    def __init__(self, descriptor: int, max_bytes: int = LOG_MAX_BYTES) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._left = max_bytes

    def fileno(self) -> int:
        """Return the descriptor of the log."""
        return self._descriptor

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, text: str, /) -> int:
        """Write as much as there is room for."""
        data = text.encode("utf-8", "replace")[: self._left]
        try:
            self._left -= os.write(self._descriptor, data) if data else 0
        except OSError:
            self._left = 0
        return len(text)


def keep_low_descriptors() -> None:
    """Open what was closed by the caller: else a port or socket gets the number of an output."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STANDARD:
        pass
    os.close(descriptor)


def write_line(stream: TextIO | None, line: str) -> None:
    """Write what can be written: a full disk or a reader that is gone changes no exit code."""
    if stream is None:
        return
    encoding = stream.encoding or "ascii"
    try:
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except (OSError, ValueError):
        # What still lies in the buffer would fail once more at the end of the process.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def hold_nothing() -> None:
    """Let go of pipe and folder of the process that started this one, and bound the complaints."""
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.close(nothing)
    sys.stderr = BoundedLog(2)
