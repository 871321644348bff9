"""How much more than the mean of its zone a simulated hand leaves in the worst places of it.

This is where the controller's coverage factors come from. The worst place is the 99th centile of a
zone: the cap, too, is made so that at most a hundredth of its points is at risk. The bound of the
ledger is the 95th centile of the product of two unknowns, the error of the rate and the unevenness
of the hand; the factor is that centile over the one of the rate alone, for all hands of the library
in equal parts. With a motion sensor stops are charged by themselves and count for nothing here;
without one they are in.

Usage: python -m qa.campaigns.exposure.coverage
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controller.cli import boundary
from controller.config.locate import shipped_configs
from qa.campaigns.exposure.dose_map import PLACE_MM, WINDOW_MM, dose_map, places_of
from qa.campaigns.exposure.rows import (
    CARELESS_HANDS,
    ORDINARY_HANDS,
    Group,
    Row,
    cell_of,
    plan_of,
)
from qa.campaigns.exposure.settings import Arm, ZoneSetting
from qa.campaigns.exposure.strokes import Strokers
from qa.campaigns.exposure.treatments import PLACES_AT_ONCE, paced
from qa.campaigns.exposure.zone_runs import run_zone
from simulator.plant.habits import HABITS, Habit

Array = NDArray[np.float64]

HANDS: Final = (*ORDINARY_HANDS, *CARELESS_HANDS)
WORST_PLACE: Final = 0.99
CENTILE: Final = 0.95
CENTILE_DEVIATE: Final = 1.645
TREATMENTS: Final = 100
ERRORS: Final = 100  # errors of the rate tried with each treatment
SEED: Final = 4
MM2_PER_CM2: Final = 100.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """Peak over mean of one hand, or of all."""

    hand: str
    usual: float
    """The median of treatments."""
    factor: float
    """What a ledger has to count with for this hand."""


def coverage(*, stops: bool, n: int = TREATMENTS) -> Sequence[Coverage]:
    """Return how uneven each hand is, and last how uneven all of them are together."""
    rng = np.random.default_rng(SEED)
    row = Row(Group.HAND, arm=Arm.TIME_LIMIT)
    zones = cell_of(row, shipped_configs()).zones
    error_ln_sd = plan_of(row, shipped_configs()).model.error_ln_sd
    ratios = {
        hand: np.concatenate([_ratios(zone, _habit(hand, stops=stops), n, rng) for zone in zones])
        for hand in HANDS
    }
    ratios["all"] = np.concatenate(list(ratios.values()))
    return [
        Coverage(hand, float(np.median(each)), _factor(each, error_ln_sd, rng))
        for hand, each in ratios.items()
    ]


def _habit(hand: str, *, stops: bool) -> Habit:
    return HABITS[hand] if stops else replace(HABITS[hand], pause_chance=0.0)


def _factor(ratios: Array, error_ln_sd: float, rng: np.random.Generator) -> float:
    errors = np.exp(error_ln_sd * rng.standard_normal((ERRORS, ratios.size)))
    return float(np.quantile(errors * ratios, CENTILE)) / exp(CENTILE_DEVIATE * error_ln_sd)


def _ratios(setting: ZoneSetting, habit: Habit, n: int, rng: np.random.Generator) -> Array:
    """Return peak over mean of one zone, whatever the angle of the tip: the rate has its error."""
    hands = Strokers(paced(habit, setting), setting.area_cm2, n, rng)
    runs = run_zone(setting, hands, Arm.TIME_LIMIT, rng, angles=False)
    at_once = max(4, int(PLACES_AT_ONCE / places_of(setting.area_cm2, hands.habit)))
    zone_places = setting.area_cm2 * MM2_PER_CM2 / PLACE_MM**2
    worst_places = max(1, round((1.0 - WORST_PLACE) * zone_places))
    worst = []
    for first in range(0, n, at_once):
        seconds = dose_map(runs, hands, slice(first, min(n, first + at_once)), rng)
        flat = seconds.reshape(len(seconds), -1)
        worst.append(np.partition(flat, -worst_places, axis=1)[:, -worst_places])
    mean_s = runs.dose_s * (pi / 4.0 * WINDOW_MM**2) / (setting.area_cm2 * MM2_PER_CM2)
    return np.asarray(np.concatenate(worst) / mean_s, np.float64)


def main() -> None:
    """Print how uneven each hand is."""
    for title, stops in (("stops charged apart", False), ("stops counted in", True)):
        sys.stdout.write(f"{title}\n")
        for each in coverage(stops=stops):
            sys.stdout.write(
                f"  {each.hand:10} usual {each.usual:5.2f} factor {each.factor:5.2f}\n"
            )


if __name__ == "__main__":
    boundary.run("qa.campaigns.exposure.coverage", main)
