"""What the commands print: any encoding, and a reader that may have gone.

A terminal that cannot show a character gets one that looks like it. What cannot be written at all,
because the disk is full or the reader has gone, is a `LostError` and no error of the port.
"""

import codecs
import contextlib
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STANDARD: Final = 2
"""The highest number of a standard descriptor."""

ERRORS: Final = "corneum-sim-look-alike"
LOOK_ALIKES: Final = {
    "µ": "u", "·": "-", "—": "-", "…": "...", "→": "->", "≤": "<=", "≥": ">=", "±": "+-",
    "°": "deg", "²": "2", "³": "3",
}  # fmt: skip
NAMES: Final = {1: "Standard output", 2: "Standard error"}


class LostError(Exception):
    """What is printed does not arrive any more."""

    def __init__(self, descriptor: int, error: OSError) -> None:
        super().__init__(f"{NAMES[descriptor]} cannot be written: {error.strerror or error}.")
        self.reader_gone = error.errno == errno.EPIPE


class _Whole(io.RawIOBase):
    """A descriptor that takes all or raises; nothing is kept that could fail at the end."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write all of ``data``. Raises LostError."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            raise LostError(self._descriptor, error) from error
        return size


def prepare() -> None:
    """Let both streams of this process fail as `LostError` and never over a character.

    What is written to one that was closed by the caller is dropped.
    """
    codecs.register_error(ERRORS, _look_alike)
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STANDARD:
        pass  # else a port gets the number of an output that was closed
    os.close(descriptor)
    sys.stdout = _prepared(sys.stdout, 1)
    sys.stderr = _prepared(sys.stderr, 2)


def complain(words: str) -> None:
    """Say ``words`` on standard error, if anybody can hear it."""
    with contextlib.suppress(LostError):
        sys.stderr.write(words + "\n")


def _prepared(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is not None and not _is_ours(stream, descriptor):
        return stream
    encoding = "utf-8" if stream is None else stream.encoding
    raw = _Whole(descriptor)
    return io.TextIOWrapper(raw, encoding, ERRORS, write_through=True)  # type: ignore[type-var]  # a raw file, as with python -u


def _is_ours(stream: TextIO, descriptor: int) -> bool:
    """Return False for a stream of a test that listens."""
    try:
        return stream.fileno() == descriptor
    except (OSError, ValueError):
        return False


def _look_alike(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(LOOK_ALIKES.get(char, "?") for char in wrong), error.end
