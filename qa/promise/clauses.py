"""The promise: each clause once, with rule, hazards, sentence, check, and who can see it.

A moment is something that can be looked at: an open valve, an arming, a STOP. Six observers put
what they see of a moment into its facts and ask; nobody else says what is promised. A clause is
asked of those observers alone whose letters stand in its row; a fact that one of them does not hand
over breaks it, for unknown is false.

The rules: what is open is permitted (P1), silence shuts (P2), a trip needs its reset (P3), each
hazard is answered within its budget (P4), exposure is bounded (P5), STOP always acts (P6), power-on
is disarmed (P7), nothing raises a limit (P8), nothing old or foreign counts (P9), one host at a
time (P10), every asked act has an end (P11); one gets to work within 2 s (L1), and there is a way
back (L2).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any, Final, Generic, NamedTuple, TypeVar

from firmware_protocol.envelope import BUDGET_FLOW_S, DWELL_TRIP_S
from firmware_protocol.vocabulary import Mode

CONTACTS_WITHIN_S: Final = 0.010  # contacts and contact ring are seen one sample late
SUCTION_WITHIN_S: Final = 0.025  # behind a filter of 5 ms
PRESS_WITHIN_S: Final = 0.050  # a press is believed after 20 ms
CLOSES_WITHIN_S: Final = 0.050  # the spring takes 40 ms for a full stroke; one tick to decide
EMPTIES_WITHIN_S: Final = 0.25  # power gone, the vent lets 33 kPa go in 0.21 s
LAPSED_MS: Final = 50  # of margin; one beat of the explorations
RELIEF_KPA: Final = 61.0  # the relief valve opens at 60
LIVE: Final = frozenset({Mode.ARMED, Mode.ACTIVE, Mode.PAUSED})
NEVER_S: Final = 1e9
"""The age of what has never been."""
UNSEEN: Final[Any] = None
"""A fact that an observer does not see: no clause that asks for it holds."""


@unique
class Observer(Enum):
    """Who looks, by the letter in the rows below."""

    RIG = "R"
    FUZZ = "F"
    MATRIX = "M"
    DEVICE = "D"
    HOST = "H"
    PAIR = "P"


Facts = TypeVar("Facts", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True, eq=False)
class Clause(Generic[Facts]):
    """One thing that is promised of a moment."""

    name: str
    rule: str
    hazards: tuple[str, ...]
    seen_by: frozenset[Observer]
    says: str
    holds: Callable[[Facts], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Moment(Generic[Facts]):
    """Something that can be looked at; ``says`` begins the sentence of each of its clauses."""

    says: str
    facts: type[Facts]
    clauses: tuple[Clause[Facts], ...]


Row = tuple[str, str, str, str, Callable[[Facts], bool]]


def _moment(facts: type[Facts], says: str, *rows: Row[Facts]) -> Moment[Facts]:
    """Read rows of a name, rule and hazards, letters of observers, the sentence, and the check."""
    clauses = []
    for name, marks, letters, sentence, holds in rows:
        rule, *hazards = marks.split()
        seen_by = frozenset(map(Observer, letters))
        clauses.append(Clause(name, rule, tuple(hazards), seen_by, sentence, holds))
    return Moment(says, facts, tuple(clauses))


class Flow(NamedTuple):
    """What stands behind a driven valve or a host's wish for flow; ages in seconds, 0 is now."""

    live: bool = UNSEEN
    lease_left_ms: float = UNSEEN
    switch_s: float = UNSEEN
    skin_s: float = UNSEEN
    suction_s: float = UNSEEN
    wished: bool = UNSEEN
    left_mg: float = UNSEEN
    asked: bool = UNSEEN
    untripped: bool = UNSEEN
    b_consents: bool = UNSEEN
    in_zone: bool = UNSEEN


class Ended(NamedTuple):
    """What goes on ``since_s`` after the last moment at which all of `FLOW` held."""

    since_s: float = UNSEEN
    shut: bool = UNSEEN
    dry: bool = UNSEEN
    unpowered: bool = UNSEEN
    jammed: bool = UNSEEN
    """A fault holds the valve: what counts is its power, and crystals until suction is gone."""


class Lease(NamedTuple):
    """A lease and what it opens; ``left_ms`` below 0 is for how long it has been over."""

    left_ms: float = UNSEEN
    counted_ms: float = UNSEEN
    unarmed: bool = UNSEEN
    shut: bool = UNSEEN
    b_bars: bool = UNSEEN


