"""What a campaign has to show, and whether it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from qa.campaigns.exposure.campaign import Figures
from qa.campaigns.exposure.rows import CARELESS_HANDS, ORDINARY_HANDS, Group, Row
from qa.campaigns.exposure.settings import Arm
from qa.skin.truth import Account

BREACH_MAX: Final = 1e-4  # fewer than one treatment in 10,000
TIMES_FEWER_MIN: Final = 100.0
NEEDLESS_MAX: Final = 0.01


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal for one row."""

    sentence: str
    value: float
    limit: float
    holds: bool
    at_least: bool = False


def goals_of(found: Mapping[Row, Figures]) -> Sequence[Goal]:
    """Return every goal that the rows of a campaign speak about."""
    goals: list[Goal] = []
    for row, figures in found.items():
        if row.arm is not Arm.INTERLOCKED or row.account is not Account.LOWEST:
            continue
        if row.group is Group.PRESET or (row.group is Group.FAULT and row.hand == "average"):
            goals.append(_rare(row, figures))
        if row.ordinary and row.motion_sensor and row.group in {Group.PRESET, Group.HAND}:
            goals.append(_not_needless(row, figures))
        bare = found.get(replace(row, arm=Arm.NONE))
        careless = row.group is Group.HAND and row.hand in CARELESS_HANDS
        single_fault = row.group is Group.FAULT and row.hand in ORDINARY_HANDS
        if bare is not None and (careless or single_fault):
            goals.append(_fewer(row, figures, bare))
    return goals


def _rare(row: Row, figures: Figures) -> Goal:
    sentence = f"breaches are rarer than 1 in 10,000 at 95 % confidence: {row.label}"
    return Goal(sentence, figures.bound, BREACH_MAX, figures.bound < BREACH_MAX)


def _not_needless(row: Row, figures: Figures) -> Goal:
    sentence = f"needless stops are under 1 %: {row.label}"
    value = figures.stopped_early.value
    return Goal(sentence, value, NEEDLESS_MAX, value < NEEDLESS_MAX)


def _fewer(row: Row, figures: Figures, bare: Figures) -> Goal:
    """Compare with nothing at all; what is already rarer than the goal needs no help."""
    times = bare.breach_chance.value / max(figures.breach_chance.value, 1e-300)
    sentence = f"100 times fewer breaches than without interlocks: {row.label}"
    rare_anyway = bare.breach_chance.high < BREACH_MAX
    if rare_anyway:
        sentence += " (rarer than 1 in 10,000 even without)"
    holds = times >= TIMES_FEWER_MIN or rare_anyway
    return Goal(sentence, times, TIMES_FEWER_MIN, holds, at_least=True)
