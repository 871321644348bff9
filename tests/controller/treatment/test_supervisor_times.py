"""The bounds of the supervisor, on the dot: what is still in time, and what is not any more."""

import math
from typing import Any

import pytest

from controller.safety.interlocks import LOOP_STALL_MAX_S, STALE_MAX_S, Belief, Interlock
from controller.treatment.conduct import NOTHING
from controller.treatment.events import (
    Action,
    Begin,
    Command,
    LinkLost,
    Note,
    Observed,
    Raise,
    SendArm,
    Settle,
    Step,
    StopNow,
)
from controller.treatment.kinds import Kind
from controller.treatment.preparation import ANSWER_MAX_S
from controller.treatment.states import ENDED, LIVE, State
from controller.treatment.supervisor import (
    CONFIRM_MAX_S,
    EXPOSURE_ROW_S,
    IDLE_MAX_S,
    MODES,
    RESET_SHOWS_S,
    SAFE_MAX_S,
    SILENCE_MAX_S,
    STOPPING_MAX_S,
)
from firmware_protocol import envelope
from firmware_protocol.vocabulary import Cause, Input, Mode, StopKind, Wish
from tests.controller.treatment.couch import (
    ANNA,
    BOOT,
    DROPPED,
    FLOWING,
    SEALED,
    WAYS,
    Couch,
    active,
    arming,
    couch,
    ends,
    exposure_of,
    holds,
    of,
    paused,
    plan,
    preparing,
    proving,
    stage,
    stopping,
    tripped,
)

NOW_S = 1024.0  # a round number of the machine: sums with the bounds are exact
MOMENT_S = 1e-6
BEYOND = pytest.mark.parametrize("beyond_s", [0.0, MOMENT_S])


def raised(actions: Any) -> list[str]:  # noqa: ANN401 - any sequence of actions
    return [action.alarm.code for action in of(Raise, actions)]


def at(one: Couch, mode: Mode, now_s: float = NOW_S, **changes: Any) -> None:  # noqa: ANN401
    """Go to a moment, with a reading and a beat of just now; nothing has lasted until then."""
    one.now_s = now_s
    one.supervisor._watch.failing_since_s.clear()
    one.conduct.newest = one.reading(mode, **changes)
    one.supervisor._beat_s = now_s


def show(one: Couch, mode: Mode, **changes: Any) -> list[Action]:  # noqa: ANN401 - by name
    return list(one.step(Observed(one.reading(mode, **changes))))


# -- deadlines -------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", State)
def test_a_beat_is_due_until_the_record_is_closed(state: State) -> None:
    one = WAYS[state]()
    one.beat()
    due_s = one.supervisor.deadline_s()
    if state in ENDED | {State.TRIPPED}:
        assert due_s is None
    else:
        assert due_s == one.now_s + envelope.SETPOINT_PERIOD_S


def test_a_beat_is_due_after_a_trip_until_its_end_is_written() -> None:
    one = active()
    one.step(LinkLost(Interlock.LINK_LOST))
    one.beat()
    assert one.conduct.outcome is None
    assert one.supervisor.deadline_s() == one.now_s + envelope.SETPOINT_PERIOD_S


# -- silence and stalls ----------------------------------------------------------------------------
@BEYOND
def test_the_control_loop_may_be_late_by_three_beats_and_no_longer(beyond_s: float) -> None:
    one = active()
    at(one, Mode.ACTIVE, **FLOWING)
    one.supervisor._beat_s = NOW_S - 0.125 if not beyond_s else NOW_S - LOOP_STALL_MAX_S - beyond_s
    one.beat()
    assert one.at(State.TRIPPED) is bool(beyond_s)


def test_a_stalled_loop_does_not_trip_the_orderly_end() -> None:
    one = stopping()
    at(one, Mode.STOPPING)
    one.supervisor._beat_s = NOW_S - 10.0
    one.conduct.stopped_at_s = NOW_S
    one.beat()
    assert one.at(State.STOPPING)


