"""A whole handpiece: plant and firmware in lock-step, from one seed, in time that the caller gives.

Nothing here reads a clock or a port. `advance` runs everything up to a time, `receive` hands over
bytes that arrived, `outgoing` returns what to write; what really happened goes to ``events``.
"""

import random
from bisect import insort
from collections.abc import Callable, Mapping
from typing import Final

from firmware_protocol.vocabulary import Capability, LogCode
from simulator.firmware.firmware import TICK_MS, TICK_S, Firmware
from simulator.firmware.identity import Identity
from simulator.plant.faults import Fault, find_fault
from simulator.plant.hand import Hand, ManualHand
from simulator.plant.hands import make_hand
from simulator.plant.plant import Plant
from simulator.plant.signals import Drives
from simulator.plant.spec import PlantSpec

SERIAL_NUMBER: Final = 1001
BOOT_TICK_MS: Final = 2**32 - 5000  # the tick of every simulated unit wraps after five seconds
VALVE_STEP_PERCENT: Final = 10.0  # what changes less is not an event, except at VALVE_SHUT_PERCENT
VALVE_SHUT_PERCENT: Final = 1.0
_SLACK_S: Final = 1e-9  # a time that is a tick but for rounding has come

Value = str | int | float | bool | tuple[str, ...]
Happening = Mapping[str, Value]
Sink = Callable[[Happening], None]


def _nowhere(_: Happening) -> None:
    """Record nothing."""


class Handpiece:
    """One simulated unit from power-on, with the hand that holds it."""

    def __init__(
        self,
        seed: int,
        hand: Hand | str = "average",
        spec: PlantSpec | None = None,
        *,
        serial: int = SERIAL_NUMBER,
        boot_tick_ms: int = BOOT_TICK_MS,
        events: Sink = _nowhere,
    ) -> None:
        """Power on; the same seed and the same bytes at the same times give the same run."""
        spec = PlantSpec() if spec is None else spec
        chance = random.Random(f"{seed} nonces")  # noqa: S311 - a simulation must repeat
        inner = make_hand(hand, _chance(seed, "hand")) if isinstance(hand, str) else hand
        capabilities = Capability.SIMULATED
        if spec.motion_sensor:
            capabilities |= Capability.MOTION_SENSOR
        identity = Identity(serial, chance.getrandbits(32), capabilities, boot_tick_ms=boot_tick_ms)
        self.serial = serial
        self.seed = seed
        self.events = events
        self.hand = ManualHand(inner)
        self.plant = Plant(spec, self.hand, _chance(seed, "plant"))
        self.firmware = Firmware(identity, lambda: chance.getrandbits(32), self.plant.sensors)
        self._drives = Drives()
        self._ticks = 0
        self._valve_percent = 0.0
        self._scheduled: list[tuple[float, str]] = []
        if events is not _nowhere:
            self._record()

    def record_to(self, events: Sink) -> None:
        """Record from now on to ``events``, and what was kept for whoever comes first."""
        self.events = events
        self._record()

    @property
    def now_s(self) -> float:
        """Device seconds since power-on, at the last tick."""
        return self._ticks * TICK_S

    @property
    def report_due_s(self) -> float:
        """When the device next writes by itself; nothing is missed by advancing no oftener."""
        return self.now_s + self.firmware.report_due_ms / 1000

    def advance(self, to_s: float) -> None:
        """Run every tick that is due by ``to_s``."""
        last = int((to_s + _SLACK_S) / TICK_S)
        while self._ticks < last:
            self._tick()

    def receive(self, data: bytes, now_s: float | None = None) -> None:
        """Hand over bytes that arrived at ``now_s``, or now; time before it has been advanced."""
        self.firmware.receive(data, self.now_s if now_s is None else max(now_s, self.now_s))
        self._record()

    def outgoing(self) -> bytes:
        """Return what the device wants to write."""
        return self.firmware.outgoing()

    def set_fault(self, name: str) -> Fault:
        """Make a fault active now; UnknownFaultError names those that exist."""
        return self._faulted(self.plant.faults.set(name), active=True)

    def clear_fault(self, name: str) -> Fault:
        """End a fault now; UnknownFaultError as above."""
        return self._faulted(self.plant.faults.clear(name), active=False)

    def schedule_fault(self, name: str, at_s: float) -> None:
        """Make a fault active at ``at_s`` device seconds; UnknownFaultError as above."""
        find_fault(name)
        insort(self._scheduled, (at_s, name))

    def _tick(self) -> None:
        while self._scheduled and self._scheduled[0][0] <= self.now_s + _SLACK_S:
            self.set_fault(self._scheduled.pop(0)[1])
        plant, firmware = self.plant, self.firmware
        sensors = plant.advance(self._drives, TICK_MS)
        self._ticks += 1
        self._drives = firmware.tick(self._ticks * TICK_S, sensors)
        plant.lamp = firmware.lamp
        if firmware.board.notes:
            self._record()
        if plant.truth.valve_open * 100.0 != self._valve_percent:
            self._watch_valve(plant.truth.valve_open * 100.0)

    def _watch_valve(self, percent: float) -> None:
        before = self._valve_percent
        crossed = (percent > VALVE_SHUT_PERCENT) is not (before > VALVE_SHUT_PERCENT)
        if crossed or abs(percent - before) >= VALVE_STEP_PERCENT:
            self._valve_percent = percent
            self._emit("valve", open_percent=round(percent, 1))

    def _faulted(self, fault: Fault, *, active: bool) -> Fault:
        board = self.firmware.board
        board.log.add(board.tick_ms, LogCode.FAULT_INJECTED, fault.number)
        self._emit("fault", name=fault.name, hazards=fault.hazards, active=active)
        return fault

    def _record(self) -> None:
        for note in self.firmware.take_notes():
            self.events({"t_s": round(note.t_s, 6), "kind": note.kind, **dict(note.values)})

    def _emit(self, kind: str, **values: Value) -> None:
        self.events({"t_s": round(self.now_s, 6), "kind": kind, **values})


def _chance(seed: int, what: str) -> random.Random:
    return random.Random(f"{seed} {what}")  # noqa: S311 - a simulation must repeat
