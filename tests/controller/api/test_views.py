"""A treatment, its readings, alarms and receipts as values of the API: each whole, by value."""

import pytest

from controller.api import views
from controller.api.snapshot import (
    AlarmView,
    LightView,
    LiveView,
    ReceiptView,
    SignalView,
    ToneView,
    TreatmentView,
    UnitView,
    ZoneView,
)
from controller.planning.zone_end import ZoneEnd
from controller.safety.alarm_signals import Inactivation, Signal, Tone
from controller.safety.alarms import Alarm, AlarmBoard, Light, Priority
from controller.safety.effect import Stratum
from controller.safety.exposure import ZoneUse
from controller.safety.guide_texts import HELD, PRESS
from controller.safety.limits import Limit, Quantity, Source, resolve
from controller.safety.reading import Identity, Reading
from controller.treatment.conduct import Conduct
from controller.treatment.course import ZoneProgress
from controller.treatment.events import Hold, Outcome
from firmware_protocol.vocabulary import Capability, Cause, Input, Mode, Wish
from tests.controller.treatment.couch import plan, stage

READING = Reading(
    at_s=10.0,
    tick_ms=5,
    mode=Mode.PAUSED,
    cause=Cause.OVER_SUCTION,
    inputs=Input.SWITCH_CLOSED,
    valve_percent=44.5,
    suction_kpa=21.25,
    suction_b_kpa=20.75,
    flow_g_per_min=6.5,
    lease_left_s=0.1237,
)
USED = ZoneUse(nominal_um=0.3123, bound_um=1.25, contact_s=4.5, grams=0.625, suction_kpa_s=8.75)
STRATUM = Stratum(thickness_um=13.7, layers=17.0, shed_h_per_layer=21.3)
ZONE = stage("nose", used=USED, stratum=STRATUM, cap_um=3.5, contact_budget_s=12.0)
NOSE = ZoneView(
    zone="nose",
    display="Nose",
    state="current",
    contact_s=4.5,
    budget_s=12.0,
    nominal_um=0.3123,
    bound_um=1.25,
    cap_um=3.5,
    suction_kpa_s=8.75,
    suction_max_kpa_s=100.0,
    grams=0.625,
    suction_kpa_mean=None,
    suction_kpa_peak=None,
    set_suction_kpa=28.0,
    set_flow_g_per_min=7.0,
    ended_by=None,
    share_percent=2.28,  # 0.3123 of 13.7 is 2.27956 %
    layers=0.3875,  # of 17: 0.387526
    shedding_h=8.254,  # at 21.3 h each: 8.254296
)
CHIN = ZoneView(
    "chin", "Chin", "waiting", 0.0, 10.0, 0.0, 0.0, 3.0, 0.0, 100.0, 0.0, None, None, 28.0, 7.0
)


# -- the unit --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("capabilities", "simulated", "motion"),
    [
        (Capability.NONE, False, False),
        (Capability.SIMULATED, True, False),
        (Capability.MOTION_SENSOR, False, True),
    ],
)
def test_a_unit_is_shown_as_it_said_who_it_is(
    capabilities: Capability, *, simulated: bool, motion: bool
) -> None:
    shown = views.unit_view(Identity(1001, 5, "1.2", capabilities))
    assert shown == UnitView(1001, "1.2", simulated=simulated, motion_sensor=motion)
    assert views.unit_view(None) is None


def test_a_time_is_shown_in_milliseconds_to_one_decimal_and_an_unknown_one_as_unknown() -> None:
    assert (views.ms(0.012345), views.ms(0.0), views.ms(None)) == (12.3, 0.0, None)


# -- the newest reading ----------------------------------------------------------------------------
def test_a_reading_is_shown_beside_what_was_set() -> None:
    one = Conduct(plan())
    one.sent = Hold(24.5, 5.5, Wish.ALL, 12)
    assert views.live_view(READING, one, 10.01234) == LiveView(
        suction_kpa=21.25,
        flow_g_per_min=6.5,
        set_suction_kpa=24.5,
        set_flow_g_per_min=5.5,
        valve_percent=44.5,
        contact=False,
        switch=True,
        mode="paused",
        cause="over_suction",
        lease_left_ms=124,
        age_ms=12.3,
    )