@BEYOND
def test_while_preparing_a_second_of_silence_is_no_reason_to_refuse(beyond_s: float) -> None:
    one = preparing()
    at(one, Mode.DISARMED)
    one.supervisor._preparation.since_s = NOW_S
    one.now_s = NOW_S + SILENCE_MAX_S + beyond_s
    one.supervisor._beat_s = one.now_s
    actions = one.beat()
    assert one.at(State.REFUSED) is bool(beyond_s)
    assert raised(actions) == (["C01"] if beyond_s else [])


@BEYOND
def test_a_unit_that_never_spoke_has_a_second_from_the_beginning(beyond_s: float) -> None:
    one = couch()
    one.now_s = NOW_S
    one.step(Begin(ANNA))
    one.now_s = NOW_S + SILENCE_MAX_S + beyond_s
    one.beat()
    assert one.at(State.REFUSED) is bool(beyond_s)


def test_before_the_beginning_silence_means_nothing() -> None:
    one = couch()
    assert one.beat() == ()
    assert one.at(State.PREPARING)


@pytest.mark.parametrize("state", [state for state in State if state in ENDED])
def test_after_the_end_silence_means_nothing(state: State) -> None:
    one = WAYS[state]()
    one.pass_time(10.0)
    assert one.beat() == ()
    assert one.at(state)


# -- idle ------------------------------------------------------------------------------------------
@BEYOND
@pytest.mark.parametrize("state", [State.ARMED, State.ACTIVE, State.PAUSED])
def test_ten_minutes_without_treating_are_allowed_and_no_longer(
    state: State, beyond_s: float
) -> None:
    one = WAYS[state]()
    at(one, {State.ARMED: Mode.ARMED, State.ACTIVE: Mode.ACTIVE}.get(state, Mode.PAUSED))
    one.supervisor._treated_s = NOW_S - IDLE_MAX_S - beyond_s
    actions = one.beat()
    assert one.at(State.STOPPING) is bool(beyond_s)
    assert raised(actions) == (["H08"] if beyond_s else [])


def test_whoever_treats_begins_the_ten_minutes_anew() -> None:
    one = active()
    one.supervisor._treated_s = 0.0
    one.see(Mode.ACTIVE, **FLOWING)
    assert one.supervisor._treated_s == one.now_s
    treated_s = one.now_s
    one.see(Mode.PAUSED, 3)
    assert one.supervisor._treated_s == pytest.approx(treated_s, abs=0.021)


def test_the_ten_minutes_begin_when_arm_is_offered() -> None:
    one = arming()
    assert 0.0 <= one.now_s - one.supervisor._treated_s <= 0.2
    one.supervisor._treated_s = -math.inf
    assert one.supervisor.state is State.ARMING
    one.beat()
    assert one.at(State.ARMING)


# -- the orderly end and the safe state ------------------------------------------------------------
@BEYOND
def test_the_orderly_end_may_take_so_long_and_no_longer(beyond_s: float) -> None:
    one = stopping()
    at(one, Mode.STOPPING)
    one.conduct.stopped_at_s = NOW_S - STOPPING_MAX_S - beyond_s
    actions = one.beat()
    assert one.at(State.TRIPPED) is bool(beyond_s)
    assert raised(actions) == (["U11"] if beyond_s else [])
    assert [hold.wish for hold in holds(actions)] == ([] if beyond_s else [Wish.PUMP])


def test_the_orderly_end_has_its_time_from_the_zero_of_the_clock_too() -> None:
    one = stopping()
    at(one, Mode.STOPPING, STOPPING_MAX_S + 0.5)
    one.conduct.stopped_at_s = 0.0
    one.beat()
    assert one.at(State.TRIPPED)


def test_a_stopped_unit_is_at_its_end_only_disarmed_and_with_a_shut_valve() -> None:
    one = stopping()
    show(one, Mode.STOPPING)
    assert one.at(State.STOPPING)
    show(one, Mode.DISARMED, valve_percent=30.0)
    assert one.at(State.STOPPING)
    show(one, Mode.DISARMED)
    assert one.at(State.STOPPED)


