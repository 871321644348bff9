"""What decides depth and breaches: Sobol indices, first and total, over everything hidden.

One treatment is done once, by one hand, and its doses are held. Then skin, rate and unit vary
together as the account has them. The first index of a number is the part of the variance that goes
when it alone is known; the total one what stays when all the others are. Both are told of the depth
and of the logarithm of the chance of a breach: they need not agree, since chances go with high
powers of the dose.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import sobol_indices, uniform

from qa.campaigns.exposure.dose_map import dose_map
from qa.campaigns.exposure.outcomes import Skins
from qa.campaigns.exposure.population import UNIT_FLOW_SHARE
from qa.campaigns.exposure.rows import Group, Row, cell_of
from qa.campaigns.exposure.strokes import Strokers
from qa.campaigns.exposure.tables import skin_tables
from qa.campaigns.exposure.treatments import Cell, paced
from qa.campaigns.exposure.zone_runs import run_zone
from qa.skin.sites import thickness_of
from qa.skin.tails import Tail
from qa.skin.truth import (
    BETWEEN_CV,
    HYDRATION_LN_SD,
    LAYER_UM,
    WITHIN_SHARE,
    Account,
    SkinTruths,
    ln_sd_of,
    rate_under_tip,
    rates_of,
)

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

POWER: Final = 10
"""Two to this power points for each of the inputs and two more: some ten thousand treatments."""
CHANCE_MIN: Final = 1e-30  # below it a chance is none, and its logarithm says nothing
INPUTS: Final = {
    "rate": "removal rate",
    "suction_exponent": "exponent of suction",
    "flow_exponent": "exponent of crystal flow",
    "thickness": "mean thickness of the client",
    "layer": "thickness of a layer",
    "within": "spread of thickness within a site",
    "moisture": "moisture",
    "unit_flow": "true over measured flow of the unit",
}


@dataclass(frozen=True, slots=True)
class Index:
    """How much of the variance of one output one input decides, 0 to 1 but for chance."""

    name: str
    words: str
    first: float
    total: float


@dataclass(frozen=True, slots=True)
class Indices:
    """Of both outputs, the largest total first."""

    depth: tuple[Index, ...]
    log_chance: tuple[Index, ...]
    treatments: int


def indices(
    seed: int, configs: Path, account: Account = Account.POSTERIOR, tail: Tail | None = None
) -> Indices:
    """Return the indices of the standard program in an average hand."""
    row = Row(Group.PRESET, account=account)
    cell = cell_of(row if tail is None else replace(row, tail=tail), configs)
    maps = _doses(cell, np.random.default_rng(seed))
    done = sobol_indices(
        func=lambda shares: _outputs(cell, maps, account, shares),
        n=2**POWER,
        dists=[uniform()] * len(INPUTS),
        rng=np.random.default_rng(seed),
    )
    depth, log_chance = (
        tuple(
            sorted(
                (
                    Index(name, words, float(first), float(total))
                    for (name, words), first, total in zip(
                        INPUTS.items(), done.first_order[at], done.total_order[at], strict=True
                    )
                ),
                key=lambda each: -each.total,
            )
        )
        for at in (0, 1)
    )
    return Indices(depth, log_chance, 2**POWER * (len(INPUTS) + 2))


def _doses(cell: Cell, rng: np.random.Generator) -> list[Floats]:
    """Return the seconds under the tip of every place of each zone, by one hand."""
    maps = []
    for setting in cell.zones:
        hands = Strokers(paced(cell.habit, setting), setting.area_cm2, 1, rng)
        runs = run_zone(setting, hands, cell.arm, rng)
        maps.append(dose_map(runs, hands, slice(0, 1), rng))
    return maps


def _outputs(cell: Cell, maps: list[Floats], account: Account, shares: Array) -> Array:
    """Return mean depth and log chance for columns of evenly spread inputs."""
    skin, unit_flow = _clients(account, shares)
    n = unit_flow.size
    skins = Skins.empty(n)
    for setting, map_s in zip(cell.zones, maps, strict=True):
        rate = rate_under_tip(
            skin, setting.flow_g_per_min * unit_flow, np.full(n, setting.suction_kpa)
        )
        zone = Skins.empty(n)
        zone.add_zone(
            map_s * rate.astype(np.float32)[:, None, None],
            thickness_of(setting.zone) * skin.thickness_mean_um,
            skin.layer_um,
            skin.within_cv,
            skin_tables(cell.tail),
            cell.tail.correlation_mm**2,
        )
        skins.add(slice(0, n), zone)
    depth = skins.removed_um_mm2 / np.maximum(skins.treated_mm2, 1e-12)
    return np.stack((depth, np.log(np.maximum(skins.breach_chance, CHANCE_MIN))))


def _clients(account: Account, shares: Array) -> tuple[SkinTruths, Array]:
    """Return clients and units at these shares of each distribution."""
    inside = np.clip(shares, 1e-9, 1.0 - 1e-9)
    rate, suction, flow = rates_of(account, ndtri(inside[:3]))
    between = ln_sd_of(BETWEEN_CV)
    thickness = np.exp(between * ndtri(inside[3]) - between**2 / 2.0)
    within_low, within_high = WITHIN_SHARE
    share = within_low + (within_high - within_low) * inside[5]
    skin = SkinTruths(
        thickness_mean_um=thickness,
        layer_um=_triangular(inside[4]),
        within_cv=BETWEEN_CV * np.sqrt(share / (1.0 - share)),
        hydration=np.exp(HYDRATION_LN_SD * ndtri(inside[6])),
        rate_um_per_s=rate,
        suction_exponent=suction,
        flow_exponent=flow,
    )
    return skin, 1.0 - UNIT_FLOW_SHARE + 2.0 * UNIT_FLOW_SHARE * inside[7]


def _triangular(shares: Array) -> Array:
    low, usual, high = LAYER_UM
    turn = (usual - low) / (high - low)
    rising = low + np.sqrt(shares * (high - low) * (usual - low))
    falling = high - np.sqrt((1.0 - shares) * (high - low) * (high - usual))
    return np.where(shares < turn, rising, falling)
