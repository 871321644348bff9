"""The processes that a command starts, the beats that it measures, and the keys that it reads."""

import asyncio
import json
import os
import pty
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.cli import jitter, keys, start
from controller.cli.outcome import ExitCode, Failure, exit_code_of
from controller.cli.start import failure_of, socket_of
from controller.device.precedence import Precedence
from controller.safety.jitter import BEATS_MIN

SAYS = "import json, sys; print(json.dumps(json.loads(sys.argv[1])), flush=True); sys.stdin.read()"


# -- start -----------------------------------------------------------------------------------------
def test_what_another_process_says_of_its_failure_is_told_with_its_code() -> None:
    held = {"code": "port_held", "sentence": "It is held.", "next_step": "Wait."}
    failure = failure_of(held, "the kernel")
    assert (failure.sentence, failure.next_step) == ("It is held.", "Wait.")
    assert (failure.code, failure.name) == (ExitCode.PORT, "port_held")
    failure = failure_of({}, "the kernel")
    assert (failure.sentence, failure.next_step) == ("the kernel refused", "")
    assert failure.code is exit_code_of("")
    assert failure.name == failure.code.name.lower()


def test_a_process_that_ends_without_a_word_names_its_log_where_it_has_one() -> None:
    failure = failure_of(None, "the kernel", Path("run/kernel.log"))
    assert failure.words == (
        "The kernel ended before it was ready. What it complained of is in run/kernel.log."
    )
    assert failure.code is ExitCode.PORT
    assert failure_of(None, "the kernel").words == "The kernel ended before it was ready."


def begun(state: Path, said: object, name: str = "the kernel") -> start.Started:
    assert not state.exists()
    return start._start([sys.executable, "-c", SAYS, json.dumps(said)], name)


@pytest.mark.realtime
def test_a_process_that_is_ready_is_handed_over_and_ends_when_it_is_told(state: Path) -> None:
    said = {"ready": True, "socket": str(state / "kernel.sock")}
    started = start._start(
        [sys.executable, "-c", f"import time; print({json.dumps(json.dumps(said))}, flush=True); "
         "time.sleep(60)"], "the kernel",
    )  # fmt: skip
    assert started.said == said
    assert socket_of(started) == state / "kernel.sock"
    assert os.getsid(started.process.pid) == started.process.pid  # Ctrl-C is not for it
    started.end()
    assert started.process.poll() is not None
    assert (state / "run" / "kernel.log").exists()
    if started.process.stdout is not None:
        started.process.stdout.close()


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"ready": False, "error": {"code": "device", "sentence": "No."}}, "No."),
        ([], "ended before it was ready"),
        ({"ready": "yes"}, "ended before it was ready"),
    ],
)
def test_a_process_that_is_not_ready_is_a_failure(state: Path, said: object, words: str) -> None:
    with pytest.raises(Failure, match=words):
        begun(state, said)


@pytest.mark.realtime
def test_a_process_that_says_nothing_is_given_up(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "READY_MAX_S", 0.1)
    with pytest.raises(Failure) as caught:
        start._start([sys.executable, "-c", "import time; time.sleep(60)"], "the simulator")
    assert caught.value.words == "the simulator was not ready after 0 s."
    assert caught.value.code is ExitCode.PORT
    assert (state / "run" / "simulator.log").exists()


def test_the_simulator_is_the_one_beside_this_program_or_else_the_one_of_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, other = tmp_path / "bin", tmp_path / "other"
    for folder in (beside, other):
        folder.mkdir()
        (folder / "corneum-sim").touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(beside / "python"))
    monkeypatch.setenv("PATH", str(other))
    assert start._simulator_command() == [str(beside / "corneum-sim")]
    (beside / "corneum-sim").unlink()
    assert start._simulator_command() == [str(other / "corneum-sim")]
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failure) as caught:
        start._simulator_command()
    assert caught.value.words == (
        "The command corneum-sim was not found, so there is no handpiece to simulate. Install the "
        "project with `make venv`, or name a real port with --port."
    )


