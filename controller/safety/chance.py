"""How often a treatment goes too deep in the simulation: one sentence beside what it removes.

Nothing here limits anything. A campaign of simulated treatments counts those in which a connected
square millimetre loses its whole stratum corneum. How rare that is rests on things that nobody has
published, above all on how many places of a skin are thin. So two figures are said: by what is
known, and by the worst of what is not ruled out. Both are upper 95 % bounds of a count.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

TailName = Literal[
    "lognormal", "gamma", "student-5", "thin-spots", "within-0.5", "within-0.74", "streaks",
    "flakes-0.1", "flakes-0.5", "harm-0.25",
]  # fmt: skip
"""One set of assumptions about skin and harm, as the campaign names it."""

TAIL_WORDS: Final[Mapping[TailName, str]] = MappingProxyType(
    {
        "lognormal": "thickness by a lognormal distribution",
        "gamma": "thickness by a gamma distribution",
        "student-5": "many thin places, as by Student's t with 5 degrees of freedom",
        "thin-spots": "thin spots in a fiftieth of the skin",
        "within-0.5": "half of the variance of thickness within one site",
        "within-0.74": "three quarters of the variance of thickness within one site",
        "streaks": "crystals that fall in streaks",
        "flakes-0.1": "flakes of a tenth of a millimetre that come off as one",
        "flakes-0.5": "flakes of half a millimetre that come off as one",
        "harm-0.25": "harm from a quarter of a square millimetre",
    }
)
"""Each tail as a person reads it."""

NOT_SIMULATED: Final = "How often this goes too deep was not simulated for this program."
_DIGITS: Final = 2
"""Of a number of treatments: a bound from some thousand treatments is no better known."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Upper bounds of the share of treatments that go too deep, above 0 to 1, and their counts."""

    likely_bound_share: float
    """By what is known of the removal rate, thickness by a gamma distribution."""
    likely_n: int
    worst_bound_share: float
    worst_n: int
    worst_tail: TailName
    """The one with the largest bound."""


def in_words(chance: Chance | None) -> str:
    """Say both figures for people; that there are none where nothing was simulated."""
    if chance is None:
        return NOT_SIMULATED
    likely, worst = (
        at_most_in_words(chance.likely_bound_share),
        at_most_in_words(chance.worst_bound_share),
    )
    return (
        f"Simulated, an average hand: {likely} treatments lose a connected square millimetre of "
        "stratum corneum by what is known of the removal rate; "
        f"{worst} by the worst that nothing published rules out ({TAIL_WORDS[chance.worst_tail]})."
    )


def at_most_in_words(bound: float) -> str:
    """Return an upper bound of a share as "fewer than 1 in N"; N is rounded down to two digits.

    A bound that is no share above 0 and below 1 bounds nothing, and is said as such.
    """
    if not (0.0 < bound < 1.0):
        return "up to all"
    number = math.floor(1.0 / bound)
    step = 10 ** max(0, len(str(number)) - _DIGITS)
    return f"fewer than 1 in {number // step * step:,}"