def test_the_way_to_safe_is_noted_before_the_end() -> None:
    one = active()
    one.person(Command.STOP)
    one.pass_time(0.0125)
    actions = show(one, Mode.DISARMED)
    assert actions[0] == Note(Kind.SAFE, {"took_ms": 12.5, "why": "stop by anna"})
    assert ends(actions) == ["stopped"]


def not_safe() -> Couch:
    """A trip after which the valve is still seen open."""
    one = active()
    one.step(LinkLost(Interlock.LINK_LOST))
    at(one, Mode.SAFE, valve_percent=30.0)
    return one


@pytest.mark.hazard("H05")
@BEYOND
def test_a_unit_that_is_heard_and_not_safe_by_half_a_second_is_an_alarm(beyond_s: float) -> None:
    one = not_safe()
    one.conduct.stopped_at_s = NOW_S - SAFE_MAX_S - beyond_s
    assert raised(one.beat()) == (["U07"] if beyond_s else [])
    assert one.conduct.outcome is None


@BEYOND
def test_a_safe_state_that_was_not_seen_by_two_seconds_is_recorded_so(beyond_s: float) -> None:
    one = not_safe()
    one.conduct.stopped_at_s = NOW_S - CONFIRM_MAX_S - beyond_s
    actions = one.beat()
    assert raised(actions) == ["U07"]
    assert ends(actions) == (["tripped"] if beyond_s else [])
    assert not ends(one.beat())


def test_a_unit_that_is_not_heard_or_never_spoke_raises_no_alarm_about_its_valve() -> None:
    for unheard in (False, True):
        one = not_safe()
        one.conduct.stopped_at_s = NOW_S - 1.0
        one.now_s = NOW_S + STALE_MAX_S + MOMENT_S
        one.conduct.newest = None if unheard else one.conduct.newest
        assert one.beat() == ()


def test_a_unit_that_was_seen_safe_is_asked_about_no_more() -> None:
    one = tripped()
    at(one, Mode.SAFE, valve_percent=30.0)
    assert one.beat() == ()
    one.conduct.outcome = None
    assert one.beat() == ()


# -- exposure and dwell ----------------------------------------------------------------------------
@pytest.mark.parametrize(("short_s", "noted"), [(0.0, True), (MOMENT_S, False)])
def test_exposure_is_noted_every_half_second_while_the_switch_is_pressed(
    short_s: float, *, noted: bool
) -> None:
    one = active()
    at(one, Mode.ACTIVE, **FLOWING)
    one.supervisor._exposure_noted_s = NOW_S - EXPOSURE_ROW_S + short_s
    actions = show(one, Mode.ACTIVE, **FLOWING)
    assert actions == ([exposure_of(one.conduct, "nose")] if noted else [])
    assert not show(one, Mode.ACTIVE, **FLOWING)


def test_in_the_pause_no_exposure_is_noted() -> None:
    one = paused()
    at(one, Mode.PAUSED)
    one.supervisor._exposure_noted_s = 0.0
    assert show(one, Mode.PAUSED) == []


def test_a_tip_is_warned_about_only_beyond_a_second_on_one_spot() -> None:
    one = active()
    at(one, Mode.ACTIVE, **FLOWING)
    one.supervisor._exposure_noted_s = math.inf
    still = {**FLOWING, "inputs": FLOWING["inputs"] & ~Input.MOTION}
    assert show(one, Mode.ACTIVE, **still) == []
    one.now_s = one.supervisor._beat_s = NOW_S + envelope.DWELL_WARN_S
    assert show(one, Mode.ACTIVE, **still) == []
    one.now_s += MOMENT_S
    assert raised(show(one, Mode.ACTIVE, **still)) == ["S07"]
    assert show(one, Mode.ACTIVE, **FLOWING) == [Settle("S07")]


