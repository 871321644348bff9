"""The promise, held against the plant's truth at every tick of a device under fire.

The valve may be driven only while the device is ACTIVE and, in truth, the lease lives, the switch
is pressed, the tip is on skin, suction is there, crystals are wanted and exposure is left; it may
stand open no longer after that than its spring takes to shut. ARMED, ACTIVE and the way out of
SAFE have their own conditions. Nothing may grow beyond its bound.
"""

import gc
import sys
from collections import Counter, deque
from hashlib import sha256
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Final

from firmware_protocol.envelope import (
    FLOW_SET_MAX_MG_PER_MIN,
    SUCTION_PERMIT_MIN_PA,
    SUCTION_SET_MAX_PA,
    SUCTION_TRIP_PA,
)
from firmware_protocol.session import tick_of
from firmware_protocol.vocabulary import Cause, Mode
from qa.ledger import Ledger
from simulator.firmware.board import NOTES_MAX
from simulator.firmware.firmware import OUTGOING_MAX_BYTES, TICK_S
from simulator.firmware.memory import CAPACITY
from simulator.handpiece import BOOT_TICK_MS, VALVE_SHUT_PERCENT, Handpiece, Happening
from simulator.plant.hand import AWAY, CORNER, Grip, Lamp, Place
from simulator.plant.sensors import GRAIN

CLOSES_WITHIN_S: Final = 0.050  # the spring takes 40 ms for a full stroke; one tick to decide
SEEN_WITHIN_S: Final = 0.010  # contacts and contact ring are seen one sample late
SUCTION_WITHIN_S: Final = 0.025  # behind a filter of 5 ms
SUCTION_SLACK_KPA: Final = 0.5  # ten times the noise of the sensor
PRESS_WITHIN_S: Final = 0.050  # a press is believed after 20 ms
EXPOSURE_SLACK_MG: Final = 25.0  # 12 g/min for two control steps, and the error of the flow sensor
LONGEST_MAX: Final = max(CAPACITY, NOTES_MAX, GRAIN)
"""What a device holds most of: records of its log, notes that nobody took, and grains of noise."""
CENSUS_MAX_BYTES: Final = 600_000
"""All that a device holds: a full log is 0.15 MB of Python objects, all else below 0.3 MB."""

_OPEN: Final = VALVE_SHUT_PERCENT / 100.0
_LIVE: Final = frozenset({Mode.ARMED, Mode.ACTIVE, Mode.PAUSED})
_SHARED: Final = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
_NEVER_S: Final = -1e9


class PromiseBrokenError(Exception):
    """The device did what it must never do; the text says what and when."""


class SteeredHand:
    """A hand that does what it is told, and knows when it last did what."""

    def __init__(self) -> None:
        self.grip = AWAY
        self.pressed_at_s = _NEVER_S
        """When it last went from released to pressed."""

    def step(self, now_s: float, lamp: Lamp) -> Grip:
        """Return the grip."""
        del now_s, lamp
        return self.grip

    def begin_zone(self, area_cm2: float) -> None:
        """Do nothing: it is told every grip."""

    def where(self, now_s: float) -> Place:
        """Return the corner: it is told when to be on the skin, not where."""
        return CORNER

    def take(self, grip: Grip, now_s: float) -> None:
        """Hold the handpiece like this from now on."""
        if grip.switch_pressed and not self.grip.switch_pressed:
            self.pressed_at_s = now_s
        self.grip = grip


