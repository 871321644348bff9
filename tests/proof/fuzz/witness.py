"""Stands between the attacker and one device, and holds the promise at every tick and every byte.

What the promise is, `qa.promise` says. Here is what the fuzz alone can see: each arming and each
reset against the bytes that asked for it, STOP against its answer, and that nothing grows.
"""

import gc
import sys
from collections import Counter, deque
from hashlib import sha256
from itertools import zip_longest
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Final

from firmware_protocol.session import tick_of
from firmware_protocol.vocabulary import Cause, Mode
from qa.ledger import Ledger
from qa.promise import clauses
from qa.promise.clauses import (
    LIVE,
    NEVER_S,
    Arming,
    Clause,
    Facts,
    Lease,
    Moment,
    Observer,
    Reset,
    Stop,
    words,
)
from qa.promise.watch import OPEN, Watch
from simulator.firmware.board import NOTES_MAX
from simulator.firmware.firmware import OUTGOING_MAX_BYTES, TICK_S
from simulator.firmware.memory import CAPACITY
from simulator.handpiece import BOOT_TICK_MS, Handpiece, Happening
from simulator.plant.hand import AWAY, CORNER, Grip, Lamp, Place
from simulator.plant.sensors import GRAIN

LONGEST_MAX: Final = max(CAPACITY, NOTES_MAX, GRAIN)
"""What a device holds most of: records of its log, notes that nobody took, and grains of noise."""
CENSUS_MAX_BYTES: Final = 600_000
"""All that a device holds: a full log is 0.15 MB of Python objects, all else below 0.3 MB."""

_SHARED: Final = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


class PromiseBrokenError(Exception):
    """The device did what it must never do; the text says what and when."""


class SteeredHand:
    """A hand that does what it is told."""

    def __init__(self) -> None:
        self.grip = AWAY

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
        del now_s
        self.grip = grip


class Witness(Watch):
    """The scene of one device under fire, and its watch."""

    def __init__(self, seed: int, hand: SteeredHand) -> None:
        super().__init__(Observer.FUZZ)
        self.scene = self
        self.device = self.handpiece = Handpiece(seed, hand, events=self.happened)
        self.ledger = Ledger()
        self.modes_entered: Counter[str] = Counter()
        self.trips: Counter[str] = Counter()
        self.valve_open_s = 0.0
        self.recent: deque[tuple[float, bytes]] = deque(maxlen=64)
        """The newest bytes to the device, for whoever has to explain a failure."""
        self.trace = sha256()
        self._armed_from: list[Mode] = []
        self._reset_to: list[Mode] = []
        self._cause = Cause.NONE

    @property
    def mode(self) -> Mode:
        """What the device says of itself."""
        return self.device.firmware.board.mode

    @property
    def now_s(self) -> float:
        """Seconds since power-on."""
        return self.device.now_s

    def forget(self) -> None:
        """Never: a life is one power-on."""

    # -- bytes -------------------------------------------------------------------------------------
    def give(self, data: bytes, late_s: float = 0.0) -> None:
        """Let ``data`` arrive, with at most one request in it, and hear what is said at once."""
        device, ledger = self.device, self.ledger
        now_s = device.now_s + late_s
        self.recent.append((now_s, data))
        stops, before, trips = ledger.stops_heard, self.mode, self.trips.total()
        requests = ledger.seen_request
        ledger.hear(data, now_s * 1000, tick_of(now_s, BOOT_TICK_MS))
        device.receive(data, now_s)
        said = self._drain()
        self.trace.update(data)
        if ledger.stops_heard != stops:
            joined = ledger.seen_request != requests  # a request in the same bytes may act as well
            over = (joined and self.mode not in LIVE) or clauses.stopped(before, self.mode)
            answered = said.count(b"\0") >= ledger.stops_heard - stops
            token_void = joined or device.firmware.board.token == 0
            tripped = self.trips.total() != trips
            self.ask(clauses.STOP, Stop(over or tripped, answered, token_void))
        self._justify(now_s)

    def tick(self) -> None:
        """Let 5 ms pass and look."""
        device = self.device
        device.advance(device.now_s + TICK_S)
        self._drain()
        self._justify(device.now_s)
        self.look()
        counted_ms = device.firmware.board.a.lease_left_ms
        if counted_ms:
            left_ms = self.ledger.lease_ends_ms - device.now_s * 1000
            self.ask(clauses.LEASE, Lease(left_ms, counted_ms))
        self.valve_open_s += TICK_S * (device.plant.truth.valve_open > OPEN)

    def _drain(self) -> bytes:
        data = self.device.outgoing()
        if data:
            if len(data) > OUTGOING_MAX_BYTES + 256:
                self._grown(f"{len(data)} bytes wait to be written")
            self.ledger.say(data, self.device.firmware.link.session)
            self.trace.update(data)
        return data

    # -- what the device tells of itself -----------------------------------------------------------
    def happened(self, event: Happening) -> None:
        """Take one event of the device."""
        super().happened(event)
        if event["kind"] == "trip":
            self._cause = Cause[str(event["cause"])]
            self.trips[self._cause.name] += 1
            self.ledger.void_token()

    def moved(self, before: Mode, after: Mode) -> None:
        """Remember what has to be justified as soon as the answers are read."""
        super().moved(before, after)
        self.modes_entered[after.name] += 1
        if before is Mode.SAFE:
            self._reset_to.append(after)
        if after is Mode.ARMED:
            self._armed_from.append(before)

    def _justify(self, now_s: float) -> None:
        """Hold each arming and each reset against what was asked and allowed."""
        ledger = self.ledger
        released = self._switch_s < self.device.now_s  # at the newest sample
        for before, arm in zip_longest(self._armed_from, ledger.armings):
            treatment = ledger.config.treatment
            asked = arm is not None and (
                arm.token == ledger.token != 0 and arm.treatment == treatment != 0
            )
            streams = ledger.healthy(now_s * 1000) and now_s * 1000 < ledger.lease_ends_ms
            armed = Arming(before is Mode.READY, asked, streams=streams, released=released)
            self.ask(clauses.ARMING, armed)
            ledger.void_token()
        for after, reset in zip_longest(self._reset_to, ledger.resets):
            asked = reset is not None and reset.cause == self._cause
            left = Reset(asked, at_rest=released, disarmed=after is Mode.DISARMED)
            self.ask(clauses.RESET, left)
        for each in (self._armed_from, self._reset_to, ledger.armings, ledger.resets):
            each.clear()

    def over_s(self, since_s: float) -> float:
        """Return for ever: without a fault there is no over-suction at all."""
        del since_s
        return NEVER_S

    def broken(self, clause: Clause[Facts], facts: Facts, moment: Moment[Facts]) -> None:
        """Raise it."""
        raise PromiseBrokenError(f"{self._when()}: {moment.says} {clause.says} ({words(facts)})")

    def _when(self) -> str:
        return f"at {self.device.now_s:.3f} s in {self.mode.name}"

    # -- bounds ------------------------------------------------------------------------------------
    def census(self) -> int:
        """Return how many bytes the device holds; PromiseBrokenError where something grew."""
        total, longest = count_bytes((self.device.firmware, self.device.plant))
        if longest > LONGEST_MAX:
            self._grown(f"something holds {longest} entries")
        waiting = len(self.device.firmware.board.notes)
        if waiting > NOTES_MAX:
            self._grown(f"{waiting} notes wait")
        if total > CENSUS_MAX_BYTES:
            self._grown(f"the device holds {total} bytes")
        return total

    def _grown(self, what: str) -> None:
        raise PromiseBrokenError(f"{self._when()}: {what}")


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
