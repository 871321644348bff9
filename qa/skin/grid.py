"""Simulated skin as a grid of cells: local thickness, depth by depth, layers lost. Needs scipy.

Theory of operation. The thickness of the stratum corneum varies from place to place as a correlated
field, which is lognormal unless the tail has another shape. A treatment adds, place by place, the
mean depth that its crystals remove (`expose`). Crystals hit at random, so the layers that a cell
loses are a Poisson number with that mean (`settle`), and a cell that loses as much as it is thick
has lost its stratum corneum.

Rows of an array are y, columns are x; both are in mm from the first corner of the zone, and the
grid goes on beyond the zone by a margin, since hands do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa.skin.blobs import largest_blob_cells
from qa.skin.tails import CENTRAL, STREAK_MM, Tail, thickness_at
from qa.skin.truth import Floats, SkinTruth, rate_under_tip, within_cv_of
from simulator.plant.deposit import DepositRow

CELL_MAX_MM: Final = 0.5
MARGIN_MM: Final = 12.0
"""A hand that drifts by 8 mm still has its whole window on the grid."""
WINDOW_RADIUS_MM: Final = 3.0
"""The round tip of 6 mm."""
TOUCHED_MIN_UM: Final = 1e-6
"""Less than this is rounding of the transform."""
_FINE: Final = 16  # the rim of the window is measured with so many points across a cell

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left of the skin after a treatment; maps have one value for each cell."""

    depth_um: Floats
    """Mean depth that the treatment stood for."""
    thickness_um: Floats
    """Stratum corneum before the treatment."""
    removed_um: Floats
    """What is gone: whole layers, and no more than there was."""
    lost: Mask
    """Nothing is left."""
    lost_share: float
    """Of the area that crystals reached."""
    largest_lost_mm2: float
    """The largest connected area of them."""
    deepest_fraction: float
    """Removed over thickness where it is largest, 0 to 1."""
    harm_mm2: float
    """The smallest connected area whose loss counts."""

    @property
    def breached(self) -> bool:
        """A connected area that counts as harm, or a larger one, lost all of it."""
        return self.largest_lost_mm2 >= self.harm_mm2