class Witness:
    """Stands between the attacker and one device, and looks after every tick."""

    def __init__(self, seed: int, hand: SteeredHand) -> None:
        self.hand = hand
        self.device = Handpiece(seed, hand, events=self._happened)
        self.ledger = Ledger()
        self.modes_entered: Counter[str] = Counter()
        self.trips: Counter[str] = Counter()
        self.valve_open_s = 0.0
        self.recent: deque[tuple[float, bytes]] = deque(maxlen=64)
        """The newest bytes to the device, for whoever has to explain a failure."""
        self.trace = sha256()
        self._last_all_s = self._pressed_s = self._sealed_s = self._sucked_s = _NEVER_S
        self._metered_from_g = 0.0
        self._accepted_seen = 0
        self._armed = self._reset = 0
        self._cause = Cause.NONE

    @property
    def mode(self) -> Mode:
        """What the device says of itself."""
        return self.device.firmware.board.mode

    # -- bytes -------------------------------------------------------------------------------------
    def give(self, data: bytes, late_s: float = 0.0) -> None:
        """Let ``data`` arrive, with at most one request in it, and hear what is said at once."""
        device, ledger = self.device, self.ledger
        now_s = device.now_s + late_s
        self.recent.append((now_s, data))
        stops = ledger.stops_heard
        ledger.hear(data, now_s * 1000, tick_of(now_s, BOOT_TICK_MS))
        device.receive(data, now_s)
        said = self._drain()
        self.trace.update(data)
        if ledger.stops_heard != stops:
            if self.mode in _LIVE:
                self._broken(f"{self.mode.name} after a STOP")
            if said.count(b"\0") < ledger.stops_heard - stops:
                self._broken("a STOP was not answered")
        if ledger.armings or ledger.resets or self._armed or self._reset:
            self._justify(now_s)

    def tick(self) -> None:
        """Let 5 ms pass and look."""
        device = self.device
        device.advance(device.now_s + TICK_S)
        self._drain()
        if self._armed or self._reset:
            self._justify(device.now_s)
        self._look(device.now_s)

    def _drain(self) -> bytes:
        data = self.device.outgoing()
        if data:
            if len(data) > OUTGOING_MAX_BYTES + 256:
                self._broken(f"{len(data)} bytes wait to be written")
            self.ledger.say(data, self.device.firmware.link.session)
            self.trace.update(data)
        return data

    # -- what the device tells of itself -----------------------------------------------------------
    def _happened(self, happening: Happening) -> None:
        kind = happening["kind"]
        if kind == "mode":
            self._moved(str(happening["from"]), str(happening["mode"]))
        elif kind == "trip":
            self.trips[str(happening["cause"])] += 1
            self._cause = Cause[str(happening["cause"])]
            self.ledger.void_token()

    def _moved(self, before: str, after: str) -> None:
        self.modes_entered[after] += 1
        if before == "SAFE":
            if after != "DISARMED":
                self._broken(f"from SAFE to {after}")
            self._reset += 1
        if after == "ARMED":
            self._armed += 1
            if before != "READY":
                self._broken(f"armed from {before}")
        elif after == "ACTIVE":
            self._activated(before)

    def _activated(self, before: str) -> None:
        if before not in ("ARMED", "PAUSED"):
            self._broken(f"ACTIVE from {before}")
        waited_s = self.device.now_s - self.hand.pressed_at_s
        if not (self.hand.grip.switch_pressed and waited_s <= PRESS_WITHIN_S):
            self._broken("ACTIVE without a new press of the hand switch")

    def _justify(self, now_s: float) -> None:
        """Hold each arming and each reset against what was asked and allowed."""
        ledger = self.ledger
        pressed = self._pressed_s >= self.device.now_s  # at the newest sample
        if (self._armed, self._reset) != (len(ledger.armings), len(ledger.resets)):
            self._broken("armed or left SAFE without having been asked to")
        for arm in ledger.armings:
            fits = arm.token == ledger.token != 0 and arm.treatment == ledger.config.treatment != 0
            ready = ledger.healthy(now_s * 1000) and now_s * 1000 < ledger.lease_ends_ms
            if pressed or not (fits and ready):
                self._broken(f"armed by {arm} against the rules")
            ledger.void_token()
        for reset in ledger.resets:
            if pressed or reset.cause != self._cause:
                self._broken(f"{reset} of {self._cause.name} against the rules")
        ledger.armings.clear()
        ledger.resets.clear()
        self._armed = self._reset = 0

    # -- what is true ------------------------------------------------------------------------------
    def _look(self, now_s: float) -> None:
        device = self.device
        truth, channel = device.plant.truth, device.firmware.board.a
        self._note_truth(now_s)
        if channel.valve > 0.0:
            lacking = self._lacking(now_s)
            if lacking:
                self._broken(f"the valve is driven without {lacking}")
            self._last_all_s = now_s
        if truth.valve_open > _OPEN:
            self.valve_open_s += TICK_S
            if now_s - self._last_all_s > CLOSES_WITHIN_S:
                self._broken("the valve stands open and nothing permits it")
        self._look_at_limits(now_s)

    def _note_truth(self, now_s: float) -> None:
        """Remember when each condition of the promise last held."""
        ledger, truth = self.ledger, self.device.plant.truth
        if ledger.accepted != self._accepted_seen:
            self._accepted_seen = ledger.accepted
            self._metered_from_g = truth.through_valve_g
        if self.hand.grip.switch_pressed:
            self._pressed_s = now_s
        if truth.seal:
            self._sealed_s = now_s
        if truth.suction_kpa >= self._suction_min_kpa():
            self._sucked_s = now_s

    def _lacking(self, now_s: float) -> str:
        """Return what the promise asks for and is not there, or nothing."""
        ledger = self.ledger
        metered_mg = (self.device.plant.truth.through_valve_g - self._metered_from_g) * 1000
        left_mg = ledger.exposure_left_mg
        holds = (
            (self.mode is Mode.ACTIVE, "ACTIVE"),
            (now_s * 1000 < ledger.lease_ends_ms, "a lease"),
            (now_s - self._pressed_s <= SEEN_WITHIN_S, "a pressed switch"),
            (now_s - self._sealed_s <= SEEN_WITHIN_S, "skin contact"),
            (now_s - self._sucked_s <= SUCTION_WITHIN_S, "suction"),
            (ledger.wants_flow, "a wish for flow"),
            (left_mg > 0 and metered_mg <= left_mg + EXPOSURE_SLACK_MG, "exposure left"),
        )
        return ", ".join(what for true, what in holds if not true)

    def _suction_min_kpa(self) -> float:
        least_pa = max(self.ledger.config.suction_min_pa, SUCTION_PERMIT_MIN_PA)
        return least_pa / 1000 - SUCTION_SLACK_KPA

    def _look_at_limits(self, now_s: float) -> None:
        board, config = self.device.firmware.board, self.ledger.config
        channel = board.a
        suction_max_pa = min(config.suction_max_pa, SUCTION_SET_MAX_PA)
        flow_max = min(config.flow_max_mg_per_min, FLOW_SET_MAX_MG_PER_MIN)
        if not channel.setpoints.suction_pa <= suction_max_pa:
            self._broken("the suction setpoint in force is above the configuration")
        if not channel.setpoints.flow_mg_per_min <= flow_max:
            self._broken("the flow setpoint in force is above the configuration")
        if not self.device.plant.truth.suction_kpa * 1000 <= SUCTION_TRIP_PA:
            self._broken("more suction than the trip allows")
        left_ms = self.ledger.lease_ends_ms - now_s * 1000
        if channel.lease_left_ms > max(left_ms, 0.0) + 1:  # the device counts whole milliseconds
            self._broken(f"a lease of {channel.lease_left_ms} ms where {left_ms:.1f} are left")

    # -- bounds ------------------------------------------------------------------------------------
    def census(self) -> int:
        """Return how many bytes the device holds; PromiseBrokenError where something grew."""
        total, longest = count_bytes((self.device.firmware, self.device.plant))
        if longest > LONGEST_MAX:
            self._broken(f"something holds {longest} entries")
        waiting = len(self.device.firmware.board.notes)
        if waiting > NOTES_MAX:
            self._broken(f"{waiting} notes wait")
        if total > CENSUS_MAX_BYTES:
            self._broken(f"the device holds {total} bytes")
        return total

    def _broken(self, what: str) -> None:
        raise PromiseBrokenError(f"at {self.device.now_s:.3f} s in {self.mode.name}: {what}")


def count_bytes(roots: tuple[object, ...]) -> tuple[int, int]:
    """Return the size of everything reachable from ``roots``, and the longest container in it.

    What every object shares (types, modules, functions) is left out.
    """
    seen: set[int] = set()
    waiting: list[object] = list(roots)
    total = longest = 0
    while waiting:
        found = waiting.pop()
        if id(found) in seen or isinstance(found, _SHARED):
            continue
        seen.add(id(found))
        total += sys.getsizeof(found)
        if isinstance(found, list | dict | set | deque | tuple):
            longest = max(longest, len(found))
        waiting += gc.get_referents(found)
    return total, longest
