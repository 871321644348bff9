import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.safety.exposure import (
    LEFT_LEAST_MG,
    LEFT_MAX_MG,
    OVERSHOOT_S,
    STOP_SEEN_S,
    ZoneLedger,
)
from controller.safety.removal import (
    FLOW_WORST_G_PER_MIN,
    SUCTION_WORST_KPA,
    Moisture,
    Motion,
)

MODEL = replace(load_skin(shipped_configs()).model, crystal_um=100.0, moisture=Moisture.DRY)
USES = ("nominal_um", "bound_um", "contact_s", "grams", "suction_kpa_s")
readings = st.one_of(st.none(), st.floats())
times = st.floats()
motions = st.sampled_from(Motion)
steps = st.lists(st.tuples(readings, readings, times, motions, st.booleans()), max_size=20)
sensors = st.booleans()


def ledger(
    cap_um: float = 3.15,
    area_cm2: float = 20.0,
    suction_max_kpa_s: float = 100.0,
    *,
    motion_sensor: bool = True,
) -> ZoneLedger:
    return ZoneLedger("chin", cap_um, suction_max_kpa_s, area_cm2, MODEL, motion_sensor)


@pytest.mark.hazard("H01")
@given(steps=steps, cap_um=st.floats(), most_kpa_s=st.floats(), motion_sensor=sensors)
def test_a_ledger_is_never_negative_and_never_falls(
    steps: list[tuple[float | None, float | None, float, Motion, bool]],
    cap_um: float,
    most_kpa_s: float,
    motion_sensor: bool,  # noqa: FBT001 - by name
) -> None:
    zone = ledger(cap_um, suction_max_kpa_s=most_kpa_s, motion_sensor=motion_sensor)
    before = zone.use
    left_um, left_kpa_s, reached = zone.left_um, zone.left_kpa_s, zone.reached
    for flow, suction, seconds, motion, crystals in steps:
        if crystals:
            zone.add(flow, suction, seconds, motion)
        else:
            zone.press(suction, seconds, motion)
        use = zone.use
        for name in USES:
            assert getattr(use, name) >= getattr(before, name) >= 0.0
        assert use.bound_um >= use.nominal_um
        assert 0.0 <= zone.left_um <= left_um
        assert 0.0 <= zone.left_kpa_s <= left_kpa_s
        assert zone.reached or not reached
        before, left_um, left_kpa_s, reached = use, zone.left_um, zone.left_kpa_s, zone.reached


@pytest.mark.hazard("H01")
@given(
    flow=st.one_of(st.none(), st.floats(0.0, 12.0)),
    suction=st.one_of(st.none(), st.floats(0.0, 55.0)),
    parts=st.lists(st.floats(0.0, 5.0), min_size=1, max_size=30),
    motion=motions,
    motion_sensor=sensors,
)
def test_the_sum_does_not_depend_on_how_the_time_is_split(
    flow: float | None,
    suction: float | None,
    parts: list[float],
    motion: Motion,
    motion_sensor: bool,  # noqa: FBT001 - by name
) -> None:
    split, whole = (ledger(motion_sensor=motion_sensor) for _ in range(2))
    for part_s in parts:
        split.add(flow, suction, part_s, motion)
        split.press(suction, part_s, motion)
    whole.add(flow, suction, math.fsum(parts), motion)
    whole.press(suction, math.fsum(parts), motion)
    for name in USES:
        assert getattr(split, name) == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-12)