def test_the_request_to_lift_stands_until_the_tip_was_lifted() -> None:
    one = active(plan(stage("nose", contact_budget_s=0.13), stage("chin")))
    assert raised(one.see(Mode.ACTIVE, **FLOWING)) == ["S05"]
    assert not of(Settle, one.see(Mode.PAUSED, 3, inputs=SEALED))
    assert of(Settle, one.see_for(0.3, Mode.PAUSED, inputs=0)) == [Settle("S05")]


# -- what is believed ------------------------------------------------------------------------------
@pytest.mark.parametrize("motion", [False, True])
@pytest.mark.parametrize("state", [state for state in State if state not in ENDED])
def test_what_is_believed_of_the_unit_follows_from_the_state_and_the_newest_setpoint(
    state: State, *, motion: bool
) -> None:
    one = couch(motion=motion)
    one.conduct.state = state
    for wish, flows in ((Wish.NONE, False), (Wish.PUMP, False), (Wish.ALL, True)):
        one.conduct.hold()
        one.conduct.sent = one.conduct.sent.__class__(21.0, 6.0, wish, 0)
        assert one.supervisor._belief() == Belief(
            treating=state in LIVE,
            stopped=state in {State.STOPPING, State.TRIPPED},
            modes=MODES[state],
            set_suction_kpa=21.0,
            set_flow_g_per_min=6.0,
            flow_wished=flows,
            motion_sensor=motion,
            boot_id=BOOT,
        )


# -- beginning and preparing -----------------------------------------------------------------------
@pytest.mark.parametrize("shown_s", [RESET_SHOWS_S, 0.25])
def test_a_latched_unit_is_given_a_moment_to_show_its_reset_and_no_longer(shown_s: float) -> None:
    one = couch()
    one.now_s = 0.0
    one.step(Begin(ANNA))
    one.now_s = shown_s
    actions = show(one, Mode.SAFE, cause=Cause.DWELL)
    assert one.at(State.REFUSED) is (shown_s > RESET_SHOWS_S)
    assert raised(actions) == (["S01"] if shown_s > RESET_SHOWS_S else [])


@pytest.mark.parametrize("now_s", [1.0, NOW_S])
def test_a_unit_that_is_latched_before_the_beginning_is_refused_at_once(now_s: float) -> None:
    one = couch()
    one.now_s = now_s
    assert raised(show(one, Mode.SAFE, cause=Cause.DWELL)) == ["S01"]
    assert one.at(State.REFUSED)


def test_what_was_stopped_before_its_beginning_does_not_begin() -> None:
    one = couch()
    one.person(Command.STOP)
    assert one.step(Begin(ANNA)) == ()
    assert one.supervisor.deadline_s() is None


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    one = proving()
    assert one.answer(Step.CONFIGURE) == DROPPED
    assert one.at(State.PREPARING)
    one = arming()
    assert one.answer(Step.CONFIGURE) == DROPPED
    assert one.at(State.ARMING)


def test_a_unit_that_is_not_ready_is_not_armed_though_its_stream_is_proven() -> None:
    one = proving()
    one.see_for(1.0, Mode.READY)
    assert not of(SendArm, one.see_for(0.2, Mode.SELFTEST))
    assert one.at(State.PREPARING)
    assert of(SendArm, one.see(Mode.READY))


def test_while_arming_a_unit_that_disarms_is_waited_for() -> None:
    one = arming()
    assert show(one, Mode.DISARMED) == []
    assert one.at(State.ARMING)


@pytest.mark.hazard("H12")
@BEYOND
def test_an_arm_that_never_shows_stops_first_and_renews_no_lease(beyond_s: float) -> None:
    one = arming()
    at(one, Mode.READY)
    one.supervisor._preparation.since_s = NOW_S - ANSWER_MAX_S - beyond_s
    actions = one.beat()
    if beyond_s:
        assert actions[0] == StopNow(StopKind.EMERGENCY)
        assert not holds(actions)
        assert one.conduct.stopped_at_s == NOW_S
    else:
        assert actions == (NOTHING,)
