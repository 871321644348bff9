"""What a patch test teaches about the removal rate of one client: Bayes with lognormals.

Of all that is unknown, the removal rate matters most (docs/EXPOSURE.md). A patch that was treated
and then measured tells it for one client. Prior and reading are lognormal, so that the posterior is
too: its median moves from the published rate towards the reading, by the share of the two
variances, and what is left of the rate's error is never more than it was. Everything else that the
error stands for (angle, moisture, exponent) stays as it is.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from controller.safety.removal import RemovalModel

RATIO_MAX: Final = 10.0
"""A reading further off than this is a mistake of the reading, not a property of skin."""
READING_LN_SD_MIN: Final = 0.2
"""No method reads a micrometre of stratum corneum to better than a fifth."""


@dataclass(frozen=True, slots=True)
class PatchReading:
    """A patch: what the record said was removed, nominally, and what was measured.

    ``ln_sd`` is the uncertainty of the measurement, as a standard deviation of its logarithm: 0.3
    is a third either way.
    """

    nominal_um: float
    removed_um: float
    ln_sd: float

    @property
    def usable(self) -> bool:
        """True for a reading that can be one; anything else teaches nothing."""
        if not (0.0 < self.nominal_um < math.inf and 0.0 < self.removed_um < math.inf):
            return False
        ratio = self.removed_um / self.nominal_um
        return 1.0 / RATIO_MAX <= ratio <= RATIO_MAX and READING_LN_SD_MIN <= self.ln_sd < math.inf


def narrowed(model: RemovalModel, reading: PatchReading | None) -> RemovalModel:
    """Return the model for the client of that reading; the same model where there is none."""
    if reading is None or not reading.usable or not (0.0 < model.rate_ln_sd <= model.error_ln_sd):
        return model
    prior, noise = model.rate_ln_sd**2, reading.ln_sd**2
    weight = prior / (prior + noise)
    ratio = math.pow(reading.removed_um / reading.nominal_um, weight)
    return replace(
        model,
        rate_ref_um_per_s=model.rate_ref_um_per_s * ratio,
        error_ln_sd=math.sqrt(model.error_ln_sd**2 - weight * prior),
        rate_ln_sd=math.sqrt(prior - weight * prior),
    )
