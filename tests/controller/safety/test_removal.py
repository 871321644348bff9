import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.safety.interval import Interval
from controller.safety.removal import (
    FLOW_WORST_G_PER_MIN,
    SUCTION_WORST_KPA,
    Moisture,
    Motion,
)

SHIPPED = load_skin(shipped_configs()).model
MODEL = replace(SHIPPED, crystal_um=100.0, moisture=Moisture.DRY)
FLOW_REF = MODEL.flow_ref_g_per_min
flows = st.floats(0.0, 70.0)
suctions = st.floats(0.0, 70.0)
unknowns = st.sampled_from([None, math.nan, math.inf, -math.inf, -0.1])


def test_the_bound_at_30_kpa_is_above_all_that_the_anchors_leave_open() -> None:
    """2.54 µm/s times exp(1.645 * 0.9), and 95 % of the posterior of the rate is 0.72 to 9.9."""
    bound_um_per_s = MODEL.rate_um_per_s(FLOW_REF, 30.0).bound_um_per_s
    assert bound_um_per_s == pytest.approx(2.54 * 4.395, rel=0.001)
    assert bound_um_per_s > 9.9


def test_the_bound_does_not_credit_the_plateau_above_the_choke() -> None:
    low, high = MODEL.rate_um_per_s(7.0, 48.0), MODEL.rate_um_per_s(7.0, 55.0)
    assert high.nominal_um_per_s == low.nominal_um_per_s
    assert high.bound_um_per_s > low.bound_um_per_s


@given(flow=flows, suction=suctions, area_cm2=st.floats(0.01, 2000.0))
def test_the_bound_is_never_below_the_nominal_value(
    flow: float, suction: float, area_cm2: float
) -> None:
    rate = MODEL.rate_um_per_s(flow, suction)
    assert 0.0 <= rate.nominal_um_per_s <= rate.bound_um_per_s < math.inf
    for motion in Motion:
        spread = MODEL.spread_rate_um_per_s(flow, suction, area_cm2, motion)
        assert 0.0 <= spread.nominal_um_per_s <= spread.bound_um_per_s < math.inf


@given(flow=flows, suction=suctions, more=st.floats(0.0, 20.0))
def test_more_flow_or_suction_never_removes_less(flow: float, suction: float, more: float) -> None:
    base = MODEL.rate_um_per_s(flow, suction)
    for rate in (
        MODEL.rate_um_per_s(flow + more, suction),
        MODEL.rate_um_per_s(flow, suction + more),
    ):
        assert rate.nominal_um_per_s >= base.nominal_um_per_s
        assert rate.bound_um_per_s >= base.bound_um_per_s


@pytest.mark.hazard("H09")
@given(flow=flows, suction=suctions, unknown=unknowns)
def test_an_unknown_reading_counts_as_the_worst_case(
    flow: float, suction: float, unknown: float | None
) -> None:
    worst_flow, worst_suction = FLOW_WORST_G_PER_MIN, SUCTION_WORST_KPA
    assert MODEL.rate_um_per_s(unknown, suction) == MODEL.rate_um_per_s(worst_flow, suction)
    assert MODEL.rate_um_per_s(flow, unknown) == MODEL.rate_um_per_s(flow, worst_suction)


@pytest.mark.parametrize("area_cm2", [0.0, -1.0, math.nan, 0.1])
def test_a_zone_smaller_than_the_window_gets_all_of_the_removal(area_cm2: float) -> None:
    for motion in Motion:
        spread = MODEL.spread_rate_um_per_s(7.0, 28.0, area_cm2, motion)
        assert spread == MODEL.rate_um_per_s(7.0, 28.0)


def test_a_suction_below_the_permissive_is_not_credited_by_the_bound() -> None:
    assert MODEL.rate_um_per_s(7.0, 0.0).bound_um_per_s == (
        MODEL.rate_um_per_s(7.0, 8.0).bound_um_per_s
    )


