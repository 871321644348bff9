"""What follows from anchors: censored where they are, and nowhere more than they say."""

from math import log, pi, sqrt
from pathlib import Path

import numpy as np
import pytest

from qa.anchors.belief import belief_of, numbers_of
from qa.anchors.experiment import depth_um, seconds_to, seconds_under_tip
from qa.anchors.posterior import (
    ASSUMED_FROM,
    OPEN,
    PER_DOSE,
    AnchorsDisagreeError,
    Posterior,
    posterior_of,
)
from qa.anchors.rows import Anchor, load_anchors
from tests.qa.anchors.anchors import MEASURED, file_with, shipped

DRAWS = 60_000
FLAT = {
    "corneum_um": np.array([12.0]),
    "gradient": np.array([0.0]),
    "epidermis_um": np.array([60.0]),
    "epidermis_over_corneum": np.array([2.0]),
}


def known(posterior: Posterior, name: str) -> tuple[float, ...]:
    return next(each.posterior for each in posterior.known() if each.name == name)


def test_without_a_gradient_the_corneum_goes_at_its_rate_and_the_epidermis_at_its_own() -> None:
    rate = np.array([0.6])
    assert seconds_to("stratum corneum", rate, FLAT) == pytest.approx(20.0)
    assert seconds_to("epidermis", rate, FLAT) == pytest.approx(20.0 + 60.0 / 1.2)
    assert depth_um(rate, 10.0, FLAT) == pytest.approx(6.0, rel=1e-6)
    assert depth_um(rate, 30.0, FLAT) == pytest.approx(12.0 + 10.0 * 1.2, rel=1e-6)


def test_a_gradient_slows_the_last_of_the_corneum_and_leaves_its_first() -> None:
    draws = {**FLAT, "gradient": np.array([1.0])}
    rate = np.array([0.6])
    assert seconds_to("stratum corneum", rate, draws) == pytest.approx(30.0)
    assert depth_um(rate, 30.0, draws) == pytest.approx(12.0)
    assert depth_um(rate, 0.1, draws) == pytest.approx(0.06, rel=0.01)
    assert depth_um(rate, 15.0, draws) > 6.0


def test_a_moving_tip_is_over_a_point_for_its_mean_chord_in_each_pass() -> None:
    fields = {"name": "m", "seen": "s", "likelihood": "none", "why_not": "w", "cite": "c",
              "read": "r", "suction_kpa": 30.0, "passes": 4, "speed_mm_per_s": 30.0}  # fmt: skip
    assert seconds_under_tip(Anchor.model_validate(fields)) == pytest.approx(4 * pi / 4 * 6 / 30)


def test_an_observation_that_is_at_least_so_much_lifts_the_lower_end_and_not_the_upper_one() -> (
    None
):
    rate = next(each for each in posterior_of(shipped(), DRAWS).known() if "rate_um" in each.name)
    assert rate.posterior[0] > 1.7 * rate.prior[0]
    assert rate.posterior[-1] == pytest.approx(rate.prior[-1], rel=0.05)


def test_through_the_mask_the_rate_is_what_an_independent_review_found() -> None:
    # Of A1 and A2 alone it found a median of 1.2 to 1.4 and 0.5 to 2.5 µm/s, by priors of its own.
    by_prior = {}
    file = shipped()
    for other in (None, *file.other_rates):
        found = known(posterior_of(file, DRAWS, rate=other), "rate_um_per_s")
        by_prior["" if other is None else other.name] = found
    assert by_prior["grain by grain"][2] == pytest.approx(1.35, abs=0.15)
    assert by_prior[""][2] == pytest.approx(1.65, abs=0.15)
    assert all(0.5 < found[0] < 1.0 for found in by_prior.values())


def test_what_the_anchors_say_nothing_about_is_called_assumed() -> None:
    assumed = {each.name for each in posterior_of(shipped(), DRAWS).known() if each.assumed}
    assert {"open_over_masked", "flow_g_per_min", "gradient"} <= assumed
    assert not assumed & {"rate_um_per_s", OPEN}
    assert ASSUMED_FROM == 0.9


def test_a_measured_depth_moves_the_rate_to_what_it_says(tmp_path: Path) -> None:
    more = MEASURED.format(depth_um=4.0, sd_um=1.0)
    before = posterior_of(shipped(), DRAWS)
    after = posterior_of(load_anchors(file_with(tmp_path, more=more)), DRAWS)
    assert 0.9 < known(after, OPEN)[2] < 0.5 * known(before, OPEN)[2]
    narrower = belief_of(after).rate_ln_sd / belief_of(before).rate_ln_sd
    assert narrower < 0.75


def test_the_same_seed_gives_the_same_figures_and_another_seed_nearly_so() -> None:
    one, same, other = (posterior_of(shipped(), DRAWS, seed) for seed in (1, 1, 2))
    assert known(one, OPEN) == known(same, OPEN)
    assert known(one, OPEN) != known(other, OPEN)
    assert known(other, OPEN)[2] == pytest.approx(known(one, OPEN)[2], rel=0.04)


def test_anchors_that_contradict_each_other_are_told_with_the_one_at_odds(
    tmp_path: Path,
) -> None:
    more = MEASURED.format(depth_um=0.001, sd_um=0.0001)
    file = load_anchors(file_with(tmp_path, more=more))
    with pytest.raises(AnchorsDisagreeError, match='Without "bench" the others'):
        posterior_of(file, DRAWS)


def test_the_rate_by_crystals_on_skin_needs_no_reference_flow() -> None:
    posterior = posterior_of(shipped(), DRAWS)
    grams_per_cm2_s = 10.0 / 60.0 / (pi / 4.0 * 0.6**2)
    for rate, by_dose in zip(known(posterior, OPEN), known(posterior, PER_DOSE), strict=True):
        assert by_dose == pytest.approx(rate / grams_per_cm2_s)


def test_the_bound_of_the_controller_covers_all_but_a_twentieth_everywhere_a_unit_can_be_set() -> (
    None
):
    posterior = posterior_of(shipped(), DRAWS)
    numbers, draws = numbers_of(posterior, 1), posterior.draws
    rng = np.random.default_rng(99)
    varied = np.exp(sqrt(0.35**2 + 0.3**2) * rng.standard_normal(DRAWS))
    for kpa in (10.0, 20.0, 30.0, 48.0):
        for flow in (1.0, 3.0, 10.0, 12.0):
            true = draws[OPEN] * varied * (kpa / 30.0) ** draws["suction_exponent"]
            true = true * (flow / 10.0) ** draws["flow_exponent"]
            ln_nominal = log(numbers.rate_ref_um_per_s)
            ln_nominal += numbers.suction_exponent * log(kpa / 30.0)
            ln_nominal += numbers.flow_exponent * log(flow / 10.0)
            above = np.log(true) > ln_nominal + 1.645 * numbers.error_ln_sd
            assert float((above * posterior.weights).sum() / posterior.weights.sum()) < 0.053
