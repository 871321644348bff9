"""The rules of the cap at their exact borders, and doses that cannot be placed in time."""

import math
from dataclasses import replace

import pytest

from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.safety.breach import depth_at_risk_um
from controller.safety.exposure import ZoneUse
from controller.safety.skin import (
    DAY_S,
    CapRules,
    PastDose,
    before_the_day,
    derate,
    derate_phototype,
    layered,
    not_grown_back_um,
    of_the_day,
    risk_cap_um,
)

RULES = CapRules(
    cap_share=0.35,
    breach_max_share=0.01,
    suction_max_kpa_s=100.0,
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


@pytest.mark.hazard("H25")
def test_what_a_zone_had_within_24_hours_is_of_the_day_and_the_rest_grows_back() -> None:
    now_s = 9.0 * DAY_S
    lately = PastDose("chin", now_s - DAY_S + 1.0, 2.0, 0.4, 30.0)
    just_now = PastDose("chin", now_s, 1.0, 0.2, 10.0)
    before = PastDose("chin", now_s - DAY_S, 3.0, 0.6, 50.0)
    elsewhere = PastDose("nose", now_s, 9.0, 9.0, 9.0)
    history = (lately, just_now, before, elsewhere)
    use = of_the_day(history, "chin", now_s)
    assert use == ZoneUse(nominal_um=use.nominal_um, bound_um=3.0, suction_kpa_s=40.0)
    assert use.nominal_um == pytest.approx(0.6)
    assert before_the_day(history, now_s) == (before,)
    assert of_the_day((), "chin", now_s) == ZoneUse()


@pytest.mark.hazard("H25", "H31", "H39")
@pytest.mark.parametrize("ended_s", [math.nan, math.inf, -math.inf, 99.0 * DAY_S])
def test_a_dose_that_cannot_be_placed_in_time_is_of_today(ended_s: float) -> None:
    history = (PastDose("chin", ended_s, 2.0),)
    assert of_the_day(history, "chin", 9.0 * DAY_S).bound_um == 2.0
    assert before_the_day(history, 9.0 * DAY_S) == ()


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("taken", [math.nan, -1.0, math.inf])
def test_a_dose_of_today_of_no_usable_size_fills_the_day(taken: float) -> None:
    use = of_the_day((PastDose("chin", 0.0, taken, taken, taken),), "chin", 1.0)
    assert (use.bound_um, use.nominal_um, use.suction_kpa_s) == (math.inf, math.inf, math.inf)


@pytest.mark.hazard("H01")
def test_the_suction_dose_is_derated_by_skin_type_alone() -> None:
    assert [derate_phototype(RULES, phototype) for phototype in (1, 3, 4, 6)] == [1, 1, 0.5, 0.5]


@pytest.mark.hazard("H01")
def test_the_risk_of_a_client_who_is_better_known_is_that_of_the_error_that_is_left() -> None:
    skin = load_skin(shipped_configs())
    known = replace(skin.model, error_ln_sd=skin.model.error_ln_sd / 2.0)
    most = skin.rules.breach_max_share
    for site in (one for one in skin.sites if one.selectable):
        found = layered(site, skin.rules)
        caps = {model.error_ln_sd: risk_cap_um(skin, site, model) for model in (skin.model, known)}
        assert caps == {sd: depth_at_risk_um(found, sd, most) for sd in caps}
        assert risk_cap_um(skin, site) == caps[skin.model.error_ln_sd] != caps[known.error_ln_sd]


@pytest.mark.parametrize(("layers", "layer_um"), [(0.0, 2.0), (1.0, 9.0), (3.0, 3.0), (9.0, 2.0)])
def test_layers_are_as_thick_as_their_count_asks_and_never_thinner_than_the_rule(
    layers: float, layer_um: float
) -> None:
    (site, *_) = load_skin(shipped_configs()).sites
    assert layered(replace(site, layers=layers, sc_nom_um=9.0), RULES).layer_um == layer_um
