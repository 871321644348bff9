from collections.abc import Callable
from typing import Any

import pytest

from controller.planning.rules import FLOW_SET_MIN_G_PER_MIN, SUCTION_SET_MIN_KPA
from controller.safety.refusal import Refusal
from controller.treatment.events import (
    Closed,
    Command,
    Commit,
    End,
    Note,
    Raise,
    SendReset,
    Settle,
    Step,
    StopNow,
)
from controller.treatment.states import State
from firmware_protocol.vocabulary import Cause, Input, Mode, StopKind, Wish
from firmware_protocol.vocabulary import Refusal as UnitRefusal
from tests.controller.treatment.couch import (
    DROPPED,
    FAR,
    FLOWING,
    WAYS,
    Couch,
    active,
    armed,
    ends,
    holds,
    of,
    paused,
    preparing,
    stopping,
    tripped,
)


def declined(actions: object) -> list[str]:
    return [action.code for action in of(Refusal, actions)]  # type: ignore[arg-type]  # actions


# -- pause and resume ------------------------------------------------------------------------------
@pytest.mark.parametrize("way", [armed, active, paused])
def test_pause_withholds_the_flow_at_once_and_resume_grants_it_again(way: object) -> None:
    one = way()  # type: ignore[operator]  # a way
    actions = one.person(Command.PAUSE)
    assert [hold.wish for hold in holds(actions)] == [Wish.PUMP]
    assert [action.alarm.code for action in of(Raise, actions)] == ["H07"]
    assert {hold.wish for hold in holds(one.see(Mode.PAUSED, 6))} == {Wish.PUMP}
    resumed = one.person(Command.RESUME)
    assert of(Settle, resumed) == [Settle("H07")]
    assert [row.kind for row in of(Commit, resumed)] == ["resume"]
    assert {hold.wish for hold in holds(one.see(Mode.PAUSED, 3))} == {Wish.ALL}


def test_pause_may_come_from_afar_but_resume_may_not() -> None:
    one = active()
    assert not declined(one.person(Command.PAUSE, FAR))
    for command in (Command.RESUME, Command.ACK, Command.RESET):
        assert declined(one.person(command, FAR)) == ["not_local"]
    assert one.conduct.held


@pytest.mark.parametrize("command", [Command.PAUSE, Command.RESUME, Command.LOWER])
@pytest.mark.parametrize("state", [State.STOPPING, State.COMPLETED, State.STOPPED, State.REFUSED])
def test_what_is_over_cannot_be_changed(state: State, command: Command) -> None:
    assert declined(WAYS[state]().person(command)) == ["over"]


@pytest.mark.parametrize("command", [Command.PAUSE, Command.RESUME, Command.LOWER])
def test_a_trip_comes_first(command: Command) -> None:
    assert declined(tripped().person(command)) == ["trip_stands"]


# -- lower -----------------------------------------------------------------------------------------
def test_lowering_takes_effect_at_once_and_for_all_zones_that_follow() -> None:
    one = active()
    actions = one.person(Command.LOWER, FAR, suction_kpa=20.0, flow_g_per_min=4.0)
    assert [(hold.suction_kpa, hold.flow_g_per_min) for hold in holds(actions)] == [(20.0, 4.0)]
    zones = one.conduct.course.zones()
    assert {(zone.set_suction_kpa, zone.set_flow_g_per_min) for zone in zones} == {(20.0, 4.0)}
    said = of(Note, actions)[0].body["receipts"]
    assert "your own setting" in said[0]["sentence"]
    one.person(Command.LOWER, flow_g_per_min=3.0)
    assert [receipt.allowed for receipt in one.conduct.receipts] == [20.0, 3.0]


@pytest.mark.hazard("H39")
@pytest.mark.parametrize(
    "values",
    [
        {"suction_kpa": 28.1},
        {"flow_g_per_min": 7.1},
        {"suction_kpa": 20.0, "flow_g_per_min": 8.0},
        {"suction_kpa": -1.0},
        {"suction_kpa": float("nan")},
        {"flow_g_per_min": float("inf")},
        {},
    ],
)
def test_nothing_but_a_lower_number_is_taken(values: dict[str, Any]) -> None:
    one = active()
    assert declined(one.person(Command.LOWER, **values)) == ["not_lower"]
    assert one.conduct.course.suction_kpa == 28.0
    assert one.conduct.course.flow_g_per_min == 7.0


@pytest.mark.hazard("H39")
@pytest.mark.parametrize(
    "values",
    [
        {"suction_kpa": SUCTION_SET_MIN_KPA - 0.001},
        {"flow_g_per_min": FLOW_SET_MIN_G_PER_MIN - 0.001},
        {"flow_g_per_min": 1e-320},
        {"suction_kpa": 20.0, "flow_g_per_min": 0.5},
    ],
)
def test_a_setting_with_which_no_zone_would_end_is_refused_with_the_least(
    values: dict[str, Any],
) -> None:
    one = active()
    actions = one.person(Command.LOWER, **values)
    assert declined(actions) == ["too_low"]
    (said,) = of(Refusal, actions)
    assert "10 kPa" in said.next_step
    assert "1 g/min" in said.next_step
    assert said.receipt is not None
    assert said.receipt.refused
    assert [note.body["code"] for note in of(Note, actions)] == ["too_low"]
    assert (one.conduct.course.suction_kpa, one.conduct.course.flow_g_per_min) == (28.0, 7.0)


