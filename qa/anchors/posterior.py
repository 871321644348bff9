"""The posterior of the removal rate: draws from the priors that count as the anchors say.

Importance sampling with the prior as the proposal is enough: a handful of censored observations
leaves a tenth of the draws or more, and nothing has to converge. One seed gives the same figures
again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from types import MappingProxyType
from typing import Final

import numpy as np

from qa.anchors.experiment import WINDOW_MM, Array, Draws, likelihood
from qa.anchors.rows import PARAMETERS, RATE, AnchorsFile, Shape
from qa.campaigns.exposure.statistics import effective_count
from qa.skin.truth import REFERENCE_G_PER_MIN

DRAWS: Final = 400_000
SEED: Final = 1
EFFECTIVE_MIN: Final = 500.0
"""Fewer draws than these left, and a centile says more about chance than about skin."""
ASSUMED_FROM: Final = 0.9
"""A posterior wider than this share of its prior has learnt nothing: it is an assumption."""
CENTILES: Final = (0.025, 0.05, 0.5, 0.95, 0.975)
OPEN: Final = "open_rate_um_per_s"
PER_DOSE: Final = "open_um_per_g_cm2"
WINDOW_CM2: Final = pi / 4.0 * (WINDOW_MM / 10.0) ** 2
REFERENCE_G_PER_CM2_S: Final = REFERENCE_G_PER_MIN / 60.0 / WINDOW_CM2
"""Crystals on skin under the reference window at the reference flow."""


class AnchorsDisagreeError(ValueError):
    """No rate explains all that the anchors say; the text names the one that is most at odds."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one number before and after the anchors."""

    name: str
    prior: tuple[float, ...]
    """Values at ``CENTILES``."""
    posterior: tuple[float, ...]
    width: float
    """Of the middle 95 % after, over that before; of the logarithm where all values are above 0."""

    @property
    def assumed(self) -> bool:
        """Whether the anchors say nothing about it."""
        return self.width > ASSUMED_FROM


@dataclass(frozen=True, slots=True)
class Posterior:
    """Weighted draws, and what follows from them."""

    draws: Mapping[str, Array]
    weights: Array
    specimens: Mapping[str, Array]
    fits: Mapping[str, float]
    """The chance, before it is counted, of what each anchor saw, given all the others."""

    def centiles(self, values: Array, weights: Array | None = None) -> tuple[float, ...]:
        """Return the values at ``CENTILES``."""
        return weighted_centiles(values, self.weights if weights is None else weights)

    @property
    def effective(self) -> float:
        """How many equal draws these are worth."""
        return effective_count(self.weights)

    def known(self) -> tuple[Known, ...]:
        """Return what is known of each parameter and of the rates that follow."""
        flat = np.ones_like(self.weights)
        rows = []
        for name, values in self.draws.items():
            before, after = self.centiles(values, flat), self.centiles(values)
            spread = _log_width if min(before) > 0.0 else _width
            rows.append(Known(name, before, after, spread(after) / spread(before)))
        return tuple(rows)


def posterior_of(
    file: AnchorsFile, draws: int = DRAWS, seed: int = SEED, rate: Shape | None = None
) -> Posterior:
    """Return the posterior; ``rate`` is another prior of the rate than that of the file.

    Raises:
        AnchorsDisagreeError: too few draws explain what was seen.
    """
    rng = np.random.default_rng(seed)
    drawn = {
        name: draw(rate if rate is not None and name == RATE else file.prior(name), draws, rng)
        for name in PARAMETERS
    }
    specimens = {
        anchor.name: np.exp(drawn["specimen_ln_sd"] * rng.standard_normal(draws))
        for anchor in file.anchors
    }
    chances = {
        anchor.name: likelihood(anchor, drawn, specimens[anchor.name]) for anchor in file.anchors
    }
    weights = np.prod(np.stack(list(chances.values())), axis=0)
    effective = effective_count(weights) if weights.any() else 0.0
    if effective < EFFECTIVE_MIN:
        worst = max(chances, key=lambda name: float(_others(name, chances).sum()))
        raise AnchorsDisagreeError(
            f"The anchors contradict each other or the priors: {effective:.0f} of {draws} draws "
            f'explain all of them. Without "{worst}" the others agree best; look at its numbers.'
        )
    drawn |= _open(drawn)
    fits = {name: _fit(name, chances) for name in chances}
    return Posterior(MappingProxyType(drawn), weights, specimens, fits)


def draw(shape: Shape, count: int, rng: np.random.Generator) -> Array:
    """Draw from what is believed of one number."""
    median, sd = shape.median or 0.0, shape.sd or 0.0
    low, high = shape.low or 0.0, shape.high or 0.0
    match shape.shape:
        case "lognormal":
            return median * np.exp(sd * rng.standard_normal(count))
        case "above one":
            return np.exp(np.abs(sd * rng.standard_normal(count)))
        case "half-normal":
            return np.abs(sd * rng.standard_normal(count))
        case "even":
            return rng.uniform(low, high, count)
        case "even in the logarithm":
            return np.exp(rng.uniform(np.log(low), np.log(high), count))


def weighted_centiles(values: Array, weights: Array) -> tuple[float, ...]:
    """Return the weighted values at ``CENTILES``."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    reached = (reached - weights[order] / 2.0) / reached[-1]
    return tuple(float(np.interp(centile, reached, values[order])) for centile in CENTILES)


def _open(draws: Draws) -> dict[str, Array]:
    """Return the rate on open skin at the reference flow: what this unit gives."""
    flow = (REFERENCE_G_PER_MIN / draws["flow_g_per_min"]) ** draws["flow_exponent"]
    rate = draws[RATE] * draws["open_over_masked"] * flow
    return {OPEN: rate, PER_DOSE: rate / REFERENCE_G_PER_CM2_S}


def _fit(name: str, chances: Mapping[str, Array]) -> float:
    others = _others(name, chances)
    total = float(others.sum())
    return float((others * chances[name]).sum()) / total if total > 0.0 else 0.0


def _others(name: str, chances: Mapping[str, Array]) -> Array:
    """Return what all the anchors but one say together."""
    others = np.ones_like(chances[name])
    for other, chance in chances.items():
        if other != name:
            others = others * chance
    return others


def _width(centiles: tuple[float, ...]) -> float:
    return max(centiles[-1] - centiles[0], 1e-12)


def _log_width(centiles: tuple[float, ...]) -> float:
    return max(float(np.log(centiles[-1] / centiles[0])), 1e-12)
