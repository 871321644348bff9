"""Tails of skin: the same mean and spread, another shape."""

import numpy as np
import pytest

from qa.skin.grid import SkinGrid
from qa.skin.tails import (
    CENTRAL,
    SPOTS_AREA,
    TAILS,
    Shape,
    Tail,
    log_share_thicker,
    share_thinner,
    thickness_at,
)
from qa.skin.truth import SkinTruth, draw_truths, within_cv_of

MEAN = 12.0
SHAPED = [name for name, tail in TAILS.items() if tail.shape is not CENTRAL.shape]
THICKNESS = np.geomspace(1e-4, 1e4, 100_001)  # per mille of the mean to a thousand times
TRUTH = SkinTruth(MEAN, 1.0, 0.35, 1.0, 0.75, 0.7, 1.0)


def moments(tail: Tail, spread: float) -> tuple[float, float]:
    """Return mean and coefficient of variation, summed over fine steps of the distribution."""
    share = np.diff(share_thinner(tail, THICKNESS, MEAN, spread))
    middle = np.sqrt(THICKNESS[1:] * THICKNESS[:-1])
    mean = float((share * middle).sum())
    return mean, float(np.sqrt((share * middle**2).sum() - mean**2)) / mean


@pytest.mark.parametrize("spread", [0.23, 0.3, 0.39])
@pytest.mark.parametrize("name", TAILS)
def test_every_tail_has_the_mean_and_the_spread_that_it_was_asked_for(
    name: str, spread: float
) -> None:
    mean, found = moments(TAILS[name], spread)
    assert mean == pytest.approx(MEAN, rel=1e-3)
    assert found == pytest.approx(spread, rel=0.05 if name == "student-5" else 1e-3)


@pytest.mark.parametrize("name", [*SHAPED, "thin-spots"])
def test_every_other_shape_has_more_places_under_a_third_of_the_mean(name: str) -> None:
    thin = MEAN / 3.0
    usual = share_thinner(CENTRAL, thin, MEAN, 0.3)
    assert share_thinner(TAILS[name], thin, MEAN, 0.3) > 2.0 * usual


@pytest.mark.parametrize("tail", [*TAILS.values(), Tail(Shape.GAMMA, thin_spots=True)])
def test_thinner_and_thicker_places_are_all_of_the_skin(tail: Tail) -> None:
    at = np.array([2.0, 6.0, 12.0, 20.0])
    thinner = share_thinner(tail, at, MEAN, 0.35)
    assert thinner + np.exp(log_share_thicker(tail, at, MEAN, 0.35)) == pytest.approx(1.0)


@pytest.mark.parametrize("tail", [*TAILS.values(), Tail(Shape.STUDENT_5, thin_spots=True)])
def test_drawn_thickness_is_distributed_as_told(tail: Tail) -> None:
    rng = np.random.default_rng(1)
    field, spots = rng.standard_normal((2, 400_000))
    drawn = thickness_at(tail, field, MEAN, 0.35, spots)
    for thickness in (4.0, 6.0, 12.0, 20.0):
        told = float(share_thinner(tail, thickness, MEAN, 0.35))
        assert (drawn <= thickness).mean() == pytest.approx(told, abs=4.0 * (told / 4e5) ** 0.5)


def test_a_thickness_beyond_every_place_is_above_all_of_them_and_none_is_below() -> None:
    for tail in TAILS.values():
        assert share_thinner(tail, 0.0, MEAN, 0.35) == 0.0
        assert share_thinner(tail, 1e9, MEAN, 0.35) == pytest.approx(1.0)
        assert log_share_thicker(tail, 1e9, MEAN, 0.35) < -80.0


def test_the_t_has_no_place_under_a_tenth_of_its_middle_at_the_usual_spread() -> None:
    places = thickness_at(TAILS["student-5"], np.array([-38.0, 0.0]), MEAN, 0.35, np.zeros(2))
    assert places[0] / places[1] == pytest.approx(0.1, abs=0.01)


def test_a_grid_has_thin_spots_over_their_share_of_the_skin() -> None:
    def thickness(tail: Tail, seed: int) -> np.ndarray:
        return SkinGrid(150.0, TRUTH, np.random.default_rng(seed), tail=tail).thickness_um

    thinner = [
        thickness(TAILS["thin-spots"], seed) < 0.7 * thickness(CENTRAL, seed) for seed in range(4)
    ]
    assert np.mean(thinner) == pytest.approx(SPOTS_AREA, rel=0.2)


def test_a_grid_takes_the_share_within_a_site_from_its_tail() -> None:
    skin = SkinGrid(100.0, TRUTH, np.random.default_rng(1), tail=TAILS["within-0.74"])
    found = skin.thickness_um.std() / skin.thickness_um.mean()
    assert found == pytest.approx(within_cv_of(0.74), rel=0.05)


def test_streaks_take_more_from_half_of_the_skin_and_as_much_in_all() -> None:
    thick = SkinTruth(1000.0, 1.0, 0.1, 1.0, 0.75, 0.7, 1.0)
    skin = SkinGrid(120.0, thick, np.random.default_rng(1), tail=TAILS["streaks"], margin_mm=0.0)
    skin.depth_um[:] = 4.0
    columns = skin.settle(np.random.default_rng(2)).removed_um.mean(axis=0)
    assert columns.mean() == pytest.approx(4.0, rel=0.02)
    assert np.sort(columns)[[len(columns) // 4, -len(columns) // 4]] == pytest.approx(
        [2.0, 6.0], rel=0.05
    )


def test_a_hole_that_is_none_at_a_square_millimetre_is_harm_from_a_quarter_on() -> None:
    breached = []
    for tail in (CENTRAL, TAILS["harm-0.25"]):
        even = SkinTruth(5.0, 1.0, 1e-6, 1.0, 0.75, 0.7, 1.0)
        skin = SkinGrid(10.0, even, np.random.default_rng(1), tail=tail, cell_mm=0.5)
        skin.depth_um[5, 5] = 100.0
        breached.append(skin.settle(np.random.default_rng(2)).breached)
    assert breached == [False, True]


def test_the_spread_within_a_site_is_the_one_that_clients_are_drawn_with() -> None:
    drawn = draw_truths("cheek_left", 20_000, np.random.default_rng(1)).within_cv
    assert within_cv_of(0.5) <= drawn.min() < within_cv_of(0.51)
    assert within_cv_of(0.73) < drawn.max() <= within_cv_of(0.74)


def test_a_tail_is_told_by_what_differs_from_the_central_one() -> None:
    assert {name for name, tail in TAILS.items() if tail.words == name} >= set(TAILS) - {
        "flakes-0.1", "flakes-0.5",
    }  # fmt: skip
    assert Tail(Shape.GAMMA, harm_mm2=0.25).words == "gamma, harm-0.25"
    assert Tail(flake_mm=0.5).words == "flakes 0.5 mm, patches 2 mm"
