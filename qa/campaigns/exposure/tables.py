"""What a dose does to skin of a mean thickness and spread, tabulated as logarithms.

Theory of operation. The thickness of the stratum corneum is the same within a patch (the
correlation length) and differs from patch to patch as the tail says: lognormal, unless another
shape is asked for (`qa.skin.tails`). A flake that received ``layers`` of mean removal loses
Poisson(``layers``) of them, and is gone when these reach the thickness there. A breach is a
connected area of at least 1 mm², or of what the tail calls harm, that is gone. Patches fail
independently of each other, so that the chance of a treatment follows from the sum over its
patches, and no skin has to be drawn for the treatments in which nothing happens: conditional Monte
Carlo. A test holds it against drawn grids.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtrc

from qa.campaigns.exposure.patch_loss import patch_loss
from qa.skin.tails import CENTRAL, Tail, log_share_thicker, share_thinner

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


def log_at(
    tables: SkinTables, table: Floats, layers: Array, mean_layers: float, spread: float
) -> Array:
    """Return what one of the ``tables`` says of one skin at doses between its columns."""
    logs = blend(table, *tables.rows(np.array([mean_layers]), np.array([spread])))[0]
    column = np.log2(layers / LAYERS_MIN) * BINS_PER_OCTAVE - 0.5
    between: Array = np.interp(column, np.arange(DOSE_BINS), logs.astype(np.float64))
    return between


def dose_centres() -> Array:
    """Return the mean removal in layers at the centre of each column."""
    return LAYERS_MIN * 2.0 ** ((np.arange(DOSE_BINS) + 0.5) / BINS_PER_OCTAVE)


@cache
def skin_tables(tail: Tail) -> SkinTables:
    """Return the tables for skin of this tail; KeyError where `patch_loss` has none.

    Where crystals come in streaks, each mm² of skin stands for equal parts at each of their doses.
    """
    low, high = THICKNESS_LAYERS
    means, spreads = np.meshgrid(
        np.geomspace(low, high, THICKNESS_STEPS), np.linspace(*SPREADS, SPREAD_STEPS), indexing="ij"
    )
    mean, spread = means.ravel(), spreads.ravel()
    weights = thickness_weights(mean, spread, tail)
    patches = patch_loss(tail.flake_mm, tail.correlation_mm, tail.harm_mm2)
    breach, lost, above = (np.zeros((mean.size, DOSE_BINS)) for _ in range(3))
    for factor in tail.doses:
        doses = factor * dose_centres()
        gone = pdtrc(np.arange(LAYERS_DEEPEST), doses[:, None])  # P(N > n) = P(N >= n + 1)
        with np.errstate(divide="ignore"):
            log_gone = np.maximum(np.log(gone), LOG_TINY)
        breach += weights @ np.exp(patches.log_chance(log_gone)).T
        lost += weights @ gone.T
        above += log_share_thicker(tail, doses[None, :], mean[:, None], spread[:, None])
    parts = len(tail.doses)
    with np.errstate(divide="ignore"):
        log_breach = np.log(breach / parts) - 2.0 * math.log(tail.correlation_mm)
        log_lost = np.log(lost / parts)
    return SkinTables(
        np.maximum(log_breach, LOG_TINY).astype(np.float32),
        np.maximum(log_lost, LOG_TINY).astype(np.float32),
        np.minimum(-above / parts, -LOG_TINY).astype(np.float32),
    )


def thickness_weights(mean_layers: Array, spread: Array, tail: Tail = CENTRAL) -> Array:
    """Return the share of skin that is 1, 2, ... `LAYERS_DEEPEST` layers thick, rounded up.

    ``mean_layers`` and ``spread`` (coefficient of variation) have the same shape; the layers are a
    last axis. A place of 2.3 layers is gone with its third.
    """
    edges = np.arange(LAYERS_DEEPEST + 1, dtype=np.float64)
    below = share_thinner(tail, edges, mean_layers[..., None], spread[..., None])
    return np.diff(below, axis=-1)


def _between(at: Array, steps: int) -> tuple[NDArray[np.intp], Array]:
    below = np.minimum(at.astype(np.intp), steps - 2)
    return below, at - below
