"""Figures and their bounds, against scipy and against cases that are known."""

import numpy as np
import pytest
from scipy.stats import binomtest

from qa.campaigns.exposure.outcomes import FRACTIONS, SCALES, UNSCALED
from qa.campaigns.exposure.statistics import (
    Share,
    deepest_centiles,
    drawn_hits,
    effective_count,
    known_scales,
    usefulness,
    weighted_mean,
)


@pytest.mark.parametrize(("hits", "of"), [(0, 10), (1, 10), (3, 4000), (10, 10), (7, 40_000)])
def test_the_bound_of_a_count_is_the_one_sided_one_of_clopper_and_pearson(
    hits: int, of: int
) -> None:
    expected = binomtest(hits, of, alternative="less").proportion_ci(0.95, "exact")
    assert Share(hits, of).bound == pytest.approx(expected.high)
    lower = binomtest(hits, of, alternative="greater").proportion_ci(0.95, "exact").low
    assert Share(hits, of).least == pytest.approx(lower, abs=1e-12)


def test_three_breaches_in_forty_thousand_treatments_are_not_told_as_one_in_ten_thousand() -> None:
    assert Share(0, 40_000).bound < 1e-4 < Share(0, 29_000).bound
    assert Share(3, 40_000).bound == pytest.approx(1.94e-4, rel=0.01)


def test_weights_bring_a_tilted_sample_back() -> None:
    rng = np.random.default_rng(1)
    deviates = rng.standard_normal(40_000) + 2.0
    weights = np.exp(-2.0 * deviates + 2.0)
    rare = weighted_mean((deviates > 3.0).astype(float), weights)
    assert rare.value == pytest.approx(1.35e-3, abs=4.0 * rare.error)
    assert rare.error < 0.1 * rare.value
    assert 100.0 < effective_count(weights) < 40_000.0


def test_chance_decides_each_treatment_by_its_own_chance() -> None:
    rng = np.random.default_rng(2)
    share = drawn_hits(np.full(10_000, 0.3), rng)
    assert share.value == pytest.approx(0.3, abs=0.02)


def test_the_centiles_of_the_deepest_place_come_from_the_mixture_of_treatments() -> None:
    always_below = np.where(FRACTIONS < 0.2, 50.0, 0.0)
    deeper = np.tile(always_below, (100, 1))
    centiles = deepest_centiles(deeper, np.ones(100))
    assert all(0.15 < centile < 0.25 for centile in centiles)


def test_an_all_knowing_controller_gives_each_client_the_dose_of_the_same_chance() -> None:
    breaches = 1e-4 * (SCALES / SCALES[UNSCALED]) ** np.array([[4.0], [8.0]])
    scales = known_scales(breaches, 1e-2)
    assert scales == pytest.approx([100.0**0.25, 100.0**0.125], rel=0.02)


def test_usefulness_is_one_where_everybody_already_has_the_dose_of_the_same_chance() -> None:
    breaches = np.tile(1e-3 * (SCALES / SCALES[UNSCALED]) ** 5.0, (20, 1))
    assert usefulness(np.ones(20), breaches, np.ones(20)) == pytest.approx(1.0, abs=0.02)


def test_usefulness_falls_where_clients_differ_and_the_dose_does_not() -> None:
    levels = np.geomspace(1e-8, 1e-2, 20)[:, None]
    breaches = levels * (SCALES / SCALES[UNSCALED]) ** 5.0
    assert usefulness(np.ones(20), breaches, np.ones(20)) < 0.6
