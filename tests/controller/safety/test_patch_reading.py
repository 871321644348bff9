"""What a patch test teaches about the rate of one client, and what it must never do."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.safety.patch_reading import RATIO_MAX, READING_LN_SD_MIN, PatchReading, narrowed
from controller.safety.removal import Moisture, RemovalModel

MODEL = RemovalModel(
    rate_ref_um_per_s=0.75, suction_ref_kpa=30.0, flow_ref_g_per_min=10.0, suction_exponent=0.7,
    flow_exponent=1.0, choke_kpa=48.0, crystal_ref_um=100.0, crystal_max_um=150.0,
    size_exponent=0.5, moist_factor=2.0, error_ln_sd=0.9, coverage_factor=1.9,
    coverage_factor_blind=3.0, window_ref_mm=6.0, rate_ln_sd=0.75, crystal_um=100.0,
    moisture=Moisture.DRY,
)  # fmt: skip
ratios = st.floats(1.0 / RATIO_MAX, RATIO_MAX)
spreads = st.floats(READING_LN_SD_MIN, 2.0)


def bound(model: RemovalModel) -> float:
    return model.rate_um_per_s(7.0, 28.0).bound_um_per_s


def reading(ratio: float, ln_sd: float = 0.3) -> PatchReading:
    return PatchReading(1.0, ratio, ln_sd)


def test_without_a_reading_nothing_changes() -> None:
    assert narrowed(MODEL, None) is MODEL


@pytest.mark.hazard("H01")
def test_a_reading_as_expected_narrows_the_bound_and_keeps_the_rate() -> None:
    known = narrowed(MODEL, reading(1.0))
    assert known.rate_ref_um_per_s == pytest.approx(MODEL.rate_ref_um_per_s)
    assert bound(known) < 0.65 * bound(MODEL)


@pytest.mark.hazard("H01")
def test_a_client_whose_skin_goes_four_times_faster_gets_a_higher_bound_than_anybody() -> None:
    assert bound(narrowed(MODEL, reading(4.0))) > 1.5 * bound(MODEL)


@given(ratio=ratios, ln_sd=spreads)
def test_the_posterior_lies_between_what_was_believed_and_what_was_read(
    ratio: float, ln_sd: float
) -> None:
    known = narrowed(MODEL, reading(ratio, ln_sd))
    moved = known.rate_ref_um_per_s / MODEL.rate_ref_um_per_s
    assert min(1.0, ratio) - 1e-12 <= moved <= max(1.0, ratio) + 1e-12
    assert 0.0 < known.rate_ln_sd < MODEL.rate_ln_sd
    assert known.error_ln_sd <= MODEL.error_ln_sd
    rest = math.sqrt(MODEL.error_ln_sd**2 - MODEL.rate_ln_sd**2)
    assert known.error_ln_sd >= rest - 1e-12


@given(low=ratios, high=ratios, ln_sd=spreads)
def test_more_removed_never_lowers_the_bound(low: float, high: float, ln_sd: float) -> None:
    less, more = (bound(narrowed(MODEL, reading(each(low, high), ln_sd))) for each in (min, max))
    assert less <= more * (1.0 + 1e-12)


def test_the_posterior_is_that_of_a_grid_of_rates() -> None:
    """Bayes by brute force, as an oracle."""
    ratio, ln_sd = 2.0, 0.4
    grid = [step / 500.0 for step in range(-2500, 2501)]
    weights = [
        math.exp(-0.5 * (rate / 0.75) ** 2 - 0.5 * ((math.log(ratio) - rate) / ln_sd) ** 2)
        for rate in grid
    ]
    total = sum(weights)
    mean = sum(rate * weight for rate, weight in zip(grid, weights, strict=True)) / total
    spread = sum((rate - mean) ** 2 * w for rate, w in zip(grid, weights, strict=True)) / total
    known = narrowed(MODEL, reading(ratio, ln_sd))
    assert math.log(known.rate_ref_um_per_s / 0.75) == pytest.approx(mean, abs=1e-6)
    assert known.rate_ln_sd == pytest.approx(math.sqrt(spread), rel=1e-4)


@pytest.mark.hazard("H39")
@pytest.mark.parametrize(
    "impossible",
    [
        PatchReading(1.0, 10.5, 0.3), PatchReading(1.0, 0.09, 0.3), PatchReading(0.0, 1.0, 0.3),
        PatchReading(1.0, -1.0, 0.3), PatchReading(1.0, math.nan, 0.3),
        PatchReading(math.inf, 1.0, 0.3), PatchReading(1.0, 1.0, 0.1),
        PatchReading(1.0, 1.0, math.nan), PatchReading(1.0, 1.0, math.inf),
    ],
)  # fmt: skip
def test_a_reading_that_cannot_be_one_teaches_nothing(impossible: PatchReading) -> None:
    assert not impossible.usable
    assert narrowed(MODEL, impossible) is MODEL


@pytest.mark.parametrize("rate_ln_sd", [0.0, -1.0, 1.0, math.nan])
def test_a_model_that_does_not_say_what_is_unknown_of_its_rate_learns_nothing(
    rate_ln_sd: float,
) -> None:
    model = replace(MODEL, rate_ln_sd=rate_ln_sd)
    assert narrowed(model, reading(0.5)) is model