@pytest.mark.hazard("H02")
def test_one_place_has_most_under_a_tip_that_stands_and_more_where_nobody_can_see_that() -> None:
    moving, unseen, still = (
        MODEL.spread_rate_um_per_s(7.0, 28.0, 20.0, motion)
        for motion in (Motion.MOVING, Motion.UNSEEN, Motion.STILL)
    )
    tip = MODEL.rate_um_per_s(7.0, 28.0)
    share = math.pi * 0.09 / 20.0
    assert moving.bound_um_per_s == pytest.approx(
        tip.bound_um_per_s * share * MODEL.coverage_factor
    )
    assert unseen.bound_um_per_s == pytest.approx(
        tip.bound_um_per_s * share * MODEL.coverage_factor_blind
    )
    assert moving.bound_um_per_s < unseen.bound_um_per_s < still.bound_um_per_s
    assert still.bound_um_per_s == tip.bound_um_per_s
    means = {rate.nominal_um_per_s for rate in (moving, unseen, still)}
    assert means == {tip.nominal_um_per_s * MODEL.window_share(20.0)}


@pytest.mark.hazard("H01")
def test_what_nobody_has_said_counts_as_the_worst_of_its_range() -> None:
    unknown, coarse = SHIPPED, replace(SHIPPED, crystal_um=150.0, moisture=Moisture.MOIST)
    assert unknown.rate_um_per_s(7.0, 28.0) == coarse.rate_um_per_s(7.0, 28.0)
    best = MODEL.rate_um_per_s(7.0, 28.0)
    worst = unknown.rate_um_per_s(7.0, 28.0)
    size = math.sqrt(1.5)
    assert worst.nominal_um_per_s == pytest.approx(best.nominal_um_per_s * size)
    assert worst.bound_um_per_s == pytest.approx(best.bound_um_per_s * size * 2.0)
    for nonsense in (math.nan, math.inf, -1.0, 0.0):
        assert replace(MODEL, crystal_um=nonsense).rate_um_per_s(7.0, 28.0) == (
            replace(MODEL, crystal_um=None).rate_um_per_s(7.0, 28.0)
        )


@pytest.mark.hazard("H01")
def test_finer_crystals_go_slower_and_the_bound_does_not_credit_it() -> None:
    fine, usual = replace(MODEL, crystal_um=75.0), MODEL
    slow, quick = fine.rate_um_per_s(7.0, 28.0), usual.rate_um_per_s(7.0, 28.0)
    assert slow.nominal_um_per_s == pytest.approx(quick.nominal_um_per_s * math.sqrt(0.75))
    assert slow.bound_um_per_s == quick.bound_um_per_s


@given(
    flow=st.floats(0.0, 12.0), suction=st.floats(10.0, 55.0), percent=st.floats(0.0, 50.0),
    kpa=st.floats(0.0, 5.0), at=st.floats(0.0, 1.0), beside=st.floats(0.0, 1.0),
)  # fmt: skip
def test_the_interval_of_the_bound_holds_every_rate_that_the_readings_allow(
    flow: float, suction: float, percent: float, kpa: float, at: float, beside: float
) -> None:
    flows_true = Interval.around(flow, percent=percent)
    suctions_true = Interval.around(suction, plus_minus=kpa)
    true_flow = flows_true.low + at * (flows_true.high - flows_true.low)
    true_suction = suctions_true.low + beside * (suctions_true.high - suctions_true.low)
    found = MODEL.bound_interval_um_per_s(flows_true, suctions_true)
    rate = MODEL.p95_factor * MODEL._rate(true_flow, true_suction)
    assert found.low <= rate <= found.high
    unsure = replace(MODEL, flow_uncertainty_percent=percent, suction_uncertainty_kpa=kpa)
    assert unsure.rate_um_per_s(flow, suction).bound_um_per_s <= found.high


def test_however_fine_known_crystals_are_they_are_not_taken_for_unknown_ones() -> None:
    finest, unknown = replace(MODEL, crystal_um=1.0), replace(MODEL, crystal_um=None)
    assert finest.rate_um_per_s(7.0, 28.0).nominal_um_per_s < (
        unknown.rate_um_per_s(7.0, 28.0).nominal_um_per_s
    )
