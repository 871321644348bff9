import dataclasses
import math

import numpy as np
import pytest

from qa.skin.grid import (
    CELL_MAX_MM,
    MARGIN_MM,
    WINDOW_RADIUS_MM,
    SkinGrid,
    stroke_angles,
)
from qa.skin.tails import Tail
from qa.skin.truth import Floats, SkinTruth, rate_under_tip
from simulator.plant.deposit import DepositRow
from simulator.plant.path import pass_length_of, position

TRUTH = SkinTruth(
    thickness_mean_um=12.0,
    layer_um=1.0,
    within_cv=0.35,
    hydration=1.2,
    rate_um_per_s=0.75,
    suction_exponent=0.7,
    flow_exponent=1.0,
)
EVEN = dataclasses.replace(TRUTH, within_cv=0.0)
SIDE_MM = 30.0
RATE = rate_under_tip(TRUTH, 8.0, 25.0)
WINDOW_MM2 = math.pi * WINDOW_RADIUS_MM**2


def grid(truth: SkinTruth = TRUTH, seed: int = 1, side_mm: float = SIDE_MM) -> SkinGrid:
    return SkinGrid(side_mm, truth, np.random.default_rng(seed))


def at(x_mm: float, y_mm: float, seconds: float = 1.0, stroke: int = 0) -> DepositRow:
    return DepositRow(x_mm, y_mm, 8.0, 25.0, seconds, stroke)


def strokes(passes: float) -> list[DepositRow]:
    step_mm = 0.15
    steps = round(passes * pass_length_of(SIDE_MM, 3.0) / step_mm)
    walk = (position(step * step_mm, SIDE_MM, 3.0, 0.0) for step in range(steps))
    return [at(x_mm, y_mm, 0.005) for x_mm, y_mm in walk]


def distances_mm(skin: SkinGrid, x_mm: float, y_mm: float) -> Floats:
    centres = (np.arange(skin.cells) + 0.5) * skin.cell_mm - skin.margin_mm
    far: Floats = np.hypot(centres[None, :] - x_mm, centres[:, None] - y_mm)
    return far


def inside(skin: SkinGrid, margin_mm: float = 0.0) -> Floats:
    first = math.ceil((skin.margin_mm + margin_mm) / skin.cell_mm)
    last = math.floor((skin.margin_mm + SIDE_MM - margin_mm) / skin.cell_mm)
    return skin.depth_um[first:last, first:last]


def correlation(maps: list[Floats], lag: int) -> float:
    """Of cells that are ``lag`` cells apart in a row."""
    here = np.concatenate([one[:, lag:].ravel() for one in maps])
    there = np.concatenate([one[:, :-lag].ravel() for one in maps])
    return float(np.corrcoef(here, there)[0, 1])


