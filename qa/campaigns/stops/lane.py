"""A unit, its kernel, hostile clients and leftovers: where shots are taken, one by one."""

import contextlib
import json
import os
import queue
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from controller.api.ask import dial, short_name
from controller.config import paths
from controller.record.asker import plan_beside
from controller.record.planner import Purpose, request_of
from qa.plugin.served import Served, served
from qa.plugin.story import Setting

READY_MAX_S: Final = 60.0  # with a busy computer, and leftovers to look at
REACHED_MAX_S: Final = 20.0
END_MAX_S: Final = 10.0
LOOK_S: Final = 0.01
OVER_LOOK_S: Final = 0.1
ANSWER_MAX_BYTES: Final = 1_000_000
WELL_OPEN_PERCENT: Final = 10.0
LEFTOVER_PID: Final = 4_194_304  # above the highest pid of a Linux computer

WISH: Final = {"program": "patch-test", "client": "demo"}
ME: Final = {"name": "campaign", "role": "practitioner", "origin": "local"}
HOSTILE_CLIENTS: Final = 64
LEFTOVERS: Final = 10_000


OVER: Final = "the campaign is over"


class LaneError(Exception):
    """The treatment did not come to where crystals flow; the lane has to be made anew."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much stands in the way."""

    hostile: int = HOSTILE_CLIENTS
    leftovers: int = LEFTOVERS


