"""What is written to a descriptor: whole, in any encoding, and never lost without a word."""

import errno
import fcntl
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO

import pytest

from controller.cli import output
from controller.cli.outcome import ExitCode
from controller.cli.output import LostError

pytestmark = pytest.mark.realtime

SEND = "Send it to a terminal or to a disk with room."


class Pipe:
    """A pipe whose write end has a stream of Python's own."""

    def __init__(self, encoding: str) -> None:
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        raw = io.FileIO(self.write_end, "w", closefd=False)
        self.stream: TextIO = io.TextIOWrapper(io.BufferedWriter(raw), encoding)

    def prepared(self) -> TextIO:
        return output._prepared(self.stream, self.write_end, wanted=True)

    def read(self) -> bytes:
        try:
            return os.read(self.read_end, 65536)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        for fd in (self.read_end, self.write_end):
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def pipe(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    for name in ("stdout", "stderr"):  # the command prepares them; afterwards they are pytest's
        monkeypatch.setattr(sys, name, getattr(sys, name))
    output.prepare()
    made = Pipe(getattr(request, "param", "utf-8"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("pipe", "arrives"),
    [("utf-8", "5 µm ✓"), ("ascii", "5 um +"), ("latin-1", "5 µm +")],
    indirect=["pipe"],
)
def test_words_arrive_at_once_in_the_encoding_of_the_stream(pipe: Pipe, arrives: str) -> None:
    pipe.stream.write("before ")
    made = pipe.prepared()
    made.write("5 µm ✓")
    assert pipe.read().decode(made.encoding) == f"before {arrives}"
    assert output._prepared(made, pipe.write_end, wanted=True) is made
    assert (made.fileno(), made.isatty(), made.writable()) == (pipe.write_end, False, True)


def test_a_stream_that_is_no_descriptor_of_ours_is_left_as_it_is(pipe: Pipe) -> None:
    listening = io.StringIO()
    assert output._prepared(listening, 1, wanted=True) is listening
    assert output._prepared(pipe.stream, pipe.write_end + 1, wanted=True) is pipe.stream


def test_what_was_closed_before_the_command_began_is_told(pipe: Pipe) -> None:
    made = output._prepared(None, 1, wanted=True)
    assert made.encoding == "utf-8"
    with pytest.raises(LostError) as caught:
        made.write("x")
    assert caught.value.words == (
        "Standard output cannot be written: it was closed before the command began. " + SEND
    )
    assert (caught.value.code, caught.value.name) == (ExitCode.PORT, "output_lost")
    assert not made.isatty()
    with pytest.raises(LostError):
        output.takes_more(made)
    unwanted = output._prepared(None, pipe.write_end, wanted=False)
    unwanted.write("dropped")  # into what `keep_low_descriptors` has put there
    assert pipe.read() == b"dropped"


@pytest.mark.parametrize(
    ("error", "descriptor", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            1,
            "Standard output cannot be written: No space left on device.",
        ),
        (BrokenPipeError(errno.EPIPE, "x"), 2, "Standard error cannot be written: its reader has"
         " gone."),
        (OSError("by a proxy"), 7, "The output cannot be written: by a proxy."),
    ],
)  # fmt: skip
def test_an_output_that_is_lost_is_one_sentence(error: OSError, descriptor: int, said: str) -> None:
    lost = LostError(descriptor, error)
    assert (lost.sentence, lost.next_step) == (said, SEND)
    assert lost.reader_gone is (error.errno == errno.EPIPE)


def test_a_reader_that_has_gone_is_told_at_the_next_word(pipe: Pipe) -> None:
    made = pipe.prepared()
    assert output.takes_more(made)
    os.close(pipe.read_end)
    pipe.read_end = -1
    with pytest.raises(LostError, match="cannot be written: its reader has gone") as caught:
        made.write("x")
    assert caught.value.reader_gone
    with pytest.raises(LostError, match="its reader has gone"):
        output.takes_more(made)


def test_a_pipe_takes_no_more_while_it_is_full_and_more_than_fits_is_written_in_pieces(
    pipe: Pipe,
) -> None:
    fcntl.fcntl(pipe.write_end, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(pipe.write_end, False)
    made = pipe.prepared()
    assert output.takes_more(made)
    os.write(pipe.write_end, bytes(4096))
    assert not output.takes_more(made)
    pipe.read()
    assert output.takes_more(made)
    assert output.takes_more(io.StringIO())


def test_a_console_writes_to_the_file_that_was_named(
    capsys: pytest.CaptureFixture[str], pipe: Pipe
) -> None:
    file = io.StringIO()
    output.console(file).print("[bold]:smile: 42[/bold]")
    assert file.getvalue() == "[bold]:smile: 42[/bold]\n"
    output.console().print("out")
    output.complain("err")
    assert capsys.readouterr() == ("out\n", "err\n")
    assert pipe.read() == b""


def test_what_has_no_stream_at_all_is_lost_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, pipe: Pipe
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    output.prepare()
    with pytest.raises(LostError, match="Standard error cannot be written"):
        sys.stderr.write("x")
    assert pipe.read() == b""


def test_a_complaint_that_nobody_can_hear_is_dropped(
    monkeypatch: pytest.MonkeyPatch, pipe: Pipe
) -> None:
    monkeypatch.setattr(sys, "stderr", output._prepared(None, 2, wanted=True))
    output.complain("nobody hears this")
    assert pipe.read() == b""


@pytest.mark.parametrize(
    ("words", "shown"),
    [("a\x1b[2Jb", "a�[2Jb"), ("two\nlines", "two�lines"), ("ä µ", "ä µ")],
)
def test_what_nobody_can_see_is_replaced(words: str, shown: str) -> None:
    assert output.clean(words) == shown
    assert output.text(words, "bold").plain == shown
    assert str(output.text(words, "bold").style) == "bold"
