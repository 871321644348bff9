"""Sound, light and inactivation: the whole table of alarms against every state."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.safety.alarm_signals import (
    TERMS,
    TONES,
    Inactivation,
    Move,
    Quiet,
    move_of,
    moved,
    signal,
)
from controller.safety.alarm_texts import OF_CAUSE, OF_INTERLOCK, OF_NOTICE, OF_REFUSAL
from controller.safety.alarms import LIGHTS, Alarm, AlarmBoard, Priority
from controller.safety.shortage_texts import OF_SHORT

CONDITIONS: dict[str, Alarm] = {
    f"{type(key).__name__}.{key.name}": alarm
    for table in (OF_CAUSE, OF_INTERLOCK, OF_REFUSAL, OF_NOTICE, OF_SHORT)
    for key, alarm in table.items()
}
ALARMS = {Priority.LOW, Priority.MEDIUM, Priority.HIGH}
BEFORE = ("new", "standing", "acknowledged", "gone unseen", "gone and acknowledged")
PAUSES = {Inactivation.AUDIO_PAUSED, Inactivation.ALARM_PAUSED}
OFFS = {Inactivation.AUDIO_OFF, Inactivation.ALARM_OFF}


def board_with(alarm: Alarm, before: str) -> AlarmBoard:
    board = AlarmBoard()
    board.put(alarm, 1.0)
    if before == "gone unseen":
        board.settle(alarm.code)
    if "acknowledged" in before:
        board.acknowledge()
    if before == "gone and acknowledged":
        board.settle(alarm.code)
    return board


@pytest.mark.hazard("H42")
@pytest.mark.parametrize("state", Inactivation)
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_is_heard_and_seen_unless_the_state_holds_it_back(
    name: str, before: str, state: Inactivation
) -> None:
    alarm = CONDITIONS[name]
    shown = signal(board_with(alarm, before).standing, Quiet(state, 10.0), 20.0)
    stands = before in BEFORE[:3] or (before == "gone unseen" and alarm.latching)
    loud = stands and before != "acknowledged" and state is Inactivation.NONE
    assert shown.tone == (TONES[alarm.priority] if loud else None)
    lit = stands and state not in {Inactivation.ALARM_PAUSED, Inactivation.ALARM_OFF}
    assert shown.light == (LIGHTS[alarm.priority] if lit else None)
    assert (shown.tone is not None) <= (alarm.priority in ALARMS)
    assert shown.inactivation is state
    assert (shown.left_s is not None) is (state in PAUSES)
    assert (shown.reminder_in_s is not None) is (state in OFFS)


@pytest.mark.hazard("H42")
@pytest.mark.parametrize("state", Inactivation)
@pytest.mark.parametrize("name", CONDITIONS)
def test_a_new_condition_ends_a_pause_and_a_high_one_ends_everything(
    name: str, state: Inactivation
) -> None:
    move = move_of(CONDITIONS[name].priority)
    after = state if move is None else moved(state, move)
    if CONDITIONS[name].priority is Priority.HIGH:
        assert after is Inactivation.NONE
    elif CONDITIONS[name].priority in ALARMS:
        assert after is (state if state in OFFS else Inactivation.NONE)
    else:
        assert after is state


@pytest.mark.parametrize(("state", "move"), list(itertools.product(Inactivation, Move)))
def test_every_move_from_every_state(state: Inactivation, move: Move) -> None:
    asked = {
        Move.AUDIO_OFF: Inactivation.AUDIO_OFF,
        Move.PAUSE_ALARM: Inactivation.ALARM_PAUSED,
        Move.ALARM_OFF: Inactivation.ALARM_OFF,
        Move.ACTIVATE: Inactivation.NONE,
        Move.NEW_HIGH: Inactivation.NONE,
    }
    if move in asked:
        expected = asked[move]
    elif move is Move.PAUSE_AUDIO:
        expected = Inactivation.AUDIO_PAUSED if state is Inactivation.NONE else state
    else:
        expected = state if state in OFFS else Inactivation.NONE
    assert moved(state, move) is expected


def test_an_operator_can_do_no_more_than_pause_the_sound() -> None:
    allowed = {state for state, terms in TERMS.items() if terms.by_operator}
    assert allowed == {Inactivation.NONE, Inactivation.AUDIO_PAUSED}
    for state, terms in TERMS.items():
        held_back = not (terms.sound and terms.light)
        assert held_back is (state is not Inactivation.NONE)
        if held_back:  # a time, or a reminder: never neither
            assert (terms.max_s is None) is not (terms.reminder_s is None)


def test_a_pause_ends_by_itself_and_asking_again_makes_it_no_longer() -> None:
    quiet = Quiet().after(Move.PAUSE_AUDIO, 100.0)
    assert quiet.left_s(100.0) == 120.0
    assert quiet.left_s(219.0) == 1.0
    assert quiet.after(Move.PAUSE_AUDIO, 219.0) is quiet
    assert quiet.now(219.9) is quiet
    assert quiet.now(220.0).state is Inactivation.NONE
    assert Quiet().now(1e9) == Quiet()


@pytest.mark.hazard("H31")
@given(now_s=st.floats(allow_nan=True, allow_infinity=True))
def test_a_pause_never_lasts_longer_than_it_may_whatever_the_clock_says(now_s: float) -> None:
    quiet = Quiet(Inactivation.AUDIO_PAUSED, 1000.0)
    left_s = quiet.left_s(now_s)
    assert left_s is not None
    assert 0.0 <= left_s <= 120.0
    assert (left_s > 0.0) <= (now_s <= 1120.0 and math.isfinite(now_s))


def test_what_is_switched_off_reminds_of_itself_in_its_period() -> None:
    off = Quiet().after(Move.ALARM_OFF, 100.0)
    assert off.reminder_in_s(100.0) == 60.0
    assert off.reminder_in_s(159.0) == 1.0
    assert off.reminder_in_s(161.0) == 59.0
    assert off.now(1e6) is off


def test_the_loudest_that_nobody_has_acknowledged_is_heard() -> None:
    board = AlarmBoard()
    board.put(CONDITIONS["Notice.SAFE_NOT_REACHED"], 1.0)
    board.acknowledge()
    board.put(CONDITIONS["Cause.DWELL"], 2.0)
    shown = signal(board.standing, Quiet(), 3.0)
    assert shown.tone == TONES[Priority.MEDIUM]
    assert shown.light == LIGHTS[Priority.HIGH]
    assert signal((), Quiet(), 3.0)[:2] == (None, None)


def test_tones_keep_to_the_standard() -> None:
    spans = {
        Priority.HIGH: ((10, 10), (75.0, 200.0), (2.5, 15.0)),
        Priority.MEDIUM: ((3, 3), (125.0, 250.0), (2.5, 30.0)),
        Priority.LOW: ((1, 2), (125.0, 250.0), (15.0, math.inf)),
    }
    for priority, (pulses, pulse_ms, every_s) in spans.items():
        tone = TONES[priority]
        assert tone is not None
        assert pulses[0] <= tone.pulses <= pulses[1]
        assert pulse_ms[0] <= tone.pulse_ms <= pulse_ms[1]
        assert every_s[0] <= tone.every_s <= every_s[1]
        assert 150.0 <= tone.fundamental_hz <= 1000.0
    assert TONES[Priority.INFORMATION] is None


def test_latching_is_fixed_in_the_table_and_every_trip_latches() -> None:
    for name, alarm in CONDITIONS.items():
        if name.startswith(("Cause.", "Interlock.")):
            assert alarm.latching, name
        if alarm.priority is Priority.INFORMATION:
            assert not alarm.latching, name
    with pytest.raises(AttributeError):
        CONDITIONS["Cause.DWELL"].latching = False  # type: ignore[misc]  # that it is frozen
