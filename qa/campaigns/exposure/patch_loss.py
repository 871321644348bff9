"""How likely a patch of skin holds a connected lost area, by the share of its flakes that is lost.

Removal comes off in flakes that act as one: a corneocyte is 0.05 mm wide (taylorfrancis.com,
9781420070958-10), and how many of them one impact takes with it is not known. Whether lost flakes
connect to a whole square millimetre is percolation, for which there is no formula: the table beside
this file was drawn once (`python -m qa.campaigns.exposure.patch_loss`, which draws what is missing
there), and a test draws some of it anew. Below its smallest value the chance falls at least as
steeply as there.
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
from qa.skin.tails import BREACH_MM2, CORRELATION_MM, FLAKE_MM

Array = NDArray[np.float64]

FLAKES_MM: Final = (0.5, 0.25, 0.1, 0.05)
CORRELATIONS_MM: Final = (2.0, 4.0, 8.0)
HARMS_MM2: Final = (0.25,)  # of the central flakes and patches only, beside `BREACH_MM2` of all
SHARES: Final = np.linspace(0.05, 0.95, 37)
FILE: Final = Path(__file__).with_name("patch_loss.json")
SEED: Final = 20261126
SURE: Final = 1.0 - 1e-9
PATCHES_MM2: Final = 40_000.0  # drawn per entry: a square of 20 cm, or 625 to 10,000 patches ...
FLAKES_MAX: Final = 4_000_000  # ... or less, where flakes are small
PATCHES_MIN: Final = 100
KNOWN_MIN: Final = 3  # points that a slope is told from
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


@dataclass(frozen=True, slots=True)
class Structure:
    """What an entry of the table was drawn for."""

    flake_mm: float
    correlation_mm: float
    harm_mm2: float = BREACH_MM2
    """The smallest connected area whose loss counts."""

    @property
    def key(self) -> str:
        """The name of the entry."""
        name = f"flake {self.flake_mm:g} mm, patch {self.correlation_mm:g} mm"
        return name if self.harm_mm2 == BREACH_MM2 else f"{name}, harm {self.harm_mm2:g} mm2"

    def draws(self) -> np.random.Generator:
        """Return the draws of the entry: the same patches, whatever counts as harm."""
        return np.random.default_rng(
            (SEED, round(self.flake_mm * 1000), round(self.correlation_mm * 10))
        )


STRUCTURES: Final = (
    *(Structure(flake, patch) for flake in FLAKES_MM for patch in CORRELATIONS_MM),
    *(Structure(FLAKE_MM, CORRELATION_MM, harm) for harm in HARMS_MM2),
)


class TailTableError(ValueError):
    """A table of chances cannot be used; the text is one sentence with the next step."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(
            f'{FILE}: the entry "{key}" {problem}; remove the file and draw it anew with '
            "`python -m qa.campaigns.exposure.patch_loss`."
        )


@cache
def patch_loss(flake_mm: float, correlation_mm: float, harm_mm2: float = BREACH_MM2) -> PatchLoss:
    """Return the table of one structure of skin and one harm.

    Raises:
        TailTableError: there is none, or it is none that could have been drawn.
    """
    key = Structure(flake_mm, correlation_mm, harm_mm2).key
    try:
        chances = np.array(_drawn()[key], np.float64)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TailTableError(key, "is missing or cannot be read") from error
    if chances.shape != SHARES.shape or not ((chances >= 0.0) & (chances <= 1.0)).all():
        raise TailTableError(key, f"must have {SHARES.size} chances from 0 to 1")
    known = chances >= STEEP_FROM
    if int(known.sum()) < KNOWN_MIN:
        raise TailTableError(key, f"must have {KNOWN_MIN} chances of {STEEP_FROM:g} or more")
    x, y = np.log(SHARES[known]), np.log(chances[known])
    return PatchLoss(x, y, float((y[2] - y[0]) / (x[2] - x[0])))


def drawn_chance(share: float, structure: Structure, rng: np.random.Generator) -> float:
    """Return how many of many drawn patches hold a connected lost area that is harm."""
    across = round(structure.correlation_mm / structure.flake_mm)
    needed = round(structure.harm_mm2 / structure.flake_mm**2)
    patches = min(round(PATCHES_MM2 / structure.correlation_mm**2), round(FLAKES_MAX / across**2))
    patches = max(PATCHES_MIN, patches)
    hits = sum(largest(rng.random((across, across)) < share) >= needed for _ in range(patches))
    return hits / patches


def largest(lost: NDArray[np.bool_]) -> int:
    """Return the size of the largest connected group of lost cells."""
    names, count = label(lost)
    return int(np.bincount(names.ravel())[1:].max()) if count else 0


def _drawn() -> dict[str, list[float]]:
    """Return the entries that are in the file."""
    chances: dict[str, list[float]] = json.loads(FILE.read_text(encoding="utf-8"))["chances"]
    return chances


def main() -> None:
    """Draw what is missing; to draw all of it anew, delete the file."""
    chances = _drawn() if FILE.exists() else {}
    missing = [structure for structure in STRUCTURES if structure.key not in chances]
    for number, structure in enumerate(missing, 1):
        sys.stderr.write(f"{number} of {len(missing)}: {structure.key}\n")
        rng = structure.draws()
        chances[structure.key] = [drawn_chance(float(share), structure, rng) for share in SHARES]
    text = json.dumps({"shares": SHARES.round(6).tolist(), "chances": chances}, indent=0)
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    boundary.run("qa.campaigns.exposure.patch_loss", main)
