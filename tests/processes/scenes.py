"""Scenes: a treatment is brought into a mode, and then something befalls its host."""

import math
import signal
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.processes.service import Kernel, Unit, kernel, unit
from tests.processes.witness import LOOK_S, Witness

PREPARED_MAX_S = 15.0
SEEN_MAX_S = 5.0
TROUBLE_S = 0.8  # four leases
AFTER_S = 0.7  # a host that is back would have renewed the lease fourteen times
WELL_OPEN_PERCENT = 10.0


class Trouble(Enum):
    """What befalls the host."""

    KILLED = "kill -9 of the kernel"
    FROZEN = "SIGSTOP of the kernel"
    SILENT = "a line that goes silent but stays open"
    BUSY = "a busy loop in the kernel"


@dataclass(frozen=True, slots=True)
class Scene:
    """What befalls the host, and in which mode of the device."""

    trouble: Trouble
    mode: str

    def __str__(self) -> str:
        return f"{self.trouble.name}-{self.mode}"


SCENES = [Scene(trouble, mode) for trouble in Trouble for mode in ("ARMED", "ACTIVE", "PAUSED")]


@dataclass(frozen=True, slots=True)
class Played:
    """What the witness has of a scene."""

    witness: Witness
    troubled_s: float
    """When it happened, in the device's time."""
    was_open: bool
    """The valve was open at that moment."""
    ended_s: float
    host_state: str
    """What the host, back again, says of the treatment."""


def play(scene: Scene, folder: Path) -> Played:
    """Play a scene to its end: trouble, everything tried to open the valve again, host back."""
    module = "tests.processes.busy_kernel" if scene.trouble is Trouble.BUSY else "controller.kernel"
    with unit(folder) as device, kernel(device, folder / "state", module=module) as host:
        bring_to(scene.mode, device, host)
        troubled_s = begin(scene.trouble, device, host)
        was_open = device.witness.open_at(troubled_s)
        device.witness.wait_for("mode", SEEN_MAX_S, troubled_s, mode="SAFE")
        _tempt(device, TROUBLE_S)
        _finish(scene.trouble, device, host)
        _tempt(device, AFTER_S)
        state = "killed" if scene.trouble is Trouble.KILLED else host.state()
        return Played(device.witness, troubled_s, was_open, device.now_s, state)


def bring_to(mode: str, device: Unit, host: Kernel) -> None:
    """Start a treatment and bring the device into ``mode``; in ACTIVE the valve is open."""
    witness = device.witness
    since_s = device.now_s
    host.ask("treat", program="patch-test", client="demo")
    witness.wait_for("mode", PREPARED_MAX_S, since_s, mode="ARMED")
    if mode == "ARMED":
        return
    device.hand("place", "press")
    witness.wait_for("mode", SEEN_MAX_S, since_s, mode="ACTIVE")
    _await_open_valve(witness, since_s)
    if mode == "PAUSED":
        released_s = device.hand("release")
        witness.wait_for("mode", SEEN_MAX_S, released_s, mode="PAUSED")
        _await_shut_valve(witness)


def _await_open_valve(witness: Witness, since_s: float) -> None:
    end_s = time.monotonic() + SEEN_MAX_S
    while not any(event["open_percent"] > WELL_OPEN_PERCENT for event in witness.openings(since_s)):
        assert time.monotonic() < end_s, witness.events()[-12:]
        time.sleep(LOOK_S)


def _await_shut_valve(witness: Witness) -> None:
    """Wait for it: the last event of a valve that shuts may be that of a hundredth."""
    end_s = time.monotonic() + SEEN_MAX_S
    while witness.open_at(math.inf):
        assert time.monotonic() < end_s, witness.events()[-12:]
        time.sleep(LOOK_S)


def begin(trouble: Trouble, device: Unit, host: Kernel) -> float:
    """Let it happen and return when it had, in the device's time."""
    if trouble is Trouble.SILENT:
        return float(device.do("line", silent=True)["t_s"])
    signals = {
        Trouble.KILLED: signal.SIGKILL,
        Trouble.FROZEN: signal.SIGSTOP,
        Trouble.BUSY: signal.SIGUSR1,
    }
    host.send(signals[trouble])
    return device.witness.device_s(time.monotonic())


def _tempt(device: Unit, seconds: float) -> None:
    """Stay on the skin and press anew, which opens the valve wherever it may open."""
    device.hand("place", "press")
    time.sleep(seconds / 2)
    device.hand("release")
    device.hand("press")
    time.sleep(seconds / 2)


def _finish(trouble: Trouble, device: Unit, host: Kernel) -> None:
    if trouble is Trouble.FROZEN:
        host.send(signal.SIGCONT)
    elif trouble is Trouble.SILENT:
        device.do("line", silent=False)
    elif trouble is Trouble.BUSY:
        time.sleep(0.3)  # the rest of the second
