import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.safety.removal import FLOW_WORST_G_PER_MIN, SUCTION_WORST_KPA

SKIN = load_skin(shipped_configs())
MODEL = SKIN.model
FLOW_REF = MODEL.flow_ref_g_per_min
flows = st.floats(0.0, 70.0)
suctions = st.floats(0.0, 70.0)
unknowns = st.sampled_from([None, math.nan, math.inf, -math.inf, -0.1])


def test_anchor_a1_20_s_at_30_kpa_remove_the_stratum_corneum() -> None:
    """Andrews et al., Pharm Res 2013;30:1099-1109, fig. 5: 12 to 18 µm, within a factor of 1.5."""
    rate = MODEL.rate_um_per_s(FLOW_REF, 30.0)
    assert 12.0 / 1.5 <= rate.nominal_um_per_s * 20.0 <= 18.0 * 1.5
    assert 12.0 <= rate.nominal_um_per_s * 20.0 <= 18.0
    assert rate.bound_um_per_s * 20.0 > 18.0


def test_anchor_a2_60_s_at_50_kpa_remove_the_epidermis() -> None:
    """Same figure: stratum corneum and epidermis, 62 to 80 µm, one-sided with 20 %."""
    rate = MODEL.rate_um_per_s(FLOW_REF, 50.0)
    assert rate.nominal_um_per_s * 60.0 >= 62.0 * 0.8
    assert rate.bound_um_per_s * 60.0 >= 80.0


def test_anchor_a4_flow_and_time_count_more_than_suction() -> None:
    """Andrews et al., Int J Pharm 2011: strongly on flow and time, weakly on suction."""

    def exponent(low: float, high: float) -> float:
        return math.log(high / low) / math.log(2.0)

    base = MODEL.rate_um_per_s(5.0, 20.0).nominal_um_per_s
    by_flow = exponent(base, MODEL.rate_um_per_s(10.0, 20.0).nominal_um_per_s)
    by_suction = exponent(base, MODEL.rate_um_per_s(5.0, 40.0).nominal_um_per_s)
    assert 0.8 <= by_flow <= 1.1
    assert by_suction < by_flow


def test_the_published_95th_centile_at_30_kpa_is_met() -> None:
    assert MODEL.rate_um_per_s(FLOW_REF, 30.0).bound_um_per_s == pytest.approx(3.3, rel=0.01)


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
    spread = MODEL.spread_rate_um_per_s(flow, suction, area_cm2)
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
    rate, spread = MODEL.rate_um_per_s(7.0, 28.0), MODEL.spread_rate_um_per_s(7.0, 28.0, area_cm2)
    assert spread == rate


def test_a_suction_below_the_permissive_is_not_credited_by_the_bound() -> None:
    assert MODEL.rate_um_per_s(7.0, 0.0).bound_um_per_s == (
        MODEL.rate_um_per_s(7.0, 8.0).bound_um_per_s
    )
