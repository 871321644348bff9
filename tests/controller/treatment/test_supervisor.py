from dataclasses import replace
from typing import Any

import pytest

from controller.safety.exposure import ZoneUse
from controller.safety.interlocks import Interlock
from controller.treatment.conduct import UNSEEN_S
from controller.treatment.course import LEFT_LEAST_MG
from controller.treatment.events import (
    Action,
    Begin,
    Command,
    Commit,
    Configure,
    Ended,
    LinkLost,
    Note,
    Observed,
    Outcome,
    Raise,
    RecordLost,
    RunSelfTest,
    SendArm,
    Settle,
    Step,
    StopNow,
    Wake,
)
from controller.treatment.preparation import (
    LAPSE_MAX_S,
    OFFERS_MAX,
    PROOF_S,
    REST_MAX_S,
    SELF_TEST_MAX_S,
)
from controller.treatment.states import LIVE, State
from controller.treatment.supervisor import (
    CONFIRM_MAX_S,
    EXPOSURE_ROW_S,
    IDLE_MAX_S,
    STOPPING_MAX_S,
)
from firmware_protocol.vocabulary import Cause, Input, Mode, Permit, Refusal, StopKind, Wish
from tests.controller.treatment.couch import (
    ANNA,
    BOOT,
    FLOWING,
    FRAME_S,
    SEALED,
    TOKEN,
    Couch,
    active,
    armed,
    arming,
    couch,
    holds,
    of,
    paused,
    plan,
    preparing,
    prove_lease,
    proving,
    ready,
    stage,
    stopping,
    stops,
    tripped,
)

PRESSED: dict[str, Any] = {"inputs": Input.SWITCH_CLOSED}
OFF_SKIN: dict[str, Any] = {
    "inputs": Input.SWITCH_CLOSED | Input.PUMP_COMMANDED,
    "suction_kpa": 4.0,
}


def codes(actions: object) -> list[str]:
    return [action.alarm.code for action in of(Raise, actions)]  # type: ignore[arg-type]  # a list


def kinds(one: Couch) -> list[str]:
    return [row.kind for row in of(Commit, one.done)]


# -- preparing -------------------------------------------------------------------------------------
def test_a_treatment_is_written_down_before_the_unit_hears_of_it() -> None:
    one = couch()
    actions = one.step(Begin(ANNA))
    assert [type(action) for action in actions] == [Commit]
    assert one.see(Mode.DISARMED) == [Configure(28.0, 7.0, 8.0, 1)]


def test_a_unit_that_still_boots_or_purges_is_waited_for_within_a_bound() -> None:
    one = couch()
    one.step(Begin(ANNA))
    one.see_for(REST_MAX_S - 1.0, Mode.STOPPING)
    assert one.at(State.PREPARING)
    one.see_for(2.0, Mode.STOPPING)
    assert one.at(State.REFUSED)
    assert codes(one.done) == ["C12"]


def test_begin_counts_once() -> None:
    one = preparing()
    assert one.step(Begin(ANNA)) == ()


def test_a_plan_without_anything_left_is_refused() -> None:
    one = couch(plan(stage(used=ZoneUse(contact_s=10.0))))
    one.step(Begin(ANNA))
    assert one.at(State.REFUSED)


def test_a_unit_that_was_reset_just_before_is_given_a_moment_to_show_it() -> None:
    one = couch()
    one.step(Begin(ANNA))
    one.see(Mode.SAFE, 2, cause=Cause.DWELL)
    assert one.see(Mode.DISARMED) == [Configure(28.0, 7.0, 8.0, 1)]


@pytest.mark.parametrize("cause", [Cause.OVER_SUCTION, Cause.NONE])
def test_a_unit_that_is_latched_is_not_treated_with(cause: Cause) -> None:
    one = couch()
    one.step(Begin(ANNA))
    one.see_for(0.3, Mode.SAFE, cause=cause)
    assert one.at(State.REFUSED)
    assert of(Ended, one.done) == [Ended(Outcome.REFUSED)]


def test_the_whole_way_to_an_armed_unit() -> None:
    one = armed()
    assert kinds(one) == ["begin", "arm"]
    wanted = (Configure, RunSelfTest, SendArm)
    asked = [action for action in one.done if isinstance(action, wanted)]
    assert asked == [Configure(28.0, 7.0, 8.0, 1), RunSelfTest(), SendArm(TOKEN)]
    assert codes(one.done) == ["H04"]


