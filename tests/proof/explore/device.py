"""The real firmware under an arbitrary host, line, hand and environment.

One step is either something that arrives, in no time, or a beat of 50 ms with one scene and one
grip. Beside the firmware walks a ghost that keeps its own account of what the firmware has been
told, from the bytes and samples alone; the properties compare the two.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, NamedTuple

from firmware_protocol.envelope import LEASE_DEFAULT_MS, LEASE_MAX_MS, LEASE_MIN_MS
from firmware_protocol.vocabulary import Capability, Mode
from qa.promise.clauses import Observer
from simulator.firmware.firmware import Firmware
from simulator.firmware.memory import STORM_BOOTS_MAX, Identity
from simulator.firmware.memory import Memory as Kept
from simulator.firmware.selftest import WINDOW_MS
from simulator.plant.signals import Sensors
from tests.proof.explore import clocks, promises
from tests.proof.explore.clocks import BEAT_MS, Clock
from tests.proof.explore.frames import FULL, SENDS, SMALL, TREATMENT, Send
from tests.proof.explore.ghost import LAPSED_FLOOR_MS, Before, Ghost, grant_left
from tests.proof.explore.memory import Memory, Rule, Saved, skip
from tests.proof.explore.promises import Asker
from tests.proof.explore.scenes import (
    AWAY,
    FLOWING,
    GRIPS,
    PRESSED,
    RELEASED,
    SCENES,
    Grip,
    sample,
)
from tests.proof.explore.scenes import SMALL as SMALL_SCENES
from tests.proof.explore.search import Broken

BEAT_S: Final = BEAT_MS / 1000
BOOT_TICK_MS: Final = 2**32 - 1_000  # the tick wraps after one second
SERIAL: Final = 1001
BOOT_ID: Final = 5
WINDOW_BEATS: Final = WINDOW_MS // BEAT_MS - 1


@dataclass(frozen=True, slots=True)
class Beat:
    """50 ms with one scene and one grip; a group of long clocks may run out in it."""

    scene: str
    grip: Grip
    clock: Clock = Clock.NONE

    def __str__(self) -> str:
        return f"50 ms: {self.scene}, {self.grip.name}{self.clock.value}"


@dataclass(frozen=True, slots=True)
class Fate:
    """Something that the abstraction of time decides; no time passes."""

    name: str
    happens: Callable[[Firmware], None]
    may: Callable[[Firmware], bool]
    restarts: bool = False

    def __str__(self) -> str:
        return self.name


Step = Beat | Send | Fate


def _always(_: Firmware) -> bool:
    return True


def _latched(firmware: Firmware) -> bool:
    return firmware.board.policy.latched


FATES: Final = (
    Fate(
        "the setpoint stream has been healthy for a second",
        clocks.stream_stands,
        lambda fw: clocks.may_arm(fw) and fw.board.a.lease.live,
    ),
    Fate("the setpoint stream has had gaps", clocks.stream_broke, clocks.may_arm),
    Fate("the corrupt frames lie an hour back", clocks.limiter_forgets, clocks.may_arm),
    Fate("this cause was reset three times lately", clocks.reset_often, _latched),
    Fate("the last reset lies ten minutes back", clocks.resets_forgotten, _latched),
    Fate(
        "the lease runs down", clocks.lapse, lambda fw: clocks.is_idle(fw) and fw.board.a.lease.live
    ),
    Fate("the unit has been up for a minute", clocks.up_for_long, _latched),
    Fate(
        "the unit restarts",
        lambda fw: clocks.restart(fw, 0, fw.board.now_s),
        _always,
        restarts=True,
    ),
    Fate(
        "the unit restarts, the fourth time within a minute",
        lambda fw: clocks.restart(fw, STORM_BOOTS_MAX, fw.board.now_s),
        _always,
        restarts=True,
    ),
)


class Body:
    """Everything that a state consists of."""

    __slots__ = ("beat", "firmware", "ghost")

    def __init__(self, firmware: Firmware) -> None:
        self.firmware = firmware
        self.ghost = Ghost()
        self.beat = 0


class DeviceRules(NamedTuple):
    """How large the exploration is."""

    scenes: tuple[str, ...]
    grips: tuple[Grip, ...]
    sends: tuple[Send, ...]
    worn: tuple[str, ...]
    """The scenes that may have stood for long."""


ALL: Final = DeviceRules(tuple(SCENES), GRIPS, SENDS, tuple(SCENES))
FEW: Final = DeviceRules(
    tuple(SCENES)[:SMALL_SCENES], (RELEASED, PRESSED), SENDS[:SMALL], (FLOWING,)
)


class DeviceWorld:
    """The firmware, alone with an adversary."""

    title = "the device under any host, line, hand and environment"

    def __init__(self, rules: DeviceRules) -> None:
        self._asker = Asker(Observer.DEVICE)
        self._nonces = count(1)
        self._rules = rules
        self._body = self._boot()
        self._memory = Memory({}, frozenset())
        self._beats = self._all_beats()

    # -- what the search asks for ------------------------------------------------------------------
    @property
    def told(self) -> Counter[str]:
        """How often each rule was put to the test."""
        return self._asker.judge.checks

    def start(self) -> None:
        """Power on."""
        self._body = body = self._boot()
        ghost: dict[str, Rule] = {
            "Body.beat": skip,
            "Ghost.left_mg": lambda mg: (
                clocks.wishes_count(body.firmware) and grant_left(mg, body.ghost)
            ),
            "Ghost.grip": lambda grip: grip == (True, False),
            "Ghost.wished": lambda wished: (
                clocks.wishes_count(body.firmware) and body.ghost.lease_ms > 0 and wished
            ),
        }
        self._memory = Memory(clocks.device_rules(body.firmware) | ghost, clocks.APART)

    def actions(self) -> Sequence[Step]:
        """Return every arrival, every beat, and what the abstraction may decide here."""
        firmware = self._body.firmware
        fates = [fate for fate in FATES if fate.may(firmware)]
        sends = self._rules.sends
        if clocks.is_idle(firmware):
            sends = tuple(send for send in sends if send.grants in (None, FULL))
        return [*sends, *fates, *self._beats[clocks.is_timed(firmware)]]

    def perform(self, action: Step) -> tuple[Broken, ...]:
        """Let it happen."""
        if isinstance(action, Send):
            return self._arrive(action)
        if isinstance(action, Fate):
            return self._decide(action)
        return self._beat(action)

    def save(self) -> Saved:
        """Return the present state."""
        return self._memory.save(self._body)

    def load(self, saved: Saved) -> None:
        """Go back to a state."""
        self._memory.load(saved)

    def name(self) -> Hashable:
        """Return the name of the present state."""
        return self._memory.name(self._body)

    def family(self) -> str:
        """Return the mode."""
        return self._body.firmware.mode.name

    # -- the steps ---------------------------------------------------------------------------------
    @property
    def now_s(self) -> float:
        """The time, which is whole beats."""
        return self._body.beat * BEAT_S

    def _arrive(self, send: Send) -> tuple[Broken, ...]:
        firmware, ghost = self._body.firmware, self._body.ghost
        before = Before.of(firmware)
        name = self.name() if send.foreign else None
        waited = bool(firmware._deferred)
        data = send.make(firmware)
        firmware.receive(data, self.now_s)
        answered = bool(firmware.outgoing())
        known = firmware.board.a.setpoints.envelope.treatment == TREATMENT
        if send.grants is not None and known and ghost.heard:
            ghost.granted(send.grants, min(max(send.grants.lease_ms, LEASE_MIN_MS), LEASE_MAX_MS))
        ghost.moved(before.mode, firmware.mode, again=firmware.link.session != before.session)
        self._settle()
        # What waited for the end of the boot is answered with the next request, whosever that is.
        same = name is None or before.mode is Mode.BOOT or waited or self.name() == name
        arrival = promises.Arrival(send, before, firmware, ghost, answered=answered, same=same)
        return promises.after_arrival(arrival, self._asker)

    def _decide(self, fate: Fate) -> tuple[Broken, ...]:
        body = self._body
        fate.happens(body.firmware)
        if fate.restarts:
            body.ghost.restarted()
        self._settle()
        return ()

    def _settle(self) -> None:
        firmware, ghost = self._body.firmware, self._body.ghost
        clocks.settle(firmware)
        if clocks.is_idle(firmware):
            ghost.lease_ms = LEASE_DEFAULT_MS if firmware.board.a.lease.live else LAPSED_FLOOR_MS

    def _beat(self, beat: Beat) -> tuple[Broken, ...]:
        body = self._body
        firmware, ghost = body.firmware, body.ghost
        before = Before.of(firmware)
        body.beat += 1
        sensors = sample(beat.scene, beat.grip, odd=bool(body.beat % 2))
        clocks.run_out(firmware, beat.clock, _before(beat))
        ghost.beat(sensors, firmware.board.policy, commanded=firmware.board.a.valve > 0.0)
        drives = firmware.tick(self.now_s, sensors)
        beaten = promises.Beaten(sensors, before, firmware, ghost, drives)
        broken = promises.after_beat(beaten, self._asker)
        ghost.moved(before.mode, firmware.mode, again=False)
        ghost.heard = bool(firmware.link.session)  # each beat ends with TELEMETRY
        ghost.grip = (sensors.switch_closed, sensors.switch_rest)
        self._settle()
        return broken

    # -- what must be possible ---------------------------------------------------------------------
    def probe(self) -> tuple[Broken, ...]:
        """Ask L1 of every mode in which it can be asked, and L2 of every latched state."""
        firmware = self._body.firmware
        configured = firmware.board.a.setpoints.envelope.treatment == TREATMENT
        quiet = not firmware.link.limit_exceeded(self.now_s)
        if firmware.mode is Mode.READY and configured and quiet:
            return promises.reaches_active(self, self._asker)
        if firmware.board.policy.latched and not firmware.board.locked:
            return promises.can_be_reset(self, self._asker)
        return ()

    @property
    def firmware(self) -> Firmware:
        """The firmware in its present state."""
        return self._body.firmware

    def live(self, sensors: Sensors, *sends: Send) -> float:
        """Let things arrive, then pass one beat without the abstraction; return the valve."""
        for send in sends:
            self.firmware.receive(send.make(self.firmware), self.now_s)
        self._body.beat += 1
        return self.firmware.tick(self.now_s, sensors).valve

    # -- inside ------------------------------------------------------------------------------------
    def _boot(self) -> Body:
        identity = Identity(
            SERIAL,
            BOOT_ID,
            Capability.SIMULATED | Capability.MOTION_SENSOR,
            boot_tick_ms=BOOT_TICK_MS,
        )
        first = sample(AWAY, RELEASED, odd=False)
        return Body(Firmware(identity, self._nonces.__next__, first, Kept()))

    def _all_beats(self) -> dict[bool, tuple[Beat, ...]]:
        plain = [Beat(scene, grip) for scene in self._rules.scenes for grip in self._rules.grips]
        worn = [
            Beat(beat.scene, beat.grip, Clock.GUARDS)
            for beat in plain
            if beat.scene in self._rules.worn and beat.grip in (RELEASED, PRESSED)
        ]
        held = [Beat(AWAY, grip, Clock.HELD) for grip in self._rules.grips if grip is not RELEASED]
        always = (*plain, *worn, *held)
        timed = [Beat(beat.scene, beat.grip, Clock.MODE) for beat in plain]
        return {False: always, True: (*always, *timed)}


def _before(beat: Beat) -> Iterator[Sensors]:
    """What the sensors showed in the beats before, if the scene has stood for long."""
    return (sample(beat.scene, beat.grip, odd=bool(number % 2)) for number in range(WINDOW_BEATS))
