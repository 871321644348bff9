"""Figures and their bound: exact for counts; weighted means where counts do not reach."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from qa.campaigns.exposure.outcomes import FRACTIONS, SCALES, UNSCALED

Array = NDArray[np.float64]

CONFIDENCE: Final = 0.95
CENTILES: Final = (0.5, 0.95, 0.999)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with the exact binomial bound of Clopper and Pearson."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.hits / self.of

    @property
    def bound(self) -> float:
        """The one-sided upper bound at ``CONFIDENCE``: exact, and the only one that is told."""
        left = self.of - self.hits
        return float(betaincinv(self.hits + 1, left, CONFIDENCE)) if left else 1.0

    @property
    def least(self) -> float:
        """The one-sided lower bound at ``CONFIDENCE``; it only says that a count says nothing."""
        left = self.of - self.hits
        return float(betaincinv(self.hits, left + 1, 1.0 - CONFIDENCE)) if self.hits else 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A weighted mean and its standard error. It is no bound: it says where counts do not reach."""

    value: float
    error: float


def weighted_mean(values: Array, weights: Array) -> Estimate:
    """Return the mean of values that count by their weights; importance sampling."""
    products = values * weights
    return Estimate(float(products.mean()), float(products.std(ddof=1) / len(products) ** 0.5))


def effective_count(weights: Array) -> float:
    """Return how many equal weights would be worth as much."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def drawn_hits(chances: Array, rng: np.random.Generator) -> Share:
    """Let chance decide each treatment whose chance of a breach is known."""
    return Share(int((rng.random(len(chances)) < chances).sum()), len(chances))


def deepest_centiles(deeper: Array, weights: Array) -> tuple[float, ...]:
    """Return the centiles of depth over thickness where it is largest, over all treatments.

    ``deeper`` is minus the log of each treatment's chance to stay below each of ``FRACTIONS``.
    """
    below = (np.exp(-deeper) * weights[:, None]).sum(axis=0) / weights.sum()
    below = np.maximum.accumulate(below)
    return tuple(float(np.interp(centile, below, FRACTIONS)) for centile in CENTILES)


def known_scales(breaches: Array, chance: float) -> Array:
    """Return the factor on the dose of each treatment at which its own chance is ``chance``.

    That is what a controller could give that knew everything about client, hand and unit.
    """
    wanted = -np.log1p(-min(chance, 1.0 - 1e-12))
    logs = np.log(np.maximum(breaches, 1e-300))
    target = np.log(max(wanted, 1e-300))
    reached = (logs >= target).argmax(axis=1)
    never = ~(logs >= target).any(axis=1)
    upper = np.clip(reached, 1, len(SCALES) - 1)
    rows = np.arange(len(breaches))
    low, high = logs[rows, upper - 1], logs[rows, upper]
    part = np.clip((target - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
    log_scales = np.log(SCALES)
    scales = np.exp(log_scales[upper - 1] + part * (log_scales[upper] - log_scales[upper - 1]))
    scales = np.where(reached == 0, SCALES[0], scales)
    known: Array = np.where(never, SCALES[-1], scales)
    return known


def usefulness(removed: Array, breaches: Array, weights: Array) -> float:
    """Return what was removed over what an all-knowing controller would at the same breach rate."""
    chance = weighted_mean(-np.expm1(-breaches[:, UNSCALED]), weights).value
    scales = known_scales(breaches, chance)
    return float((removed * weights).sum() / (removed * scales * weights).sum())