@pytest.mark.parametrize("place", [(10.0, 20.0), (7.13, 3.31)])
def test_a_tip_that_stands_still_removes_rate_times_time_all_over_its_window(
    place: tuple[float, float],
) -> None:
    skin = grid()
    skin.expose([at(*place, seconds=0.5)] * 4)
    far = distances_mm(skin, *place)
    assert skin.depth_um[far < WINDOW_RADIUS_MM - 1.0] == pytest.approx(2.0 * RATE)
    assert skin.depth_um[far > WINDOW_RADIUS_MM + 1.0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("place", [(15.0, 15.0), (0.0, 0.0), (29.87, 14.11)])
def test_no_depth_is_lost_or_made(place: tuple[float, float]) -> None:
    skin = grid()
    skin.expose([at(*place, seconds=3.0)])
    removed = skin.depth_um.sum() * skin.cell_mm**2
    assert removed == pytest.approx(3.0 * RATE * WINDOW_MM2)
    assert skin.missed_um_mm2 == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("x_mm", [-MARGIN_MM, SIDE_MM + MARGIN_MM, -100.0, 1000.0])
def test_what_lands_beyond_the_grid_is_counted_and_does_not_come_in_on_the_other_side(
    x_mm: float,
) -> None:
    skin = grid()
    skin.expose([at(x_mm, 15.0)])
    removed = skin.depth_um.sum() * skin.cell_mm**2
    assert removed + skin.missed_um_mm2 == pytest.approx(RATE * WINDOW_MM2)
    assert skin.missed_um_mm2 > 0.4 * RATE * WINDOW_MM2
    assert skin.depth_um[distances_mm(skin, x_mm, 15.0) > 4.0].max() < 1e-9


def test_rows_and_columns_are_y_and_x() -> None:
    skin = grid()
    skin.expose([at(25.0, 5.0)])
    row, column = np.unravel_index(np.argmax(skin.depth_um), skin.depth_um.shape)
    assert column > row


def test_a_perfect_hand_wears_the_inside_of_the_zone_evenly() -> None:
    skin = grid()
    skin.expose(strokes(2.0))
    inner = inside(skin, margin_mm=5.0)
    assert inner.max() / inner.mean() < 1.2
    lane_mm = SIDE_MM / math.ceil(SIDE_MM / 3.0)
    assert inner.mean() == pytest.approx(2 * RATE * WINDOW_MM2 / (30.0 * lane_mm), rel=0.02)


def test_an_angle_for_each_stroke_is_a_factor_on_its_depth() -> None:
    rows = [at(5.0, 5.0, stroke=3), at(25.0, 25.0, stroke=7), at(5.0, 5.0, stroke=3)]
    skin = grid()
    skin.expose(rows, stroke_angles(rows, np.array([0.5, 2.0])))
    assert skin.depth_um[distances_mm(skin, 5.0, 5.0) < 1.0] == pytest.approx(2 * 0.5 * RATE)
    assert skin.depth_um[distances_mm(skin, 25.0, 25.0) < 1.0] == pytest.approx(2.0 * RATE)


def test_a_table_of_five_columns_does_as_rows_do_and_no_rows_do_nothing() -> None:
    by_rows, by_table = grid(), grid()
    by_rows.expose(strokes(0.2))
    by_table.expose(np.array(strokes(0.2))[:, :5])
    assert np.array_equal(by_rows.depth_um, by_table.depth_um)
    by_rows.expose([])
    assert np.array_equal(by_rows.depth_um, by_table.depth_um)


def test_the_thickness_has_the_mean_and_the_spread_of_the_truth() -> None:
    cells = np.array([grid(seed=seed, side_mm=60.0).thickness_um for seed in range(4)])
    assert cells.mean() == pytest.approx(12.0, rel=0.02)
    assert cells.std() / cells.mean() == pytest.approx(0.35, rel=0.05)
    assert cells.min() > 0.0


@pytest.mark.parametrize("length_mm", [1.0, 2.0, 4.0])
def test_the_thickness_is_correlated_over_the_length_that_is_asked_for(length_mm: float) -> None:
    rng = np.random.default_rng(1)
    logs = [
        np.log(SkinGrid(60.0, TRUTH, rng, tail=Tail(correlation_mm=length_mm)).thickness_um)
        for _ in range(4)
    ]
    for lag in (1, 2, 4, 8):
        expected = math.exp(-((lag * CELL_MAX_MM / length_mm) ** 2))
        assert correlation(logs, lag) == pytest.approx(expected, abs=0.06)


def test_without_correlation_each_cell_is_on_its_own() -> None:
    rng = np.random.default_rng(1)
    logs = np.log(SkinGrid(60.0, TRUTH, rng, tail=Tail(correlation_mm=0.0)).thickness_um)
    assert correlation([logs], 1) == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("layer_um", [0.5, 1.3])
def test_layers_are_lost_by_chance_with_the_mean_and_variance_of_poisson(layer_um: float) -> None:
    truth = dataclasses.replace(EVEN, thickness_mean_um=1000.0, layer_um=layer_um)
    skin = grid(truth)
    skin.depth_um[:] = 4.0
    layers = skin.settle(np.random.default_rng(2)).removed_um / layer_um
    assert layers.mean() == pytest.approx(4.0 / layer_um, rel=0.02)
    assert layers.var() == pytest.approx(4.0 / layer_um, rel=0.05)
    assert layers == pytest.approx(np.round(layers))


def test_no_more_is_removed_than_there_was_and_what_is_gone_is_lost() -> None:
    skin = grid()
    skin.depth_um[:] = 8.0
    outcome = skin.settle(np.random.default_rng(3))
    assert (outcome.removed_um <= outcome.thickness_um).all()
    assert np.array_equal(outcome.lost, outcome.removed_um == outcome.thickness_um)
    assert 0.0 < outcome.lost_share < 0.5
    assert outcome.deepest_fraction == 1.0
    assert outcome.lost_share == pytest.approx(outcome.lost.mean())


def test_how_often_a_place_is_lost_is_what_poisson_says() -> None:
    truth = dataclasses.replace(EVEN, thickness_mean_um=5.5)
    skin = grid(truth)
    skin.depth_um[:] = 3.0
    below_six = sum(math.exp(-3.0) * 3.0**n / math.factorial(n) for n in range(6))
    outcome = skin.settle(np.random.default_rng(4))
    assert outcome.lost_share == pytest.approx(1.0 - below_six, abs=0.01)


def test_a_tip_that_stays_breaches_and_the_breach_has_the_size_of_the_window() -> None:
    skin = grid(EVEN)
    skin.expose([at(15.0, 15.0, seconds=60.0)])
    outcome = skin.settle(np.random.default_rng(5))
    assert outcome.breached
    assert outcome.largest_lost_mm2 == pytest.approx(WINDOW_MM2, rel=0.15)
    assert outcome.lost_share > 0.7


def test_skin_that_nothing_touched_is_whole() -> None:
    outcome = grid().settle(np.random.default_rng(6))
    assert (outcome.lost_share, outcome.largest_lost_mm2, outcome.deepest_fraction) == (0, 0, 0)
    assert not outcome.breached


def test_the_same_seed_gives_the_same_skin_and_the_same_loss() -> None:
    first, second, other = grid(seed=1), grid(seed=1), grid(seed=2)
    assert np.array_equal(first.thickness_um, second.thickness_um)
    assert not np.array_equal(first.thickness_um, other.thickness_um)
    for skin in (first, second):
        skin.expose(strokes(1.0))
    lost = [skin.settle(np.random.default_rng(7)).removed_um for skin in (first, second)]
    assert np.array_equal(lost[0], lost[1])


@pytest.mark.parametrize("cell_mm", [0.51, 0.0, -0.5, math.nan])
def test_cells_wider_than_half_a_millimetre_are_refused(cell_mm: float) -> None:
    with pytest.raises(ValueError, match=r"at most 0\.5"):
        SkinGrid(SIDE_MM, TRUTH, np.random.default_rng(1), cell_mm=cell_mm)


def test_finer_cells_give_the_same_depth() -> None:
    coarse = grid()
    fine = SkinGrid(SIDE_MM, TRUTH, np.random.default_rng(1), cell_mm=0.25)
    for skin in (coarse, fine):
        skin.expose(strokes(1.0))
    means = [skin.depth_um.sum() * skin.cell_mm**2 for skin in (coarse, fine)]
    assert means[0] == pytest.approx(means[1])
    assert coarse.depth_um.max() == pytest.approx(fine.depth_um.max(), rel=0.05)
