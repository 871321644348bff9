"""What a kernel that was started for a treatment still writes once it is ready: a bounded log."""

import io
import os
import sys
from typing import Final

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


def hold_nothing() -> None:
    """Let go of pipe and folder of the process that started this one, and bound the complaints."""
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.close(nothing)
    sys.stderr = BoundedLog(2)
