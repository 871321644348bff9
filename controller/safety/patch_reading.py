"""What measured patches teach about one client, and how little of it may lengthen a treatment.

Of all that is unknown, the removal rate matters most (docs/EXPOSURE.md). A patch that was treated
and then measured tells it for one client: prior and reading are lognormal, so that the posterior is
too. Its median moves towards the reading, and what is left of the error is smaller. Both together
change the bound that is charged by one factor, and that factor is guarded as a whole:

- A reading that says faster than the model raises the bound at once, without limit. Of all ways to
  combine such readings the strictest holds, so that a further one never lowers it.
- A reading that says slower, or as expected, lowers the bound only beside one of another visit,
  where all that counts agrees within its noise. Then every reading has to bear the lower bound out
  alone, and the bound falls by at most a factor of 2 for each visit after the first, and never
  below the nominal rate.
- A reading within the noise of its instrument changes nothing.

Only the bound changes. The nominal rate stays that of the publications, so that what the record
expects of the next patch can be compared with what it expected of the last one; and the cap keeps
the whole error, which makes it the lower one.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from controller.safety.breach import p95_factor
from controller.safety.instruments import Instrument
from controller.safety.removal import RemovalModel

RATIO_MAX: Final = 10.0
"""A reading further off than this is a mistake of the reading, not a property of skin: the rate is
known to 0.67 as a standard deviation of its logarithm, and one skin in 1,700 is further off."""
READING_LN_SD_MIN: Final = 0.2
"""No method reads a micrometre of stratum corneum to better than a fifth: two algorithms on the
same spectra differ by 20 % (Skin Res Technol 2018;24:504-508)."""
READING_LN_SD_MAX: Final = 1.0
"""A reading that may be off by a factor of 2.7 either way tells less than the model knows, whose
rate is known to 0.67."""
AGREE_SD: Final = 2.0
"""Standard deviations of their difference within which two readings agree: two of one truth lie
further apart once in 22 times."""
PER_VISIT: Final = 2.0
"""What the bound may fall by for each visit after the first. Half the bound lets twice as much be
removed: a cap of 0.35 of the thickness is 0.7 of it then, which is still within."""
READINGS_MAX: Final = 8
"""Readings of one client that are looked at; every set of those that say faster is weighed."""


@dataclass(frozen=True, slots=True)
class PatchReading:
    """A patch: when, where and how it was measured, what was expected there, what was removed.

    ``date`` is year-month-day, and two of one date are of one visit; ``began_wall_s`` is when that
    day began anywhere on Earth. ``expected_um`` is the nominal depth that the record said.
    ``ln_sd`` is the uncertainty of the measurement, as a standard deviation of its logarithm: 0.3
    is a third either way.
    """

    date: str
    began_wall_s: float
    zone: str
    instrument: Instrument
    expected_um: float
    removed_um: float
    ln_sd: float

    @property
    def plausible(self) -> bool:
        """True for a reading that can be one; a person has to look at any other."""
        if not (0.0 < self.expected_um < math.inf and 0.0 < self.removed_um < math.inf):
            return False
        near = self.removed_um <= RATIO_MAX * self.expected_um
        near = near and self.expected_um <= RATIO_MAX * self.removed_um
        return near and READING_LN_SD_MIN <= self.ln_sd <= READING_LN_SD_MAX

    @property
    def counts(self) -> bool:
        """True for a reading that can be one, and whose measured depth stands out of the noise.

        What was expected may lie within it: that more was seen is then a reading all the more.
        """
        return self.plausible and self.instrument.sees(self.removed_um)

    @property
    def ln_ratio(self) -> float:
        """Logarithm of how much faster than expected it went; only of a plausible reading."""
        return math.log(self.removed_um) - math.log(self.expected_um)

    @property
    def faster(self) -> bool:
        """True where more was removed than expected."""
        return self.removed_um > self.expected_um


def with_readings(model: RemovalModel, readings: Sequence[PatchReading]) -> RemovalModel:
    """Return the model for the client of those readings."""
    return replace(model, bound_factor=bound_factor(model, readings))


def bound_factor(model: RemovalModel, readings: Sequence[PatchReading]) -> float:
    """Return the bound with those readings over the bound without: 1 where they change nothing.

    Above 1 it shortens what is permitted; below 1 it lengthens it.
    """
    if not (0.0 < model.rate_ln_sd <= model.error_ln_sd):
        return 1.0
    told = [reading for reading in readings if reading.counts]
    fast = [reading for reading in told if reading.faster]
    shorter = max((_posterior(model, each) for each in _subsets(fast)), default=0.0)
    if shorter > 1.0:
        return shorter
    if not agreeing(told):
        return 1.0
    least = max(1.0 / PER_VISIT ** (slow_visits(told) - 1), 1.0 / p95_factor(model.error_ln_sd))
    return min(1.0, max(least, *(_posterior(model, [reading]) for reading in told)))


def agreeing(told: Sequence[PatchReading]) -> bool:
    """Return True where two visits or more say slower, and all of ``told`` says the same."""
    return slow_visits(told) > 1 and all(
        abs(one.ln_ratio - other.ln_ratio) <= AGREE_SD * math.hypot(one.ln_sd, other.ln_sd)
        for one, other in combinations(told, 2)
    )


def slow_visits(told: Sequence[PatchReading]) -> int:
    """Return on how many days a patch went slower than expected, or as expected."""
    return len({reading.date for reading in told if not reading.faster})


def _subsets(readings: Sequence[PatchReading]) -> Iterator[Sequence[PatchReading]]:
    """Yield every set of readings but the empty one."""
    for size in range(1, len(readings) + 1):
        yield from combinations(readings, size)


def _posterior(model: RemovalModel, readings: Sequence[PatchReading]) -> float:
    """Return the bound after those readings over the bound before: Bayes with lognormals."""
    prior = model.rate_ln_sd**2
    weights = [1.0 / reading.ln_sd**2 for reading in readings]
    left = prior / (1.0 + prior * sum(weights))
    pull = sum(weight * each.ln_ratio for weight, each in zip(weights, readings, strict=True))
    error_ln_sd = math.sqrt(max(0.0, model.error_ln_sd**2 - prior + left))
    return math.exp(left * pull) * p95_factor(error_ln_sd) / p95_factor(model.error_ln_sd)
