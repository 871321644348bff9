"""What measured patches teach about the rate of one client, and what they must never do."""

import math
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.safety.instruments import INSTRUMENTS
from controller.safety.interval import Interval
from controller.safety.patch_reading import (
    RATIO_MAX,
    READING_LN_SD_MAX,
    READING_LN_SD_MIN,
    PatchReading,
    bound_factor,
    with_readings,
)
from controller.safety.removal import Moisture, RemovalModel

MODEL = RemovalModel(
    rate_ref_um_per_s=0.75, suction_ref_kpa=30.0, flow_ref_g_per_min=10.0, suction_exponent=0.7,
    flow_exponent=1.0, choke_kpa=48.0, crystal_ref_um=100.0, crystal_max_um=150.0,
    size_exponent=0.5, moist_factor=2.0, error_ln_sd=0.9, coverage_factor=1.9,
    coverage_factor_blind=3.0, window_ref_mm=6.0, rate_ln_sd=0.75, crystal_um=100.0,
    moisture=Moisture.DRY,
)  # fmt: skip
FINE = replace(INSTRUMENTS["tape-strip-protein"], noise_um=0.01)
RAMAN = INSTRUMENTS["confocal-raman"]


def reading(ratio: float, ln_sd: float = 0.3, day: int = 1) -> PatchReading:
    return PatchReading(f"2026-03-{day:02}", day * 86_400.0, "chin", FINE, 1.0, ratio, ln_sd)


def readings_of(ratios: st.SearchStrategy[float]) -> st.SearchStrategy[PatchReading]:
    spreads = st.floats(READING_LN_SD_MIN, READING_LN_SD_MAX)
    return st.builds(reading, ratios, spreads, st.integers(1, 5))


any_ratio = st.floats(1.0 / RATIO_MAX, RATIO_MAX)
faster = readings_of(st.floats(1.0, RATIO_MAX, exclude_min=True))
slower = readings_of(st.floats(1.0 / RATIO_MAX, 1.0))
ordinary = readings_of(st.floats(0.3, 1.3))
slow_skin = readings_of(st.floats(1.0 / RATIO_MAX, 0.4))
either = readings_of(any_ratio) | ordinary
some = st.lists(either, max_size=5) | st.lists(slow_skin, min_size=2, max_size=5)


def bayes(told: list[PatchReading]) -> float:
    """The bound after all of them over the bound before, by a grid of rates: an oracle."""
    grid = [MODEL.rate_ln_sd * step / 200.0 for step in range(-1600, 1601)]
    weights = [
        math.exp(
            -0.5 * (rate / MODEL.rate_ln_sd) ** 2
            - sum(0.5 * ((math.log(each.removed_um) - rate) / each.ln_sd) ** 2 for each in told)
        )
        for rate in grid
    ]
    total = sum(weights)
    mean = sum(rate * weight for rate, weight in zip(grid, weights, strict=True)) / total
    spread = sum((rate - mean) ** 2 * w for rate, w in zip(grid, weights, strict=True)) / total
    left_ln_sd = math.sqrt(MODEL.error_ln_sd**2 - MODEL.rate_ln_sd**2 + spread)
    return math.exp(mean + 1.645 * (left_ln_sd - MODEL.error_ln_sd))


def days(told: list[PatchReading]) -> int:
    return len({each.date for each in told})


def test_without_a_reading_nothing_changes() -> None:
    assert with_readings(MODEL, ()) == MODEL


def test_readings_change_the_bound_and_leave_the_nominal_rate() -> None:
    known, usual = with_readings(MODEL, [reading(4.0)]), MODEL.rate_um_per_s(7.0, 28.0)
    rate = known.rate_um_per_s(7.0, 28.0)
    assert rate.nominal_um_per_s == usual.nominal_um_per_s
    assert rate.bound_um_per_s / usual.bound_um_per_s == pytest.approx(bayes([reading(4.0)]), 1e-3)


