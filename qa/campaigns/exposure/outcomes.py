"""What the skin of each simulated client lost: chances and fractions by the doses of its zones."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from qa.campaigns.exposure.dose_map import PLACE_MM, histogram
from qa.campaigns.exposure.tables import BINS_PER_OCTAVE, SkinTables, blend

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

SCALE_STEPS: Final = np.arange(-48, 65, 8)
"""Steps of dose, in bins, at which an all-knowing controller is tried: 1/64 to 256 times."""
SCALES: Final = 2.0 ** (SCALE_STEPS / BINS_PER_OCTAVE)
UNSCALED: Final = int(np.flatnonzero(SCALE_STEPS == 0)[0])
FRACTION_STEPS: Final = np.arange(-52, 9, 2)
FRACTIONS: Final = 2.0 ** (FRACTION_STEPS / BINS_PER_OCTAVE)
"""Depth over thickness at which the distribution of the deepest place is told: 0.011 to 2."""


@dataclass(slots=True)
class Skins:
    """Sums over the zones of a treatment, one row per client."""

    breaches: Array
    """Expected breaches at each of ``SCALES`` times the dose: clients by scales."""
    deeper: Array
    """Minus the log of the chance that no patch is deeper than each of ``FRACTIONS``."""
    lost_mm2: Array
    treated_mm2: Array
    removed_um_mm2: Array
    """Removed volume in µm times mm²."""

    @staticmethod
    def empty(n: int) -> "Skins":
        """Return the skin of ``n`` clients before anything happened."""
        return Skins(
            np.zeros((n, SCALES.size)),
            np.zeros((n, FRACTIONS.size)),
            *(np.zeros(n) for _ in range(3)),
        )

    @property
    def breach_chance(self) -> Array:
        """The chance of each client that somewhere 1 mm² loses its whole stratum corneum."""
        chance: Array = -np.expm1(-self.breaches[:, UNSCALED])
        return chance

    def add(self, part: slice, zone: "Skins") -> None:
        """Add what one zone lost to some of the clients."""
        self.breaches[part] += zone.breaches
        self.deeper[part] += zone.deeper
        self.lost_mm2[part] += zone.lost_mm2
        self.treated_mm2[part] += zone.treated_mm2
        self.removed_um_mm2[part] += zone.removed_um_mm2

    def add_zone(
        self, depth_um: Floats, thickness_um: Array, layer_um: Array, spread: Array,
        tables: SkinTables, patch_mm2: float,
    ) -> None:  # fmt: skip
        """Add one zone: the mean removal of each of its places, and each client's own skin."""
        area = histogram(depth_um / layer_um.astype(np.float32)[:, None, None])
        rows, parts = tables.rows(thickness_um / layer_um, spread)
        breach = np.exp(blend(tables.log_breach, rows, parts))
        lost = np.exp(blend(tables.log_lost, rows, parts))
        shallower = blend(tables.shallower, rows, parts)
        self.breaches += _at_steps(area, breach, SCALE_STEPS)
        self.deeper += _at_steps(area, shallower, -FRACTION_STEPS) / patch_mm2
        self.lost_mm2 += np.einsum("bd,bd->b", area, lost)
        self.treated_mm2 += area.sum(axis=1)
        flat = depth_um.reshape(len(depth_um), -1)
        self.removed_um_mm2 += flat.sum(axis=1, dtype=np.float64) * PLACE_MM**2


def _at_steps(area: Floats, per_mm2: Floats, steps: NDArray[np.int64]) -> Floats:
    """Sum ``per_mm2`` over the doses, each of them ``steps`` bins higher, for every step.

    Past the highest dose it stays what it is there; before the lowest it is zero.
    """
    low, high = max(0, -int(steps.min())), max(0, int(steps.max()))
    padded = np.concatenate(
        (
            np.zeros((len(per_mm2), low), np.float32),
            per_mm2,
            np.broadcast_to(per_mm2[:, -1:], (len(per_mm2), high)),
        ),
        axis=1,
    )
    windows = sliding_window_view(padded, area.shape[1], axis=1)[:, steps + low, :]
    summed: Floats = np.matmul(windows, area[:, :, None])[:, :, 0]
    return summed
