import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.planning.zone_end import ZoneEnd
from controller.safety.exposure import KEPT_BACK_S, LEFT_LEAST_S, ZoneUse
from controller.safety.removal import Motion
from controller.treatment.course import Course, Tally
from firmware_protocol.vocabulary import Input, Mode
from tests.controller.treatment.couch import FLOWING, MODEL, SEALED, Couch, couch, plan, stage

FULL = {**FLOWING, "suction_kpa": 28.0}
MOVING = SEALED | Input.VALVE_COMMANDED
STILL = MOVING & ~Input.MOTION
OFF = Input.SWITCH_CLOSED


def course(*stages: object) -> Course:
    return Course(plan(*stages))  # type: ignore[arg-type]  # stages


def show(one: Course, seconds: float, bed: Couch | None = None, **changes: object) -> list[ZoneEnd]:
    bed = bed or couch()
    ends = []
    for _ in range(round(seconds / 0.02) + 1):
        end = one.observe(bed.reading(Mode.ACTIVE, **(FULL | changes)))
        bed.pass_time(0.02)
        if end is not None:
            ends.append(end)
            break
    return ends


def test_time_is_counted_on_the_clock_of_the_unit_over_its_wrap() -> None:
    one = course()
    show(one, 3.0)
    use = one.zones()[0].use
    assert use.contact_s == pytest.approx(3.0)
    assert use.grams == pytest.approx(7.0 / 60.0 * 3.0)


def test_a_zone_ends_by_its_time() -> None:
    one = course(stage("nose", contact_budget_s=2.0), stage("chin"))
    assert show(one, 5.0) == [ZoneEnd.TIME]
    assert one.zones()[0].use.contact_s == pytest.approx(2.0)
    one.advance()
    assert (one.zone, one.done, one.must_lift) == ("chin", False, True)
    assert [zone.state for zone in one.zones()] == ["done", "current"]


@pytest.mark.hazard("H01")
def test_a_zone_ends_by_its_exposure_before_the_cap() -> None:
    one = course(stage("nose", cap_um=0.9, contact_budget_s=99.0))
    assert show(one, 99.0) == [ZoneEnd.EXPOSURE]
    use = one.zones()[0].use
    tip_um_per_s = MODEL.rate_um_per_s(7.0, 28.0).bound_um_per_s
    assert use.bound_um == pytest.approx(0.9 - tip_um_per_s * KEPT_BACK_S, abs=0.03)
    one.advance()
    assert one.done
    assert one.left_mg() == 0
    assert one.zone == "nose"
    assert show(one, 1.0) == []


@pytest.mark.hazard("H07")
@pytest.mark.hazard("H09")
def test_a_reading_that_is_not_known_counts_as_the_worst() -> None:
    known, unknown = course(), course()
    show(known, 1.0)
    show(unknown, 1.0, flow_g_per_min=None, suction_kpa=None, valve_percent=0.0)
    assert unknown.zones()[0].use.bound_um > known.zones()[0].use.bound_um
    assert unknown.zones()[0].suction_kpa_peak is None
    assert unknown.left_mg() < known.left_mg()


def test_crystals_that_still_come_after_the_valve_has_shut_are_counted() -> None:
    one = course()
    show(one, 1.0, valve_percent=0.0, flow_g_per_min=2.0)
    assert one.zones()[0].use.contact_s == pytest.approx(1.0)


@pytest.mark.hazard("H08")
@pytest.mark.parametrize(
    ("valve_percent", "suction_kpa", "suction_b_kpa", "counted"),
    [
        (0.0, 0.4, 0.3, False),
        (0.0, 0.4, None, False),
        (0.0, 0.4, 27.0, True),
        (0.0, 27.0, 27.0, True),
        (0.0, None, None, True),
        (5.0, 0.4, 0.3, True),
    ],
)
def test_an_unknown_flow_behind_a_shut_valve_is_none_once_every_known_suction_is(
    valve_percent: float,
    suction_kpa: float | None,
    suction_b_kpa: float | None,
    counted: bool,  # noqa: FBT001 - of a table
) -> None:
    one = course()
    known: dict[str, Any] = {"suction_kpa": suction_kpa, "suction_b_kpa": suction_b_kpa}
    show(one, 1.0, flow_g_per_min=None, valve_percent=valve_percent, **known)
    assert one.was_on_skin() is counted
    assert (one.zones()[0].use.bound_um > 0.0) is counted