def test_arm_is_offered_only_after_a_second_of_setpoints_that_want_nothing() -> None:
    one = proving()
    actions = one.see_for(PROOF_S - 0.1, Mode.READY)
    assert len(holds(actions)) >= 15
    assert not any(hold.wish or hold.exposure_left_mg for hold in holds(actions))
    assert not of(SendArm, actions)
    assert of(SendArm, one.see_for(0.2, Mode.READY)) == [SendArm(TOKEN)]


@pytest.mark.hazard("H10")
def test_the_lease_is_proven_to_lapse_before_arm_is_offered() -> None:
    one = proving()
    proof = [row.body["took_ms"] for row in of(Note, one.done) if row.kind == "lease_proof"]
    assert len(proof) == 1
    assert 200.0 <= proof[0] <= LAPSE_MAX_S * 1000.0
    assert not of(SendArm, one.done)


@pytest.mark.hazard("H10")
def test_a_unit_that_keeps_a_lease_that_nobody_renews_is_not_armed() -> None:
    one = ready()
    one.see_for(1.0, Mode.READY, permits=Permit.LEASE)
    assert one.at(State.REFUSED)
    assert codes(one.done) == ["U12"]


def test_a_unit_that_takes_no_setpoint_is_not_armed() -> None:
    one = ready()
    one.see_for(6.0, Mode.READY, permits=Permit.NONE)
    assert one.at(State.REFUSED)
    assert codes(one.done) == ["C13"]


@pytest.mark.hazard("H18")
def test_a_pressed_switch_holds_arming_back_until_it_is_released() -> None:
    one = proving()
    one.see_for(3.0, Mode.READY, **PRESSED)
    assert one.at(State.PREPARING)
    assert codes(one.done) == ["H03"]
    one.see(Mode.READY, 3)
    assert one.at(State.ARMING)
    assert of(Settle, one.done) == [Settle("H03")]


def test_a_switch_that_is_never_released_ends_it() -> None:
    one = proving()
    one.see_for(61.0, Mode.READY, **PRESSED)
    assert one.at(State.REFUSED)


def test_a_pressed_switch_holds_the_self_test_back() -> None:
    one = couch()
    one.step(Begin(ANNA))
    one.see(Mode.DISARMED)
    one.answer(Step.CONFIGURE)
    assert not of(RunSelfTest, one.see(Mode.DISARMED, 10, **PRESSED))
    assert of(RunSelfTest, one.see(Mode.DISARMED))
    one.answer(Step.SELF_TEST, ok=False, refusal=Refusal.SWITCH_PRESSED)
    assert of(RunSelfTest, one.see(Mode.DISARMED))


def test_a_press_during_the_self_test_lets_it_run_again() -> None:
    one = couch()
    one.step(Begin(ANNA))
    one.see(Mode.DISARMED)
    one.answer(Step.CONFIGURE)
    for _ in range(OFFERS_MAX):
        assert of(RunSelfTest, one.see(Mode.DISARMED))
        one.answer(Step.SELF_TEST, detail=TOKEN)
        one.see_for(0.5, Mode.SELFTEST)
        one.see_for(0.3, Mode.DISARMED, **PRESSED)
        assert one.at(State.PREPARING)
    one.see(Mode.DISARMED)
    one.answer(Step.SELF_TEST, detail=TOKEN)
    one.see_for(0.3, Mode.DISARMED, **PRESSED)
    assert one.at(State.REFUSED)


def test_a_failed_self_test_refuses_in_words() -> None:
    one = couch()
    one.step(Begin(ANNA))
    one.see(Mode.DISARMED)
    one.answer(Step.CONFIGURE)
    one.see(Mode.DISARMED)
    one.answer(Step.SELF_TEST, detail=TOKEN)
    one.see_for(0.5, Mode.SELFTEST)
    one.see_for(0.1, Mode.DISARMED)
    assert one.at(State.REFUSED)
    assert codes(one.done) == ["U03"]


def test_a_self_test_without_end_is_refused() -> None:
    one = couch()
    one.step(Begin(ANNA))
    one.see(Mode.DISARMED)
    one.answer(Step.CONFIGURE)
    one.see(Mode.DISARMED)
    one.answer(Step.SELF_TEST, detail=TOKEN)
    one.see_for(SELF_TEST_MAX_S + 1.0, Mode.SELFTEST)
    assert one.at(State.REFUSED)


def test_a_ready_unit_that_disarms_was_stopped_from_elsewhere() -> None:
    one = proving()
    one.see(Mode.DISARMED)
    assert one.at(State.REFUSED)
    assert codes(one.done) == ["C15"]


