"""What a campaign has to show, whether it does, and what interlocks gain where nothing has to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, unique
from typing import Final

from qa.campaigns.exposure.campaign import Figures
from qa.campaigns.exposure.rows import CARELESS_HANDS, ORDINARY_HANDS, Group, Row
from qa.campaigns.exposure.settings import Arm
from qa.skin.tails import Shape
from qa.skin.truth import Account

BREACH_MAX: Final = 1e-4
"""At the lowest plausible rate: fewer than one treatment in 10,000, single faults included."""
BREACH_LIKELY_MAX: Final = 1e-3
"""In the posterior account with a gamma distribution of thickness."""
BREACH_WORST_MAX: Final = 1e-2
"""In the posterior account with any tail that nothing published contradicts."""
EXPECTED_MIN: Final = 10.0
"""Where fewer breaches than these would be expected at the limit, chance decides how many there
are, and a count around the limit shows nothing."""
TIMES_FEWER_MIN: Final = 100.0
NEEDLESS_MAX: Final = 0.01


@unique
class Verdict(Enum):
    """Whether a goal is shown."""

    HOLDS = "holds"
    SHORT = "falls short"
    UNDECIDED = "undecided"
    """Too few were treated: the limit lies between both bounds of what was counted."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal for one row."""

    sentence: str
    value: float
    limit: float
    verdict: Verdict
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Gain:
    """How often there is a breach with interlocks, with a fixed time alone, and with nothing."""

    what: str
    account: str
    interlocked: float
    timed: float
    bare: float

    @property
    def times(self) -> float:
        """How many times fewer with interlocks than with nothing."""
        return self.bare / max(self.interlocked, 1e-300)


def goals_of(found: Mapping[Row, Figures]) -> Sequence[Goal]:
    """Return every goal that the rows of a campaign speak about."""
    goals: list[Goal] = []
    for row, figures in found.items():
        if row.group is Group.TAIL and row.account is Account.POSTERIOR:
            goals.append(_with_tail(row, figures))
        if row.arm is not Arm.INTERLOCKED or row.account is not Account.LOWEST:
            continue
        if row.group is Group.PRESET or (row.group is Group.FAULT and row.hand == "average"):
            goals.append(_rare(f"at the lowest plausible rate: {row.label}", figures, BREACH_MAX))
        if row.ordinary and row.motion_sensor and row.group in {Group.PRESET, Group.HAND}:
            goals.append(_not_needless(row, figures))
        bare = found.get(replace(row, arm=Arm.NONE))
        if bare is not None and _must_gain(row) and bare.breach_chance.value >= BREACH_MAX:
            goals.append(_fewer(row, figures, bare))
    return goals


def gains_of(found: Mapping[Row, Figures]) -> Sequence[Gain]:
    """Return what interlocks gain for every hand and fault, whether or not it is a goal."""
    gains = []
    for row, figures in found.items():
        if row.arm is not Arm.INTERLOCKED or row.group not in {Group.HAND, Group.FAULT}:
            continue
        timed, bare = (found.get(replace(row, arm=arm)) for arm in (Arm.TIME_LIMIT, Arm.NONE))
        if timed is not None and bare is not None:
            chances = (each.breach_chance.value for each in (figures, timed, bare))
            gains.append(Gain(row.label, row.account.value, *chances))
    return gains


def _must_gain(row: Row) -> bool:
    careless = row.group is Group.HAND and row.hand in CARELESS_HANDS
    return careless or (row.group is Group.FAULT and row.hand in ORDINARY_HANDS)


def _with_tail(row: Row, figures: Figures) -> Goal:
    gamma = row.tail.shape is Shape.GAMMA
    limit = BREACH_LIKELY_MAX if gamma else BREACH_WORST_MAX
    return _rare(f"in the posterior account: {row.label}", figures, limit)


def _rare(what: str, figures: Figures, limit: float) -> Goal:
    """Judge by the exact bound of what was counted, and by nothing else."""
    value = figures.breached.bound
    verdict = Verdict.HOLDS if value < limit else Verdict.SHORT
    few = figures.n * limit < EXPECTED_MIN
    if verdict is Verdict.SHORT and few and figures.breached.least < limit:
        verdict = Verdict.UNDECIDED
    sentence = f"breaches are rarer than 1 in {1.0 / limit:,.0f} {what}"
    return Goal(sentence, value, limit, verdict)


def _not_needless(row: Row, figures: Figures) -> Goal:
    sentence = f"needless stops are under 1 %: {row.label}"
    value = figures.stopped_early.value
    return Goal(sentence, value, NEEDLESS_MAX, _held(value < NEEDLESS_MAX))


def _fewer(row: Row, figures: Figures, bare: Figures) -> Goal:
    """Compare with nothing at all, where nothing at all breaches often enough to need help."""
    times = bare.breach_chance.value / max(figures.breach_chance.value, 1e-300)
    sentence = f"100 times fewer breaches than without interlocks: {row.label}"
    return Goal(sentence, times, TIMES_FEWER_MIN, _held(times >= TIMES_FEWER_MIN), at_least=True)


def _held(holds: bool) -> Verdict:  # noqa: FBT001 - a verdict of a comparison
    return Verdict.HOLDS if holds else Verdict.SHORT