@pytest.mark.hazard("H01")
def test_a_client_whose_skin_goes_four_times_faster_gets_a_higher_bound_than_anybody() -> None:
    assert bound_factor(MODEL, [reading(4.0)]) > 1.5


@pytest.mark.hazard("H01")
@given(told=some, fast=st.lists(faster, min_size=1, max_size=3))
def test_whatever_is_read_the_charge_is_no_less_than_bayes_makes_of_what_says_faster(
    told: list[PatchReading], fast: list[PatchReading]
) -> None:
    shorter = bayes([*(each for each in told if each.faster), *fast])
    assert shorter <= 1.0 or bound_factor(MODEL, [*told, *fast]) >= shorter - 1e-3


@pytest.mark.hazard("H01")
@given(told=some, more=faster)
def test_one_more_reading_that_says_faster_never_permits_more(
    told: list[PatchReading], more: PatchReading
) -> None:
    assert bound_factor(MODEL, [*told, more]) >= bound_factor(MODEL, told)


@pytest.mark.hazard("H01")
@given(told=some, more=st.lists(either | slow_skin, max_size=3))
def test_a_visit_halves_the_charge_at_most(
    told: list[PatchReading], more: list[PatchReading]
) -> None:
    visit = [replace(each, date="2026-04-01") for each in more]
    after, before = bound_factor(MODEL, [*told, *visit]), bound_factor(MODEL, told)
    assert after >= before / 2.0 * (1.0 - 1e-12)


@pytest.mark.hazard("H01")
@given(told=some)
def test_the_charge_falls_by_a_factor_of_two_for_each_visit_after_the_first(
    told: list[PatchReading],
) -> None:
    factor = bound_factor(MODEL, told)
    assert factor >= 1.0 / 2.0 ** max(0, days(told) - 1)
    assert factor * MODEL.p95_factor >= 1.0 - 1e-12


@pytest.mark.hazard("H01")
@given(told=st.lists(either, min_size=1, max_size=5))
def test_readings_of_one_visit_never_permit_more(told: list[PatchReading]) -> None:
    assert bound_factor(MODEL, [replace(each, date="2026-03-01") for each in told]) >= 1.0


@pytest.mark.hazard("H01")
@given(told=some, one=slower)
def test_a_second_reading_of_a_visit_never_permits_more(
    told: list[PatchReading], one: PatchReading
) -> None:
    again = replace(one, removed_um=one.removed_um / 1.1) if one.removed_um > 0.2 else one
    assert bound_factor(MODEL, [*told, one, again]) >= bound_factor(MODEL, [*told, one])


@pytest.mark.hazard("H01")
@given(told=some)
def test_no_reading_is_outvoted_by_those_that_permit_more(told: list[PatchReading]) -> None:
    factor = bound_factor(MODEL, told)
    assert all(factor >= min(1.0, bayes([each])) - 1e-3 for each in told)


@pytest.mark.hazard("H01")
@given(told=some)
def test_readings_that_do_not_agree_within_their_noise_never_permit_more(
    told: list[PatchReading],
) -> None:
    apart = (
        abs(math.log(one.removed_um / two.removed_um)) / math.hypot(one.ln_sd, two.ln_sd)
        for one, two in combinations(told, 2)
    )
    assert max(apart, default=0.0) <= 2.0 + 1e-9 or bound_factor(MODEL, told) >= 1.0


@pytest.mark.hazard("H01")
def test_one_reading_that_says_faster_takes_back_what_two_slow_visits_permitted() -> None:
    slow = [reading(0.3, day=1), reading(0.3, day=2)]
    assert bound_factor(MODEL, slow) == 0.5
    assert bound_factor(MODEL, [*slow, reading(1.5, day=3)]) == 1.0


def test_two_visits_that_agree_halve_the_charge_and_three_quarter_it() -> None:
    visits = [reading(0.2, day=day) for day in (1, 2, 3)]
    assert bound_factor(MODEL, visits[:2]) == 0.5
    assert bound_factor(MODEL, visits) == 0.25


