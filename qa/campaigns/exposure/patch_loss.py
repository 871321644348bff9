"""How likely a patch of skin holds a connected lost area, by the share of its flakes that is lost.

Removal comes off in flakes that act as one: a corneocyte is 0.05 mm wide (taylorfrancis.com,
9781420070958-10), and how many of them one impact takes with it is not known. Whether lost flakes
connect to a whole square millimetre is percolation, for which there is no formula: the table beside
this file was drawn once (`python -m qa.campaigns.exposure.patch_loss`), and a test draws some of it
anew. Below its smallest value the chance falls at least as steeply as there.
"""

import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from controller.cli import boundary

Array = NDArray[np.float64]

BREACH_MM2: Final = 1.0  # the smallest connected area whose loss counts as a breach
FLAKES_MM: Final = (0.5, 0.25, 0.1, 0.05)
CORRELATIONS_MM: Final = (2.0, 4.0, 8.0)
SHARES: Final = np.linspace(0.05, 0.95, 37)
FILE: Final = Path(__file__).with_name("patch_loss.json")
SEED: Final = 20261126
SURE: Final = 1.0 - 1e-9
PATCHES_MM2: Final = 40_000.0  # drawn per entry: a square of 20 cm, or 625 to 10,000 patches ...
FLAKES_MAX: Final = 4_000_000  # ... or less, where flakes are small
PATCHES_MIN: Final = 100
STEEP_FROM: Final = 5e-3  # entries below have too few hits to tell the slope


@dataclass(frozen=True, slots=True)
class PatchLoss:
    """Chance of a breach in a patch over the share of its flakes that is lost."""

    log_shares: Array
    log_chances: Array
    slope: float

    def log_chance(self, log_share: Array) -> Array:
        """Return the log of the chance at each log of a share."""
        inside = np.interp(log_share, self.log_shares, self.log_chances)
        below = self.log_chances[0] + self.slope * (log_share - self.log_shares[0])
        return np.where(log_share < self.log_shares[0], below, inside)


@cache
def patch_loss(flake_mm: float, correlation_mm: float) -> PatchLoss:
    """Return the table of one size of flakes and of patches; KeyError where none was drawn."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))["chances"]
    chances = np.array(rows[key(flake_mm, correlation_mm)])
    known = chances >= STEEP_FROM
    x, y = np.log(SHARES[known]), np.log(chances[known])
    return PatchLoss(x, y, float((y[2] - y[0]) / (x[2] - x[0])))


def key(flake_mm: float, correlation_mm: float) -> str:
    """Return the name of an entry."""
    return f"flake {flake_mm:g} mm, patch {correlation_mm:g} mm"


def drawn_chance(
    share: float, flake_mm: float, correlation_mm: float, rng: np.random.Generator
) -> float:
    """Return how many of many drawn patches hold a connected lost area of ``BREACH_MM2``."""
    across = round(correlation_mm / flake_mm)
    needed = round(BREACH_MM2 / flake_mm**2)
    patches = min(round(PATCHES_MM2 / correlation_mm**2), round(FLAKES_MAX / across**2))
    patches = max(PATCHES_MIN, patches)
    hits = sum(largest(rng.random((across, across)) < share) >= needed for _ in range(patches))
    return hits / patches


def largest(lost: NDArray[np.bool_]) -> int:
    """Return the size of the largest connected group of lost cells."""
    names, count = label(lost)
    return int(np.bincount(names.ravel())[1:].max()) if count else 0


def main() -> None:
    """Draw the table anew."""
    chances = {}
    for flake_mm in FLAKES_MM:
        for correlation_mm in CORRELATIONS_MM:
            rng = np.random.default_rng((SEED, round(flake_mm * 1000), round(correlation_mm * 10)))
            name = key(flake_mm, correlation_mm)
            sys.stderr.write(f"{name}\n")
            chances[name] = [
                drawn_chance(float(share), flake_mm, correlation_mm, rng) for share in SHARES
            ]
    text = json.dumps({"shares": SHARES.round(6).tolist(), "chances": chances}, indent=0)
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    boundary.run("qa.campaigns.exposure.patch_loss", main)