class Reset(NamedTuple):
    """A trip is left, or a host sends RESET; at rest, a host is shown that outputs are off too."""

    asked: bool = UNSEEN
    acknowledged: bool = UNSEEN
    at_rest: bool = UNSEEN
    disarmed: bool = UNSEEN


class Arming(NamedTuple):
    """The device is armed, or a host sends ARM."""

    ready: bool = UNSEEN
    asked: bool = UNSEEN
    permitted: bool = UNSEEN
    proven: bool = UNSEEN
    streams: bool = UNSEEN
    released: bool = UNSEEN


class Entered(NamedTuple):
    """A mode was left for another, ``press_s`` after the newest press of the switch."""

    before: Mode = UNSEEN
    after: Mode = UNSEEN
    press_s: float = UNSEEN


class Stop(NamedTuple):
    """STOP has arrived, or a host has to stop; ``over`` is as `stopped` has it."""

    over: bool = UNSEEN
    answered: bool = UNSEEN
    token_void: bool = UNSEEN
    first: bool = UNSEEN


class Heard(NamedTuple):
    """Something arrived; both are true where it was ours, or nothing was under way."""

    unchanged: bool = UNSEEN
    same_session: bool = UNSEEN


class Settings(NamedTuple):
    """What is set, what it may be at most, and what that may be at most; in Pa and mg/min."""

    suction: float = UNSEEN
    flow: float = UNSEEN
    suction_max: float = UNSEEN
    flow_max: float = UNSEEN
    factory_suction: float = UNSEEN
    factory_flow: float = UNSEEN


class Stood(NamedTuple):
    """For how long hazards have stood, and what is done; tripped, shut and unpowered is safe."""

    suction_kpa: float = UNSEEN
    over_s: float = UNSEEN
    still_s: float = UNSEEN
    ajar_s: float = UNSEEN
    excess_s: float = UNSEEN
    safe: bool = UNSEEN
    shut: bool = UNSEEN
    latched_off: bool = UNSEEN


class Turn(NamedTuple):
    """The supervisor has taken an event; each is true where it does not apply."""

    in_order: bool = UNSEEN
    emergency: bool = UNSEEN
    followed: bool = UNSEEN
    final: bool = UNSEEN
    driven: bool = UNSEEN
    begun: bool = UNSEEN
    told: bool = UNSEEN


class Way(NamedTuple):
    """Something that must be possible was tried."""

    reached: bool = UNSEEN


def stopped(before: Mode, after: Mode) -> bool:
    """Return whether a STOP may have led from one mode to the other."""
    if before in LIVE or before is Mode.STOPPING:
        return after in (Mode.STOPPING, Mode.DISARMED)
    return after is (Mode.SAFE if before is Mode.SAFE else Mode.DISARMED)