@pytest.mark.parametrize("refusal", [Refusal.STREAM_NOT_HEALTHY, Refusal.SWITCH_PRESSED])
def test_a_polite_refusal_of_arm_is_offered_again_but_not_for_ever(refusal: Refusal) -> None:
    one = arming()
    for _ in range(OFFERS_MAX - 1):
        one.answer(Step.ARM, ok=False, refusal=refusal)
        assert one.at(State.PREPARING)
        one.see_for(1.3, Mode.READY)
        assert one.at(State.ARMING)
    one.answer(Step.ARM, ok=False, refusal=refusal)
    one.see_for(1.3, Mode.READY)
    assert one.at(State.REFUSED)
    assert len(of(SendArm, one.done)) == OFFERS_MAX


def test_a_bad_token_refuses() -> None:
    one = arming()
    actions = one.answer(Step.ARM, ok=False, refusal=Refusal.BAD_TOKEN)
    assert one.at(State.REFUSED)
    assert stops(actions) == [StopKind.NORMAL]
    assert codes(actions) == ["C14"]


def test_a_refusal_that_we_do_not_know_is_told_all_the_same() -> None:
    one = preparing()
    one.answer(Step.CONFIGURE, ok=False)
    assert codes(one.done) == ["C11"]


@pytest.mark.hazard("H12")
def test_an_unknown_outcome_of_arm_counts_as_armed_and_trips() -> None:
    one = arming()
    actions = one.answer(Step.ARM, ok=False, known=False)
    assert one.at(State.TRIPPED)
    assert stops(actions) == [StopKind.EMERGENCY]


def test_an_arm_that_is_accepted_but_never_shows_trips() -> None:
    one = arming()
    one.answer(Step.ARM)
    one.see_for(6.0, Mode.READY)
    assert one.at(State.TRIPPED)


def test_telemetry_may_be_faster_than_the_answer() -> None:
    one = arming()
    one.see(Mode.ARMED)
    assert one.at(State.ARMED)
    assert one.answer(Step.ARM) == ()
    assert one.answer(Step.ARM, ok=False, known=False) == ()


@pytest.mark.parametrize(
    ("mode", "state"), [(Mode.ACTIVE, State.ACTIVE), (Mode.PAUSED, State.PAUSED)]
)
def test_telemetry_may_skip_armed(mode: Mode, state: State) -> None:
    one = arming()
    one.see(mode)
    assert one.at(state)


def test_an_unknown_outcome_before_arming_only_refuses() -> None:
    one = preparing()
    one.answer(Step.CONFIGURE, ok=False, known=False)
    assert one.at(State.REFUSED)
    assert codes(one.done) == ["C09"]


def test_silence_while_preparing_refuses() -> None:
    one = preparing()
    one.pass_time(0.9)
    one.beat()
    assert one.at(State.PREPARING)
    one.pass_time(0.2)
    one.beat()
    assert one.at(State.REFUSED)


def test_silence_from_the_beginning_refuses() -> None:
    one = couch()
    one.step(Begin(ANNA))
    one.pass_time(1.1)
    one.beat()
    assert one.at(State.REFUSED)


def test_nobody_presses_so_the_unit_is_offered_again_and_then_let_go() -> None:
    one = armed()
    for _ in range(OFFERS_MAX - 1):
        one.see(Mode.DISARMED)
        assert one.at(State.PREPARING)
        one.see(Mode.DISARMED)
        one.answer(Step.SELF_TEST, detail=TOKEN)
        one.see_for(0.4, Mode.SELFTEST)
        prove_lease(one)
        one.see_for(1.4, Mode.READY)
        one.answer(Step.ARM)
        one.see(Mode.ARMED, 3)
        assert one.at(State.ARMED)
    one.see(Mode.DISARMED)
    assert one.at(State.STOPPING)
    one.see(Mode.DISARMED)
    assert one.at(State.STOPPED)
    assert codes(one.done)[-1] == "H06"


# -- treating --------------------------------------------------------------------------------------
def test_armed_setpoints_carry_the_values_of_the_zone_and_what_may_still_flow() -> None:
    one = armed()
    hold = holds(one.see(Mode.ARMED, 3))[-1]
    assert (hold.suction_kpa, hold.flow_g_per_min, hold.wish) == (28.0, 7.0, Wish.ALL)
    assert hold.exposure_left_mg == one.conduct.course.left_mg() > LEFT_LEAST_MG


