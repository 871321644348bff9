"""The rules of the cap at their exact borders, and doses that cannot be placed in time."""

import math

import pytest

from controller.safety.skin import CapRules, PastDose, derate, not_grown_back_um

RULES = CapRules(
    cap_share=0.35,
    phototype_derate_from=4,
    phototype_derate=0.5,
    age_derate_from_years=65,
    age_derate=0.8,
    age_refuse_from_years=80,
    interval_refuse_days=7.0,
    interval_reason_days=10.0,
    interval_age_factor=1.5,
    regrowth_h_per_layer=48.0,
    layer_um=2.0,
)
DAY_S = 86_400.0


@pytest.mark.hazard("H01")
@pytest.mark.parametrize(
    ("phototype", "age_years", "factor"),
    [(3, 64, 1.0), (4, 64, 0.5), (6, 30, 0.5), (3, 65, 0.8), (4, 65, 0.4), (5, 79, 0.4)],
)
def test_dark_skin_halves_the_cap_and_age_takes_a_fifth_of_what_is_left(
    phototype: int, age_years: int, factor: float
) -> None:
    assert derate(RULES, phototype, age_years) == pytest.approx(factor)


@pytest.mark.hazard("H25")
def test_a_layer_grows_back_in_its_time_and_no_faster() -> None:
    dose = [PastDose("chin", 0.0, 3.0)]
    assert not_grown_back_um(RULES, dose, "chin", 0.0) == 3.0
    assert not_grown_back_um(RULES, dose, "chin", 1.0) == pytest.approx(3.0 - 1.0 / DAY_S, rel=1e-9)
    assert not_grown_back_um(RULES, dose, "chin", 2.0 * DAY_S) == pytest.approx(1.0)
    assert not_grown_back_um(RULES, dose, "chin", 6.0 * DAY_S) == 0.0
    assert not_grown_back_um(RULES, dose, "chin", 60.0 * DAY_S) == 0.0
    assert not_grown_back_um(RULES, dose, "nose", 0.0) == 0.0


@pytest.mark.hazard("H25")
def test_what_is_left_of_an_earlier_dose_adds_to_the_next_in_the_order_of_time() -> None:
    doses = [PastDose("chin", DAY_S, 5.0), PastDose("chin", 0.0, 3.0)]
    assert not_grown_back_um(RULES, doses, "chin", 1.0 * DAY_S) == pytest.approx(7.0)
    assert not_grown_back_um(RULES, doses, "chin", 3.0 * DAY_S) == pytest.approx(5.0)


@pytest.mark.hazard("H25")
def test_between_two_doses_only_the_time_between_them_counts() -> None:
    doses = [PastDose("chin", DAY_S, 5.0), PastDose("chin", 2.0 * DAY_S, 3.0)]
    assert not_grown_back_um(RULES, doses, "chin", 2.0 * DAY_S) == pytest.approx(7.0)


@pytest.mark.hazard("H25", "H31")
@pytest.mark.parametrize("ended_s", [math.nan, math.inf, -math.inf])
def test_a_dose_that_cannot_be_placed_in_time_never_grows_back_nor_what_was_before(
    ended_s: float,
) -> None:
    doses = [PastDose("chin", ended_s, 5.0), PastDose("chin", 0.0, 3.0)]
    assert not_grown_back_um(RULES, doses, "chin", 6.0 * DAY_S) == 8.0


@pytest.mark.hazard("H25", "H31")
def test_a_single_dose_that_cannot_be_placed_in_time_stays_as_large_as_it_was() -> None:
    assert not_grown_back_um(RULES, [PastDose("chin", math.nan, 5.0)], "chin", 6.0 * DAY_S) == 5.0


@pytest.mark.hazard("H25", "H31")
def test_a_dose_of_the_future_has_not_grown_back_at_all() -> None:
    assert (
        not_grown_back_um(RULES, [PastDose("chin", 9.0 * DAY_S, 5.0)], "chin", 6.0 * DAY_S) == 5.0
    )


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("bound_um", [math.nan, math.inf, -0.1])
def test_a_dose_of_no_usable_size_leaves_nothing_to_take(bound_um: float) -> None:
    doses = [PastDose("chin", 0.0, bound_um)]
    assert not_grown_back_um(RULES, doses, "chin", 60.0 * DAY_S) == math.inf
