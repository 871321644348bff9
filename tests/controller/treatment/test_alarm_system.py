"""The alarms of a unit: each row whole, each refusal in full."""

from typing import Any

import pytest

from controller.safety.alarm_signals import Inactivation
from controller.safety.alarm_texts import OF_CAUSE
from controller.safety.alarms import Alarm, Priority
from controller.safety.interlocks import VENT_GRACE_S
from controller.safety.off_watch import CALM_S, EFFECT_CODES
from controller.safety.reading import Reading
from controller.treatment.alarm_system import AlarmSystem
from controller.treatment.events import Note, Raise, Settle, Who
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Cause, Mode
from tests.controller.safety.test_interlocks import FRAME_S
from tests.controller.safety.test_off_watch import SUCKING
from tests.controller.treatment.couch import ANNA, couch

TRIP = Alarm("X01", Priority.MEDIUM, "It tripped.", "Look.")
WORSE = Alarm("X02", Priority.HIGH, "It is worse.", "Run.")
TOLD = Alarm("X03", Priority.INFORMATION, "It is told.", "Read.", latching=False)
LOW = Alarm("X04", Priority.LOW, "It is low.", "Fill.", latching=False)


def system() -> tuple[AlarmSystem, list[Note]]:
    rows: list[Note] = []
    return AlarmSystem(rows.append), rows


# -- rows ------------------------------------------------------------------------------------------
def test_each_alarm_is_one_row_when_it_comes_and_one_when_it_goes() -> None:
    alarms, rows = system()
    alarms.take(Raise(TRIP), 1.0)
    alarms.put(WORSE, 2.0)
    alarms.put(WORSE, 2.1)  # it stands already
    alarms.put(TOLD, 3.0)
    alarms.take(Settle("X02"), 4.0)
    alarms.settle("X02")
    alarms.settle("X09")  # never there
    assert rows == [
        Note(
            Kind.ALARM,
            {"code": "X01", "priority": "MEDIUM", "sentence": "It tripped.", "first_out": True},
        ),
        Note(
            Kind.ALARM,
            {"code": "X02", "priority": "HIGH", "sentence": "It is worse.", "first_out": False},
        ),
        Note(
            Kind.ALARM,
            {
                "code": "X03",
                "priority": "INFORMATION",
                "sentence": "It is told.",
                "first_out": False,
            },
        ),
        Note(Kind.ALARM_GONE, {"code": "X02"}),
    ]
    assert [one.since_s for one in alarms.board.standing] == [2.0, 1.0, 3.0]


@pytest.mark.parametrize(("who", "why"), [(ANNA, "anna"), (Who("", "practitioner"), "somebody")])
def test_a_pause_of_the_sound_says_who_asked_and_its_end_says_why(who: Who, why: str) -> None:
    alarms, rows = system()
    alarms.silence(who, 10.0)
    alarms.silence(who, 20.0)  # it is paused already, and does not become longer
    alarms.tick(129.9)
    alarms.tick(130.0)
    alarms.tick(131.0)
    said = {"name": who.name, "role": "practitioner", "origin": "local"}
    assert rows == [
        Note(
            Kind.ALARM_QUIET,
            {"state": "audio paused", "why": f"asked by {why}", "who": said},
        ),
        Note(Kind.ALARM_QUIET, {"state": "none", "why": "its time is over"}),
    ]


def test_a_new_alarm_ends_the_pause_of_the_sound_and_information_does_not() -> None:
    alarms, rows = system()
    alarms.silence(ANNA, 10.0)
    rows.clear()
    alarms.put(TOLD, 20.0)
    assert [row.kind for row in rows] == [Kind.ALARM]
    assert alarms.signal(20.0).inactivation is Inactivation.AUDIO_PAUSED
    assert alarms.signal(20.0).left_s == 110.0
    alarms.put(TRIP, 30.0)
    assert rows[1:] == [
        Note(
            Kind.ALARM,
            {"code": "X01", "priority": "MEDIUM", "sentence": "It tripped.", "first_out": True},
        ),
        Note(Kind.ALARM_QUIET, {"state": "none", "why": "a new alarm"}),
    ]
    heard = alarms.signal(30.0)
    assert (heard.inactivation, heard.left_s) == (Inactivation.NONE, None)
    assert heard.tone is not None
    alarms.silence(ANNA, 40.0)
    assert alarms.signal(45.0).left_s == 115.0  # from when it was asked for


def test_what_stands_at_the_beginning_of_a_treatment_goes_with_a_row_each() -> None:
    alarms, rows = system()
    alarms.put(TRIP, 1.0)
    alarms.put(LOW, 2.0)
    rows.clear()
    alarms.settle_all()
    assert rows == [
        Note(Kind.ALARM_GONE, {"code": "X01"}),
        Note(Kind.ALARM_GONE, {"code": "X04"}),
    ]