@pytest.mark.hazard("H01")
@given(
    set_to=st.tuples(st.floats(1.0, 12.0), st.floats(10.0, 50.0)),
    wrong_by=st.tuples(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0)),
    unsure=st.tuples(st.floats(0.0, 30.0), st.floats(0.0, 3.0)),
    still_s=st.floats(0.0, 3.0),
    moving_s=st.floats(0.0, 60.0),
    unevenness=st.floats(0.0, 1.0),
    motion_sensor=sensors,
)
def test_it_is_never_below_what_was_truly_given(  # noqa: PLR0913, PLR0917 - all that may vary
    set_to: tuple[float, float],
    wrong_by: tuple[float, float],
    unsure: tuple[float, float],
    still_s: float,
    moving_s: float,
    unevenness: float,
    motion_sensor: bool,  # noqa: FBT001 - by name
) -> None:
    """Readings within the unit's uncertainty, strokes within the coverage factor of the unit."""
    (flow, suction), (flow_off, suction_off) = set_to, wrong_by
    percent, kpa = unsure
    model = replace(MODEL, flow_uncertainty_percent=percent, suction_uncertainty_kpa=kpa)
    zone = replace(ledger(motion_sensor=motion_sensor), model=model)
    true_flow, true_suction = flow * (1.0 + flow_off * percent / 100.0), suction + suction_off * kpa
    usual = Motion.MOVING if motion_sensor else Motion.UNSEEN
    seen_still_s = still_s if motion_sensor else 0.0
    zone.add(flow, suction, moving_s, Motion.MOVING)
    zone.add(flow, suction, seen_still_s, Motion.STILL)
    share = 1.0 + unevenness * (model.place_share(20.0, usual) / model.window_share(20.0) - 1.0)
    under_tip_s = model.window_share(20.0) * share * moving_s + seen_still_s
    true = MODEL.p95_factor * MODEL._rate(true_flow, true_suction) * under_tip_s
    assert zone.bound_um >= true * (1.0 - 1e-9)
    assert zone.suction_kpa_s >= true_suction * under_tip_s * (1.0 - 1e-9)


@pytest.mark.hazard("H02")
def test_a_tip_that_stands_still_is_charged_in_full_where_that_can_be_seen() -> None:
    seen, unseen = ledger(), ledger(motion_sensor=False)
    for zone in (seen, unseen):
        zone.add(7.0, 28.0, 1.0, Motion.STILL)
    tip = MODEL.rate_um_per_s(7.0, 28.0)
    assert seen.bound_um == pytest.approx(tip.bound_um_per_s)
    assert seen.suction_kpa_s == pytest.approx(28.0)
    share = MODEL.window_share(20.0) * MODEL.coverage_factor_blind
    assert unseen.bound_um == pytest.approx(tip.bound_um_per_s * share)
    assert unseen.suction_kpa_s == pytest.approx(28.0 * share)
    assert seen.nominal_um == unseen.nominal_um


@pytest.mark.hazard("H02")
@pytest.mark.parametrize("motion", Motion)
def test_what_a_unit_without_a_sensor_says_of_motion_is_not_believed(motion: Motion) -> None:
    said, unseen = ledger(motion_sensor=False), ledger(motion_sensor=False)
    said.add(7.0, 28.0, 1.0, motion)
    unseen.add(7.0, 28.0, 1.0, Motion.UNSEEN)
    assert said.use == unseen.use


@pytest.mark.hazard("H02")
def test_unknown_motion_counts_as_still() -> None:
    unsaid, still = ledger(), ledger()
    unsaid.add(7.0, 28.0, 1.0)
    still.add(7.0, 28.0, 1.0, Motion.STILL)
    assert unsaid.use == still.use


@pytest.mark.hazard("H09")
@pytest.mark.parametrize("unknown", [None, math.nan, math.inf, -math.inf, -1.0])
def test_an_unknown_reading_is_charged_at_the_worst_case(unknown: float | None) -> None:
    unread, worst = ledger(), ledger()
    unread.add(unknown, unknown, 1.5)
    worst.add(FLOW_WORST_G_PER_MIN, SUCTION_WORST_KPA, 1.5)
    assert unread.use == worst.use


