"""A handpiece in a process of its own: `corneum-sim serve` on a pty, in real time."""

import json
import selectors
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

from qa.plugin.story import Setting, SettingError
from simulator.control_client import NobodyThereError, ask
from simulator.control_verbs import Answer, RefusedError, Request
from simulator.handpiece import Happening

READY_MAX_S: Final = 20.0  # a busy machine; half a second is usual
END_MAX_S: Final = 10.0
LOOK_S: Final = 0.01
GONE_MAX_S: Final = 1.0


class NotServedError(RuntimeError):
    """The simulator did not start, or ended in mid-test."""


class Served:
    """One running simulator."""

    def __init__(
        self, process: "subprocess.Popen[str]", port: str, control: Path, events: Path
    ) -> None:
        self.process = process
        self.port = port
        """What a controller is told: ``corneum treat ... --port PORT``."""
        self.control_path = control
        self.events_path = events
        self._known: list[Happening] = []
        self._read_to = 0

    def ask(self, request: Request) -> Answer:
        """Ask on the control channel; RefusedError with what is allowed."""
        try:
            answer = ask(self.control_path, request)
        except NobodyThereError as error:
            with suppress(subprocess.TimeoutExpired):  # its socket is gone a moment before it is
                self.process.wait(GONE_MAX_S)
            if self.process.poll() is None:
                raise
            why = f"the simulator ended in mid-test, with {self.process.returncode}"
            raise NotServedError(why) from error
        if not answer.get("ok"):
            raise RefusedError(str(answer.get("error")))
        return answer

    def events(self) -> Sequence[Happening]:
        """Return what the event file has by now; of a half written line nothing."""
        with self.events_path.open("rb") as file:
            file.seek(self._read_to)
            whole, end, _ = file.read().rpartition(b"\n")
        self._known += map(json.loads, whole.splitlines())
        self._read_to += len(whole) + len(end)
        return self._known

    def reach(self, t_s: float) -> None:
        """Wait until the device's time is ``t_s``."""
        while (left_s := t_s - float(self.ask({"do": "state"})["t_s"])) > 0.0:
            with suppress(subprocess.TimeoutExpired):  # that it ends is told by the next `ask`
                self.process.wait(max(left_s, LOOK_S))


@contextmanager
def served(events: Path, setting: Setting) -> Iterator[Served]:
    """Switch a simulated handpiece on, and off again; what it did stays in the file ``events``.

    Port and control socket are in a folder of their own: a socket's path has 107 bytes at most,
    and the folders of tests are longer.
    """
    if setting.weather:
        raise SettingError("a real line has no weather from the start; use faults.line(...)")
    motion = "--motion-sensor" if setting.motion_sensor else "--no-motion-sensor"
    with TemporaryDirectory(prefix="corneum-") as folder:
        port, control = Path(folder) / "port", Path(folder) / "control"
        words = [
            sys.executable, "-m", "simulator.cli", "serve", "--while-stdin", "--json",
            "--pty", str(port), "--control", str(control), "--events", str(events),
            "--hand", setting.hand or "average", "--seed", str(setting.seed), motion,
        ]  # fmt: skip
        process = subprocess.Popen(  # noqa: S603 - our own command; Ctrl-C is its starter's to hear
            words,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        with process:  # closes its pipes
            try:
                yield Served(process, str(_said(process)["port"]), control, events)
            finally:
                _end(process)


def _said(process: "subprocess.Popen[str]") -> dict[str, Any]:
    stream: IO[str] | None = process.stdout
    if stream is None:
        raise NotServedError("the simulator has no standard output")
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(READY_MAX_S):
            raise NotServedError(f"the simulator is not ready after {READY_MAX_S:g} s")
    said: dict[str, Any] = json.loads(stream.readline() or "{}")
    if not said.get("ready"):
        raise NotServedError(f"the simulator does not start: {said.get('error', 'it ended')}")
    return said


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(END_MAX_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