class Lane:
    """One kernel that treats, and what is known of its unit."""

    def __init__(
        self, unit: Served, line: socket.socket, state: Path, pid: int, over: threading.Event
    ) -> None:
        """``over`` is set when nothing of the lane is wanted any more."""
        self.unit = unit
        self.state = state
        self.pid = pid
        self._over = over
        self._line = line
        self._next = 0
        self._writing = threading.Lock()
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        """Bounded by the questions: one waits at a time. None is the end of the connection."""
        threading.Thread(target=self._listen, name="screen", daemon=True).start()

    def ask(
        self, do: str, args: Mapping[str, object] | None = None, who: Mapping[str, str] = ME
    ) -> dict[str, Any]:
        """Ask the kernel on the connection that was there before the hostile ones."""
        self._next += 1
        self._say({"id": self._next, "do": do, "who": dict(who), "args": dict(args or {})})
        while True:
            try:
                said = self._answers.get(timeout=END_MAX_S)
            except queue.Empty:
                raise LaneError(f"the kernel has not answered for {END_MAX_S:g} s") from None
            if said is None:
                raise LaneError("the kernel has hung up")
            if said.get("id") == self._next:
                if said["ok"] is not True:
                    raise LaneError(said["error"]["sentence"])
                return dict(said["result"])

    def treat(self) -> None:
        """Treat until crystals flow."""
        began_s = self.device_s
        plan = plan_beside(self.ask("status"), WISH, Purpose.START)
        self.ask("treat", request_of(WISH, plan))
        self._until(lambda: self._has("mode", began_s, mode="ARMED"), "armed")
        self.hand("place", "press")
        self._until(lambda: self._flows(began_s), "flowing")

    def settle(self) -> None:
        """Take the hand away and wait until the treatment is over."""
        self.hand("release", "lift")

        def over() -> bool:
            treatment = self.ask("status")["treatment"]
            return treatment is None or bool(treatment["outcome"])

        self._until(over, "the end")

    def hand(self, *actions: str) -> None:
        """Move the simulated hand."""
        for action in actions:
            self.unit.ask({"do": "hand", "action": action})

    @property
    def device_s(self) -> float:
        """The device's time."""
        return float(self.unit.ask({"do": "state"})["t_s"])

    def stopped_s(self, since_s: float) -> tuple[float, bool] | None:
        """Return when the device had a STOP, in monotonic time, and whether crystals flowed."""
        zero_s, is_open = 0.0, False
        for event in self.unit.events():
            kind = event["kind"]
            if kind == "clock":
                zero_s = float(str(event["zero_on_loop_s"]))
            elif kind == "valve":
                is_open = float(str(event["open_percent"])) > WELL_OPEN_PERCENT
            elif kind == "stop" and float(str(event["t_s"])) >= since_s:
                return zero_s + float(str(event["t_s"])), is_open
        return None

    def _flows(self, since_s: float) -> bool:
        return any(
            event["kind"] == "valve"
            and float(str(event["t_s"])) >= since_s
            and float(str(event["open_percent"])) > WELL_OPEN_PERCENT
            for event in self.unit.events()
        )

    def _has(self, kind: str, since_s: float, **values: object) -> bool:
        return any(
            event["kind"] == kind
            and float(str(event["t_s"])) >= since_s
            and all(event.get(name) == value for name, value in values.items())
            for event in self.unit.events()
        )

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        end_s = time.monotonic() + REACHED_MAX_S
        while not holds():
            if self._over.is_set():
                raise LaneError(OVER)
            if time.monotonic() >= end_s:
                raise LaneError(f"not within {REACHED_MAX_S:g} s: {what}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.unit.process.wait(LOOK_S)

    def _listen(self) -> None:
        """Confirm what a screen would show, and keep the answers: whoever treats leads."""
        with contextlib.suppress(OSError, ValueError), self._line.makefile("rb") as lines:
            for line in lines:
                said: dict[str, Any] = json.loads(line)
                if "n" in said:
                    self._say({"do": "seen", "who": ME, "args": {"n": said["n"]}})
                else:
                    self._answers.put(said)
        self._answers.put(None)

    def _say(self, request: Mapping[str, object]) -> None:
        with self._writing:
            self._line.sendall(json.dumps(request).encode() + b"\n")


@contextmanager
def lane(folder: Path, seed: int, scale: Scale, over: threading.Event) -> Iterator[Lane]:
    """Make a lane and everything that stands in its way, and take it down again.

    Once it is ``over``, at once: nobody waits for the order of what is only thrown away.
    """
    state = folder / "state"
    if not state.exists():  # a lane that is made anew finds what it left
        leave_behind(state, scale.leftovers, over)
        os.sync()  # the record of a treatment must not wait for all these files
    with ExitStack() as stack:
        unit = stack.enter_context(served(folder / "events.jsonl", Setting(seed, hand="absent")))
        said = stack.enter_context(kernel(unit.port, state, over))
        line = stack.enter_context(contextlib.closing(dial(Path(said["socket"]), END_MAX_S)))
        made = Lane(unit, line, state, int(said["pid"]), over)
        made.ask("watch")  # whoever watches keeps its place among the hostile ones
        if scale.hostile:
            words = ["qa.campaigns.stops.hostile", str(said["socket"]), str(scale.hostile)]
            stack.enter_context(_module(words, over))
        yield made


@contextmanager
def kernel(port: str, state: Path, over: threading.Event) -> Iterator[dict[str, Any]]:
    """Start a kernel and give what it said when it was ready."""
    words = ["controller.kernel", "--port", port, "--state", str(state)]
    with _module(words, over) as process:
        stream = process.stdout
        if stream is None or not _is_readable(stream, over):
            raise LaneError(f"a kernel is not ready after {READY_MAX_S:g} s")
        said: dict[str, Any] = json.loads(stream.readline() or "{}")
        if not said.get("ready"):
            raise LaneError(f"a kernel does not start: {said.get('error', 'it ended')}")
        yield said


def _is_readable(stream: IO[str], over: threading.Event) -> bool:
    """Wait until there is something to read; False where it does not come in time."""
    end_s = time.monotonic() + READY_MAX_S
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not selector.select(OVER_LOOK_S):
            if over.is_set() or time.monotonic() >= end_s:
                return False
    return True


@contextmanager
def _module(words: list[str], over: threading.Event) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(  # noqa: S603 - our own modules; Ctrl-C is their starter's to hear
        [sys.executable, "-m", *words],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            if over.is_set():
                process.kill()
            process.terminate()
            try:
                process.wait(END_MAX_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def leave_behind(state: Path, count: int, over: threading.Event) -> None:
    """Write what ``count`` killed kernels leave: their files and their dead sockets."""
    paths.run_dir(state).mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(count):
        if over.is_set():
            raise LaneError(OVER)
        port = f"/nowhere/corneum-{number}/handpiece"
        socket_at = paths.socket_path(state, port)
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as left, short_name(socket_at) as at:
            left.bind(at)
        said = {"pid": LEFTOVER_PID + number, "port": port, "socket": str(socket_at)}
        paths.kernel_file(state, port).write_text(json.dumps(said))
        paths.port_lock(state, port).write_text(str(LEFTOVER_PID + number))