@pytest.mark.parametrize("motion_sensor", [True, False])
def test_an_unwatched_time_is_charged_at_the_worst_case_of_a_hand_that_nobody_sees(
    motion_sensor: bool,  # noqa: FBT001 - by name
) -> None:
    charged, watched = ledger(motion_sensor=motion_sensor), ledger(motion_sensor=False)
    charged.charge(1.25)
    watched.add(FLOW_WORST_G_PER_MIN, SUCTION_WORST_KPA, 1.25)
    assert charged.use == watched.use


def test_suction_without_crystals_has_a_dose_and_no_depth() -> None:
    zone = ledger()
    zone.press(28.0, 2.0, Motion.STILL)
    assert zone.use == replace(ledger().use, suction_kpa_s=56.0)
    zone.press(None, 1.0, Motion.STILL)
    assert zone.suction_kpa_s == 56.0 + SUCTION_WORST_KPA


@pytest.mark.hazard("H02")
def test_a_zone_whose_suction_dose_is_spent_leaves_nothing_however_little_was_removed() -> None:
    zone = ledger()
    zone.press(28.0, 3.5, Motion.STILL)
    assert not zone.reached
    assert zone.left_mg(7.0, 28.0) == 0
    zone.press(28.0, 0.1, Motion.STILL)
    assert zone.sucked_out
    assert zone.reached
    assert (zone.left_kpa_s, zone.left_s(7.0, 28.0), zone.left_mg(7.0, 28.0)) == (0.0, 0.0, 0)
    assert zone.bound_um == 0.0


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("time_s", [math.nan, math.inf, -math.inf, -0.001, 3601.0])
def test_a_time_that_cannot_be_used_uses_up_what_is_left(time_s: float) -> None:
    crystals, suction = ledger(), ledger()
    crystals.add(7.0, 28.0, time_s)
    suction.press(28.0, time_s)
    for zone in (crystals, suction):
        assert zone.reached
        assert (zone.left_um, zone.left_kpa_s, zone.left_mg(7.0, 28.0)) == (0.0, 0.0, 0)
        assert math.isfinite(zone.bound_um)


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("limit", [math.nan, 0.0, -1.0, -math.inf])
def test_a_limit_that_is_not_known_or_used_up_never_permits(limit: float) -> None:
    for zone in (ledger(limit), ledger(suction_max_kpa_s=limit)):
        assert zone.reached
        assert (zone.left_s(7.0, 28.0), zone.left_mg(7.0, 28.0)) == (0.0, 0)
    assert ledger(limit).left_um == 0.0
    assert ledger(suction_max_kpa_s=limit).left_kpa_s == 0.0


@pytest.mark.hazard("H01")
@given(
    flow=st.floats(0.5, 12.0), suction=st.floats(10.0, 55.0), area_cm2=st.floats(1.0, 300.0),
    before_s=st.floats(0.0, 60.0), motion_sensor=sensors,
)  # fmt: skip
def test_crystals_that_the_device_may_still_meter_and_what_falls_after_never_pass_a_limit(
    flow: float,
    suction: float,
    area_cm2: float,
    before_s: float,
    motion_sensor: bool,  # noqa: FBT001 - by name
) -> None:
    """Even if the tip stops at the very moment at which the setpoint goes out."""
    zone = ledger(area_cm2=area_cm2, motion_sensor=motion_sensor)
    zone.add(flow, suction, before_s, Motion.MOVING)
    left_mg = zone.left_mg(flow, suction)
    if left_mg == 0:
        return
    zone.add(flow, suction, left_mg / 1000.0 / flow * 60.0 + OVERSHOOT_S, Motion.STILL)
    assert zone.bound_um <= zone.cap_um * (1.0 + 1e-9)
    assert zone.suction_kpa_s <= zone.suction_max_kpa_s * (1.0 + 1e-9)


