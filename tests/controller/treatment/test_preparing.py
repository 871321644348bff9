from typing import Any

import pytest

from controller.safety.exposure import ZoneUse
from controller.treatment.events import (
    Begin,
    Closed,
    Commit,
    Configure,
    End,
    Note,
    Raise,
    RunSelfTest,
    SendArm,
    Settle,
    Step,
)
from controller.treatment.preparation import (
    LAPSE_MAX_S,
    OFFERS_MAX,
    PROOF_S,
    REST_MAX_S,
    SELF_TEST_MAX_S,
    Phase,
)
from controller.treatment.states import State
from firmware_protocol.vocabulary import Cause, Defect, Input, Mode, Permit, Refusal, StopKind
from tests.controller.treatment.couch import (
    ANNA,
    DROPPED,
    LATE,
    PRESSED,
    STOCKED,
    TOKEN,
    Couch,
    armed,
    arming,
    codes,
    couch,
    ends,
    holds,
    kinds,
    of,
    plan,
    preparing,
    prove_lease,
    proving,
    ready,
    stage,
    stops,
)


def test_a_treatment_is_written_down_before_the_unit_hears_of_it() -> None:
    one = couch()
    one.durable = False
    actions = one.step(Begin(ANNA))
    assert [type(action) for action in actions] == [Commit]
    assert one.see(Mode.DISARMED, 10) == []
    one.answer(Step.BEGIN)
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
    assert ends(one.done) == ["refused"]


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


LAPSED = {"permits": Permit.NONE, "lease_left_s": 0.0}
OUTLIVES: dict[str, dict[str, Any]] = {
    "its word alone": {"permits": Permit.LEASE},
    "its own count alone": {"lease_left_s": 0.001},
    "channel B": {"permits": Permit.CHANNEL_B, **PRESSED},
    "the command of the valve": {"inputs": Input.SWITCH_REST | Input.VALVE_COMMANDED},
    "the command of the pump": {"inputs": Input.SWITCH_REST | Input.PUMP_COMMANDED},
    "the valve itself": {"valve_percent": 1.1},
}
"""What of a unit may still stand when all the rest of it shows a lapsed lease."""


def lapsing() -> Couch:
    """A proof of the lease that the host has just stopped renewing."""
    one = ready()
    while one.supervisor._preparation.phase is not Phase.LAPSE:
        one.see(Mode.READY)
    return one


@pytest.mark.hazard("H10")
@pytest.mark.parametrize("what", OUTLIVES)
def test_no_part_of_a_unit_may_outlive_its_lease_whatever_the_others_show(what: str) -> None:
    one = lapsing()
    one.see_for(LAPSE_MAX_S + 0.2, Mode.READY, **{**LAPSED, **OUTLIVES[what]})
    assert one.at(State.REFUSED)
    assert not [row for row in of(Note, one.done) if row.kind == "lease_proof"]


@pytest.mark.hazard("H10")
@pytest.mark.parametrize("shown", [Permit.NONE, Permit.CHANNEL_B])
def test_the_row_of_the_proof_says_whether_channel_b_was_seen_to_let_go(shown: Permit) -> None:
    one = lapsing()
    one.see(Mode.READY, permits=Permit.LEASE | shown, **PRESSED)
    one.see_for(0.2, Mode.READY, **LAPSED)
    (proof,) = (row.body for row in of(Note, one.done) if row.kind == "lease_proof")
    assert proof["channel_b"] is bool(shown)


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
    one.answer(Step.SELF_TEST, End.FAILED, refusal=Refusal.SWITCH_PRESSED)
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


@pytest.mark.hazard("H28", "H34")
def test_a_self_test_that_fails_says_what_it_found_and_one_at_power_on_is_written_down() -> None:
    one = couch()
    one.step(Begin(ANNA))
    one.see(Mode.DISARMED, supplies=STOCKED._replace(at_s=one.now_s, defects=Defect.MEMORY_SPOILT))
    (row,) = [note for note in of(Note, one.done) if note.kind == "self_test"]
    assert row.body == {"found": "its memory was damaged"}
    one.answer(Step.CONFIGURE)
    one.see(Mode.DISARMED)
    one.answer(Step.SELF_TEST, detail=TOKEN)
    one.see_for(0.5, Mode.SELFTEST)
    found = Defect.ZERO_A | Defect.SENSORS_DISAGREE
    one.see_for(0.1, Mode.DISARMED, supplies=STOCKED._replace(defects=found))
    assert one.at(State.REFUSED)
    (alarm,) = [each.alarm for each in of(Raise, one.done)]
    assert "suction sensor A is off its zero, the two suction sensors disagree" in alarm.sentence


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
        one.answer(Step.ARM, End.FAILED, refusal=refusal)
        assert one.at(State.PREPARING)
        one.see_for(1.3, Mode.READY)
        assert one.at(State.ARMING)
    one.answer(Step.ARM, End.FAILED, refusal=refusal)
    one.see_for(1.3, Mode.READY)
    assert one.at(State.REFUSED)
    assert len(of(SendArm, one.done)) == OFFERS_MAX


def test_a_bad_token_refuses() -> None:
    one = arming()
    actions = one.answer(Step.ARM, End.FAILED, refusal=Refusal.BAD_TOKEN)
    assert one.at(State.REFUSED)
    assert stops(actions) == [StopKind.NORMAL]
    assert codes(actions) == ["C14"]


def test_a_refusal_that_we_do_not_know_is_told_all_the_same() -> None:
    one = preparing()
    one.answer(Step.CONFIGURE, End.FAILED)
    assert codes(one.done) == ["C11"]


@pytest.mark.hazard("H12")
def test_an_unknown_outcome_of_arm_counts_as_armed_and_trips() -> None:
    one = arming()
    actions = one.answer(Step.ARM, End.UNKNOWN)
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
    assert one.answer(Step.ARM) == DROPPED
    assert one.answer(Step.ARM, End.UNKNOWN) == (Closed(LATE, End.UNKNOWN),)
    assert one.at(State.ARMED)


@pytest.mark.parametrize(
    ("mode", "state"), [(Mode.ACTIVE, State.ACTIVE), (Mode.PAUSED, State.PAUSED)]
)
def test_telemetry_may_skip_armed(mode: Mode, state: State) -> None:
    one = arming()
    one.see(mode)
    assert one.at(state)


def test_an_unknown_outcome_before_arming_only_refuses() -> None:
    one = preparing()
    one.answer(Step.CONFIGURE, End.UNKNOWN)
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
