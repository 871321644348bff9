"""Three questions beside the table: what safety costs, what matters most, what a test would pay.

All three treat the same clients again and again with something changed, so that differences are
differences and not chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from qa.campaigns.exposure.population import TOWARDS_BREACH, Clients, draw_clients
from qa.campaigns.exposure.rows import Group, Row, cell_of
from qa.campaigns.exposure.settings import Arm
from qa.campaigns.exposure.statistics import Estimate, known_scales, weighted_mean
from qa.campaigns.exposure.treatments import Cell, Treatments, treat
from qa.skin.truth import (
    ANGLE_LN_SD,
    HYDRATION_LN_SD,
    Account,
    ln_rate_of,
)

FRONTIER_SHARES: Final = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.45, 0.6, 0.8, 1.0)
FRONTIER_TIMES: Final = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
ENDLESS: Final = 30.0  # times the planned contact: only the cap ends such a zone
HIDDEN: Final = {
    "rate_um_per_s": "removal rate at 30 kPa",
    "thickness_mean_um": "mean thickness",
    "within_cv": "spread of thickness within a site",
    "layer_um": "thickness of a layer",
    "hydration": "moisture",
    "suction_exponent": "exponent of suction",
    "flow_exponent": "exponent of crystal flow",
}
READING_LN_SD: Final = 0.3
"""How well a patch test tells the rate of a client: within a third either way. ASSUMED: optical or
gravimetric readings of 1 to 2 µm are known to no better; water loss alone is worse (Weigmann 2005).
"""


@dataclass(frozen=True, slots=True)
class Point:
    """One setting of a frontier: what it removes, and how often it breaches."""

    setting: float
    depth_um: float
    breach: Estimate


@dataclass(frozen=True, slots=True)
class Frontier:
    """Removed depth against breaches, for three ways to decide when a zone is done."""

    caps: tuple[Point, ...]
    times: tuple[Point, ...]
    knowing: tuple[Point, ...]
    """A controller that knows everything, at the same clients and hands."""


def frontier(n: int, seed: int, configs: Path, account: Account) -> Frontier:
    """Let the cap, a fixed time, or full knowledge end every zone of the standard program."""
    row = Row(Group.PRESET, account=account)
    tilt = TOWARDS_BREACH[account]
    cell = replace(cell_of(row, configs), tilt=tilt)
    clients = draw_clients(n, account, np.random.default_rng(seed), tilt)
    shipped = 0.35
    caps = []
    for share in FRONTIER_SHARES:
        zones = tuple(
            replace(
                zone,
                contact_budget_s=zone.contact_budget_s * ENDLESS,
                cap_um=zone.cap_um * share / shipped,
            )
            for zone in cell.zones
        )
        caps.append(_point(share, replace(cell, zones=zones), clients, seed))
    times = []
    for times_longer in FRONTIER_TIMES:
        zones = tuple(
            replace(zone, contact_budget_s=zone.contact_budget_s * times_longer)
            for zone in cell.zones
        )
        limited = replace(cell, zones=zones, arm=Arm.TIME_LIMIT)
        times.append(_point(times_longer, limited, clients, seed))
    return Frontier(tuple(caps), tuple(times), _knowing(cell, clients, seed))


def _point(setting: float, cell: Cell, clients: Clients, seed: int) -> Point:
    done = treat(cell, len(clients), np.random.default_rng(seed + 1), clients)
    breach = weighted_mean(done.skins.breach_chance, clients.weight)
    return Point(setting, _depth_um(done), breach)


def _depth_um(done: Treatments) -> float:
    weight = done.clients.weight
    removed = (done.skins.removed_um_mm2 * weight).sum()
    return float(removed / max((done.skins.treated_mm2 * weight).sum(), 1e-12))


def _knowing(cell: Cell, clients: Clients, seed: int) -> tuple[Point, ...]:
    """Give each client the dose at which their own chance of a breach is the same."""
    done = treat(cell, len(clients), np.random.default_rng(seed + 1), clients)
    points = []
    for chance in np.geomspace(1e-7, 0.3, 14):
        scales = known_scales(done.skins.breaches, float(chance))
        removed = (done.skins.removed_um_mm2 * scales * clients.weight).sum()
        treated = (done.skins.treated_mm2 * clients.weight).sum()
        points.append(Point(float(chance), float(removed / treated), Estimate(float(chance), 0.0)))
    return tuple(points)


@dataclass(frozen=True, slots=True)
class Influence:
    """How the chance of a breach changes when one hidden parameter is the same for everybody."""

    name: str
    words: str
    breach: Estimate


def sensitivity(n: int, seed: int, configs: Path) -> tuple[Estimate, Sequence[Influence]]:
    """Return the chance under full account, and with each parameter known; best first."""
    row = Row(Group.PRESET, account=Account.POSTERIOR)
    cell = cell_of(row, configs)
    clients = draw_clients(n, Account.POSTERIOR, np.random.default_rng(seed))

    def chance(of: Clients) -> Estimate:
        done = treat(cell, n, np.random.default_rng(seed + 1), of)
        return weighted_mean(done.skins.breach_chance, of.weight)

    found = [
        Influence(name, words, chance(clients.with_median(name))) for name, words in HIDDEN.items()
    ]
    return chance(clients), sorted(found, key=lambda each: each.breach.value)


@dataclass(frozen=True, slots=True)
class PatchTest:
    """What a patch test that reads the rate of each client is worth, with and without."""

    without: Point
    known: Point


def patch_test(n: int, seed: int, configs: Path) -> PatchTest:
    """Let a reading narrow the rate of each client before the treatment: Bayes with lognormals."""
    row = Row(Group.PRESET, account=Account.POSTERIOR)
    cell = cell_of(row, configs)
    rng = np.random.default_rng(seed)
    clients = draw_clients(n, Account.POSTERIOR, rng)
    mean, sd = ln_rate_of(Account.POSTERIOR)
    truth = np.log(clients.skin.rate_um_per_s) - mean
    reading = truth + READING_LN_SD * rng.standard_normal(n)
    kept = sd**2 / (sd**2 + READING_LN_SD**2)
    left_sd = float(np.sqrt(1.0 - kept)) * sd
    rest = ANGLE_LN_SD**2 + HYDRATION_LN_SD**2 + 0.2**2
    narrower = 1.645 * (np.sqrt(left_sd**2 + rest) - np.sqrt(sd**2 + rest))
    charged = np.exp(kept * reading + narrower)
    without = _point(0.0, cell, clients, seed)
    done = treat(cell, n, np.random.default_rng(seed + 1), clients, charged=charged)
    breach = weighted_mean(done.skins.breach_chance, clients.weight)
    return PatchTest(without, Point(READING_LN_SD, _depth_um(done), breach))