FLOW: Final = _moment(
    Flow, "The valve is driven, and flow is wished for, only with",
    ("live", "P1 H18 H36", "RFMDH", "a treatment that is armed and not stopped, at the device "
     "ACTIVE", lambda f: f.live),
    ("lease", "P1 H10 H12 H13 H14", "RFMDP", "a live lease", lambda f: f.lease_left_ms > 0),
    ("switch", "P1 H36", "RFMDP", "a pressed hand switch",
     lambda f: f.switch_s <= CONTACTS_WITHIN_S),
    ("skin", "P1 H04", "RFMDP", "skin under the tip", lambda f: f.skin_s <= CONTACTS_WITHIN_S),
    ("suction", "P1 H04", "RFMD", "suction", lambda f: f.suction_s <= SUCTION_WITHIN_S),
    ("wish", "P1 H13 H47", "RFD", "a host that wishes for flow", lambda f: f.wished),
    ("exposure", "P5 H01", "RFDH", "exposure left in the zone", lambda f: f.left_mg > 0),
    ("asked", "P1 H18 H22 H49", "RHP", "a person who asked for it, and neither paused nor stopped "
     "since", lambda f: f.asked),
    ("untripped", "P1 H05 H18", "D", "power, and no trip latched", lambda f: f.untripped),
    ("channel-b", "P1 H05 H15", "D", "the consent of channel B", lambda f: f.b_consents),
    ("zone", "P5 H50", "H", "a zone under way, not between two", lambda f: f.in_zone),
)  # fmt: skip
ENDED: Final = _moment(
    Ended, "Once one of these is gone,",
    ("shut", "P2 H05 H36", "RF", "the valve is shut within 50 ms",
     lambda f: f.shut or f.jammed or f.since_s <= CLOSES_WITHIN_S),
    ("dry", "P4 H04 H05", "R", "no crystal flows after 250 ms; past a broken valve, none once "
     "suction is gone",
     lambda f: f.dry or f.since_s <= BUDGET_FLOW_S + f.jammed * EMPTIES_WITHIN_S),
    ("unpowered", "P4 H05", "R", "a broken valve that lets crystals pass, and the pump, lose their "
     "power within 250 ms",
     lambda f: f.jammed is False or f.dry or f.unpowered or f.since_s <= BUDGET_FLOW_S),
)  # fmt: skip
LEASE: Final = _moment(
    Lease, "Silence takes the lease away:",
    ("lease-counted", "P2 H10 H11 H23", "F", "the device counts no more of it than was granted",
     lambda f: f.counted_ms <= max(f.left_ms, 0.0) + 1),  # the device counts whole milliseconds
    ("lapsed-unarmed", "P2 H10 H12 H13 H14", "DHP", "no treatment outlives it",
     lambda f: f.unarmed or f.left_ms > -LAPSED_MS),
    ("lapsed-shut", "P2 H10 H12", "D", "no driven valve outlives it",
     lambda f: f.shut or f.left_ms > -LAPSED_MS),
    ("lapsed-b", "P2 H10 H15", "D", "channel B consents to nothing without it",
     lambda f: f.b_bars or f.left_ms > 0),
)  # fmt: skip
RESET: Final = _moment(
    Reset, "A trip is left",
    ("reset-asked", "P3 H18 H22", "RFMDH", "by the reset of its cause that a person asked for, and "
     "by nothing else", lambda f: f.asked),
    ("reset-acknowledged", "P3 H18 H22", "HP", "after somebody here has acknowledged",
     lambda f: f.acknowledged),
    ("reset-at-rest", "P3 H36", "FDH", "with the switch released, and nothing driven",
     lambda f: f.at_rest),
    ("reset-disarms", "P3 H18", "RFMDHP", "to DISARMED, never into a treatment",
     lambda f: f.disarmed),
)  # fmt: skip
ARMING: Final = _moment(
    Arming, "A treatment is armed",
    ("arm-ready", "P7 H18", "RFDH", "from READY only", lambda f: f.ready),
    ("arm-asked", "P9 H21 H23 H40", "FDH", "by an ARM with the token of the self-test, whose row "
     "is durable", lambda f: f.asked),
    ("arm-permitted", "P1 H18 H22", "R", "while a person has asked for a treatment",
     lambda f: f.permitted),
    ("arm-proven", "P7 H07 H10", "DH", "after a self-test, and at the host a lease seen to lapse, "
     "since the last stop, trip or session", lambda f: f.proven),
    ("arm-streams", "P1 H10", "FD", "with a healthy stream and a live lease", lambda f: f.streams),
    ("arm-released", "P1 H36", "FDH", "with the hand switch released", lambda f: f.released),
)  # fmt: skip
ACTIVATED: Final = _moment(
    Entered, "The device begins to treat",
    ("active-from", "P3 H18", "RFD", "from ARMED or PAUSED only", lambda f: f.before in LIVE),
    ("active-press", "P1 H18 H36", "FMD", "by a new press of the hand switch",
     lambda f: f.press_s <= PRESS_WITHIN_S),
)  # fmt: skip
BOOTED: Final = _moment(
    Entered, "Power-on leads",
    ("boot-disarmed", "P7 H16 H17 H18", "RFD", "to DISARMED or SAFE only",
     lambda f: f.after in (Mode.BOOT, Mode.DISARMED, Mode.SAFE)),
)  # fmt: skip
STOP: Final = _moment(
    Stop, "STOP, and whatever else has to stop,",
    ("stop-ends", "P6 H49", "FDHP", "ends every treatment at once, and leads to no other mode",
     lambda f: f.over),
    ("stop-answered", "P6 H49", "FD", "is answered", lambda f: f.answered),
    ("stop-token", "P6 H23 H49", "FD", "leaves no token that arms", lambda f: f.token_void),
    ("stop-first", "P6 H49 H54", "H", "goes out before all else", lambda f: f.first),
)  # fmt: skip
HEARD: Final = _moment(
    Heard, "What arrives",
    ("foreign", "P9 H11 H21 H22 H23", "DH", "changes nothing where it is foreign, old, repeated, "
     "made up, or a start from afar", lambda f: f.unchanged),
    ("session", "P10 H24", "D", "takes the session from no treatment", lambda f: f.same_session),
)  # fmt: skip
LIMITS: Final = _moment(
    Settings, "Nothing raises a limit:",
    ("set-within", "P8 H01 H03 H34", "RFDH", "what is set is within what was configured, planned "
     "or lowered to", lambda f: f.suction <= f.suction_max and f.flow <= f.flow_max),
    ("configured-within", "P8 H03 H34 H47", "RFD", "what is configured is within the program and "
     "the factory's envelope",
     lambda f: f.suction_max <= f.factory_suction and f.flow_max <= f.factory_flow),
)  # fmt: skip
STOOD: Final = _moment(
    Stood, "A hazard is answered within its budget:",
    ("relief", "P4 H03", "RF", "suction is never above what the relief valve allows",
     lambda f: f.suction_kpa <= RELIEF_KPA),
    ("over-suction", "P4 H03", "RFD", "over-suction by a trip in 250 ms; without a fault there is "
     "none", lambda f: f.safe or f.over_s <= BUDGET_FLOW_S),
    ("dwell", "P4 H02", "R", "crystals on one spot in 2.25 s",
     lambda f: f.still_s <= DWELL_TRIP_S + BUDGET_FLOW_S),
    ("ajar", "P4 H05", "D", "a valve that stands open against its command by a trip in 250 ms",
     lambda f: f.safe or f.ajar_s <= BUDGET_FLOW_S),
    ("excess", "P4 H01", "D", "flow in excess by a shut valve in 250 ms",
     lambda f: f.shut or f.excess_s <= BUDGET_FLOW_S),
    ("latched-off", "P4 H15 H18", "D", "nothing is driven with a trip latched",
     lambda f: f.latched_off),
)  # fmt: skip
TURN: Final = _moment(
    Turn, "The supervisor",
    ("stop-order", "P6 H49 H54", "H", "writes nothing before a STOP, and ends no treatment without "
     "one", lambda f: f.in_order),
    ("trip-emergency", "P4 H49", "H", "trips with an emergency STOP", lambda f: f.emergency),
    ("trip-followed", "P3 H18", "H", "trips where the device has", lambda f: f.followed),
    ("final", "P3 H18", "H", "goes on with no treatment that has ended", lambda f: f.final),
    ("driven", "P1 H18", "H", "wishes for outputs in a treatment only", lambda f: f.driven),
    ("begun-first", "P7 H40", "H", "configures after the row of the beginning", lambda f: f.begun),
    ("act-ends", "P11 H40", "H", "tells whoever asked how it ended", lambda f: f.told),
)  # fmt: skip
TO_WORK: Final = _moment(
    Way, "With nothing in the way",
    ("to-work", "L1 H38", "DP", "ARM and a press open the valve within 2 s", lambda f: f.reached),
)  # fmt: skip
WAY_BACK: Final = _moment(
    Way, "From whatever is latched or under way",
    ("way-back", "L2 H18", "DHP", "a reset or a STOP leads out", lambda f: f.reached),
)  # fmt: skip