@pytest.mark.hazard("H01")
@pytest.mark.parametrize("motion_sensor", [True, False])
@pytest.mark.parametrize("most_kpa_s", [100.0, 12.0])
def test_a_working_hand_can_treat_for_as_long_as_the_plan_says_and_not_longer(
    motion_sensor: bool,  # noqa: FBT001 - by name
    most_kpa_s: float,
) -> None:
    zone = ledger(suction_max_kpa_s=most_kpa_s, motion_sensor=motion_sensor)
    lasts_s = min(zone.lasts_by_depth_s(7.0, 28.0), zone.lasts_by_suction_s(7.0, 28.0))
    zone.add(7.0, 28.0, lasts_s * 0.999, Motion.MOVING)
    assert zone.left_mg(7.0, 28.0) >= LEFT_LEAST_MG
    zone.add(7.0, 28.0, lasts_s * 0.002, Motion.MOVING)
    assert zone.left_mg(7.0, 28.0) < LEFT_LEAST_MG
    assert not zone.reached
    assert zone.nominal_um < zone.cap_um / 4.0


def test_what_is_left_fits_into_the_field_of_the_wire() -> None:
    wide = ledger(1e6, suction_max_kpa_s=1e6)
    assert wide.left_mg(12.0, 10.0) == LEFT_MAX_MG
    assert 0 < ledger(30.0).left_mg(None, None) < ledger(30.0).left_mg(7.0, 28.0)


def test_without_flow_no_crystals_are_left_to_flow_and_time_runs_out_by_suction_alone() -> None:
    zone = ledger()
    zone.add(0.0, 28.0, 80.0, Motion.MOVING)
    assert zone.left_mg(0.0, 28.0) == 0
    assert zone.left_s(0.0, 28.0) == pytest.approx(zone.left_kpa_s / 28.0 - OVERSHOOT_S)
    assert zone.left_s(0.0, 0.0) == math.inf
    assert (zone.bound_um, zone.contact_s) == (0.0, 80.0)


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("flow", [5e-324, 1e-300, 1e-6])
def test_a_flow_of_next_to_nothing_leaves_a_number_that_the_wire_can_carry(flow: float) -> None:
    assert 0 <= ledger(3.0).left_mg(flow, 0.0) <= 0xFFFF


@pytest.mark.hazard("H02")
def test_the_turns_of_strokes_cost_the_longest_of_them_and_a_real_stop_costs_all_of_itself() -> (
    None
):
    turns = ledger()
    for _ in range(20):
        turns.add(7.0, 28.0, 2.0, Motion.MOVING)
        turns.add(7.0, 28.0, 0.1, Motion.STILL)
    once = ledger()
    once.add(7.0, 28.0, 40.0 + 1.9, Motion.MOVING)
    once.add(7.0, 28.0, 0.1, Motion.STILL)
    assert turns.bound_um == pytest.approx(once.bound_um)

    stopped, long = ledger(cap_um=100.0), ledger(cap_um=100.0)
    for _ in range(3):
        stopped.add(7.0, 28.0, 1.0, Motion.STILL)
        stopped.add(7.0, 28.0, 0.0, Motion.MOVING)
    long.add(7.0, 28.0, 3.0, Motion.STILL)
    assert stopped.bound_um == pytest.approx(long.bound_um)


@pytest.mark.hazard("H02")
def test_a_stop_that_may_become_a_real_one_is_kept_back_before_it_is_charged() -> None:
    zone = ledger(cap_um=100.0)
    zone.add(7.0, 28.0, 0.2, Motion.STILL)
    zone.add(7.0, 28.0, 1.0, Motion.MOVING)
    before_um = zone.left_um
    zone.add(7.0, 28.0, 0.2, Motion.STILL)
    kept_um, charged_um = before_um - zone.left_um, zone.bound_um
    zone.add(7.0, 28.0, 0.1, Motion.STILL)
    assert zone.bound_um - charged_um == pytest.approx(kept_um * 0.3 / 0.2, rel=0.05)
    assert zone.left_um == pytest.approx(before_um - kept_um * 0.3 / 0.2)


