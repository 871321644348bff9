"""The smallest client: the bytes that it sends, the answer that it takes, and each way to fail."""

import errno
import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from controller.api import ask as ask_module
from controller.api.ask import (
    ANSWER_MAX_BYTES,
    KernelAbsentError,
    KernelSilentError,
    KernelUnreachedError,
    ask,
    dial,
    knock,
    short_name,
)

pytestmark = pytest.mark.realtime

AT = Path("/r/kernel.sock")


class Far:
    """The other end of the line: what was dialled, and what it read."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.dialled: list[tuple[Path, float]] = []

    def read(self) -> Any:  # noqa: ANN401 - JSON
        """Return the request that came, which has to be one line."""
        said = self.line.recv(65_536)
        assert said.endswith(b"\n")
        assert said.count(b"\n") == 1
        return json.loads(said)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    """A kernel that has been let in by, and answers what a test writes."""
    near, other = socket.socketpair()
    with closing(near), closing(other):
        other.settimeout(5.0)
        made = Far(other)

        def dialled(path: Path, timeout_s: float) -> socket.socket:
            made.dialled.append((path, timeout_s))
            near.settimeout(timeout_s)
            return near

        monkeypatch.setattr(ask_module, "dial", dialled)
        yield made


def test_a_question_is_sent_whole_and_its_answer_returned_as_it_came(far: Far) -> None:
    far.line.sendall(b'{"id":1,"ok":true,')
    far.line.sendall(b'"result":{"a":1}}\n')
    who = {"name": "anna", "role": "practitioner", "origin": "local"}
    answer = ask(AT, "lower", {"suction_kpa": 20.0}, who, timeout_s=1.5)
    assert answer == {"id": 1, "ok": True, "result": {"a": 1}}
    assert far.read() == {"id": 1, "do": "lower", "args": {"suction_kpa": 20.0}, "who": who}
    assert far.dialled == [(AT, 1.5)]
    assert far.line.recv(1) == b""  # it has hung up


def test_who_says_nothing_more_asks_with_empty_arguments_and_no_name(far: Far) -> None:
    far.line.sendall(b"{}\n")
    assert ask(AT, "status") == {}
    assert far.read() == {"id": 1, "do": "status", "args": {}}
    assert far.dialled == [(AT, 2.0)]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"[1]\n", "the kernel at /r/kernel.sock answers in another language"),
        (b'{"id":1', "the kernel at /r/kernel.sock does not answer (the line was closed)"),
        (b"", "the kernel at /r/kernel.sock does not answer (the line was closed)"),
        (
            b"what?\n",
            "the kernel at /r/kernel.sock does not answer (Expecting value: line 1 column 1 "
            "(char 0))",
        ),
    ],
)
def test_an_answer_that_is_none_is_no_kernel(far: Far, answer: bytes, sentence: str) -> None:
    far.line.sendall(answer)
    far.line.shutdown(socket.SHUT_WR)
    with pytest.raises(KernelAbsentError) as caught:
        ask(AT, "status")
    assert str(caught.value) == sentence
    assert not isinstance(caught.value, KernelUnreachedError)


def test_a_kernel_that_does_not_answer_in_time_is_silent(far: Far) -> None:
    with pytest.raises(KernelSilentError) as caught:
        ask(AT, "status", timeout_s=0.02)
    assert str(caught.value) == "the kernel at /r/kernel.sock has not answered for 0.02 s"
    assert far.read()["do"] == "status"


class Pieces:
    """A line whose answer comes in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [*pieces]

    def recv(self, most_bytes: int) -> bytes:
        """Return the next piece."""
        assert most_bytes == ask_module.CHUNK_BYTES
        return self._pieces.pop(0) if self._pieces else b""


def test_an_answer_has_a_bound() -> None:
    whole: Any = Pieces(b"x" * (ANSWER_MAX_BYTES - 1), b"\n")
    assert ask_module._read_line(whole) == b"x" * (ANSWER_MAX_BYTES - 1) + b"\n"
    more: Any = Pieces(b"x" * ANSWER_MAX_BYTES, b"\n")
    with pytest.raises(OSError, match=r"^the line was closed$"):
        ask_module._read_line(more)


# -- being let in ----------------------------------------------------------------------------------
WAYS: tuple[tuple[Callable[[Path], socket.socket], str], ...] = (
    (lambda path: dial(path, 0.05), "for 0.05 s"),
    (knock, "now"),
)


@pytest.mark.parametrize(("way", "how_long"), WAYS, ids=["dial", "knock"])
def test_a_full_queue_is_told_with_how_long_it_was_waited_at(
    tmp_path: Path, way: Callable[[Path], socket.socket], how_long: str
) -> None:
    path = tmp_path / "kernel.sock"
    with ExitStack() as stack, short_name(path) as name:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(name)
        listener.listen(0)
        stack.enter_context(closing(knock(path)))
        with pytest.raises(KernelSilentError) as caught:
            way(path)
    assert str(caught.value) == f"the kernel at {path} takes nobody in {how_long}"


@pytest.mark.parametrize("way", [way for way, _ in WAYS], ids=["dial", "knock"])
def test_who_is_let_in_has_a_line_to_whoever_listens(
    tmp_path: Path, way: Callable[[Path], socket.socket]
) -> None:
    path = tmp_path / "kernel.sock"
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        listener.listen(1)
        with closing(way(path)) as line:
            here, _ = listener.accept()
            with closing(here):
                here.sendall(b"x")
                assert line.recv(1) == b"x"
                assert line.gettimeout() == (0.0 if way is knock else 0.05)


@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        (errno.ENOENT, KernelAbsentError, "no kernel listens at /r/kernel.sock (words)"),
        (errno.ENOTDIR, KernelAbsentError, "no kernel listens at /r/kernel.sock (words)"),
        (errno.ECONNREFUSED, KernelAbsentError, "no kernel listens at /r/kernel.sock (words)"),
        (errno.EACCES, KernelUnreachedError, "/r/kernel.sock could not be reached (words)"),
        (errno.EMFILE, KernelUnreachedError, "/r/kernel.sock could not be reached (words)"),
    ],
)
def test_only_where_surely_nobody_listens_there_is_no_kernel(
    code: int, kind: type[KernelAbsentError], sentence: str
) -> None:
    why = ask_module._why_not(AT, OSError(code, "words"), "now")
    assert (type(why), str(why)) == (kind, sentence)


def test_what_the_system_says_without_words_is_told_as_it_is() -> None:
    why = ask_module._why_not(AT, OSError("odd"), "now")
    assert str(why) == "/r/kernel.sock could not be reached (odd)"


def test_a_patience_is_handed_to_the_system_in_seconds_and_microseconds(tmp_path: Path) -> None:
    assert ask_module._parts(2.0) == (2, 0)
    assert ask_module._parts(1.25) == (1, 250_000)
    assert ask_module._parts(0.05) == (0, 50_000)
    path = tmp_path / "kernel.sock"
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        listener.listen(1)
        with closing(dial(path, 1.25)) as line:
            # the same option again, by the timeout of the socket itself, would be of no use
            assert line.getblocking() is True
            assert line.gettimeout() == 1.25
            said = line.getsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, 16)
    seconds, micros = struct.unpack("@ll", said)
    assert seconds == 1
    assert 240_000 <= micros <= 260_000  # in ticks of the system


def test_a_short_name_leads_to_the_same_place_and_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with short_name(tmp_path / "a") as name:
        assert name.startswith("/proc/self/fd/")
        assert name.endswith("/a")
        assert Path(name).read_text() == "x"
    assert not Path(name).exists()
