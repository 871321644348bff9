"""A whole handpiece: plant and firmware in lock-step, from one seed, in time that the caller gives.

Nothing here reads a clock or a port. `advance` runs everything up to a time, `receive` hands over
bytes that arrived, `outgoing` returns what to write; what really happened goes to ``events``.
"""

import random
from bisect import insort
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from firmware_protocol.catalogue import PROTOCOL_MINOR
from firmware_protocol.session import TICK_SPAN
from firmware_protocol.vocabulary import FAULT_OVER, Capability, LogCode
from simulator.firmware.firmware import TICK_MS, TICK_S, Firmware
from simulator.firmware.memory import Identity, Memory
from simulator.firmware.watchdog import Watchdog
from simulator.plant.faults import HEALTHY, Effects, Fault, find_fault
from simulator.plant.hand import Hand, ManualHand
from simulator.plant.hands import make_hand
from simulator.plant.plant import Plant
from simulator.plant.signals import Drives
from simulator.plant.spec import PlantSpec

SERIAL_NUMBER: Final = 1001
BOOT_TICK_MS: Final = 2**32 - 5000  # the tick of every simulated unit wraps after five seconds
VALVE_STEP_PERCENT: Final = 10.0  # what changes less is not an event, except at VALVE_SHUT_PERCENT
VALVE_SHUT_PERCENT: Final = 1.0
_ENDED_BY_RESTART: Final = frozenset({"firmware-halt", "power-dip"})
_SLACK_S: Final = 1e-9  # a time that is a tick but for rounding has come

Value = str | int | float | bool | tuple[str, ...]
Happening = Mapping[str, Value]
Sink = Callable[[Happening], None]


class Watcher(Protocol):
    """Looks over the shoulder of a device, and touches nothing."""

    def heard(self, data: bytes, now_s: float) -> None:
        """Hear what the device is about to receive."""

    def said(self, data: bytes) -> None:
        """Hear what the device has written."""

    def ticked(self) -> None:
        """Look at the device after a tick."""


def _nowhere(_: Happening) -> None:
    """Record nothing."""


class Handpiece:
    """One simulated unit from power-on, with the hand that holds it."""

    def __init__(  # noqa: PLR0913 - what a unit is made of, each with its default
        self,
        seed: int,
        hand: Hand | str = "average",
        spec: PlantSpec | None = None,
        *,
        serial: int = SERIAL_NUMBER,
        boot_tick_ms: int = BOOT_TICK_MS,
        events: Sink = _nowhere,
        memory: Memory | None = None,
        minor: int = PROTOCOL_MINOR,
    ) -> None:
        """Power on; the same seed and the same bytes at the same times give the same run.

        ``memory`` is what a unit kept that was switched off, and ``minor`` the newest minor version
        that its firmware speaks.
        """
        spec = PlantSpec() if spec is None else spec
        self._chance = _chance(seed, "nonces")
        if isinstance(hand, str):
            hand = make_hand(hand, _chance(seed, "hand"), _chance(seed, "way"))
        self.serial = serial
        self.seed = seed
        self.events = events
        self.watcher: Watcher | None = None
        self.hand = ManualHand(hand)
        self.plant = Plant(spec, self.hand, _chance(seed, "plant"))
        self.memory = Memory() if memory is None else memory
        self._minor = minor
        self._boot_tick_ms = boot_tick_ms
        self._ticks = self._booted = 0
        self.firmware = self._boot()
        self._watchdog = Watchdog()
        self._drives = Drives()
        self._valve_open = 0.0
        self._valve_percent = 0.0
        """As it was last told."""
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
        if self.plant.faults.effects.firmware_halted:
            return  # nobody reads
        at_s = self.now_s if now_s is None else max(now_s, self.now_s)
        if self.watcher is not None:
            self.watcher.heard(data, at_s)
        self.firmware.receive(data, at_s)
        self._record()

    def outgoing(self) -> bytes:
        """Return what the device wants to write."""
        if self.plant.faults.effects.firmware_halted:
            return b""
        data = self.firmware.outgoing()
        if data and self.watcher is not None:
            self.watcher.said(data)
        return data

    def restart(self, *, stalled: bool = False) -> None:
        """Start the processor anew: outputs off, then another boot of the same unit.

        What the memory keeps is kept, and time and physics go on; everything else is lost.
        """
        self._record()
        self.memory.stalled = stalled
        self.memory.spoil(self.plant.faults.effects.memory_flips)
        self._drives = Drives(power=False)
        self._booted = self._ticks
        self._emit("restart", why="watchdog" if stalled else "power")
        self.firmware = self._boot()
        self._watchdog = Watchdog()
        for name in sorted(_ENDED_BY_RESTART & self.plant.faults.active):
            self.clear_fault(name)
        self._record()

    def _boot(self) -> Firmware:
        capabilities = Capability.SIMULATED
        if self.plant.spec.motion_sensor:
            capabilities |= Capability.MOTION_SENSOR
        tick_ms = (self._boot_tick_ms - self._ticks * TICK_MS) % TICK_SPAN
        nonces = partial(self._chance.getrandbits, 32)
        identity = Identity(
            self.serial, nonces(), capabilities, boot_tick_ms=tick_ms, minor=self._minor
        )
        return Firmware(identity, nonces, self.plant.sensors, self.memory, self.now_s)

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
        effects = plant.faults.effects
        if not effects.firmware_halted:
            self._drives = firmware.tick(self._ticks * TICK_S, sensors)
        plant.lamp = firmware.lamp
        if firmware.board.notes:
            self._record()
        if self._watchdog.elapse(TICK_MS, firmware.pulses):
            self.restart(stalled=True)
        elif effects is not HEALTHY and self._restarts(effects):
            self.restart()
        if plant.truth.valve_open != self._valve_open:
            self._valve_open = plant.truth.valve_open
            self._watch_valve(100.0 * self._valve_open)
        if self.watcher is not None:
            self.watcher.ticked()

    def _restarts(self, effects: Effects) -> bool:
        up_s = (self._ticks - self._booted) * TICK_S
        return effects.restarts or 0.0 < effects.restart_period_s <= up_s

    def _watch_valve(self, percent: float) -> None:
        before = self._valve_percent
        crossed = (percent > VALVE_SHUT_PERCENT) is not (before > VALVE_SHUT_PERCENT)
        if crossed or abs(percent - before) >= VALVE_STEP_PERCENT:
            self._valve_percent = percent
            self._emit("valve", open_percent=round(percent, 1))

    def log_injected(self, number: int, *, active: bool) -> None:
        """Write into the unit's own log that a fault was injected, or ended."""
        board = self.firmware.board
        board.log.add(
            board.tick_ms, LogCode.FAULT_INJECTED, number if active else number | FAULT_OVER
        )

    def _faulted(self, fault: Fault, *, active: bool) -> Fault:
        self.log_injected(fault.number, active=active)
        self._emit("fault", name=fault.name, hazards=fault.hazards, active=active, simulated=True)
        return fault

    def _record(self) -> None:
        for note in self.firmware.take_notes():
            self.events({"t_s": round(note.t_s, 6), "kind": note.kind, **dict(note.values)})

    def _emit(self, kind: str, **values: Value) -> None:
        self.events({"t_s": round(self.now_s, 6), "kind": kind, **values})


def _chance(seed: int, what: str) -> random.Random:
    return random.Random(f"{seed} {what}")  # noqa: S311 - a simulation must repeat
