"""`corneum stop` from its words to its exit code, with kernels that act and one of before."""

import errno
import os
import socket
import time
from pathlib import Path

import pytest

from controller.api import stop_address, stop_call
from controller.api.stop_address import StopAddress
from controller.api.stop_call import Answer, Called
from controller.cli import stop, stop_older
from controller.cli.outcome import BY_HAND, ExitCode
from controller.config.paths import port_lock
from controller.record.locks import Lock
from tests.controller.cli.acting_kernel import acting
from tests.controller.cli.conftest import Corneum

pytestmark = pytest.mark.realtime

NONE = "No kernel runs on this computer, so there was nothing to stop."


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe at once what does not answer."""
    monkeypatch.setattr(stop_call, "ANSWER_MAX_S", 0.1)
    monkeypatch.setattr(stop_older, "SETTLE_MAX_S", 0.0)


def port_here(name: str) -> str:
    """Return a port that no other test of this computer has an address for."""
    return f"/dev/tty{os.getpid()}{name}"


@pytest.mark.parametrize(("words", "word"), [((), b"stop"), (("--emergency",), b"emergency")])
def test_every_kernel_is_stopped_and_named(
    corneum: Corneum, state: Path, words: tuple[str, ...], word: bytes
) -> None:
    a, b = port_here("A"), port_here("B")
    with acting(state, a, stop=True) as first, acting(state, b, stop=True) as second:
        second.stop_answer = b'{"state": "idle", "link": "identified"}'
        ended = corneum("stop", *words)
    assert (ended.code, ended.err) == (0, "")
    assert sorted(ended.out.splitlines()) == [
        f"{a}: stopping: the valve shuts, then purge and vent.",
        f"{b}: STOP is sent to the unit; no treatment was under way.",
    ]
    assert {*first.stops, *second.stops} == {word}
    assert first.did == second.did == []  # STOP needs no API


def test_only_the_kernel_of_the_port_is_stopped_and_scripts_get_one_object(
    corneum: Corneum, state: Path
) -> None:
    a, b = port_here("A"), port_here("B")
    with acting(state, a, stop=True) as first, acting(state, b, stop=True) as second:
        said = corneum("stop", "--port", a, "--json").said
        assert (len(first.stops), second.stops) == (1, [])
        missed = corneum("stop", "--port", port_here("C"))
    assert said.pop("sent_s") > 0.0
    pid = os.getpid()
    assert said == {
        "done": "stop",
        "kernels": [{"port": a, "pid": pid, "stopped": True, "state": "stopping"}],
        "port": a,
        "state": "stopping",
    }
    assert missed.code == ExitCode.REFUSED
    assert missed.err in {
        f"No kernel runs for {port_here('C')}; 2 for other ports: {order}. `corneum stop` without "
        "--port stops them all.\n"
        for order in (f"{a}, {b}", f"{b}, {a}")
    }


def test_where_none_runs_there_was_nothing_to_stop(corneum: Corneum) -> None:
    assert corneum("stop") == (ExitCode.REFUSED, "", f"{NONE}\n")
    assert corneum("stop", "--port", "/dev/ttyA").err == (
        "No kernel runs for /dev/ttyA, nor for any other port of this computer.\n"
    )
    said = corneum("stop", "--json").said
    assert said == {
        "done": None,
        "kernels": [],
        "sent_s": None,
        "error": {"code": "no_kernel", "sentence": NONE, "next_step": BY_HAND},
    }


def test_a_kernel_that_is_silent_is_told_as_not_reached_with_what_the_unit_does(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = port_here("A")
    monkeypatch.setattr(stop, "ANSWER_MAX_S", 0.1)
    with acting(state, port, stop=True) as kernel:
        kernel.stop_answer = None
        ended = corneum("stop", "--json")
    sentence = (
        f"{port}: the kernel, process {os.getpid()}, could not be reached: it has not answered for "
        "0.1 s. STOP waits for it, and a unit that it does not renew shuts its valve within 0.25 "
        f"s. {BY_HAND}"
    )
    assert (ended.code, ended.err) == (ExitCode.PORT, f"{sentence}\n")
    assert ended.said["error"] == {
        "code": "could_not_be_reached", "sentence": sentence, "next_step": BY_HAND,
    }  # fmt: skip
    assert (ended.said["done"], ended.said["state"]) == (None, None)
    assert len(kernel.stops) > 1  # it was tried again


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            b'{"state": "active", "link": "disconnected"}',
            "has no line to the unit, so that STOP could not be written; a unit without a line "
            "shuts its valve within 0.25 s.",
        ),
        (
            b'{"fault": "ZeroDivisionError"}',
            "met a fault of its own, and whether STOP was written is not known.",
        ),
    ],
)
def test_a_stop_that_was_not_written_for_sure_is_told_as_such(
    corneum: Corneum, state: Path, answer: bytes, said: str
) -> None:
    port = port_here("A")
    with acting(state, port, stop=True) as kernel:
        kernel.stop_answer = answer
        ended = corneum("stop")
    assert (ended.code, ended.out) == (ExitCode.PORT, "")
    assert ended.err == f"{port}: the kernel, process {os.getpid()}, {said} {BY_HAND}\n"


def test_a_trip_that_has_shut_the_valve_before_is_told(corneum: Corneum, state: Path) -> None:
    port = port_here("A")
    with acting(state, port, stop=True) as kernel:
        kernel.stop_answer = b'{"state": "tripped"}'
        assert corneum("stop").out == (
            f"{port}: STOP is sent to the unit; a safety trip has shut its valve before.\n"
        )


def test_a_mistake_in_the_words_stops_every_kernel_first_and_is_told_then(
    corneum: Corneum, state: Path
) -> None:
    with acting(state, port_here("A"), stop=True) as kernel:
        ended = corneum("stop", "--port", port_here("B"), "--emergency", "now")
        assert kernel.stops == [b"emergency"]
        assert ended.code == ExitCode.USAGE
        assert corneum("stop", "--help").code == 0
        assert len(kernel.stops) == 1


def test_where_no_socket_can_be_had_the_hand_switch_is_named(
    corneum: Corneum, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", none)
    ended = corneum("stop", "--json")
    assert ended.code == ExitCode.PORT
    assert ended.said["error"] == {
        "code": "could_not_be_reached",
        "sentence": "STOP could not be sent (Too many open files).",
        "next_step": BY_HAND,
        "receipt": None,
    }


# -- kernels of before -----------------------------------------------------------------------------
@pytest.fixture
def older(state: Path) -> Lock:
    """The lock that a kernel of an older version holds; it has no address for STOP."""
    lock = Lock(port_lock(state, "/dev/ttyOLD"))
    lock.take()
    return lock


@pytest.mark.parametrize(("words", "args"), [((), {}), (("--emergency",), {"emergency": True})])
def test_a_kernel_of_an_older_version_is_asked_over_its_api(
    corneum: Corneum, state: Path, older: Lock, words: tuple[str, ...], args: dict[str, bool]
) -> None:
    with acting(state, "/dev/ttyB", pid=1), acting(state, "/dev/ttyOLD", pid=2) as kernel:
        kernel.answers["stop"] = {"state": "stopping"}
        assert corneum("stop", "--json").said["state"] == "stopping"
        kernel.asked.clear()
        ended = corneum("stop", *words)
        assert [(one.do, one.args) for one in kernel.asked] == [("stop", args)]
        assert corneum("stop", "--port", "/dev/ttyB").code == ExitCode.REFUSED
        assert len(kernel.asked) == 1
    older.release()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "/dev/ttyOLD: stopping: the valve shuts, then purge and vent.\n"


@pytest.mark.parametrize("how", ["refuses", "hangs up"])
def test_one_that_was_not_stopped_for_sure_is_told_as_not_reached(
    corneum: Corneum, state: Path, older: Lock, how: str
) -> None:
    with acting(state, "/dev/ttyOLD", pid=2) as kernel:
        if how == "refuses":
            kernel.errors["stop"] = {"code": "fault"}
        else:
            kernel.hangs_up_at.add("stop")
        ended = corneum("stop", "--json")
    older.release()
    assert ended.code == ExitCode.PORT
    assert ended.said["kernels"] == [
        {"port": "/dev/ttyOLD", "pid": os.getpid(), "stopped": False, "state": None}
    ]


def test_one_that_does_not_answer_is_not_waited_for(
    corneum: Corneum, state: Path, older: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_older, "ANSWER_MAX_S", 0.05)
    with acting(state, "/dev/ttyOLD", pid=2) as kernel:
        kernel.silent.add("stop")
        began_s = time.monotonic()
        assert corneum("stop").code == ExitCode.PORT
        assert time.monotonic() - began_s < 1.5
    older.release()


def test_a_port_that_somebody_holds_without_any_way_to_ask_is_told_by_its_lock(
    corneum: Corneum, older: Lock
) -> None:
    ended = corneum("stop", "--json")
    older.release()
    assert ended.code == ExitCode.PORT
    assert ended.said["port"] == f"the port of {older.path.name}"


def test_a_folder_that_cannot_be_looked_at_is_told_with_its_name(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    def denied(_folder: Path) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(stop_older, "held_ports", denied)
    found = stop_older.stop(None, Called((), (), None, ""), emergency=False)
    assert found == stop_older.Older((), f"{state / 'run'}: Permission denied")
    monkeypatch.setenv("CORNEUM_STATE", "")
    for name in ("HOME", "XDG_STATE_HOME", "CORNEUM_STATE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: (_ for _ in ()).throw(KeyError(uid)))
    assert stop_older.stop(None, Called((), (), None, ""), emergency=False) == ((), "", False)


def test_one_that_has_its_way_for_stop_meanwhile_is_called_once_more(
    monkeypatch: pytest.MonkeyPatch, corneum: Corneum, state: Path, older: Lock
) -> None:
    monkeypatch.setattr(stop_older, "SETTLE_MAX_S", 5.0)
    monkeypatch.setattr(stop_older, "LOOK_S", 0.001)
    calls: list[str | None] = []
    here = StopAddress(b"\0x", os.getpid(), "", "/dev/ttyOLD")

    def call(port: str | None, *, emergency: bool) -> Called:
        calls.append(port)
        done = Answer("/dev/ttyOLD", os.getpid(), True, "stopping", linked=True)  # noqa: FBT003
        assert not emergency
        return Called((done,) if len(calls) > 1 else (), (), 1.0, "")

    monkeypatch.setattr(stop, "call", call)
    monkeypatch.setattr(
        stop_older, "table", lambda: stop_address.Table((here,) if calls else (), frozenset())
    )
    ended = corneum("stop", "--port", "/dev/ttyOLD")
    older.release()
    assert calls == ["/dev/ttyOLD", "/dev/ttyOLD"]
    assert (ended.code, ended.err) == (0, "")
    assert state.exists()