def test_without_a_treatment_nothing_is_set_and_what_is_not_measured_is_unknown() -> None:
    unknown = READING._replace(
        suction_kpa=None, flow_g_per_min=None, cause=Cause.NONE, inputs=Input.CONTACT
    )
    assert views.live_view(unknown, None, 10.5) == LiveView(
        suction_kpa=None,
        flow_g_per_min=None,
        set_suction_kpa=0.0,
        set_flow_g_per_min=0.0,
        valve_percent=44.5,
        contact=True,
        switch=False,
        mode="paused",
        cause=None,
        lease_left_ms=124,
        age_ms=500.0,
    )
    assert views.live_view(None, Conduct(plan()), 10.0) is None


# -- the treatment ---------------------------------------------------------------------------------
def test_a_zone_that_is_done_is_shown_with_its_suction_its_settings_and_what_ended_it() -> None:
    done = ZoneProgress(ZONE, "done", USED, 22.5, 27.25, 19.0, 4.5, ZoneEnd.EXPOSURE)
    assert views.zone_view(done) == ZoneView(
        zone="nose",
        display="Nose",
        state="done",
        contact_s=4.5,
        budget_s=12.0,
        nominal_um=0.3123,
        bound_um=1.25,
        cap_um=3.5,
        suction_kpa_s=8.75,
        suction_max_kpa_s=100.0,
        grams=0.625,
        suction_kpa_mean=22.5,
        suction_kpa_peak=27.25,
        set_suction_kpa=19.0,
        set_flow_g_per_min=4.5,
        ended_by="exposure",
        share_percent=2.28,
        layers=0.3875,
        shedding_h=8.254,
    )


def test_what_is_removed_is_said_to_so_many_decimals() -> None:
    deep = ZoneUse(nominal_um=1.23456, bound_um=2.0)
    shown = views.zone_view(ZoneProgress(ZONE, "done", deep, None, None, 28.0, 7.0))
    # 1.23456 / 13.7 = 9.011387 %, of 17 layers 1.5319358, at 21.3 h each 32.630232 h
    assert (shown.share_percent, shown.layers, shown.shedding_h) == (9.011, 1.5319, 32.63)


def test_a_treatment_under_way_is_shown_zone_by_zone_without_an_end() -> None:
    assert views.treatment_view(9, Conduct(plan(ZONE, stage("chin")))) == TreatmentView(
        id=9,
        program="refresh",
        display_name="Refresh",
        client="demo",
        zones=(NOSE, CHIN),
        outcome=None,
        simulated=True,
        message=None,
        recorded=None,
        stopped_by=None,
    )
    assert views.treatment_view(9, None) is None


@pytest.mark.parametrize(("recorded", "outcome"), [(None, None), (False, None), (True, "stopped")])
def test_how_a_treatment_ended_is_told_once_that_is_durable(
    recorded: bool | None,  # noqa: FBT001 - the value itself
    outcome: str | None,
) -> None:
    one = Conduct(plan(ZONE))
    one.outcome, one.recorded = Outcome.STOPPED, recorded
    one.why, one.stopped_by = "because", "supervisor"
    assert views.treatment_view(9, one) == TreatmentView(
        9, "refresh", "Refresh", "demo", (NOSE,), outcome,
        simulated=True, message="because", recorded=recorded, stopped_by="supervisor",
    )  # fmt: skip


# -- alarms ----------------------------------------------------------------------------------------
def test_alarms_are_shown_with_all_they_say_the_most_urgent_first() -> None:
    board = AlarmBoard()
    board.put(Alarm("V01", Priority.MEDIUM, "It sucks.", "Let go."), 1.0)
    board.acknowledge()
    board.put(Alarm("U09", Priority.HIGH, "It burns.", "Run."), 2.0)
    assert views.alarm_views(board) == (
        AlarmView("U09", "high", "It burns.", "Run.", acknowledged=False, first_out=False),
        AlarmView("V01", "medium", "It sucks.", "Let go.", acknowledged=True, first_out=True),
    )
    assert views.alarm_views(AlarmBoard()) == ()


