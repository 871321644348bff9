"""What the posterior becomes: skin for campaigns, and four numbers of the controller's model.

The simulated skin draws rate and exponents together, from the normal distribution with the means
and covariances of the posterior. The controller takes the medians, and as the error of its rate the
smallest one whose bound covers the 95th centile of what is predicted for a client, everywhere in
the range of suction and flow that the presets use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log
from typing import Any, Final

import numpy as np

from controller.safety.breach import P95_Z
from qa.anchors.experiment import Array
from qa.anchors.posterior import OPEN, Posterior, weighted_centiles
from qa.skin.truth import (
    ANGLE_LN_SD,
    CHOKE_KPA,
    HYDRATION_LN_SD,
    REFERENCE_G_PER_MIN,
    REFERENCE_KPA,
)

EXPONENTS: Final = ("suction_exponent", "flow_exponent")
FLOWS_G_PER_MIN: Final = (1.0, 2.0, 4.0, 7.0, 10.0, 12.0)
SUCTIONS_KPA: Final = (10.0, 18.0, 25.0, 30.0, 40.0, 48.0)
"""Where the bound has to cover: what a unit can be set to, in steps."""
P95: Final = 3  # of `posterior.CENTILES`


@dataclass(frozen=True, slots=True)
class Belief:
    """The posterior of rate and exponents, as much of it as others need."""

    ln_rate: float
    """Mean of the logarithm of the rate on open skin at the references, in µm/s."""
    exponents: tuple[float, float]
    """Means: of suction, of crystal flow."""
    covariance: tuple[tuple[float, ...], ...]
    """Of the logarithm of the rate, and of both exponents, in this order."""

    @property
    def rate_um_per_s(self) -> float:
        """The median of the rate."""
        return float(np.exp(self.ln_rate))

    @property
    def rate_ln_sd(self) -> float:
        """The standard deviation of the logarithm of the rate."""
        return float(self.covariance[0][0] ** 0.5)

    def as_json(self) -> dict[str, Any]:
        """Return it rounded to what 400,000 draws can tell."""
        return {
            "ln_rate": round(self.ln_rate, 4),
            "exponents": [round(value, 4) for value in self.exponents],
            "covariance": [[round(value, 5) for value in row] for row in self.covariance],
        }


@dataclass(frozen=True, slots=True)
class ModelNumbers:
    """Numbers of configs/skin/removal.toml that follow from the posterior."""

    rate_ref_um_per_s: float
    suction_exponent: float
    flow_exponent: float
    rate_ln_sd: float
    error_ln_sd: float

    def as_dict(self) -> Mapping[str, float]:
        """Return them by their names in the file."""
        return {name: getattr(self, name) for name in self.__slots__}


def belief_of(posterior: Posterior) -> Belief:
    """Return means and covariances of the posterior."""
    columns = [np.log(posterior.draws[OPEN]), *(posterior.draws[name] for name in EXPONENTS)]
    means = [float(np.average(column, weights=posterior.weights)) for column in columns]
    spread = np.cov(np.stack(columns), aweights=posterior.weights)
    rows: Sequence[Sequence[float]] = spread.tolist()
    return Belief(means[0], (means[1], means[2]), tuple(tuple(row) for row in rows))


def numbers_of(posterior: Posterior, seed: int) -> ModelNumbers:
    """Return the controller's numbers; what errs is rounded up."""
    belief = belief_of(posterior)
    rate = _up(belief.rate_um_per_s, 2)
    suction, flow = (round(value, 2) for value in belief.exponents)
    varied = _varied(posterior, seed)
    error = max(
        _error_ln(posterior, varied, rate, (suction, flow), (kpa, g_per_min))
        for kpa in SUCTIONS_KPA
        for g_per_min in FLOWS_G_PER_MIN
    )
    return ModelNumbers(rate, suction, flow, _up(belief.rate_ln_sd, 2), _up(error, 2))


def _varied(posterior: Posterior, seed: int) -> Array:
    """Return the factor on the rate by which clients and strokes differ, one for each draw."""
    rng = np.random.default_rng((seed, 2))
    sd = (ANGLE_LN_SD**2 + HYDRATION_LN_SD**2) ** 0.5
    factor: Array = np.exp(sd * rng.standard_normal(posterior.weights.size))
    return factor


def _error_ln(
    posterior: Posterior,
    varied: Array,
    rate: float,
    exponents: tuple[float, float],
    at: tuple[float, float],
) -> float:
    """Return the error at which the bound equals the 95th centile of what is predicted ``at``."""
    ln_suction = log(min(at[0], CHOKE_KPA) / REFERENCE_KPA)
    ln_flow = log(at[1] / REFERENCE_G_PER_MIN)
    draws = posterior.draws
    predicted = np.log(draws[OPEN] * varied)
    predicted += draws["suction_exponent"] * ln_suction + draws["flow_exponent"] * ln_flow
    p95 = weighted_centiles(predicted, posterior.weights)[P95]
    nominal = log(rate) + exponents[0] * ln_suction + exponents[1] * ln_flow
    error: float = (p95 - nominal) / P95_Z
    return error


def _up(value: float, digits: int) -> float:
    return ceil(value * 10**digits) / 10**digits
