"""A STOP from the side of whoever sends it: each send and each wait, on a clock of the test."""

import socket
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest

from controller.api import stop_call
from controller.api.stop_address import StopAddress, Table
from controller.api.stop_call import Answer, Called, _answer, _Call, _read

NEAR: Final = StopAddress(b"near", 7, "x", "/dev/a")
FAR: Final = StopAddress(b"far", 8, "y", "/dev/b")
STOPPING: Final = b'{"state": "stopping", "link": "identified"}'


class Line:
    """A socket: what is sent with which patience, and what comes back at which time."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.timeout_s: float | None = None
        self.sent: list[tuple[bytes, bytes, float | None]] = []
        """Word, name, and how long it may wait for room."""
        self.waited_s: list[float] = []
        self.coming: list[tuple[float, bytes, bytes]] = []
        """When which answer comes from whom."""
        self.refuses: dict[bytes, OSError] = {}
        self.bound: list[bytes] = []
        self.closed = 0

    def settimeout(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s

    def sendto(self, word: bytes, name: bytes) -> None:
        self.sent.append((word, name, self.timeout_s))
        if name in self.refuses:
            raise self.refuses[name]

    def recvfrom(self, most_bytes: int) -> tuple[bytes, bytes]:
        assert most_bytes == stop_call.ANSWER_MAX_BYTES
        assert self.timeout_s is not None
        self.waited_s.append(round(self.timeout_s, 6))
        end_s = self.now_s + self.timeout_s
        if self.coming and self.coming[0][0] <= end_s:
            at_s, answer, sender = self.coming.pop(0)
            self.now_s = max(self.now_s, at_s)
            return answer, sender
        self.now_s = end_s
        raise TimeoutError

    def bind(self, name: bytes) -> None:
        self.bound.append(name)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    made = Line()
    monkeypatch.setattr(stop_call, "time", SimpleNamespace(monotonic=lambda: made.now_s))
    monkeypatch.setattr(socket, "socket", lambda *_kind: made)
    return made


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[StopAddress]:
    """The kernels that the system shows."""
    addresses: list[StopAddress] = []
    monkeypatch.setattr(stop_call, "table", lambda: Table(tuple(addresses), frozenset()))
    return addresses


def of(line: Line, port: str | None = None) -> _Call:
    return _Call(cast("Any", line), port, b"stop")


# -- one look, one send ----------------------------------------------------------------------------
def test_a_kernel_is_sent_to_once_when_it_is_seen_and_one_of_another_port_never(
    line: Line, shown: list[StopAddress]
) -> None:
    shown += [FAR, NEAR]
    one = of(line, "/dev/a")
    one.look()
    line.now_s = 200.0
    one.look()
    assert line.sent == [(b"stop", b"near", 0.0)]
    assert one.open == [b"near"]
    assert one.result("dark") == Called(
        (Answer("/dev/a", 7, answered=False),), (FAR,), 100.0, "dark"
    )
    assert one.result("").pids == {7, 8}


def test_one_that_has_ended_is_waited_for_no_more_and_told_of_no_more(
    line: Line, shown: list[StopAddress]
) -> None:
    shown += [NEAR, FAR]
    line.refuses[b"near"] = ConnectionRefusedError()
    one = of(line)
    one.look()
    assert [name for _, name, _ in line.sent] == [b"near", b"far"]
    assert one.open == [b"far"]
    assert [answer.pid for answer in one.result("").answers] == [8]


@pytest.mark.parametrize("full", [BlockingIOError(), TimeoutError()])
def test_one_that_is_full_is_waited_at_the_next_time_and_others_are_not(
    line: Line, shown: list[StopAddress], full: OSError
) -> None:
    shown += [NEAR, FAR]
    line.refuses[b"near"] = full
    one = of(line)
    one.look()
    del line.refuses[b"near"]
    one.send_again()
    one.send_again()
    assert [(name, wait_s) for _, name, wait_s in line.sent[2:]] == [
        (b"near", stop_call.FULL_WAIT_S),
        (b"far", 0.0),
        (b"near", 0.0),
        (b"far", 0.0),
    ]


def test_answers_are_taken_until_a_moment_and_only_from_kernels(
    line: Line, shown: list[StopAddress]
) -> None:
    shown += [NEAR, FAR]
    one = of(line)
    one.look()
    line.coming = [(100.1, b"{}", b"stranger"), (100.2, STOPPING, b"far")]
    one.hear(100.5)
    assert line.now_s == 100.5
    assert line.waited_s == [0.5, 0.4, 0.3]
    assert one.open == [b"near"]
    line.coming = [(100.6, b"", b"near")]
    one.hear(101.0)
    assert (line.now_s, one.open) == (100.6, [])
    one.hear(102.0)  # nobody is left to wait for
    assert line.now_s == 100.6
    assert one.result("").answers == (
        Answer("/dev/a", 7, answered=True, state="", linked=True, faulty=False),
        Answer("/dev/b", 8, answered=True, state="stopping", linked=True, faulty=False),
    )


# -- the whole call --------------------------------------------------------------------------------
@pytest.mark.hazard("H49")
def test_a_kernel_that_answers_ends_the_call_after_so_many_looks(
    line: Line, shown: list[StopAddress]
) -> None:
    shown.append(NEAR)
    line.coming = [(100.001, STOPPING, b"near")]
    called = stop_call.call("/dev/a", emergency=False)
    assert called == Called(
        (Answer("/dev/a", 7, answered=True, state="stopping", linked=True),), (), 100.0, ""
    )
    assert line.sent == [(b"stop", b"near", 0.0)]
    assert line.closed == 1
    (name,) = line.bound
    assert name.startswith(b"\0corneum/asks/")
    assert len(name) == len(b"\0corneum/asks/") + 16


@pytest.mark.hazard("H49")
def test_one_that_is_silent_is_sent_to_again_and_again_until_it_is_given_up(
    line: Line, shown: list[StopAddress]
) -> None:
    shown.append(NEAR)
    called = stop_call.call(None, emergency=True)
    assert called == Called((Answer("/dev/a", 7, answered=False),), (), 100.0, "")
    assert line.waited_s == [0.005, 0.005, *[0.1] * 10]
    assert line.sent == [(b"emergency", b"near", 0.0)] * 11
    assert 101.0 <= line.now_s < 101.1


def test_so_many_looks_are_taken_before_it_is_believed_that_there_is_none(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[StopAddress, ...]] = [(), (), (NEAR,)]
    monkeypatch.setattr(
        stop_call, "table", lambda: Table(looks.pop(0) if looks else (NEAR,), frozenset())
    )
    line.coming = [(100.0, STOPPING, b"near")]
    assert [one.pid for one in stop_call.call(None, emergency=False).answers] == [7]
    looks += [(), (), ()]
    assert stop_call.call(None, emergency=False) == Called((), (), None, "")
    assert looks == []


@pytest.mark.parametrize(
    ("error", "blind"),
    [(PermissionError(13, "Permission denied"), "Permission denied"), (OSError("odd"), "odd")],
)
def test_where_nobody_may_look_that_is_told(
    line: Line, monkeypatch: pytest.MonkeyPatch, error: OSError, blind: str
) -> None:
    def hidden() -> Table:
        raise error

    monkeypatch.setattr(stop_call, "table", hidden)
    assert stop_call.call(None, emergency=False) == Called((), (), None, blind)
    assert (line.sent, line.closed) == ([], 1)


def test_a_later_look_that_fails_ends_nothing(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [Table((NEAR,), frozenset())]

    def look() -> Table:
        if not looks:
            raise OSError("odd")
        return looks.pop()

    monkeypatch.setattr(stop_call, "table", look)
    line.coming = [(100.3, STOPPING, b"near")]
    called = stop_call.call(None, emergency=False)
    assert [one.answered for one in called.answers] == [True]
    assert called.blind == ""


# -- what is answered ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "said"),
    [(b'{"a": 1}', {"a": 1}), (b"{", {}), (b"", {}), (b"[1]", {}), (b"\xff", {}), (b"7", {})],
)
def test_an_answer_that_cannot_be_read_is_one_that_says_nothing(
    answer: bytes, said: dict[str, Any]
) -> None:
    assert _read(answer) == said


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (None, Answer("/dev/a", 7, answered=False, state="", linked=False, faulty=False)),
        ({}, Answer("/dev/a", 7, answered=True, state="", linked=True, faulty=False)),
        (
            {"port": "/dev/link", "pid": 9, "state": "idle", "link": "disconnected"},
            Answer("/dev/link", 7, answered=True, state="idle", linked=False, faulty=False),
        ),
        (
            {"state": "active", "link": "opening"},
            Answer("/dev/a", 7, answered=True, state="active", linked=True, faulty=False),
        ),
        (
            {"fault": True, "link": "identified"},
            Answer("/dev/a", 7, answered=True, state="", linked=False, faulty=True),
        ),
    ],
)
def test_what_came_of_a_stop_is_told_with_port_process_state_and_line(
    said: dict[str, Any] | None, answer: Answer
) -> None:
    assert _answer(NEAR, said) == answer