@pytest.mark.hazard("H01")
def test_what_may_still_flow_falls_with_every_reading_of_flow() -> None:
    one = active()
    full = {**FLOWING, "suction_kpa": 28.0}
    beats = holds(one.see_for(0.9, Mode.ACTIVE, **full))
    left = [hold.exposure_left_mg for hold in beats]
    assert left == sorted(left, reverse=True)
    beat_mg = 7.0 / 60.0 * 1000.0 * 3 * FRAME_S
    assert left[0] - left[-1] == pytest.approx(beat_mg * (len(beats) - 1), abs=2)


def test_released_and_pressed_follow_the_device() -> None:
    one = active()
    one.see(Mode.PAUSED)
    assert one.at(State.PAUSED)
    one.see(Mode.ACTIVE, **FLOWING)
    assert one.at(State.ACTIVE)


def test_contact_is_charged_and_noted_often_enough_for_a_crash() -> None:
    one = active()
    before = len(of(Note, one.done))
    rows = [
        note for note in of(Note, one.see_for(3.0, Mode.ACTIVE, **FLOWING))
        if note.kind == "exposure"
    ]  # fmt: skip
    assert len(rows) == pytest.approx(3.0 / EXPOSURE_ROW_S, abs=1)
    said = [row.body["contact_s"] for row in rows]
    assert said == sorted(said)
    assert before < len(of(Note, one.done))


def test_off_the_skin_nothing_is_charged() -> None:
    one = active()
    contact_s = one.conduct.course.zones()[0].use.contact_s
    one.see_for(2.0, Mode.ACTIVE, **OFF_SKIN)
    assert one.conduct.course.zones()[0].use.contact_s == pytest.approx(contact_s + 0.02)


@pytest.mark.hazard("H01")
@pytest.mark.parametrize(
    ("made", "code"),
    [
        (stage("nose", contact_budget_s=1.0), "S05"),
        (stage("nose", cap_um=0.12, contact_budget_s=99.0), "S06"),
    ],
)
def test_a_zone_that_is_done_withholds_the_flow_until_the_tip_was_lifted(
    made: object, code: str
) -> None:
    one = active(plan(made, stage("chin")))  # type: ignore[arg-type]  # a stage
    actions: list[Action] = []
    for _ in range(400):
        actions = one.see(Mode.ACTIVE, **FLOWING)
        if codes(actions):
            break
    assert codes(actions) == [code]
    assert holds(actions) == [replace(holds(actions)[0], flow_g_per_min=0.0, wish=Wish.PUMP)]
    assert holds(actions)[0].exposure_left_mg == 0
    assert one.conduct.course.zone == "chin"
    still = one.see_for(1.0, Mode.PAUSED, inputs=SEALED)
    assert {hold.wish for hold in holds(still)} == {Wish.PUMP}
    lifted = one.see_for(0.4, Mode.PAUSED, **OFF_SKIN)
    assert holds(lifted)[-1].wish == Wish.ALL
    assert Settle(code) in lifted
    assert not of(SendArm, lifted)


def test_a_skip_over_a_hair_is_no_lift() -> None:
    one = active(plan(stage("nose", contact_budget_s=0.2), stage("chin")))
    one.see(Mode.ACTIVE, 6, **FLOWING)
    one.see(Mode.PAUSED, 6, **OFF_SKIN)
    one.see(Mode.PAUSED, 3, inputs=SEALED)
    assert holds(one.see(Mode.PAUSED, 6, **OFF_SKIN))[-1].wish == Wish.PUMP


def test_after_the_last_zone_it_ends_in_order() -> None:
    one = active(plan(stage("nose", contact_budget_s=0.3)))
    actions = one.see(Mode.ACTIVE, 12, **FLOWING)
    assert stops(actions) == [StopKind.NORMAL]
    assert one.at(State.STOPPING)
    purge = one.see_for(2.0, Mode.STOPPING)
    assert {hold.wish for hold in holds(purge)} == {Wish.PUMP}
    ended = one.see(Mode.DISARMED)
    assert one.at(State.COMPLETED)
    assert ended[-1] == Ended(Outcome.COMPLETED)
    body = of(Commit, ended)[-1].body
    assert body["outcome"] == "completed"
    assert body["time_to_safe_ms"] == 80.0


def test_zones_that_a_resumed_treatment_finished_are_left_out() -> None:
    done = stage("nose", used=ZoneUse(contact_s=10.0))
    one = armed(plan(done, stage("chin")))
    assert [zone.state for zone in one.conduct.course.zones()] == ["done", "current"]


