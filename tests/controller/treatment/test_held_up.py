"""A process that did not run: nobody is sent to the cable for it, and nothing is judged unread."""

from typing import Any

import pytest

from controller.safety.interlocks import LOOP_STALL_MAX_S, Interlock
from controller.treatment.events import Action, LinkLost, Observed, Raise, StopNow
from controller.treatment.preparation import ANSWER_MAX_S
from controller.treatment.states import LIVE, State
from controller.treatment.supervisor import CONFIRM_MAX_S, STOPPING_MAX_S
from firmware_protocol import envelope
from firmware_protocol.vocabulary import Cause, Mode, StopKind
from tests.controller.treatment.couch import (
    FLOWING,
    WAYS,
    Couch,
    active,
    codes,
    ends,
    of,
    preparing,
    stopping,
)

NOW_S = 1024.0  # a round number of the machine: sums with the bounds are exact
MODES = {State.ARMING: Mode.READY, State.ARMED: Mode.ARMED, State.ACTIVE: Mode.ACTIVE}


def at(one: Couch, mode: Mode, **changes: Any) -> None:  # noqa: ANN401 - by name
    """Go to a moment, with a reading and a beat of just now."""
    one.now_s = one.supervisor._beat_s = NOW_S
    one.conduct.newest = one.reading(mode, **changes)


def show(one: Couch, mode: Mode, **changes: Any) -> list[Action]:  # noqa: ANN401 - by name
    return list(one.step(Observed(one.reading(mode, **changes))))


def stand(one: Couch, seconds: float) -> None:
    """Let this process not run after a beat and a reading of just now."""
    one.now_s += seconds


@pytest.mark.hazard("H14", shows="works")
@pytest.mark.parametrize("state", [state for state in State if state in LIVE])
@pytest.mark.parametrize("read_first", [False, True])
def test_a_treatment_that_was_held_up_says_so_and_blames_no_cable(
    state: State, *, read_first: bool
) -> None:
    one, mode = WAYS[state](), MODES.get(state, Mode.PAUSED)
    at(one, mode)
    stand(one, 0.4)
    actions = tuple(show(one, mode)) if read_first else one.beat()
    assert actions[0] == StopNow(StopKind.EMERGENCY)
    assert one.at(State.TRIPPED)
    (alarm,) = [action.alarm for action in of(Raise, actions)]
    assert alarm.code == "C06"
    assert "did not run for 0.35 s" in alarm.sentence
    assert "cable" not in alarm.sentence + alarm.next_step


@pytest.mark.hazard("H14", shows="works")
@pytest.mark.parametrize(("stood_s", "code"), [(0.4, "C06"), (0.05, "C07")])
def test_a_lease_that_lapsed_is_this_computers_doing_where_it_did_not_run(
    stood_s: float, code: str
) -> None:
    one = active()
    at(one, Mode.ACTIVE, **FLOWING)
    stand(one, stood_s)
    actions = show(one, Mode.SAFE, cause=Cause.LEASE_LAPSED)
    assert codes(actions)[0] == code
    assert one.conduct.tripped_by == "LEASE_LAPSED"


@pytest.mark.hazard("H14")
def test_a_silence_that_is_only_the_lateness_of_this_computer_is_no_lost_line() -> None:
    one = active()
    at(one, Mode.ACTIVE, **FLOWING)
    one.conduct.newest = one.reading(Mode.ACTIVE, **FLOWING)._replace(at_s=NOW_S - 0.019)
    stand(one, LOOP_STALL_MAX_S - 0.015)  # no stall yet, and no reading for longer than it may be
    assert codes(one.beat()) == ["C06"]


@pytest.mark.parametrize("late_s", [0.0, envelope.SETPOINT_PERIOD_S - 0.01])
def test_a_beat_that_is_a_little_late_is_no_excuse_for_the_line(late_s: float) -> None:
    one = active()
    at(one, Mode.ACTIVE, **FLOWING)
    one.conduct.newest = one.reading(Mode.ACTIVE, **FLOWING)._replace(at_s=NOW_S - 0.12)
    stand(one, envelope.SETPOINT_PERIOD_S + late_s)
    assert codes(one.beat()) == ["C01"]


@pytest.mark.hazard("H14")
def test_in_the_orderly_end_what_waits_to_be_read_is_read_before_anything_is_judged() -> None:
    one = stopping()
    at(one, Mode.STOPPING)
    one.conduct.stopped_at_s = NOW_S - 1.0
    stand(one, STOPPING_MAX_S)
    assert one.beat() == ()
    show(one, Mode.DISARMED)
    assert one.at(State.STOPPED)


def test_an_orderly_end_that_is_held_up_again_and_again_is_given_up_and_blames_no_cable() -> None:
    one = stopping()
    at(one, Mode.STOPPING)
    one.conduct.stopped_at_s = NOW_S
    stand(one, 0.4)
    assert one.beat() == ()
    stand(one, 0.4)
    assert one.beat()[0] == StopNow(StopKind.EMERGENCY)
    assert one.at(State.TRIPPED)


@pytest.mark.hazard("H05")
def test_after_a_trip_the_end_is_recorded_from_what_waits_to_be_read() -> None:
    one = active()
    one.step(LinkLost(Interlock.LINK_LOST))
    at(one, Mode.SAFE, valve_percent=30.0)
    one.conduct.stopped_at_s = NOW_S - 0.1
    stand(one, CONFIRM_MAX_S)
    assert one.beat() == ()
    assert ends(show(one, Mode.SAFE)) == ["tripped"]
    assert one.conduct.time_to_safe_s == pytest.approx(CONFIRM_MAX_S + 0.1)


def test_a_preparation_that_was_held_up_goes_on_with_what_waits_to_be_read() -> None:
    one = preparing()
    at(one, Mode.DISARMED)
    one.supervisor._preparation.since_s = NOW_S
    stand(one, ANSWER_MAX_S + 1.0)
    assert one.beat() == ()
    assert one.at(State.PREPARING)
    assert one.supervisor._preparation.jitter._beat_s == one.now_s


def test_a_computer_that_slept_is_told_and_not_the_line() -> None:
    one = active()
    actions = one.step(LinkLost(Interlock.LOOP_STALLED, "It slept for 40 s."))
    (alarm,) = [action.alarm for action in of(Raise, actions)]
    assert alarm.code == "C06"
    assert alarm.sentence.endswith("It slept for 40 s.")