# -- beats -----------------------------------------------------------------------------------------
@pytest.mark.realtime
def test_beats_are_measured_as_the_kernel_beats_and_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(jitter, "SETPOINT_PERIOD_S", 0.002)
    monkeypatch.setattr(jitter, "settle_memory", lambda: None)
    granted = Precedence("ordinary", memory_locked=False)
    monkeypatch.setattr(jitter, "take_precedence", lambda: granted)
    loops: list[asyncio.AbstractEventLoop] = []

    def made() -> asyncio.AbstractEventLoop:
        loops.append(asyncio.new_event_loop())
        return loops[-1]

    monkeypatch.setattr(jitter, "loop_factory", lambda: made)
    found = jitter.measure(0.2)
    assert len(loops) == 1  # the kernel's own kind
    assert all(0.0 <= late < 10_000.0 for late in found.late_ms)
    assert found.precedence is granted
    assert len(found.late_ms) == 100
    assert 0 < len(found.looks) <= 100
    assert found.looks[-1].beats >= BEATS_MIN
    assert all(look.reading_gap_max_s > 0.0 for look in found.looks)
    code = jitter.run(as_json=True, seconds=0.2)
    said = json.loads(capsys.readouterr().out)["jitter"]
    assert said["ok"] is (code is ExitCode.DONE)
    assert sum(bar["beats"] for bar in said["histogram"]) == 100
    assert jitter.run(as_json=False, seconds=0.01) is ExitCode.REFUSED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "The system grants: ordinary, memory not locked."
    assert lines[-1].startswith("A treatment would be refused.")


# -- keys ------------------------------------------------------------------------------------------
@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """Master and slave of the terminal that this process is said to be in the foreground of."""
    master, slave = pty.openpty()
    monkeypatch.setattr(keys, "_is_foreground", lambda _descriptor: True)
    with os.fdopen(os.dup(slave)) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield master, slave
    for fd in (master, slave):
        os.close(fd)


@pytest.mark.realtime
def test_keys_come_one_by_one_without_echo_and_the_terminal_is_left_as_it_was(
    terminal: tuple[int, int],
) -> None:
    master, slave = terminal
    before = termios.tcgetattr(slave)
    pressed: list[str] = []

    async def scenario() -> None:
        with keys.keys(pressed.append):
            inside = termios.tcgetattr(slave)
            assert inside[3] == before[3] & ~(termios.ECHO | termios.ICANON | termios.ECHOCTL)
            assert inside[3] & termios.ISIG  # Ctrl-C stays what it is
            assert [*inside[:3], *inside[4:6]] == [*before[:3], *before[4:6]]
            os.write(master, "pxµ".encode())
            async with asyncio.timeout(5.0):
                while len(pressed) < 2:
                    await asyncio.sleep(0.001)

    asyncio.run(scenario())
    assert pressed == ["p", "x"]
    assert termios.tcgetattr(slave) == before
    os.set_blocking(master, False)
    with pytest.raises(BlockingIOError):
        os.read(master, 10)  # nothing was echoed


@pytest.mark.realtime
def test_a_job_in_the_background_leaves_its_terminal_alone(
    terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_is_foreground", lambda _descriptor: False)
    before = termios.tcgetattr(terminal[1])
    pressed: list[str] = []

    async def scenario() -> None:
        with keys.keys(pressed.append):
            assert termios.tcgetattr(terminal[1]) == before
            os.write(terminal[0], b"p\n")
            await asyncio.sleep(0.01)

    asyncio.run(scenario())
    assert pressed == []


@pytest.mark.realtime
def test_a_terminal_that_has_gone_presses_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    monkeypatch.setattr(keys, "_is_foreground", lambda _descriptor: True)
    pressed: list[str] = []

    async def scenario() -> None:
        keyboard = keys._Keyboard(slave, pressed.append)
        os.close(master)
        keyboard.read()
        os.close(slave)
        keyboard.read()
        keyboard.restore()

    asyncio.run(scenario())
    assert pressed == []
