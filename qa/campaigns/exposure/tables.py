"""What a dose does to skin of a mean thickness and spread, tabulated as logarithms.

Theory of operation. The thickness of the stratum corneum is the same within a patch (the
correlation length) and lognormal from patch to patch. A flake that received ``layers`` of mean
removal loses Poisson(``layers``) of them, and is gone when these reach the thickness there. A
breach is a connected area of at least 1 mm² that is gone. Patches fail independently of each other,
so that the chance of a treatment follows from the sum over its patches, and no skin has to be drawn
for the treatments in which nothing happens: conditional Monte Carlo. A test holds it against drawn
grids.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, pdtrc

from qa.campaigns.exposure.patch_loss import patch_loss

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

LAYERS_MIN: Final = 2.0**-6
OCTAVES: Final = 13
BINS_PER_OCTAVE: Final = 8
DOSE_BINS: Final = OCTAVES * BINS_PER_OCTAVE
THICKNESS_LAYERS: Final = (2.0, 120.0)
THICKNESS_STEPS: Final = 48
SPREADS: Final = (0.15, 0.55)
SPREAD_STEPS: Final = 9
LAYERS_DEEPEST: Final = 400  # the thickest place that is looked at, in layers
LOG_TINY: Final = -80.0


@dataclass(frozen=True, slots=True)
class Grain:
    """Assumptions about the structure of skin that nobody has measured; campaigns vary them."""

    flake_mm: float = 0.25
    """What comes off as one. A corneocyte is 0.05 mm wide; 25 of them at once are assumed."""
    correlation_mm: float = 2.0
    """How far the thickness stays the same."""


@dataclass(frozen=True, slots=True)
class SkinTables:
    """Logarithms over rows of (thickness, spread) and columns of dose, all for one mm² of skin."""

    log_breach: Floats
    """Expected patches with a breach."""
    log_lost: Floats
    """Share that is gone."""
    shallower: Floats
    """Minus the log of the chance that the dose is less than the thickness: no whole removal."""

    def rows(self, mean_layers: Array, spread: Array) -> tuple[NDArray[np.intp], Floats]:
        """Return which four rows surround each place, and how much each of them counts."""
        low, high = THICKNESS_LAYERS
        at = np.log(np.clip(mean_layers, low, high) / low) / math.log(high / low)
        along, part = _between(at * (THICKNESS_STEPS - 1), THICKNESS_STEPS)
        narrow, wide = SPREADS
        at = (np.clip(spread, narrow, wide) - narrow) / (wide - narrow)
        across, share = _between(at * (SPREAD_STEPS - 1), SPREAD_STEPS)
        row = along * SPREAD_STEPS + across
        rows = np.stack((row, row + SPREAD_STEPS, row + 1, row + SPREAD_STEPS + 1))
        parts = np.stack(
            ((1 - part) * (1 - share), part * (1 - share), (1 - part) * share, part * share)
        )
        return rows, parts.astype(np.float32)


def blend(table: Floats, rows: NDArray[np.intp], parts: Floats) -> Floats:
    """Return the row of a table that belongs to each place."""
    blended = parts[0][:, None] * table[rows[0]]
    for corner in range(1, len(rows)):
        blended += parts[corner][:, None] * table[rows[corner]]
    result: Floats = blended
    return result


def dose_centres() -> Array:
    """Return the mean removal in layers at the centre of each column."""
    return LAYERS_MIN * 2.0 ** ((np.arange(DOSE_BINS) + 0.5) / BINS_PER_OCTAVE)


@cache
def skin_tables(grain: Grain) -> SkinTables:
    """Return the tables for skin of this structure; KeyError where `patch_loss` has none."""
    low, high = THICKNESS_LAYERS
    means, spreads = np.meshgrid(
        np.geomspace(low, high, THICKNESS_STEPS), np.linspace(*SPREADS, SPREAD_STEPS), indexing="ij"
    )
    mean, spread = means.ravel(), spreads.ravel()
    weights = thickness_weights(mean, spread)
    gone = pdtrc(np.arange(LAYERS_DEEPEST), dose_centres()[:, None])  # P(N > n) = P(N >= n + 1)
    with np.errstate(divide="ignore"):
        log_gone = np.maximum(np.log(gone), LOG_TINY)
        breach = (
            weights
            @ np.exp(patch_loss(grain.flake_mm, grain.correlation_mm).log_chance(log_gone)).T
        )
        log_breach = np.log(breach) - 2.0 * math.log(grain.correlation_mm)
        log_lost = np.log(weights @ gone.T)
    sigma = np.sqrt(np.log1p(spread**2))[:, None]
    median = np.log(mean)[:, None] - sigma**2 / 2.0
    above = log_ndtr((median - np.log(dose_centres())[None, :]) / sigma)
    return SkinTables(
        np.maximum(log_breach, LOG_TINY).astype(np.float32),
        np.maximum(log_lost, LOG_TINY).astype(np.float32),
        np.minimum(-above, -LOG_TINY).astype(np.float32),
    )


def thickness_weights(mean_layers: Array, spread: Array) -> Array:
    """Return the share of skin that is 1, 2, ... `LAYERS_DEEPEST` layers thick, rounded up.

    ``mean_layers`` and ``spread`` (coefficient of variation) have the same shape; the layers are a
    last axis. A place of 2.3 layers is gone with its third.
    """
    sigma = np.sqrt(np.log1p(spread**2))[..., None]
    log_median = np.log(mean_layers)[..., None] - sigma**2 / 2.0
    with np.errstate(divide="ignore"):
        edges = np.log(np.arange(LAYERS_DEEPEST + 1, dtype=np.float64))
    return np.diff(ndtr((edges - log_median) / sigma), axis=-1)


def _between(at: Array, steps: int) -> tuple[NDArray[np.intp], Array]:
    below = np.minimum(at.astype(np.intp), steps - 2)
    return below, at - below