def test_quiet_or_off_the_skin_nothing_is_counted() -> None:
    one, bed = course(), couch()
    show(one, 1.0, bed, valve_percent=0.0, flow_g_per_min=0.2)
    show(one, 1.0, bed, inputs=0)
    assert one.zones()[0].use.contact_s == 0.0
    assert not one.was_on_skin()


def test_mean_and_peak_of_suction_are_over_the_time_with_crystals() -> None:
    one, bed = course(), couch()
    show(one, 1.0, bed)
    show(one, 1.0, bed, suction_kpa=20.0)
    zone = one.zones()[0]
    assert zone.suction_kpa_mean == pytest.approx(24.0, abs=0.2)
    assert zone.suction_kpa_peak == 28.0
    assert Tally().mean_kpa is None


def test_what_is_left_counts_for_the_higher_of_set_and_measured_suction() -> None:
    low, high = course(), course()
    show(low, 0.02, suction_kpa=10.0)
    show(high, 0.02, suction_kpa=40.0)
    assert high.left_mg() < low.left_mg()


def test_finished_zones_of_a_resumed_treatment_are_passed_over() -> None:
    used = ZoneUse(contact_s=99.0)
    one = course(stage("nose", used=used), stage("chin"), stage("jaw", used=used))
    assert one.zone == "chin"
    assert not one.must_lift
    one.advance()
    assert one.done


def test_a_zone_that_could_not_take_what_falls_until_the_valve_is_shut_is_finished() -> None:
    rate = MODEL.rate_um_per_s(7.0, 28.0).bound_um_per_s
    least_um = rate * KEPT_BACK_S
    assert course(stage(cap_um=least_um * 0.9)).done
    assert not course(stage(cap_um=least_um * 1.1)).done


@pytest.mark.hazard("H02")
def test_a_tip_that_is_not_seen_to_move_is_charged_as_one_that_stands() -> None:
    moving, still, blind = course(), course(), Course(plan(motion=False))
    show(moving, 0.5)
    show(still, 0.5, inputs=STILL)
    show(blind, 0.5, inputs=STILL)
    moved, stood, unseen = (one.zones()[0].use for one in (moving, still, blind))
    tip = MODEL.rate_um_per_s(7.0, 28.0).bound_um_per_s
    assert stood.bound_um == pytest.approx(tip * 0.5)
    assert moved.bound_um < unseen.bound_um < stood.bound_um
    assert moved.suction_kpa_s < unseen.suction_kpa_s < stood.suction_kpa_s


@pytest.mark.hazard("H02")
@pytest.mark.parametrize(
    ("before", "after", "still"),
    [
        (MOVING, MOVING, False), (MOVING, STILL, True), (STILL, MOVING, True),
        (OFF, MOVING, False), (MOVING, OFF, False), (OFF, STILL, True), (STILL, OFF, True),
    ],
)  # fmt: skip
def test_a_tip_has_moved_only_if_every_reading_that_has_it_on_the_skin_says_so(
    before: Input, after: Input, *, still: bool
) -> None:
    one, bed = course(), couch()
    one.observe(bed.reading(Mode.ACTIVE, **(FULL | {"inputs": before})))
    bed.pass_time(0.02)
    one.observe(bed.reading(Mode.ACTIVE, **(FULL | {"inputs": after})))
    share = MODEL.place_share(20.0, Motion.STILL if still else Motion.MOVING)
    assert one.zones()[0].use.suction_kpa_s == pytest.approx(28.0 * 0.02 * share)


@pytest.mark.hazard("H02")
def test_suction_without_crystals_counts_as_suction_and_not_as_contact() -> None:
    one = course()
    show(one, 1.0, valve_percent=0.0, flow_g_per_min=0.2, inputs=STILL)
    use = one.zones()[0].use
    assert (use.contact_s, use.bound_um, use.grams) == (0.0, 0.0, 0.0)
    assert use.suction_kpa_s == pytest.approx(28.0)


@pytest.mark.hazard("H02")
def test_a_zone_ends_by_its_suction_dose() -> None:
    one = course(stage("nose", suction_max_kpa_s=30.0), stage("chin"))
    assert show(one, 9.0, valve_percent=0.0, flow_g_per_min=0.2, inputs=STILL) == [ZoneEnd.SUCTION]
    assert one.left_mg() < LEFT_LEAST_S * 7.0 / 60.0 * 1000.0