def test_the_hand_is_told_the_first_of_its_steps_alone() -> None:
    board = AlarmBoard()
    board.put(PRESS, 1.0)
    board.put(HELD, 2.0)
    assert [(each.code, each.next_step) for each in views.alarm_views(board)] == [
        ("H04", ""),
        ("H07", "Resume, then release and press the switch."),
    ]


def test_a_signal_is_shown_with_tone_and_light_and_how_long_it_is_held_back() -> None:
    said = Signal(
        Tone(10, 120.0, 7.5, 932.0),
        Light("red", 2.0, 50.0),
        Inactivation.AUDIO_PAUSED,
        left_s=98.7654,
        reminder_in_s=12.3456,
    )
    assert views.signal_view(said) == SignalView(
        tone=ToneView(pulses=10, pulse_ms=120.0, every_s=7.5, fundamental_hz=932.0),
        light=LightView(colour="red", flash_hz=2.0, duty_percent=50.0),
        inactivation="audio paused",
        left_s=98.8,
        reminder_in_s=12.3,
    )


def test_where_nothing_sounds_shines_or_ends_that_is_shown_as_nothing() -> None:
    said = Signal(None, None, Inactivation.NONE, None, None)
    assert views.signal_view(said) == SignalView(None, None, "none", None, None)
    over = Signal(None, None, Inactivation.ALARM_OFF, 0.0, 0.0)
    assert views.signal_view(over) == SignalView(None, None, "alarm off", 0.0, 0.0)


# -- receipts --------------------------------------------------------------------------------------


LOWERED = resolve(
    Quantity.SUCTION_KPA, 30.0, (Limit(Source.FACTORY, Quantity.SUCTION_KPA, 40.0),
                                 Limit(Source.SKIN, Quantity.SUCTION_KPA, 28.0)),
)  # fmt: skip
GRANTED = resolve(
    Quantity.FLOW_G_PER_MIN, 2.0, (Limit(Source.PROGRAM, Quantity.FLOW_G_PER_MIN, 7.0),)
)
REFUSED = resolve(
    Quantity.FLOW_G_PER_MIN, float("nan"), (Limit(Source.TIP, Quantity.FLOW_G_PER_MIN, 7.0),)
).as_refusal()
OF_LOWERED = ReceiptView(
    quantity="suction_kpa",
    unit="kPa",
    requested=30.0,
    allowed=28.0,
    limited=True,
    refused=False,
    binding="skin",
    margin=-2.0,
    chain=[{"source": "factory", "value": 40.0}, {"source": "skin", "value": 28.0}],
    sentence="Suction was lowered by 2 kPa from 30 kPa to 28 kPa, the limit of this client's "
    "skin type and age.",
)
OF_REFUSED = ReceiptView(
    quantity="flow_g_per_min",
    unit="g/min",
    requested=None,
    allowed=0.0,
    limited=True,
    refused=True,
    binding=None,
    margin=None,
    chain=[{"source": "tip", "value": 7.0}],
    sentence="Crystal flow was refused: what was asked for is not a usable number.",
)


def test_a_receipt_is_shown_with_its_chain_and_its_words() -> None:
    assert views.receipt_view(LOWERED) == OF_LOWERED
    assert views.receipt_view(REFUSED) == OF_REFUSED


def test_what_was_limited_is_shown_as_planned_and_since_and_what_was_granted_is_not() -> None:
    one = Conduct(plan(stage("nose", receipts=(LOWERED, GRANTED)), stage("chin")))
    one.refused = (REFUSED,)
    assert views.receipt_views(one) == (OF_LOWERED, OF_REFUSED)
    assert views.receipt_views(None) == ()