@pytest.mark.hazard("H42")
def test_ten_minutes_without_treating_end_it() -> None:
    one = paused()
    for _ in range(int(IDLE_MAX_S)):
        one.see(Mode.PAUSED, 3)
        one.pass_time(0.04)
        one.see(Mode.PAUSED)
    for _ in range(9000):
        if one.state is not State.PAUSED:
            break
        one.see(Mode.PAUSED, 6)
    assert one.at(State.STOPPING)
    assert codes(one.done)[-1] == "H08"


def test_a_tip_that_stands_still_is_warned_about_before_it_trips() -> None:
    one = active()
    still = {**FLOWING, "inputs": FLOWING["inputs"] & ~Input.MOTION}
    warned = one.see_for(1.3, Mode.ACTIVE, **still)
    assert codes(warned) == ["S07"]
    assert Settle("S07") in one.see(Mode.ACTIVE, **FLOWING)
    one.see_for(2.5, Mode.ACTIVE, **still)
    assert one.at(State.TRIPPED)


# -- trips -----------------------------------------------------------------------------------------
@pytest.mark.hazard("H03")
def test_a_trip_of_the_device_is_latched_with_its_cause_and_ends_as_tripped() -> None:
    one = active()
    actions = one.see(Mode.SAFE, cause=Cause.OVER_SUCTION)
    assert isinstance(actions[0], StopNow)
    assert codes(actions) == ["V01"]
    trip = of(Commit, actions)[0]
    assert (trip.kind, trip.body["by"], trip.body["cause"]) == ("trip", "device", "OVER_SUCTION")
    assert of(Ended, actions) == [Ended(Outcome.TRIPPED)]
    assert one.at(State.TRIPPED)


def test_the_time_to_safe_is_measured_to_the_first_reading_with_a_shut_valve() -> None:
    one = active()
    one.see(Mode.SAFE, cause=Cause.DWELL, valve_percent=30.0)
    assert one.conduct.outcome is None
    one.see(Mode.SAFE, 4, cause=Cause.DWELL, valve_percent=10.0)
    one.see(Mode.SAFE, cause=Cause.DWELL)
    assert one.conduct.time_to_safe_s == pytest.approx(0.1)
    assert one.conduct.outcome is Outcome.TRIPPED


@pytest.mark.hazard("H05")
def test_a_valve_that_stays_open_after_a_trip_is_a_high_alarm() -> None:
    one = active()
    stuck = {"inputs": Input.CONTACT, "valve_percent": 40.0}
    one.see_for(CONFIRM_MAX_S + 0.2, Mode.SAFE, cause=Cause.DWELL, **stuck)
    raised = [action.alarm for action in of(Raise, one.done)]
    assert {"U07", "F06"} <= {alarm.code for alarm in raised if alarm.priority.name == "HIGH"}
    assert one.conduct.outcome is Outcome.TRIPPED
    assert one.conduct.time_to_safe_s is None


@pytest.mark.hazard("H10")
@pytest.mark.parametrize("state", [active, paused, armed, arming])
def test_telemetry_that_stops_trips_within_150_ms_and_a_beat(state: object) -> None:
    one: Couch = state()  # type: ignore[operator]  # a way
    began_s = one.now_s
    while one.state in LIVE:
        one.pass_time(0.05)
        one.beat()
    assert one.now_s - began_s <= 0.201


@pytest.mark.hazard("H12")
def test_what_nobody_saw_is_charged_at_the_worst_case() -> None:
    one = active()
    before = one.conduct.course.zones()[0].use
    one.pass_time(0.05)
    one.step(LinkLost(Interlock.LINK_LOST))
    after = one.conduct.course.zones()[0].use
    assert after.contact_s - before.contact_s == pytest.approx(0.05 + UNSEEN_S)
    worst = one.conduct.plan.model.spread_rate_um_per_s(None, None, 20.0)
    unseen_s = 0.05 + UNSEEN_S
    assert after.bound_um - before.bound_um == pytest.approx(worst.bound_um_per_s * unseen_s)


def test_a_link_lost_while_a_person_held_the_flow_charges_nothing() -> None:
    one = paused()
    one.person(Command.PAUSE)
    before = one.conduct.course.zones()
    one.step(LinkLost(Interlock.LINK_LOST))
    assert one.conduct.course.zones() == before


