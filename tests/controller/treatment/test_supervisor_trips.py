import pytest

from controller.safety.interlocks import Interlock
from controller.safety.removal import Motion
from controller.treatment.conduct import UNSEEN_S
from controller.treatment.events import (
    Command,
    Commit,
    LinkLost,
    Observed,
    Outcome,
    Raise,
    RecordLost,
    StopNow,
    Wake,
)
from controller.treatment.states import LIVE, State
from controller.treatment.supervisor import (
    CONFIRM_MAX_S,
    STOPPING_MAX_S,
)
from firmware_protocol.vocabulary import Cause, Input, Mode, StopKind
from tests.controller.treatment.couch import (
    BOOT,
    FLOWING,
    Couch,
    active,
    armed,
    arming,
    codes,
    ends,
    holds,
    of,
    paused,
    preparing,
    stopping,
    stops,
    tripped,
)


@pytest.mark.hazard("H03")
def test_a_trip_of_the_device_is_latched_with_its_cause_and_ends_as_tripped() -> None:
    one = active()
    actions = one.see(Mode.SAFE, cause=Cause.OVER_SUCTION)
    assert isinstance(actions[0], StopNow)
    assert codes(actions) == ["V01"]
    trip = of(Commit, actions)[0]
    assert (trip.kind, trip.body["by"], trip.body["cause"]) == ("trip", "device", "OVER_SUCTION")
    assert ends(actions) == ["tripped"]
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
    worst = one.conduct.plan.model.spread_rate_um_per_s(None, None, 20.0, Motion.UNSEEN)
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
    for _ in range(7):
        one.pass_time(0.02)
        one.step(Observed(one.reading(Mode.ACTIVE, **FLOWING)))
    assert one.at(State.ACTIVE)
    one.pass_time(0.02)
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
    for _ in range(4):
        one.pass_time(0.05)
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