@pytest.mark.hazard("H01", "H50")
def test_until_the_tip_is_lifted_everything_is_charged_to_the_zone_under_it() -> None:
    one, bed = course(stage("nose", contact_budget_s=1.0), stage("chin")), couch()
    assert show(one, 5.0, bed) == [ZoneEnd.TIME]
    one.advance()
    assert one.touched == {"nose", "chin"}
    show(one, 0.1, bed)
    nose, chin = one.zones()
    assert nose.use.contact_s == pytest.approx(1.12)
    assert chin.use.contact_s == chin.use.suction_kpa_s == 0.0
    one.charge(0.25)
    assert one.zones()[0].use.contact_s == pytest.approx(1.37)
    show(one, 0.3, bed, inputs=0)
    assert one.touched == {"chin"}
    show(one, 0.2, bed)
    assert one.zones()[1].use.contact_s == pytest.approx(0.2, abs=0.021)


@pytest.mark.hazard("H01")
def test_after_the_last_zone_what_still_falls_is_charged_to_it() -> None:
    one, bed = course(stage("nose", contact_budget_s=1.0)), couch()
    assert show(one, 5.0, bed) == [ZoneEnd.TIME]
    one.advance()
    assert one.done
    show(one, 0.1, bed)
    assert one.zones()[0].use.contact_s == pytest.approx(1.12)


@pytest.mark.hazard("H12")
def test_an_unwatched_time_is_charged_and_the_watch_begins_anew() -> None:
    one = course()
    show(one, 1.0)
    one.charge(0.25)
    assert not one.was_on_skin()
    assert one.zones()[0].use.contact_s == pytest.approx(1.25)
    show(one, 0.0)
    assert one.zones()[0].use.contact_s == pytest.approx(1.25)
    done = course(stage(used=ZoneUse(contact_s=99.0)))
    done.charge(1.0)
    assert done.zones()[0].use.contact_s == 99.0


def test_a_zone_left_out_before_it_was_finished_is_skipped() -> None:
    one = course(stage("nose"), stage("chin"))
    one.advance()
    assert [zone.state for zone in one.zones()] == ["skipped", "current"]
    assert [zone.ended_by for zone in one.zones()] == [None, None]


def test_why_a_zone_ended_is_kept_though_what_still_falls_spends_another_of_its_limits() -> None:
    by_exposure = course(stage("nose", cap_um=0.9, contact_budget_s=99.0), stage("chin"))
    show(by_exposure, 99.0)
    by_exposure.advance()
    by_exposure.charge(120.0)
    nose, chin = by_exposure.zones()
    assert nose.use.contact_s > 99.0
    assert (nose.ended_by, nose.state) == (ZoneEnd.EXPOSURE, "done")
    assert chin.ended_by is None
    used = ZoneUse(contact_s=99.0)
    resumed = course(stage("nose", used=used), stage("chin")).zones()[0]
    assert (resumed.ended_by, resumed.state) == (ZoneEnd.TIME, "done")


@pytest.mark.hazard("H01")
@given(
    readings=st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(0.0, 65.0), st.just(math.nan)),
            st.one_of(st.none(), st.floats(0.0, 65.0), st.just(math.nan)),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_exposure_never_falls_and_what_is_left_never_rises(
    readings: list[tuple[float | None, float | None, bool]],
) -> None:
    one, bed = course(stage(contact_budget_s=1e6)), couch()
    seen_um, left = 0.0, one.left_mg()
    for flow, suction, contact in readings:
        inputs = FULL["inputs"] if contact else 0
        shown = FULL | {"flow_g_per_min": flow, "suction_kpa": suction, "inputs": inputs}
        one.observe(bed.reading(Mode.ACTIVE, **shown))
        one.observe(bed.reading(Mode.ACTIVE, **(FULL | {"inputs": 0})))
        bed.pass_time(0.02)
        use = one.zones()[0].use
        assert use.bound_um >= seen_um
        assert use.nominal_um <= use.bound_um
        assert one.left_mg() <= left
        seen_um, left = use.bound_um, one.left_mg()


def test_where_nothing_was_left_from_the_beginning_nothing_is_charged() -> None:
    one = course(stage("nose", used=ZoneUse(contact_s=99.0)))
    assert one.done
    show(one, 0.1)
    assert one.zones()[0].use == ZoneUse(contact_s=99.0)
    assert one.touched == {"nose"}