PROMISE: Final[tuple[Moment[Any], ...]] = (
    FLOW, ENDED, LEASE, RESET, ARMING, ACTIVATED, BOOTED, STOP, HEARD, LIMITS, STOOD, TURN,
    TO_WORK, WAY_BACK,
)  # fmt: skip


class Judge:
    """Asks for one observer, and counts how often."""

    def __init__(self, observer: Observer) -> None:
        self.asked: Counter[Moment[Any]] = Counter()
        self._sees = {
            moment: tuple(each for each in moment.clauses if observer in each.seen_by)
            for moment in PROMISE
        }

    def broken(self, moment: Moment[Facts], facts: Facts) -> list[Clause[Facts]]:
        """Return the clauses that do not hold."""
        self.asked[moment] += 1
        return [clause for clause in self._sees[moment] if not clause.holds(facts)]

    @property
    def checks(self) -> Counter[str]:
        """How often each rule was put to the test."""
        rules: Counter[str] = Counter()
        for moment, times in self.asked.items():
            for clause in self._sees[moment]:
                rules[clause.rule] += times
        return rules


def words(facts: tuple[Any, ...]) -> str:
    """Return facts for people, without those that the observer does not see."""
    names: tuple[str, ...] = type(facts)._fields  # type: ignore[attr-defined]  # a NamedTuple
    seen = {name: value for name, value in zip(names, facts, strict=True) if value is not UNSEEN}
    return ", ".join(f"{name} {getattr(value, 'name', value)}" for name, value in seen.items())
