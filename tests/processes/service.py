"""Starts the processes of the service: the simulated unit, the kernel, the command line."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from controller.api.ask import ask
from controller.record.asker import plan_beside
from controller.record.planner import Purpose, request_of
from tests.processes.lead import LeadingScreen
from tests.processes.witness import Witness

ROOT = Path(__file__).resolve().parents[2]
READY_MAX_S = 20.0  # a busy machine; half a second is usual
COMMAND_MAX_S = 30.0
END_MAX_S = 10.0
SERIAL = 1001
SOMEBODY = {"name": "anna", "role": "practitioner", "origin": "local"}
FAR_AWAY = {"name": "ben", "role": "viewer", "origin": "remote"}


class Unit:
    """A simulated handpiece in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: str, folder: Path) -> None:
        self.process = process
        self.port = port
        self.witness = Witness(folder / "events.jsonl")
        self._control = folder / "control"

    def do(self, do: str, **request: object) -> dict[str, Any]:
        """Ask for something on the control channel, which is apart from the serial line."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(END_MAX_S)
            line.connect(str(self._control))
            line.sendall(json.dumps({"do": do, **request}).encode() + b"\n")
            with line.makefile("rb") as answers:
                answer: dict[str, Any] = json.loads(answers.readline())
        assert answer["ok"], answer
        return answer

    def hand(self, *actions: str) -> float:
        """Move the hand and return the device's time of the last movement."""
        return [float(self.do("hand", action=action)["t_s"]) for action in actions][-1]

    @property
    def now_s(self) -> float:
        """The device's time."""
        return float(self.do("state")["t_s"])


class Refused(Exception):  # noqa: N818 - it is an answer
    """The kernel said no."""


class Kernel:
    """A kernel in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], said: dict[str, Any]) -> None:
        self.process = process
        self.pid = int(said["pid"])
        self.socket = Path(said["socket"])
        self._screens: list[LeadingScreen] = []

    def ask(self, do: str, who: dict[str, str] | None = None, **args: object) -> dict[str, Any]:
        """Ask over the API and return the result.

        A treatment is planned first, and whoever asks for it leads with a screen from then on.
        """
        says = SOMEBODY if who is None else who
        if do == "treat":
            plan = plan_beside(self.ask("status"), args, Purpose.START)
            self._screens.append(LeadingScreen(self.socket, says, END_MAX_S))
            answer = self._screens[-1].ask(do, request_of(args, plan))
        else:
            answer = ask(self.socket, do, args, says, END_MAX_S)
        if answer["ok"] is not True:
            raise Refused(answer["error"]["sentence"])
        return dict(answer["result"])

    def state(self) -> str:
        """Return where it says the treatment stands."""
        return str(self.ask("status")["state"])

    def leave(self) -> None:
        """Close every screen that leads."""
        while self._screens:
            self._screens.pop().close()

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> dict[str, Any]:
        """The one JSON object that it printed."""
        (line,) = self.out.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def unit(
    folder: Path, *, hand: str = "absent", serial: int = SERIAL, seed: int = 1
) -> Iterator[Unit]:
    """Switch a simulated handpiece on, and off again."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [
        command("corneum-sim"), "serve", "--pty", str(folder / "port"), "--hand", hand,
        "--events", str(folder / "events.jsonl"), "--control", str(folder / "control"),
        "--serial-number", str(serial), "--seed", str(seed), "--while-stdin", "--json",
    ]  # fmt: skip
    with started(words, stdin=subprocess.PIPE) as process:
        said = first_line(process)
        assert said["ready"], said
        yield Unit(process, str(said["port"]), folder)


@contextmanager
def kernel(
    device: Unit, state: Path, *words: str, module: str = "controller.kernel"
) -> Iterator[Kernel]:
    """Start a kernel on the unit's port, and end it."""
    call = [sys.executable, "-m", module, "--port", device.port, "--state", str(state), *words]
    with started(call) as process:
        said = first_line(process)
        assert said["ready"], said
        made = Kernel(process, said)
        try:
            yield made
        finally:
            end(process)
            made.leave()


def corneum(state: Path, *words: str) -> Done:
    """Run the command to its end."""
    with corneum_started(state, *words) as process:
        out, err = process.communicate(timeout=COMMAND_MAX_S)
        return Done(process.returncode, out, err)


@contextmanager
def corneum_started(state: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start the command; it is killed if it still runs at the end."""
    with started([command("corneum"), *words], state=state, stderr=subprocess.PIPE) as process:
        yield process


def command(name: str) -> str:
    """Return the path of one of our commands in this environment."""
    return str(Path(sys.executable).with_name(name))


@contextmanager
def started(
    words: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stderr: int | None = None,
    state: Path | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Start a process and see that it is gone in the end, whatever a test did to it."""
    environment = {name: value for name, value in os.environ.items() if name != "CORNEUM_ROLE"}
    if state is not None:
        environment["CORNEUM_STATE"] = str(state)
    process = subprocess.Popen(
        list(words), cwd=ROOT, env=environment, text=True,
        stdin=stdin, stdout=subprocess.PIPE, stderr=stderr,
    )  # fmt: skip
    with process:  # closes its pipes
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a process in order; one that does not want to is killed."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGCONT)
    process.terminate()
    try:
        process.wait(END_MAX_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def first_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the JSON object that a process prints when it is ready."""
    stream: IO[str] | None = process.stdout
    assert stream is not None
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        assert selector.select(READY_MAX_S), f"{process.args!r} is not ready"
    line = stream.readline()
    assert line, f"{process.args!r} ended before it was ready"
    said: dict[str, Any] = json.loads(line)
    return said