@pytest.mark.hazard("H01")
@given(parts_ms=st.lists(st.integers(1, 400), min_size=1, max_size=20), moving=st.booleans())
def test_what_is_charged_does_not_depend_on_how_often_the_unit_speaks(
    parts_ms: list[int],
    moving: bool,  # noqa: FBT001 - by name
) -> None:
    shown = FULL | {"inputs": MOVING if moving else STILL}
    often, once = (course(stage(contact_budget_s=1e6)) for _ in range(2))
    for one, steps_ms in ((often, parts_ms), (once, [sum(parts_ms)])):
        bed = couch()
        one.observe(bed.reading(Mode.ACTIVE, **shown))
        for step_ms in steps_ms:
            bed.pass_time(step_ms / 1000.0)
            # The couch lets the flow waver so that no sensor looks frozen: not here.
            one.observe(bed.reading(Mode.ACTIVE, **shown)._replace(flow_g_per_min=7.0))
    split, whole = often.zones()[0].use, once.zones()[0].use
    for name in ("nominal_um", "bound_um", "contact_s", "grams", "suction_kpa_s"):
        assert getattr(split, name) == pytest.approx(getattr(whole, name), rel=1e-9)


# -- what may be open, and what nobody saw ---------------------------------------------------------
LONG = {"cap_um": 999.0, "suction_max_kpa_s": 9999.0, "contact_budget_s": 99.0}


@pytest.mark.hazard("H51")
def test_the_zone_under_treatment_may_be_open_and_none_that_cannot_be_reached_in_time() -> None:
    one = course(stage("nose", **LONG), stage("chin", **LONG))
    assert one.may_open(2.0) == ("nose",)


@pytest.mark.hazard("H51")
def test_zones_that_a_short_one_leads_to_may_be_open_too() -> None:
    zones = ("nose", "chin", "jaw")
    one = course(*(stage(zone, **{**LONG, "contact_budget_s": 0.5}) for zone in zones))
    assert one.may_open(0.4) == ("nose",)
    assert one.may_open(0.8) == ("nose", "chin")
    assert one.may_open(2.0) == zones


@pytest.mark.hazard("H51")
def test_a_zone_that_was_finished_before_a_resume_cannot_be_open() -> None:
    done, short = {**LONG, "used": ZoneUse(contact_s=99.0)}, {**LONG, "contact_budget_s": 0.5}
    one = course(stage("nose", **done), stage("chin", **short), stage("jaw", **done), stage("neck"))
    assert one.zone == "chin"
    assert one.may_open(2.0) == ("chin", "neck")


@pytest.mark.hazard("H51")
def test_until_the_tip_is_lifted_the_zone_under_it_and_the_next_may_be_open() -> None:
    one = course(stage("nose", contact_budget_s=1.0), stage("chin", **LONG))
    assert show(one, 5.0) == [ZoneEnd.TIME]
    one.advance()
    assert one.may_open(2.0) == ("nose", "chin")


@pytest.mark.hazard("H51", shows="works")
def test_what_the_unit_delivered_unseen_is_charged_once_to_the_zone_under_the_tip() -> None:
    one, bed = course(stage("nose", **LONG), stage("chin", **LONG)), couch()
    supplies = bed.reading(Mode.ACTIVE).supplies
    assert supplies is not None
    show(one, 1.0, bed, supplies=supplies)
    seen_s = one.zones()[0].use.contact_s
    later = supplies._replace(contact_total_s=supplies.contact_total_s + seen_s + 3.0)
    show(one, 0.2, bed, supplies=later)
    assert one.take_surplus_s() == pytest.approx(3.0, abs=0.03)
    assert one.take_surplus_s() == 0.0
    nose, chin = (zone.use.contact_s for zone in one.zones())
    assert nose == pytest.approx(seen_s + 3.0 + 0.2, abs=0.03)
    assert chin == 0.0


@pytest.mark.hazard("H51")
def test_totals_that_say_less_than_was_seen_take_nothing_back() -> None:
    one, bed = course(), couch()
    show(one, 1.0, bed)
    assert one.zones()[0].use.contact_s == pytest.approx(1.0, abs=0.021)
    assert one.take_surplus_s() == 0.0


def test_a_unit_that_has_booted_anew_begins_its_totals_anew() -> None:
    one, bed = course(stage("nose", **LONG)), couch()
    supplies = bed.reading(Mode.ACTIVE).supplies
    assert supplies is not None
    show(one, 1.0, bed, supplies=supplies)
    more = supplies._replace(contact_total_s=supplies.contact_total_s + 500.0)
    show(one, 1.0, bed, supplies=more, boot_id=77)
    assert one.take_surplus_s() == 0.0
