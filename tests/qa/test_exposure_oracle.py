"""Formulas and tables of controller and campaigns, against an oracle that shares no code with them.

Every count has exact bounds, and every seed is fixed: what passes once passes always.
"""

import ast
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.safety.breach import Layered, breach_risk
from controller.safety.exposure import ZoneLedger
from controller.safety.removal import Moisture, Motion
from qa.campaigns.exposure.outcomes import Skins as CampaignSkins
from qa.campaigns.exposure.population import NO_TILT, TOWARDS_BREACH, Tilt, draw_clients
from qa.campaigns.exposure.statistics import weighted_mean
from qa.campaigns.exposure.tables import (
    SPREAD_STEPS,
    SPREADS,
    THICKNESS_LAYERS,
    THICKNESS_STEPS,
    SkinTables,
    blend,
    dose_centres,
    skin_tables,
)
from qa.skin.sites import thickness_of
from qa.skin.tails import TAILS
from qa.skin.truth import Account, rate_under_tip
from tests.proof import exposure_oracle as oracle
from tests.proof.exposure_oracle import Counted, People, Removal, Shape, Skins

SURE = 0.999  # of the bounds: a few dozen comparisons stand here
MAY_IMPORT = {"collections", "dataclasses", "enum", "math", "numpy", "typing"}
TABLES: dict[Shape, Callable[[], SkinTables]] = {
    Shape.LOGNORMAL: lambda: skin_tables(TAILS["lognormal"]),
    Shape.GAMMA: lambda: skin_tables(TAILS["gamma"]),
    Shape.LOG_T5: lambda: skin_tables(TAILS["student-5"]),
}
"""The tables of each shape of the thickness that campaigns know; a row more is tested likewise."""
PATCH_MM, PATCH_MM2 = 2.0, 4.0
NODE_THIN = (15, 8)  # row of mean thickness, row of spread: what the tables hold without blending
NODE_THICK = (20, 4)
REMOVAL = Removal(rate_ref_um_per_s=2.54, flow_exponent=0.86, suction_exponent=0.57)
"""What configs/skin/removal.toml says, once more."""
LOWEST = Removal()
"""What the account of the lowest plausible rate says."""
CHEEK, FLOW_G_PER_MIN, SUCTION_KPA = "cheek_left", 8.0, 25.0
MODEL = replace(load_skin(shipped_configs()).model, crystal_um=100.0, moisture=Moisture.DRY)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def node(place: tuple[int, int]) -> tuple[float, float]:
    """Return mean thickness in layers and spread of one row of the tables."""
    means = np.geomspace(*THICKNESS_LAYERS, THICKNESS_STEPS)
    return float(means[place[0]]), float(np.linspace(*SPREADS, SPREAD_STEPS)[place[1]])


def column(layers: float) -> int:
    """Return the column of the tables whose dose is nearest."""
    return int(np.abs(np.log(dose_centres() / layers)).argmin())


def tabled(shape: Shape, name: str, mean_layers: float, spread: float, at: int) -> float:
    """Return one value of the campaigns' tables."""
    tables = TABLES[shape]()
    rows, parts = tables.rows(np.array([mean_layers]), np.array([spread]))
    return float(np.exp(blend(getattr(tables, name), rows, parts)[0][at]))


@cache
def patches(shape: Shape, mean_layers: float, spread: float, at: int) -> Counted:
    """Count patches with a breach among many drawn ones, each by itself."""
    layer_um = 0.9  # any: only the quotients count
    skins = Skins.same(40_000, mean_layers * layer_um, spread, layer_um, shape)
    dose_um = np.array(dose_centres()[at] * layer_um)
    return oracle.count_breached(skins, dose_um, PATCH_MM, rng())[0]


def test_the_oracle_imports_nothing_of_what_it_judges() -> None:
    tree = ast.parse(Path(oracle.__file__).read_text("utf-8"))
    names = {
        name.split(".")[0]
        for found in ast.walk(tree)
        if isinstance(found, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in found.names]
            if isinstance(found, ast.Import)
            else ["." * found.level + (found.module or "")]
        )
    }
    assert names == MAY_IMPORT