def test_the_least_setting_is_taken() -> None:
    one = active()
    kpa, g_per_min = SUCTION_SET_MIN_KPA, FLOW_SET_MIN_G_PER_MIN
    assert not declined(one.person(Command.LOWER, suction_kpa=kpa, flow_g_per_min=g_per_min))
    assert one.conduct.course.flow_g_per_min == FLOW_SET_MIN_G_PER_MIN


@pytest.mark.parametrize("way", [preparing, active, paused])
@pytest.mark.parametrize(
    "values",
    [
        {"flow_g_per_min": 0.0},
        {"suction_kpa": 0.0},
        {"suction_kpa": 49.0, "flow_g_per_min": 0.0},
        {"flow_g_per_min": -0.0},
    ],
)
def test_whoever_lowers_to_nothing_stops_in_order_and_the_record_says_who(
    way: Callable[[], Couch], values: dict[str, Any]
) -> None:
    one = way()
    actions = one.person(Command.LOWER, FAR, **values)
    assert actions[0] == StopNow(StopKind.NORMAL)
    assert one.at(State.STOPPING)
    (row,) = [row for row in of(Commit, actions) if row.kind == "stop"]
    assert row.body["why"] == "lowered to 0 by ben"
    assert row.body["who"] == {"name": "ben", "role": "practitioner", "origin": "remote"}
    assert one.conduct.stopped_by == "practitioner"
    assert one.conduct.course.suction_kpa == 28.0  # the purge has its suction


# -- acknowledge and reset -------------------------------------------------------------------------
@pytest.mark.hazard("H18")
def test_a_trip_is_left_by_acknowledge_and_reset_and_never_to_a_treatment() -> None:
    one = tripped()
    assert declined(one.person(Command.RESET)) == ["not_acknowledged"]
    assert [row.kind for row in of(Commit, one.person(Command.ACK))] == ["ack"]
    actions = one.person(Command.RESET)
    assert [type(action) for action in actions] == [Commit, SendReset]
    assert not of(Closed, actions)
    assert of(SendReset, actions) == [SendReset(Cause.DWELL)]
    assert one.at(State.TRIPPED)
    assert of(Settle, one.answer(Step.RESET)) == [Settle("S01")]
    assert one.at(State.CLEARED)
    assert ends(one.done) == ["tripped"]


def test_a_host_trip_whose_device_is_disarmed_needs_no_reset_of_the_device() -> None:
    one = active()
    one.pass_time(0.2)
    one.beat()
    one.see(Mode.DISARMED, 3)
    one.person(Command.ACK)
    actions = one.person(Command.RESET)
    assert not of(SendReset, actions)
    assert one.at(State.CLEARED)


def test_a_reset_before_the_end_was_written_writes_it() -> None:
    one = active()
    one.pass_time(0.2)
    one.beat()
    one.person(Command.ACK)
    one.conduct.newest = one.reading(Mode.DISARMED)
    actions = one.person(Command.RESET)
    assert ends(actions) == ["tripped"]


def test_a_reset_that_the_device_refuses_can_be_tried_again() -> None:
    one = tripped()
    one.person(Command.ACK)
    for refusal, code in (
        (UnitRefusal.CAUSE_STANDS, "U08"),
        (UnitRefusal.LOCKED, "U09"),
        (UnitRefusal.NONE, "U08"),
    ):
        one.person(Command.RESET)
        assert declined(one.person(Command.RESET)) == ["resetting"]
        actions = one.answer(Step.RESET, End.FAILED, refusal=refusal)
        assert [action.alarm.code for action in of(Raise, actions)] == [code]
        assert one.at(State.TRIPPED)
    one.person(Command.RESET)
    actions = one.answer(Step.RESET, End.UNKNOWN)
    assert [action.alarm.code for action in of(Raise, actions)] == ["C09"]
    one.person(Command.RESET)
    one.answer(Step.RESET)
    assert one.at(State.CLEARED)


def test_a_reset_needs_a_unit_that_is_heard_safe_and_released() -> None:
    one = tripped()
    one.person(Command.ACK)
    one.pass_time(0.2)
    assert declined(one.person(Command.RESET)) == ["no_link"]
    one.see(Mode.SAFE, cause=Cause.DWELL, valve_percent=20.0)
    assert declined(one.person(Command.RESET)) == ["not_safe"]
    one.see(Mode.SAFE, cause=Cause.DWELL, inputs=Input.SWITCH_CLOSED)
    assert declined(one.person(Command.RESET)) == ["switch_pressed"]
    one.conduct.newest = None
    assert declined(one.person(Command.RESET)) == ["no_link"]


def test_without_a_trip_there_is_nothing_to_reset() -> None:
    assert declined(active().person(Command.RESET)) == ["no_trip"]
    assert active().answer(Step.RESET) == DROPPED


def test_an_acknowledgement_without_a_trip_is_only_written_down() -> None:
    one = stopping()
    assert [type(action) for action in one.person(Command.ACK)] == [Commit]
    assert not one.conduct.acknowledged


def test_the_flow_of_the_treatment_goes_on_after_somebody_acknowledged() -> None:
    one = active()
    one.person(Command.ACK)
    one.see(Mode.ACTIVE, 3, **FLOWING)
    assert one.at(State.ACTIVE)