# -- acknowledging ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("alarm", "unacknowledged", "to_acknowledge"),
    [(TRIP, True, True), (WORSE, True, True), (LOW, False, True), (TOLD, False, False)],
)
def test_what_has_to_be_acknowledged_is_what_latches_or_is_no_information(
    alarm: Alarm, *, unacknowledged: bool, to_acknowledge: bool
) -> None:
    alarms, _ = system()
    assert (alarms.unacknowledged, alarms.to_acknowledge) == (False, False)
    alarms.put(alarm, 1.0)
    assert (alarms.unacknowledged, alarms.to_acknowledge) == (unacknowledged, to_acknowledge)
    alarms.acknowledge(alarms.seen)
    assert (alarms.unacknowledged, alarms.to_acknowledge) == (False, False)


def test_an_acknowledgement_counts_for_what_could_be_seen_when_it_was_asked_for() -> None:
    alarms, _ = system()
    alarms.put(TRIP, 1.0)
    seen = alarms.seen
    assert seen == 1
    alarms.put(WORSE, 2.0)
    alarms.acknowledge(seen)
    assert [one.acknowledged for one in alarms.board.standing] == [False, True]


# -- the idle unit ---------------------------------------------------------------------------------
def at(now_s: float, mode: Mode, **changes: Any) -> Reading:  # noqa: ANN401 - by name
    bed = couch()
    bed.now_s, bed.tick_ms = now_s, round(now_s * 1000)
    return bed.reading(mode, **changes)


def test_a_trip_of_an_idle_unit_is_shown_while_it_is_latched_and_told_once() -> None:
    alarms, rows = system()
    alarm = OF_CAUSE[Cause.DWELL]
    for tick in range(5):
        now_s = 100.0 + tick * 0.02
        alarms.watch_idle(at(now_s, Mode.SAFE, cause=Cause.DWELL), now_s)
    assert [(one.alarm, one.since_s) for one in alarms.board.standing] == [(alarm, 100.0)]
    alarms.watch_idle(at(101.0, Mode.DISARMED, cause=Cause.DWELL), 101.0)
    assert rows == [
        Note(
            Kind.ALARM,
            {
                "code": alarm.code,
                "priority": alarm.priority.name,
                "sentence": alarm.sentence,
                "first_out": True,
            },
        ),
        Note(Kind.ALARM_GONE, {"code": alarm.code}),
    ]


def test_a_trip_whose_cause_changes_is_another_alarm() -> None:
    alarms, rows = system()
    alarms.watch_idle(at(100.0, Mode.SAFE, cause=Cause.DWELL), 100.0)
    alarms.watch_idle(at(100.1, Mode.SAFE, cause=Cause.BROWN_OUT), 100.1)
    assert [(row.kind, row.body["code"]) for row in rows] == [
        (Kind.ALARM, OF_CAUSE[Cause.DWELL].code),
        (Kind.ALARM_GONE, OF_CAUSE[Cause.DWELL].code),
        (Kind.ALARM, OF_CAUSE[Cause.BROWN_OUT].code),
    ]


def test_an_effect_on_an_idle_unit_refuses_the_next_treatment_until_it_was_acknowledged() -> None:
    alarms, _ = system()
    assert alarms.declined is None
    now_s = 100.0
    for _ in range(500):
        now_s += 0.02
        alarms.watch_idle(at(now_s, Mode.DISARMED, valve_percent=45.0), now_s)
    present = next(one for one in alarms.board.standing if one.alarm.code in EFFECT_CODES)
    said = alarms.declined
    assert said is not None
    assert (said.code, said.sentence, said.next_step, said.receipt) == (
        "effect_while_off",
        present.alarm.sentence,
        present.alarm.next_step,
        None,
    )
    now_s += CALM_S + 1.0
    alarms.watch_idle(at(now_s, Mode.DISARMED), now_s)
    gone = alarms.declined
    assert gone is not None
    assert (gone.code, gone.sentence, gone.next_step, gone.receipt) == (
        "not_acknowledged",
        "The unit did something while everything was switched off, and nobody has acknowledged it.",
        "Read the alarm, acknowledge it, then start anew.",
        None,
    )
    alarms.acknowledge(alarms.seen)
    assert alarms.declined is None


def test_an_alarm_of_another_kind_refuses_no_treatment() -> None:
    alarms, _ = system()
    alarms.put(TRIP, 1.0)
    assert alarms.declined is None


@pytest.mark.hazard("H48")
def test_the_vent_of_a_treatment_has_no_second_grace_when_the_unit_is_idle() -> None:
    alarms, _ = system()
    venting = SUCKING._replace(mode=Mode.STOPPING)
    now_s, end_s = 100.0, 100.0 + VENT_GRACE_S
    while now_s < end_s - 2 * FRAME_S:
        now_s += FRAME_S
        watch = alarms.watch_treated if now_s < 102.0 else alarms.watch_idle
        watch(venting._replace(at_s=now_s), now_s)
    assert not alarms.board.standing
    for _ in range(4):
        now_s += FRAME_S
        alarms.watch_idle(SUCKING._replace(at_s=now_s), now_s)
    assert [one.alarm.code for one in alarms.board.standing] == ["V06"]