def test_the_bounds_of_nothing_seen_and_of_all_seen_are_the_closed_ones() -> None:
    for low, high in (Counted(0, 50).bounds(), [1.0 - at for at in Counted(50, 50).bounds()][::-1]):
        assert low == 0.0
        assert high == pytest.approx(1.0 - 0.025 ** (1.0 / 50.0), rel=1e-9)


def test_the_bounds_of_three_in_ten_are_those_that_are_printed_in_tables() -> None:
    assert Counted(3, 10).bounds() == pytest.approx((0.0667, 0.6525), abs=1e-4)


def test_a_group_is_what_touches_by_its_sides_within_one_zone() -> None:
    rows = ["110011", "001010", "101110", "110000"]
    zone = np.array([[mark == "1" for mark in row] for row in rows])
    assert oracle.largest_groups(np.stack((zone, ~zone, zone & False))).tolist() == [7, 6, 0]


@pytest.mark.parametrize("shape", Shape)
def test_drawn_thickness_has_the_mean_and_the_spread_that_are_asked_for(shape: Shape) -> None:
    drawn = Skins.same(400_000, 11.0, 0.35, 1.0, shape).thickness_um((), rng())
    assert drawn.mean() == pytest.approx(11.0, rel=0.004)
    assert drawn.std() / drawn.mean() == pytest.approx(0.35, rel=0.05)  # of a cut t, nearly


def test_more_patches_are_very_thin_where_the_shape_has_a_heavier_lower_tail() -> None:
    thin = {
        shape: float(
            (Skins.same(400_000, 11.0, 0.3, 1.0, shape).thickness_um((), rng()) < 4.0).mean()
        )
        for shape in Shape
    }
    assert 3.0 * thin[Shape.LOGNORMAL] < thin[Shape.GAMMA]
    assert 3.0 * thin[Shape.LOGNORMAL] < thin[Shape.LOG_T5]


@pytest.mark.hazard("H01")
@pytest.mark.parametrize(
    ("shape", "place", "layers"),
    [(Shape.LOGNORMAL, NODE_THIN, at) for at in (3.0, 3.5, 4.2, 5.4, 7.0)]
    + [(Shape.LOGNORMAL, NODE_THICK, at) for at in (5.9, 6.4, 7.0, 8.4, 10.0)]
    + [(Shape.GAMMA, NODE_THIN, 3.0), (Shape.GAMMA, NODE_THICK, 7.0)]
    + [(Shape.LOG_T5, NODE_THIN, 3.5), (Shape.LOG_T5, NODE_THICK, 7.0)],
)
def test_a_row_of_the_tables_says_how_many_drawn_patches_have_a_breach(
    shape: Shape, place: tuple[int, int], layers: float
) -> None:
    at = column(layers)
    counted = patches(shape, *node(place), at)
    per_mm2 = counted.hits / counted.of / PATCH_MM2
    assert 1e-3 < per_mm2 < 0.25
    low, high = counted.bounds(SURE)
    assert low <= tabled(shape, "log_breach", *node(place), at) * PATCH_MM2 <= high


@pytest.mark.parametrize("shape", TABLES)
@pytest.mark.parametrize(("mean_layers", "spread"), [(10.0, 0.23), (8.2, 0.33)])
@pytest.mark.parametrize("share_of_mean", [0.45, 0.55, 0.7])
def test_between_its_rows_a_table_is_not_high_and_at_most_a_tenth_low_where_breaches_can_be_counted(
    shape: Shape, mean_layers: float, spread: float, share_of_mean: float
) -> None:
    """Logarithms of chances bend downwards between two rows, and the table goes straight."""
    at = column(share_of_mean * mean_layers)
    low, high = patches(shape, mean_layers, spread, at).bounds(SURE)
    assert 0.9 * low <= tabled(shape, "log_breach", mean_layers, spread, at) * PATCH_MM2 <= high