def test_suction_counts_the_longest_stop_of_a_zone() -> None:
    zone = ledger()
    for seconds in (1.0, 2.0, 0.5):
        zone.press(28.0, seconds, Motion.STILL)
        zone.press(28.0, 0.0, Motion.MOVING)
    assert zone.suction_kpa_s == pytest.approx(56.0)


@pytest.mark.hazard("H02")
@pytest.mark.parametrize("pieces", [2, 7, 50])
def test_a_stop_costs_the_same_however_many_readings_it_is_charged_in(pieces: int) -> None:
    whole, parts = ledger(cap_um=100.0), ledger(cap_um=100.0)
    for zone, count in ((whole, 1), (parts, pieces)):
        for seconds in (0.2, 1.0, 0.24, 0.1):
            for _ in range(count):
                zone.add(7.0, 28.0, seconds / count, Motion.STILL)
            zone.add(7.0, 28.0, 0.5, Motion.MOVING)
    assert parts.bound_um == pytest.approx(whole.bound_um)


@pytest.mark.hazard("H02")
def test_a_stop_of_just_the_longest_turn_is_a_turn_and_the_second_one_is_free() -> None:
    turns, passing = ledger(cap_um=100.0), ledger(cap_um=100.0)
    for _ in range(2):
        turns.add(7.0, 28.0, STOP_SEEN_S, Motion.STILL)
        turns.add(7.0, 28.0, 0.0, Motion.MOVING)
    passing.add(7.0, 28.0, STOP_SEEN_S, Motion.STILL)
    passing.add(7.0, 28.0, STOP_SEEN_S, Motion.MOVING)
    assert turns.bound_um == pytest.approx(passing.bound_um)


@pytest.mark.hazard("H01")
def test_a_zone_that_is_used_up_lasts_for_no_time_at_all() -> None:
    zone = ledger()
    zone.add(7.0, 28.0, 3600.0)
    assert zone.lasts_by_depth_s(7.0, 28.0) == 0.0
    assert zone.lasts_by_suction_s(7.0, 28.0) == 0.0


@pytest.mark.parametrize("motion_sensor", [True, False])
def test_what_ends_a_zone_is_the_limit_that_leaves_the_shorter_time(
    motion_sensor: bool,  # noqa: FBT001 - by name
) -> None:
    by_depth = ledger(suction_max_kpa_s=1e6, motion_sensor=motion_sensor)
    by_suction = ledger(cap_um=1e6, motion_sensor=motion_sensor)
    assert not by_depth.ends_by_suction(7.0, 28.0)
    assert by_suction.ends_by_suction(7.0, 28.0)


def test_of_two_limits_that_leave_the_same_time_it_is_the_depth_that_ends_a_zone() -> None:
    zone = ledger(cap_um=0.0, suction_max_kpa_s=0.0)
    assert not zone.ends_by_suction(7.0, 28.0)


def test_more_crystals_bring_the_end_by_depth_forward_and_more_suction_that_by_suction() -> None:
    zone = ledger(cap_um=3.15)
    um_per_s = MODEL.rate_um_per_s(7.0, 28.0).bound_um_per_s
    both_kpa_s = zone.cap_um / um_per_s * 28.0
    zone.suction_max_kpa_s = both_kpa_s * 0.99
    assert zone.ends_by_suction(7.0, 28.0)
    assert not zone.ends_by_suction(12.0, 28.0)
    zone.suction_max_kpa_s = both_kpa_s * 1.01
    assert not zone.ends_by_suction(7.0, 28.0)
    assert zone.ends_by_suction(7.0, 40.0)


def test_without_a_motion_sensor_one_place_has_its_share_of_the_suction() -> None:
    zone = ledger(cap_um=1e6, motion_sensor=False)
    share = MODEL.place_share(20.0, Motion.UNSEEN)
    assert share < 0.5
    left_s = zone.suction_max_kpa_s / (28.0 * share)
    assert zone.left_s(7.0, 28.0) == pytest.approx(left_s - OVERSHOOT_S)
