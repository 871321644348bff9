import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.safety.exposure import LEFT_MAX_MG, ZoneLedger
from controller.safety.removal import FLOW_WORST_G_PER_MIN, SUCTION_WORST_KPA

MODEL = load_skin(shipped_configs()).model
readings = st.one_of(st.none(), st.floats())
times = st.floats()
steps = st.lists(st.tuples(readings, readings, times), max_size=20)


def ledger(cap_um: float = 3.15, area_cm2: float = 20.0) -> ZoneLedger:
    return ZoneLedger("chin", cap_um, area_cm2, MODEL)


@pytest.mark.hazard("H01")
@given(steps=steps, cap_um=st.floats())
def test_a_ledger_is_never_negative_and_never_falls(
    steps: list[tuple[float | None, float | None, float]], cap_um: float
) -> None:
    zone = ledger(cap_um)
    before = zone.use
    left_um = zone.left_um
    for flow, suction, open_s in steps:
        zone.add(flow, suction, open_s)
        use = zone.use
        for name in ("nominal_um", "bound_um", "contact_s", "grams"):
            assert getattr(use, name) >= getattr(before, name) >= 0.0
        assert use.bound_um >= use.nominal_um
        assert 0.0 <= zone.left_um <= left_um
        before, left_um = use, zone.left_um


@given(
    flow=st.one_of(st.none(), st.floats(0.0, 12.0)),
    suction=st.one_of(st.none(), st.floats(0.0, 55.0)),
    parts=st.lists(st.floats(0.0, 5.0), min_size=1, max_size=30),
)
def test_the_sum_does_not_depend_on_how_the_time_is_split(
    flow: float | None, suction: float | None, parts: list[float]
) -> None:
    split, whole = ledger(), ledger()
    for part_s in parts:
        split.add(flow, suction, part_s)
    whole.add(flow, suction, math.fsum(parts))
    for name in ("nominal_um", "bound_um", "contact_s", "grams"):
        assert getattr(split, name) == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-12)


@pytest.mark.hazard("H09")
@pytest.mark.parametrize("unknown", [None, math.nan, math.inf, -math.inf, -1.0])
def test_an_unknown_reading_is_charged_at_the_worst_case(unknown: float | None) -> None:
    unread, worst = ledger(), ledger()
    unread.add(unknown, unknown, 1.5)
    worst.add(FLOW_WORST_G_PER_MIN, SUCTION_WORST_KPA, 1.5)
    assert unread.use == worst.use


def test_an_unwatched_time_is_charged_at_the_worst_case() -> None:
    charged, watched = ledger(), ledger()
    charged.charge(1.25)
    watched.add(FLOW_WORST_G_PER_MIN, SUCTION_WORST_KPA, 1.25)
    assert charged.use == watched.use


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("time_s", [math.nan, math.inf, -math.inf, -0.001, 3601.0])
def test_a_time_that_cannot_be_used_uses_up_what_is_left(time_s: float) -> None:
    zone = ledger()
    zone.add(7.0, 28.0, time_s)
    assert zone.reached
    assert (zone.left_um, zone.left_mg(7.0, 28.0)) == (0.0, 0)
    assert math.isfinite(zone.bound_um)


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("cap_um", [math.nan, 0.0, -1.0, -math.inf])
def test_a_cap_that_is_not_known_or_used_up_never_permits(cap_um: float) -> None:
    zone = ledger(cap_um)
    assert zone.reached
    assert (zone.left_um, zone.left_s(7.0, 28.0), zone.left_mg(7.0, 28.0)) == (0.0, 0.0, 0)


@pytest.mark.hazard("H01")
@given(flow=st.floats(0.5, 12.0), suction=st.floats(10.0, 55.0), area_cm2=st.floats(1.0, 300.0))
def test_crystals_that_the_device_may_still_meter_never_pass_the_cap(
    flow: float, suction: float, area_cm2: float
) -> None:
    zone = ledger(area_cm2=area_cm2)
    left_mg = zone.left_mg(flow, suction)
    zone.add(flow, suction, left_mg / 1000.0 / flow * 60.0)
    assert zone.bound_um <= zone.cap_um * (1.0 + 1e-9)


def test_the_valve_may_be_open_until_the_bound_reaches_the_cap_and_not_longer() -> None:
    zone = ledger()
    left_s = zone.left_s(7.0, 28.0)
    zone.add(7.0, 28.0, left_s * 0.999)
    assert not zone.reached
    zone.add(7.0, 28.0, left_s * 0.002)
    assert zone.reached
    assert zone.nominal_um < zone.cap_um / 4.0


def test_what_is_left_fits_into_the_field_of_the_wire() -> None:
    assert ledger(area_cm2=2000.0).left_mg(12.0, 10.0) == LEFT_MAX_MG
    assert 0 < ledger().left_mg(None, None) < ledger().left_mg(7.0, 28.0)


def test_without_flow_no_crystals_are_left_to_flow_and_time_does_not_run_out() -> None:
    zone = ledger()
    zone.add(0.0, 28.0, 100.0)
    assert (zone.left_mg(0.0, 28.0), zone.left_s(0.0, 28.0)) == (0, math.inf)
    assert (zone.bound_um, zone.contact_s) == (0.0, 100.0)


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("flow", [5e-324, 1e-300, 1e-6])
def test_a_flow_of_next_to_nothing_leaves_a_number_that_the_wire_can_carry(flow: float) -> None:
    ledger = ZoneLedger("chin", 3.0, 20.0, MODEL)
    assert 0 <= ledger.left_mg(flow, 0.0) <= 0xFFFF
