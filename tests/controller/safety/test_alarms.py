import re

import pytest

from controller.safety.alarm_texts import OF_CAUSE, OF_INTERLOCK, OF_NOTICE, OF_REFUSAL, Notice
from controller.safety.alarms import LIGHTS, Alarm, AlarmBoard, Priority
from controller.safety.interlocks import Interlock
from controller.safety.shortage_texts import OF_SHORT, UNSTEADY
from firmware_protocol.vocabulary import Cause, Refusal

TABLES = (OF_CAUSE, OF_INTERLOCK, OF_REFUSAL, OF_NOTICE, OF_SHORT, {None: UNSTEADY})
ALARMS = sorted({alarm for table in TABLES for alarm in table.values()}, key=lambda a: a.code)
LEAK = Alarm("V02", Priority.MEDIUM, "It leaks.", "Mend it.")
NEWS = Alarm("S05", Priority.INFORMATION, "The zone is done.", "Lift.", latching=False)


def codes(board: AlarmBoard) -> list[str]:
    return [one.alarm.code for one in board.standing]


# -- words -----------------------------------------------------------------------------------------
def test_everything_that_can_happen_has_words() -> None:
    assert set(OF_CAUSE) == set(Cause) - {Cause.NONE}
    assert set(OF_INTERLOCK) == set(Interlock)
    assert set(OF_REFUSAL) == set(Refusal) - {Refusal.NONE}
    assert set(OF_NOTICE) == set(Notice)


def test_one_code_has_one_meaning() -> None:
    assert len({alarm.code for alarm in ALARMS}) == len(ALARMS)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.code)
def test_words_are_sentences_for_people(alarm: Alarm) -> None:
    assert re.fullmatch(r"[VFTCSKHUR]\d\d", alarm.code)
    for sentence in (alarm.sentence, alarm.next_step):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert len(sentence) <= 110
        assert "_" not in sentence


@pytest.mark.parametrize("cause", OF_CAUSE)
def test_a_trip_of_the_device_is_latched_and_says_how_to_go_on(cause: Cause) -> None:
    alarm = OF_CAUSE[cause]
    assert alarm.latching
    assert alarm.priority in (Priority.MEDIUM, Priority.HIGH, Priority.LOW)


def test_high_is_kept_for_a_safe_state_that_was_not_reached() -> None:
    high = {alarm.code for alarm in ALARMS if alarm.priority is Priority.HIGH}
    assert high == {"V06", "F06", "U07"}
    for alarm in ALARMS:
        if alarm.code in high:
            assert "off the skin" in alarm.next_step


def test_device_and_host_use_the_same_words_for_the_same_thing() -> None:
    assert OF_CAUSE[Cause.OVER_SUCTION] is OF_INTERLOCK[Interlock.OVER_SUCTION]
    assert OF_CAUSE[Cause.DWELL] is OF_INTERLOCK[Interlock.DWELL]


def test_lights_keep_to_the_standard() -> None:
    assert 1.4 <= LIGHTS[Priority.HIGH].flash_hz <= 2.8
    assert 0.4 <= LIGHTS[Priority.MEDIUM].flash_hz <= 0.8
    assert LIGHTS[Priority.LOW].flash_hz == 0.0
    for priority in (Priority.HIGH, Priority.MEDIUM):
        assert 20.0 <= LIGHTS[priority].duty_percent <= 60.0
    assert [LIGHTS[priority].colour for priority in sorted(Priority, reverse=True)][:3] == [
        "red", "yellow", "cyan",
    ]  # fmt: skip


def test_a_detail_is_added_to_the_sentence() -> None:
    assert LEAK.saying("At the lid.").sentence == "It leaks. At the lid."
    assert LEAK.saying("") is LEAK


# -- the board -------------------------------------------------------------------------------------
@pytest.mark.hazard("H42")
def test_a_condition_is_told_once_while_it_lasts() -> None:
    board = AlarmBoard()
    assert board.put(LEAK, 1.0)
    assert not board.put(LEAK, 2.0)
    assert board.standing[0].since_s == 1.0


def test_a_higher_priority_is_new() -> None:
    board = AlarmBoard()
    board.put(LEAK, 1.0)
    board.acknowledge()
    worse = Alarm(LEAK.code, Priority.HIGH, LEAK.sentence, LEAK.next_step)
    assert board.put(worse, 2.0)
    assert not board.standing[0].acknowledged
    assert not board.put(LEAK, 3.0)


def test_a_latched_alarm_stays_until_it_is_acknowledged_and_gone() -> None:
    board = AlarmBoard()
    board.put(LEAK, 1.0)
    assert board.settle("V02")
    assert not board.settle("V02")
    assert codes(board) == ["V02"]
    assert board.acknowledge() == ("V02",)
    assert codes(board) == []
    board.put(LEAK, 2.0)
    board.acknowledge()
    assert codes(board) == ["V02"]
    assert board.settle("V02")
    assert codes(board) == []


def test_what_comes_again_is_told_again() -> None:
    board = AlarmBoard()
    board.put(LEAK, 1.0)
    board.settle("V02")
    assert board.put(LEAK, 2.0)
    assert board.standing[0].present


def test_an_acknowledgement_counts_for_what_was_there_to_be_seen() -> None:
    board = AlarmBoard()
    board.put(LEAK, 1.0)
    assert board.acknowledge() == ("V02",)
    assert board.acknowledge() == ()
    board.put(NEWS, 2.0)
    assert [one.acknowledged for one in board.standing] == [True, False]


def test_what_does_not_latch_goes_with_its_condition() -> None:
    board = AlarmBoard()
    board.put(NEWS, 1.0)
    assert board.settle("S05")
    assert not board.settle("S05")
    assert codes(board) == []


def test_the_most_urgent_comes_first_then_the_oldest() -> None:
    board = AlarmBoard()
    board.put(NEWS, 1.0)
    board.put(LEAK, 2.0)
    board.put(OF_NOTICE[Notice.SAFE_NOT_REACHED], 3.0)
    board.put(OF_CAUSE[Cause.DWELL], 4.0)
    assert codes(board) == ["U07", "V02", "S01", "S05"]


def test_when_everything_is_gone_only_what_latched_is_left() -> None:
    board = AlarmBoard()
    board.put(NEWS, 1.0)
    board.put(LEAK, 2.0)
    board.settle_all()
    assert codes(board) == ["V02"]


def test_of_alarms_of_one_priority_the_first_out_is_shown_first() -> None:
    board = AlarmBoard()
    board.put(NEWS, 0.5)
    board.put(LEAK, 1.0)
    board.put(OF_CAUSE[Cause.DWELL], 1.0)
    board.put(OF_CAUSE[Cause.NO_FLOW], 1.0)
    assert codes(board) == ["V02", "S01", "F01", "S05"]
    assert [one.first_out for one in board.standing] == [True, False, False, False]
    board.settle("V02")
    assert codes(board)[0] == "V02"
    assert board.put(LEAK, 2.0)
    assert codes(board) == ["S01", "F01", "V02", "S05"]


def test_after_everything_was_cleared_the_next_alarm_is_the_first_out() -> None:
    board = AlarmBoard()
    board.put(LEAK, 1.0)
    board.acknowledge()
    board.settle("V02")
    board.put(OF_CAUSE[Cause.DWELL], 2.0)
    assert board.standing[0].first_out
