"""The one boundary for what the command prints: any encoding, any reader, and any words in it.

A terminal that cannot show a character gets one that looks like it. What cannot be written at all,
because the disk is full or the reader has gone, is a `LostError` and never a traceback. Words that
come from people and files (names, sentences) are text, never markup or commands of a terminal.
"""

import codecs
import contextlib
import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, Final, TextIO, cast

from controller.api.own_output import keep_low_descriptors
from controller.cli.outcome import ExitCode, Failure

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.console import Console
    from rich.text import Text

UNPRINTABLE: Final = "\N{REPLACEMENT CHARACTER}"
LOOK_ALIKES: Final = {
    "µ": "u", "·": "-", "▶": ">", "✓": "+", "█": "#", "▓": "#", "▒": "=", "░": ".", "—": "-",
    "…": "...", "→": "->", "≤": "<=", "≥": ">=", "±": "+-", "°": "deg", "²": "2", "³": "3",
    "“": '"', "”": '"', "•": "*", UNPRINTABLE: "?",
}  # fmt: skip
"""What stands for a character on a terminal that cannot show it; a question mark for any other."""

ERRORS: Final = "corneum-look-alike"
NAMES: Final = {1: "Standard output", 2: "Standard error"}


class LostError(Failure):
    """What is printed does not arrive any more."""

    def __init__(self, descriptor: int, error: OSError) -> None:
        name = NAMES.get(descriptor, "The output")
        reader_gone = error.errno == errno.EPIPE
        why = "its reader has gone" if reader_gone else error.strerror or str(error)
        super().__init__(
            f"{name} cannot be written: {why}.",
            "Send it to a terminal or to a disk with room.",
            ExitCode.PORT,
            "output_lost",
        )
        self.reader_gone = reader_gone


class _Whole(io.RawIOBase):
    """A descriptor that takes all or raises; nothing is kept that could fail at the end."""

    def __init__(self, descriptor: int, *, usable: bool) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._usable = usable

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._usable and os.isatty(self._descriptor)

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write all of ``data``. Raises LostError."""
        left = memoryview(data).cast("B")
        size = len(left)
        self.check()
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            raise LostError(self._descriptor, error) from error
        return size

    def check(self) -> None:
        """Raise LostError for a descriptor that was closed before this process began."""
        if not self._usable:
            closed = OSError(errno.EBADF, "it was closed before the command began")
            raise LostError(self._descriptor, closed)


def prepare(*, wanted: bool = True) -> None:
    """Let both streams of this process fail as `LostError` and never over a character.

    Where nothing of it has to be ``wanted``, what is written to a closed one is dropped.
    """
    codecs.register_error(ERRORS, _look_alike)
    keep_low_descriptors()
    sys.stdout = _prepared(sys.stdout, 1, wanted=wanted)
    sys.stderr = _prepared(sys.stderr, 2, wanted=wanted)


def console(file: TextIO | None = None) -> "Console":
    """Return a console on ``file``, or on standard output, to which every string is only text."""
    from rich.console import Console  # noqa: PLC0415 - `status` must answer at once

    return Console(file=file or sys.stdout, highlight=False, markup=False, emoji=False)


def text(words: str, style: str = "") -> "Text":
    """Return words of a person or a file as a text: no markup, no commands of a terminal."""
    from rich.text import Text  # noqa: PLC0415 - `status` must answer at once

    return Text(clean(words), style=style)


def clean(words: str) -> str:
    """Return ``words`` on one line with what nobody can see replaced."""
    return "".join(char if char.isprintable() else UNPRINTABLE for char in words)


def takes_more(stream: TextIO) -> bool:
    """Return whether a few kB can be written now without waiting for a reader.

    A pipe that is full and a terminal that was halted take nothing. Raises LostError where the
    reader has gone.
    """
    raw = getattr(stream, "buffer", None)
    if isinstance(raw, _Whole):
        raw.check()
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # no file of the system: it waits for nobody
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    state = dict(poll.poll(0)).get(descriptor, 0)
    if state & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
        raise LostError(descriptor, BrokenPipeError(errno.EPIPE, "its reader has gone"))
    return bool(state & select.POLLOUT)


def complain(words: str) -> None:
    """Say ``words`` on standard error, if anybody can hear it."""
    with contextlib.suppress(LostError):
        sys.stderr.write(words + "\n")


def _prepared(stream: TextIO | None, descriptor: int, *, wanted: bool) -> TextIO:
    if isinstance(getattr(stream, "buffer", None), _Whole):
        return cast("TextIO", stream)
    usable = stream is not None or not wanted
    if stream is not None:
        try:
            if stream.fileno() != descriptor:
                return stream
        except (OSError, ValueError):
            return stream  # a test that listens
    encoding = getattr(stream, "encoding", None) or "utf-8"
    raw = _Whole(descriptor, usable=usable)
    made = io.TextIOWrapper(raw, encoding, ERRORS, write_through=True)  # type: ignore[type-var]  # a raw file, as with python -u
    if isinstance(stream, io.TextIOWrapper):
        stream.flush()
    return made


def _look_alike(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(LOOK_ALIKES.get(char, "?") for char in wrong), error.end