@pytest.mark.hazard("H01")
def test_however_many_visits_agree_the_charge_is_never_below_the_nominal_rate() -> None:
    known = with_readings(MODEL, [reading(0.1, day=day) for day in range(1, 9)])
    assert known.bound_factor == pytest.approx(1.0 / MODEL.p95_factor)
    charged = known.bound_interval_um_per_s(Interval.around(10.0), Interval.around(30.0))
    assert charged.high >= known.rate_um_per_s(10.0, 30.0).nominal_um_per_s


def test_two_visits_of_an_ordinary_skin_lower_the_charge_by_what_one_of_them_tells() -> None:
    visits = [reading(0.9, day=1), reading(1.0, day=2)]
    assert bound_factor(MODEL, visits) == pytest.approx(bayes([reading(1.0)]), 1e-3)
    assert bound_factor(MODEL, [*visits, reading(1.1, day=3)]) == pytest.approx(
        bayes([reading(1.1)]), 1e-3
    )


@pytest.mark.hazard("H01")
@pytest.mark.parametrize(("expected_um", "removed_um"), [(6.0, 2.5), (0.3, 2.5), (0.039, 0.004)])
def test_a_reading_in_the_noise_of_its_instrument_changes_nothing(
    expected_um: float, removed_um: float
) -> None:
    noisy = replace(
        reading(1.0, day=3), instrument=RAMAN, expected_um=expected_um, removed_um=removed_um
    )
    for others in ([], [reading(0.2), reading(0.2, day=2)], [reading(4.0)]):
        assert bound_factor(MODEL, [*others, noisy]) == bound_factor(MODEL, others)


@pytest.mark.hazard("H01")
def test_more_than_the_noise_where_less_was_expected_shortens_at_once() -> None:
    seen = replace(reading(1.0), instrument=RAMAN, expected_um=0.3, removed_um=2.7)
    assert bound_factor(MODEL, [seen]) > 2.0


def test_a_reading_counts_from_twice_the_noise_of_its_instrument() -> None:
    at_the_floor = replace(reading(1.0), instrument=RAMAN, expected_um=2.6, removed_um=2.6)
    assert at_the_floor.counts
    assert not replace(at_the_floor, removed_um=math.nextafter(2.6, 0.0)).counts
    assert replace(at_the_floor, expected_um=math.nextafter(2.6, 0.0)).counts


@pytest.mark.hazard("H39")
@pytest.mark.parametrize(
    "changes",
    [
        {"removed_um": 10.5}, {"removed_um": 0.09}, {"expected_um": 0.0}, {"removed_um": -1.0},
        {"removed_um": math.nan}, {"expected_um": math.inf}, {"ln_sd": 0.19}, {"ln_sd": 1.01},
        {"ln_sd": math.nan}, {"ln_sd": math.inf}, {"instrument": replace(FINE, noise_um=math.nan)},
        {"instrument": INSTRUMENTS["tewl"]},
    ],
)  # fmt: skip
def test_a_reading_that_cannot_be_one_teaches_nothing(changes: dict[str, object]) -> None:
    impossible = replace(reading(4.0), **changes)  # type: ignore[arg-type]  # by name
    assert not impossible.counts
    assert bound_factor(MODEL, [impossible]) == 1.0


@pytest.mark.parametrize("rate_ln_sd", [0.0, -1.0, 1.0, math.nan, 1e-200])
def test_a_model_that_does_not_say_what_is_unknown_of_its_rate_learns_nothing(
    rate_ln_sd: float,
) -> None:
    model = replace(MODEL, rate_ln_sd=rate_ln_sd)
    assert bound_factor(model, [reading(0.5), reading(0.5, day=2)]) == 1.0
    assert bound_factor(model, [reading(4.0)]) == 1.0