def test_a_trip_that_nobody_can_confirm_is_recorded_as_not_confirmed() -> None:
    one = active()
    one.step(LinkLost(Interlock.LINK_LOST))
    for _ in range(50):
        one.pass_time(0.05)
        one.beat()
    ended = [row for row in of(Commit, one.done) if row.kind == "ended"]
    assert [row.body["time_to_safe_ms"] for row in ended] == [None]
    assert "U07" not in codes(one.done)
    assert one.supervisor.deadline_s() is None


@pytest.mark.hazard("H14")
def test_a_control_loop_that_stalls_trips() -> None:
    one = active()
    one.beat()
    for _ in range(8):
        one.pass_time(0.02)
        one.step(Observed(one.reading(Mode.ACTIVE, **FLOWING)))
    actions = one.beat()
    assert one.at(State.TRIPPED)
    assert codes(actions) == ["C06"]


def test_a_second_trip_adds_its_alarm_and_changes_nothing_else() -> None:
    one = active()
    one.see(Mode.SAFE, cause=Cause.DWELL)
    why = one.conduct.why
    one.see_for(0.5, Mode.SAFE, cause=Cause.DWELL, suction_kpa=56.0, suction_b_kpa=56.0)
    assert "V01" in codes(one.done)
    assert one.conduct.why == why


@pytest.mark.hazard("H43")
def test_another_boot_is_another_unit() -> None:
    one = active()
    one.see(Mode.DISARMED, boot_id=BOOT + 1)
    assert one.at(State.TRIPPED)
    assert codes(one.done)[-1] == "C05"


@pytest.mark.parametrize("mode", [Mode.STOPPING, Mode.DISARMED])
def test_a_stop_from_elsewhere_is_an_orderly_stop(mode: Mode) -> None:
    one = active()
    one.see(mode)
    assert one.at(State.STOPPING)
    assert codes(one.done)[-1] == "C15"
    one.see(Mode.DISARMED)
    assert one.at(State.STOPPED)


def test_a_device_that_goes_back_to_armed_by_itself_trips() -> None:
    one = active()
    one.see_for(0.5, Mode.ARMED)
    assert one.at(State.TRIPPED)
    assert codes(one.done)[-1] == "C04"


@pytest.mark.hazard("H40")
def test_no_record_no_treatment() -> None:
    one = preparing()
    one.step(RecordLost("The disk is full."))
    assert one.at(State.REFUSED)
    one = active()
    actions = one.step(RecordLost("The disk is full."))
    assert stops(actions) == [StopKind.NORMAL]
    assert one.at(State.STOPPING)
    assert "The disk is full." in of(Raise, actions)[0].alarm.sentence
    assert one.step(RecordLost("The disk is full.")) == ()


# -- the orderly end -------------------------------------------------------------------------------
def test_an_orderly_end_that_takes_too_long_becomes_an_emergency() -> None:
    one = stopping()
    one.see_for(STOPPING_MAX_S + 0.2, Mode.STOPPING)
    assert one.at(State.TRIPPED)
    assert stops(one.done)[-1] is StopKind.EMERGENCY
    assert codes(one.done)[-1] == "U11"


def test_silence_during_the_orderly_end_trips() -> None:
    one = stopping()
    one.pass_time(0.2)
    one.beat()
    assert one.at(State.TRIPPED)


@pytest.mark.hazard("H05")
def test_a_stop_that_does_not_shut_the_valve_trips() -> None:
    one = active()
    one.person(Command.STOP)
    one.see_for(0.6, Mode.STOPPING, inputs=Input.CONTACT, valve_percent=40.0)
    assert one.at(State.TRIPPED)
    assert codes(one.done)[-1] == "F06"


def test_an_emergency_stop_keeps_no_lease_alive() -> None:
    one = active()
    one.person(Command.EMERGENCY)
    actions = [*one.see(Mode.ACTIVE, 3), *one.see(Mode.DISARMED)]
    assert not holds(actions)
    assert one.at(State.STOPPED)


def test_an_emergency_overtakes_an_orderly_end() -> None:
    one = stopping()
    assert stops(one.person(Command.EMERGENCY)) == [StopKind.EMERGENCY]
    assert not holds(one.see(Mode.STOPPING, 3))


def test_the_link_that_is_lost_after_a_trip_changes_nothing() -> None:
    one = tripped()
    assert one.step(LinkLost(Interlock.LINK_LOST)) == ()


def test_the_next_wake_is_due_within_a_beat() -> None:
    one = active()
    one.beat()
    assert one.supervisor.deadline_s() == pytest.approx(one.now_s + 0.05)
    one.step(Wake())