def test_where_breaches_are_rare_a_table_is_at_most_a_third_low_between_its_rows() -> None:
    """Told by leaving out every second row: a straight line over half of it errs by a quarter."""
    logs = (
        TABLES[Shape.LOGNORMAL]()
        .log_breach.reshape(THICKNESS_STEPS, SPREAD_STEPS, -1)
        .astype(float)
    )
    means = np.geomspace(*THICKNESS_LAYERS, THICKNESS_STEPS)[1:-1]
    inner = logs[1:-1, 1:-1]
    bend = inner - (logs[:-2, 1:-1] + logs[2:, 1:-1]) / 2.0
    bend += inner - (logs[1:-1, :-2] + logs[1:-1, 2:]) / 2.0
    faces = ((means > 6.0) & (means < 16.0))[:, None, None]
    low = (bend / 4.0)[faces & (inner > math.log(1e-8)) & (inner < math.log(1e-2))]
    assert math.exp(-low.mean()) > 0.9
    assert math.exp(-low.max()) > 2.0 / 3.0


@pytest.mark.parametrize("shape", TABLES)
@pytest.mark.parametrize("place", [NODE_THIN, NODE_THICK])
@pytest.mark.parametrize("layers", [1.5, 3.0, 6.0])
def test_the_share_that_is_lost_is_what_points_lose(
    shape: Shape, place: tuple[int, int], layers: float
) -> None:
    mean_layers, spread = node(place)
    at = column(layers)
    points = Skins.same(400_000, mean_layers, spread, 1.0, shape)
    low, high = oracle.count_points_gone(points, float(dose_centres()[at]), 0.0, rng()).bounds(SURE)
    assert low <= tabled(shape, "log_lost", mean_layers, spread, at) <= high


@pytest.mark.parametrize(("mean_layers", "spread", "layers"), [(10.0, 0.23, 5.4), (8.2, 0.33, 3.2)])
def test_what_joins_across_patches_adds_at_most_a_quarter_to_the_breaches(
    mean_layers: float, spread: float, layers: float
) -> None:
    """The tables leave it out: patches fail alone there."""
    skins = Skins.same(2_000, mean_layers, spread, 1.0, Shape.LOGNORMAL)
    inside, anywhere = oracle.count_breached(skins, np.array(layers), 12.0, rng())
    assert inside.hits < anywhere.hits
    assert anywhere.per_mm2(144.0)[0] < 1.25 * inside.per_mm2(144.0)[1]
    assert anywhere.hits < 1.25 * inside.hits


def told_chance(seconds: float, tilt: Tilt) -> float:
    """Return what campaigns say of 18 mm square on a cheek, at the lowest plausible rate."""
    n = 12_000
    clients = draw_clients(n, Account.LOWEST, rng(2), tilt)
    flow = FLOW_G_PER_MIN * clients.unit_flow
    rate = rate_under_tip(clients.skin, flow, np.full(n, SUCTION_KPA))
    depth_um = np.full((n, 12, 12), seconds) * rate[:, None, None]  # places of 1.5 mm
    skins = CampaignSkins.empty(n)
    skins.add_zone(
        depth_um.astype(np.float32), thickness_of(CHEEK) * clients.skin.thickness_mean_um,
        clients.skin.layer_um, clients.skin.within_cv, skin_tables(TAILS["lognormal"]), PATCH_MM2,
    )  # fmt: skip
    return weighted_mean(skins.breach_chance, clients.weight).value


@pytest.mark.hazard("H01")
def test_the_chance_of_a_whole_treatment_is_what_counted_treatments_have() -> None:
    seconds = 5.0
    depth_um = LOWEST.rate_um_per_s(FLOW_G_PER_MIN, SUCTION_KPA) * seconds
    inside, anywhere = oracle.count_treatments(
        People(thickness_of(CHEEK)), depth_um, 18.0, 4_000, rng(3)
    )
    assert inside.hits > 100
    for counted in (inside, anywhere):
        low, high = counted.bounds(SURE)
        assert low <= told_chance(seconds, NO_TILT) <= high


