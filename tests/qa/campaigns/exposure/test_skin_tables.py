"""Tables of what a dose does to skin, against skin that was really drawn."""

import numpy as np
import pytest

from qa.campaigns.exposure import patch_loss
from qa.campaigns.exposure.patch_loss import (
    CORRELATIONS_MM,
    FLAKES_MM,
    SHARES,
    Structure,
    drawn_chance,
    largest,
)
from qa.campaigns.exposure.tables import (
    BINS_PER_OCTAVE,
    LAYERS_MIN,
    blend,
    dose_centres,
    skin_tables,
    thickness_weights,
)
from qa.skin.grid import SkinGrid
from qa.skin.tails import CENTRAL
from qa.skin.truth import SkinTruth

SIDE_MM = 50.0


def at_dose(table: np.ndarray, layers: float, mean_layers: float, spread: float) -> float:
    """Return one value of a table of logarithms, between its columns."""
    rows, parts = skin_tables(CENTRAL).rows(np.array([mean_layers]), np.array([spread]))
    logs = blend(table, rows, parts)[0]
    column = np.log2(layers / LAYERS_MIN) * BINS_PER_OCTAVE - 0.5
    return float(np.exp(np.interp(column, np.arange(logs.size), logs)))


@pytest.mark.parametrize("number", [8, 16, 22])
@pytest.mark.parametrize(("flake_mm", "patch_mm"), [(0.5, 2.0), (0.25, 2.0), (0.25, 4.0)])
def test_the_chance_of_a_connected_square_millimetre_is_what_drawing_it_again_gives(
    flake_mm: float, patch_mm: float, number: int
) -> None:
    share = float(SHARES[number])
    drawn = drawn_chance(share, Structure(flake_mm, patch_mm), np.random.default_rng(1))
    told = float(np.exp(patch_loss.patch_loss(flake_mm, patch_mm).log_chance(np.log(share))))
    count = 40_000.0 / patch_mm**2
    assert drawn == pytest.approx(told, abs=5.0 * (max(told, 1e-3) / count) ** 0.5)


def test_a_table_was_drawn_for_every_structure_that_campaigns_look_at() -> None:
    for flake_mm in FLAKES_MM:
        for patch_mm in CORRELATIONS_MM:
            chances = np.exp(patch_loss.patch_loss(flake_mm, patch_mm).log_chances)
            assert np.all(np.diff(chances) > -0.05)
            assert chances[-1] > 0.99


def test_the_largest_group_counts_cells_that_touch_by_their_sides_only() -> None:
    lost = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1], [1, 1, 0, 1]], dtype=bool)
    assert largest(lost) == 4
    assert largest(np.zeros((3, 3), bool)) == 0


def test_the_share_of_skin_of_each_number_of_layers_sums_to_all_of_it() -> None:
    weights = thickness_weights(np.array([4.0, 12.0]), np.array([0.4, 0.2]))
    assert weights.sum(axis=1) == pytest.approx(1.0)
    mean = (weights * (np.arange(weights.shape[1]) + 0.5)).sum(axis=1)
    assert mean == pytest.approx([4.0, 12.0], rel=0.02)


def test_more_dose_never_means_less_loss_and_more_thickness_never_more() -> None:
    tables = skin_tables(CENTRAL)
    for table in (tables.log_breach, tables.log_lost, tables.shallower):
        assert np.all(np.diff(table, axis=1) >= -1e-4)
    thin = at_dose(tables.log_lost, 2.0, 7.0, 0.3)
    thick = at_dose(tables.log_lost, 2.0, 14.0, 0.3)
    assert thick < thin


@pytest.mark.parametrize(("layers", "spread"), [(4.0, 0.23), (2.5, 0.35), (4.0, 0.35)])
def test_the_tables_say_what_drawn_skin_loses(layers: float, spread: float) -> None:
    """Plain sampling: correlated fields, Poisson layers, connected areas."""
    rng = np.random.default_rng(3)
    truth = SkinTruth(10.0, 1.0, spread, 1.0, 0.75, 0.7, 1.0)
    grain = CENTRAL
    lost, hits, drawn = [], 0, 25
    for _ in range(drawn):
        skin = SkinGrid(
            SIDE_MM, truth, rng, tail=grain, margin_mm=0.0,
            cell_mm=grain.flake_mm,
        )  # fmt: skip
        skin.depth_um[:] = layers
        outcome = skin.settle(rng)
        lost.append(float(outcome.lost.mean()))
        hits += outcome.breached
    tables = skin_tables(grain)
    assert np.mean(lost) == pytest.approx(at_dose(tables.log_lost, layers, 10.0, spread), rel=0.12)
    per_mm2 = at_dose(tables.log_breach, layers, 10.0, spread)
    chance = 1.0 - np.exp(-per_mm2 * SIDE_MM**2)
    low, high = chance / 4.0, min(1.0, chance * 4.0)  # patches are squares, fields are not
    assert low - 0.1 <= hits / drawn <= high + 0.1


def test_the_columns_of_a_table_are_a_fixed_factor_apart() -> None:
    centres = dose_centres()
    assert centres[1:] / centres[:-1] == pytest.approx(2.0 ** (1.0 / BINS_PER_OCTAVE))