class SkinGrid:
    """One zone of one client."""

    def __init__(
        self,
        side_mm: float,
        truth: SkinTruth,
        rng: np.random.Generator,
        *,
        tail: Tail = CENTRAL,
        margin_mm: float = MARGIN_MM,
        cell_mm: float = CELL_MAX_MM,
    ) -> None:
        """Draw the thickness of every cell. ValueError for cells above `CELL_MAX_MM`.

        Cells act as one, so that they are the flakes whatever ``tail`` says of those; streaks run
        along the columns.
        """
        if not 0.0 < cell_mm <= CELL_MAX_MM:
            raise ValueError(
                f"cells of {cell_mm} mm; they must be above 0 and at most {CELL_MAX_MM}"
            )
        self.truth = truth
        self.tail = tail
        self.cell_mm = cell_mm
        self.margin_mm = margin_mm
        self.cells = ceil((side_mm + 2.0 * margin_mm) / cell_mm)
        """Along each side."""
        reach_cells = tail.correlation_mm / cell_mm
        field = _field(self.cells, reach_cells, rng)
        spots = _field(self.cells, reach_cells, rng) if tail.thin_spots else field
        self.thickness_um: Floats = thickness_at(
            tail, field, truth.thickness_mean_um, self._spread_within, spots
        )
        self.depth_um: Floats = np.zeros((self.cells, self.cells))
        """Mean depth removed so far."""
        self.missed_um_mm2 = 0.0
        """Depth times area of what landed beyond the grid."""
        self._reach = ceil(WINDOW_RADIUS_MM / cell_mm) + 1
        self._wide = self.cells + 2 * self._reach  # a window may hang over the edge
        self._window = np.fft.rfft2(self._window_map())

    def expose(self, rows: Sequence[DepositRow] | Floats, angle: Floats | float = 1.0) -> None:
        """Add rows of (x_mm, y_mm, flow, suction, seconds, ...), each with its factor of the angle.

        A row removes the same depth everywhere under the window, so that a tip that stands still
        removes rate times seconds there.
        """
        if len(rows) == 0:
            return
        table = np.asarray(rows, dtype=np.float64)
        depth = rate_under_tip(self.truth, table[:, 2], table[:, 3]) * table[:, 4] * angle
        at_x = (table[:, 0] + self.margin_mm) / self.cell_mm - 0.5 + self._reach
        at_y = (table[:, 1] + self.margin_mm) / self.cell_mm - 0.5 + self._reach
        inside = (at_x >= 0.0) & (at_y >= 0.0)
        inside &= (at_x < self._wide - 1) & (at_y < self._wide - 1)
        window_mm2 = pi * WINDOW_RADIUS_MM**2
        self.missed_um_mm2 += float(depth[~inside].sum()) * window_mm2
        spots = self._spots(at_x[inside], at_y[inside], depth[inside])
        shape = (self._wide, self._wide)
        spread: Floats = np.fft.irfft2(np.fft.rfft2(spots) * self._window, shape)
        inner = slice(self._reach, self._reach + self.cells)
        added = np.maximum(spread[inner, inner], 0.0)
        beyond_um = float(spread.sum() - added.sum())
        self.missed_um_mm2 += max(0.0, beyond_um) * self.cell_mm**2
        self.depth_um += added

    def settle(self, rng: np.random.Generator) -> Outcome:
        """Let chance decide how many layers each cell lost; the grid itself stays as it is."""
        layer_um = self.truth.layer_um
        layers = rng.poisson(self.depth_um * self._streaks() / layer_um)
        removed = np.minimum(layers * layer_um, self.thickness_um)
        lost = removed >= self.thickness_um
        touched = int((self.depth_um > TOUCHED_MIN_UM).sum())
        return Outcome(
            depth_um=self.depth_um.copy(),
            thickness_um=self.thickness_um,
            removed_um=removed,
            lost=lost,
            lost_share=float(lost.sum()) / touched if touched else 0.0,
            largest_lost_mm2=largest_blob_cells(lost) * self.cell_mm**2,
            deepest_fraction=float((removed / self.thickness_um).max()),
            harm_mm2=self.tail.harm_mm2,
        )

    @property
    def _spread_within(self) -> float:
        share = self.tail.within_share
        return self.truth.within_cv if share is None else within_cv_of(share)

    def _streaks(self) -> Floats:
        """Return the dose of each column over the mean."""
        at_mm = (np.arange(self.cells) + 0.5) * self.cell_mm
        doses = np.asarray(self.tail.doses)
        return doses[(at_mm / STREAK_MM).astype(np.intp) % doses.size]

    def _spots(self, at_x: Floats, at_y: Floats, depth: Floats) -> Floats:
        """Return the depths at their places, each shared by the four cells around it."""
        left, low = np.floor(at_x).astype(np.intp), np.floor(at_y).astype(np.intp)
        right_share, high_share = at_x - left, at_y - low
        spots = np.zeros(self._wide * self._wide)
        for column, across in ((left, 1.0 - right_share), (left + 1, right_share)):
            for row, up in ((low, 1.0 - high_share), (low + 1, high_share)):
                spots += np.bincount(
                    row * self._wide + column, weights=depth * across * up, minlength=spots.size
                )
        return spots.reshape(self._wide, self._wide)

    def _window_map(self) -> Floats:
        """Return the share of each cell that the window covers, around the cell (0, 0), wrapped."""
        reach = self._reach
        width = (2 * reach + 1) * _FINE
        fine = ((np.arange(width) + 0.5) / _FINE - reach - 0.5) * self.cell_mm
        covered = fine[:, None] ** 2 + fine[None, :] ** 2 <= WINDOW_RADIUS_MM**2
        blocks = covered.reshape(2 * reach + 1, _FINE, 2 * reach + 1, _FINE)
        share: Floats = blocks.mean(axis=(1, 3))
        rim = (share > 0.0) & (share < 1.0)
        cells = pi * (WINDOW_RADIUS_MM / self.cell_mm) ** 2
        share[rim] *= (cells - share[~rim].sum()) / share[rim].sum()  # the area is exact
        window = np.zeros((self._wide, self._wide))
        window[: 2 * reach + 1, : 2 * reach + 1] = share
        return np.roll(window, (-reach, -reach), axis=(0, 1))


def stroke_angles(rows: Sequence[DepositRow], angles: Floats) -> Floats:
    """Return the factor of the angle of each row, given one for each stroke, in their order."""
    _, order = np.unique([row.stroke for row in rows], return_inverse=True)
    return angles[order]


def _field(cells: int, correlation_cells: float, rng: np.random.Generator) -> Floats:
    """Return a standard normal field whose correlation is exp(-(distance / length)^2)."""
    noise = rng.standard_normal((cells, cells))
    if correlation_cells <= 0.0:
        return noise
    turns = 2.0 * pi * np.fft.fftfreq(cells)
    squared = turns[:, None] ** 2 + turns[None, : cells // 2 + 1] ** 2
    gain = np.exp(-squared * correlation_cells**2 / 8.0)
    whole = np.exp(-(turns[:, None] ** 2 + turns[None, :] ** 2) * correlation_cells**2 / 4.0)
    field: Floats = np.fft.irfft2(np.fft.rfft2(noise) * gain, (cells, cells))
    field /= np.sqrt(whole.mean())
    return field