@pytest.mark.hazard("H01")
def test_it_still_is_where_one_treatment_in_ten_thousand_has_a_breach() -> None:
    """Both draw thin and moist skin more often, each in its own way."""
    seconds = 2.0
    depth_um = LOWEST.rate_um_per_s(FLOW_G_PER_MIN, SUCTION_KPA) * seconds
    chance, error = oracle.rare_treatments(
        People(thickness_of(CHEEK)), depth_um, 18.0, 6_000, rng(3)
    )
    assert chance < 1e-4
    assert error < 0.25 * chance
    assert abs(told_chance(seconds, TOWARDS_BREACH[Account.LOWEST]) - chance) < 3.0 * error


@pytest.mark.hazard("H01")
@pytest.mark.parametrize(
    ("bound_um", "skin", "error_ln_sd"),
    [
        (3.15, Layered(9.0, 1.0, 0.373), 0.9),
        (4.2, Layered(12.0, 4.0 / 3.0, 0.45), 0.9),
        (4.0, Layered(10.0, 0.77, 0.33), 0.3),
        (8.0, Layered(10.0, 1.0, 0.40), 1.2),
    ],
)
def test_the_share_at_risk_of_the_controller_is_what_drawn_points_lose(
    bound_um: float, skin: Layered, error_ln_sd: float
) -> None:
    points = Skins.same(1_000_000, skin.thickness_um, skin.local_cv, skin.layer_um, Shape.LOGNORMAL)
    low, high = oracle.count_points_gone(points, bound_um, error_ln_sd, rng()).bounds(SURE)
    assert low <= breach_risk(bound_um, skin, error_ln_sd) <= high


@pytest.mark.hazard("H01")
@pytest.mark.parametrize(
    ("flow_g_per_min", "suction_kpa", "crystal_um"),
    [(10.0, 30.0, 100.0), (6.0, 20.0, 100.0), (12.0, 55.0, 100.0), (9.0, 25.0, 125.0)],
)
def test_the_ledger_counts_the_depth_of_a_steady_course(
    flow_g_per_min: float, suction_kpa: float, crystal_um: float
) -> None:
    area_cm2, steps, step_s = 27.0, 600, 0.05
    model = replace(MODEL, crystal_um=crystal_um)
    ledger = ZoneLedger("chin", 1e6, 1e6, area_cm2, model, motion_sensor=True)
    for _ in range(steps):
        ledger.add(flow_g_per_min, suction_kpa, step_s, Motion.MOVING)
    rate = REMOVAL.rate_um_per_s(flow_g_per_min, suction_kpa, crystal_um)
    wanted_um = REMOVAL.zone_depth_um(rate, steps * step_s, area_cm2)
    assert ledger.nominal_um == pytest.approx(wanted_um, rel=1e-9)


@pytest.mark.parametrize("speed_mm_per_s", [15.0, 30.0])
def test_lanes_side_by_side_remove_what_the_ledger_counts_for_their_time(
    speed_mm_per_s: float,
) -> None:
    area_cm2, rate = 18.0, REMOVAL.rate_um_per_s(10.0, 30.0)
    once_s = area_cm2 * 100.0 / (REMOVAL.window_mm * speed_mm_per_s)
    ledger = ZoneLedger("chin", 1e6, 1e6, area_cm2, MODEL, motion_sensor=True)
    ledger.add(10.0, 30.0, once_s, Motion.MOVING)
    stroked_um = REMOVAL.stroked_depth_um(rate, speed_mm_per_s)
    assert stroked_um == pytest.approx(REMOVAL.pass_depth_um(rate, speed_mm_per_s), rel=1e-3)
    assert ledger.nominal_um == pytest.approx(stroked_um, rel=1e-3)


def test_the_mean_removal_of_the_campaigns_is_the_same_power_law() -> None:
    clients = draw_clients(1, Account.LOWEST, rng())
    skin = replace(clients.skin, hydration=np.ones(1))
    for flow_g_per_min, suction_kpa in ((10.0, 30.0), (6.0, 20.0), (12.0, 60.0)):
        found = rate_under_tip(skin, np.array([flow_g_per_min]), np.array([suction_kpa]))
        wanted = LOWEST.rate_um_per_s(flow_g_per_min, suction_kpa)
        assert math.isclose(float(found[0]), wanted, rel_tol=1e-9)
