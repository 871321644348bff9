"""Each refusal of the control loop, provoked, in full: its code, its sentence and its next step."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from controller.api.ask import END_MAX_S
from controller.device.answers import LinkState
from controller.record.journal import Row
from controller.safety.alarm_texts import LOCKED
from controller.safety.off_watch import EFFECT_CODES
from controller.safety.refusal import Refusal, RefusedError
from controller.safety.resets import PastReset
from controller.treatment.events import Begin, Closed, Command, Commit, End, Finished, Person
from controller.treatment.kinds import Kind
from controller.treatment.states import State
from firmware_protocol.vocabulary import Mode
from tests.controller.kernel.score import ANNA, FAR, WHO, Stage, staged

MEND_NEXT = (
    "`corneum status` says what is wrong with the record; mend that before the next treatment."
)
NOT_LOCAL = (
    "not_local",
    "This needs a person at the unit.",
    "Ask somebody who stands beside the client.",
)
NO_UNIT = (
    "no_unit",
    "No unit is connected.",
    "Check its cable and power; `corneum doctor` looks closer.",
)
WRONG_UNIT = (
    "wrong_unit",
    "The plan was made for another unit.",
    "Plan anew for the unit that is connected.",
)
NOT_RECORDED = ("record", "It was done, but its record is not written.", MEND_NEXT)
UNKNOWN = (
    "unknown",
    "It was asked for, and it is not known yet whether it was done.",
    "Look at `corneum status` before you ask again.",
)
VOIDED = (
    "voided",
    "A stop, a trip or a newer wish came first, so it was not done.",
    "Ask again if need be.",
)
LOCKED_SAID = ("locked", LOCKED.sentence, LOCKED.next_step)
STOPPED = ("stopped", "The treatment was stopped before it began.", "Start anew.")
UNRECORDED = {
    Command.RESUME: (
        "record",
        "The treatment was not resumed, because the record of it is not written.",
        MEND_NEXT,
    ),
    Command.ACK: (
        "record",
        "The alarm was not acknowledged, because the record of it is not written.",
        "`corneum status` says what is wrong with the record; mend that, and acknowledge again.",
    ),
    Command.RESET: (
        "record",
        "The unit was not reset, because the record of it is not written.",
        "`corneum status` says what is wrong with the record; mend that, and reset again.",
    ),
}

Said = tuple[str, str, str]


def said(declined: Refusal | RefusedError) -> Said:
    return declined.code, declined.sentence, declined.next_step


async def refused(asking: Awaitable[None]) -> Said:
    with pytest.raises(RefusedError) as caught:
        await asking
    return said(caught.value)


# -- beginning -------------------------------------------------------------------------------------
def lost_line(one: Stage) -> None:
    one.unit.state = LinkState.CONNECTED


def nobody(one: Stage) -> None:
    one.unit.identity = None


def locked(one: Stage) -> None:
    at_s = asyncio.get_running_loop().time()
    one.control.resets.remember(*[PastReset("DWELL", at_s)] * 3)


def effect(one: Stage) -> None:
    now_s = asyncio.get_running_loop().time()
    for tick in range(500):
        reading = one.reading(Mode.DISARMED, valve_percent=45.0)
        at_s = now_s + tick * 0.02
        one.control.alarms.watch_idle(reading._replace(at_s=at_s, tick_ms=tick * 20), at_s)


@pytest.mark.parametrize(
    ("change", "words"),
    [(lost_line, NO_UNIT), (nobody, NO_UNIT), (locked, LOCKED_SAID)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_stands_in_the_way_of_a_beginning_is_said_before_and_when_it_begins(
    change: Callable[[Stage], None], words: Said
) -> None:
    async def play(one: Stage) -> None:
        assert one.control.may_begin(one.assignment(), ANNA) is None
        change(one)
        declined = one.control.may_begin(one.assignment(), ANNA)
        assert declined is not None
        assert said(declined) == words
        assert await refused(one.begin()) == words
        assert one.control.state == "idle"

    one = staged(play)
    assert (one.made_for, one.unit.done) == ([], [])


def test_an_effect_of_what_nobody_commands_refuses_the_beginning_with_its_alarm() -> None:
    async def play(one: Stage) -> None:
        effect(one)
        standing = next(
            each.alarm
            for each in one.control.alarms.board.standing
            if each.alarm.code in EFFECT_CODES
        )
        words = ("effect_while_off", standing.sentence, standing.next_step)
        assert await refused(one.begin()) == words

    assert staged(play).made_for == []


@pytest.mark.parametrize("changes", [{"serial": 7}, {"simulated": False}])
def test_a_plan_for_another_unit_or_kind_is_not_begun(changes: dict[str, object]) -> None:
    async def play(one: Stage) -> None:
        other = one.assignment(**changes)
        assert await refused(one.control.begin(other, ANNA, 7)) == WRONG_UNIT

    staged(play)


def test_from_elsewhere_during_a_treatment_and_after_a_trip_nothing_begins() -> None:
    async def play(one: Stage) -> None:
        assert await refused(one.control.begin(one.assignment(), FAR, 7)) == NOT_LOCAL
        await one.begin()
        assert await refused(one.control.begin(one.assignment(), FAR, 8)) == NOT_LOCAL
        assert await refused(one.begin(8)) == (
            "busy",
            "A treatment is under way.",
            "Wait for its end, or stop it.",
        )
        one.score.state, one.score.recorded = State.TRIPPED, True
        assert await refused(one.begin(8)) == (
            "trip_stands",
            "A safety trip is latched.",
            "Acknowledge and reset it first.",
        )
        one.score.state, one.score.recorded = State.STOPPED, False
        await one.begin(8)
        one.score.state = State.STOPPED

    assert len(staged(play).made_for) == 2


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (
            End.FAILED,
            (
                "record",
                "The treatment did not begin, because the record of it is not written.",
                "`corneum status` says what is wrong with the record; mend that, and start anew.",
            ),
        ),
        (End.VOIDED, STOPPED),
        (End.UNKNOWN, UNKNOWN),
    ],
)
def test_a_beginning_that_comes_to_nothing_says_why(end: End, words: Said) -> None:
    async def play(one: Stage) -> None:
        one.score.answers[Begin] = (Commit(Kind.BEGIN, {}, 1),)
        one.score.answers[Finished] = (Closed(1, end),)
        assert await refused(one.begin()) == words
        one.score.state = State.STOPPED

    staged(play)


def test_a_beginning_that_takes_too_long_is_not_known() -> None:
    async def play(one: Stage) -> None:
        one.score.answers[Begin] = (Commit(Kind.BEGIN, {}, 1),)
        began_s = asyncio.get_running_loop().time()
        assert await refused(one.begin()) == UNKNOWN
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(END_MAX_S)
        one.score.state = State.STOPPED

    staged(play)


# -- a treatment under way -------------------------------------------------------------------------
STOPS = (Command.STOP, Command.EMERGENCY)


def ended(command: Command, end: End | None) -> Said:
    """Return what is said of a command whose row comes to such an end; None is to none."""
    told: list[Said] = []

    async def play(one: Stage) -> None:
        await one.begin()
        one.control.alarms.put(replace(LOCKED, code="X01"), 0.0)
        one.score.answers[Person] = (Commit(Kind.PAUSE, {}, 5),)
        if end is not None:
            one.score.answers[Finished] = (Closed(5, end),)
        asked_s = asyncio.get_running_loop().time()
        told.append(await refused(one.control.person(command, ANNA)))
        took_s = asyncio.get_running_loop().time() - asked_s
        assert took_s == pytest.approx(END_MAX_S if end is None else 0.0, abs=0.01)
        one.score.state = State.STOPPED

    staged(play)
    (only,) = told
    return only


@pytest.mark.parametrize("command", Command)
def test_where_the_row_of_a_command_is_lost_it_is_said_what_was_done_without_it(
    command: Command,
) -> None:
    assert ended(command, End.FAILED) == UNRECORDED.get(command, NOT_RECORDED)


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("end", [End.UNKNOWN, None])
def test_of_a_stop_only_the_row_can_be_unknown_and_of_all_else_the_act(
    command: Command, end: End | None
) -> None:
    assert ended(command, end) == (NOT_RECORDED if command in STOPS else UNKNOWN)


@pytest.mark.parametrize("command", Command)
def test_what_something_else_came_before_was_not_done(command: Command) -> None:
    assert ended(command, End.VOIDED) == VOIDED


def test_a_reset_whose_own_row_is_lost_was_done_all_the_same() -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        one.score.state, one.score.tripped_by = State.TRIPPED, "DWELL"
        one.score.answers[Person] = (Commit(Kind.RESET, {"who": WHO}, 5),)
        one.score.answers[Finished] = (Closed(5, End.DONE),)
        asked = asyncio.create_task(refused(one.control.person(Command.RESET, ANNA)), name="reset")
        one.unit.commit_after_s = 0.2
        await asyncio.sleep(0.1)
        assert one.unit.noted() == [Row(Kind.RESET, {"who": WHO}, 7)]
        await asyncio.sleep(0.15)
        one.unit.broken = "The disk is full."
        assert await asked == NOT_RECORDED
        assert [row.kind for row in one.unit.noted()] == [Kind.RESET, Kind.RESET_DONE]
        one.score.state = State.STOPPED

    staged(play)


def test_a_third_reset_locks_the_unit_with_an_alarm_and_the_next_one_is_refused() -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        one.score.state, one.score.tripped_by = State.TRIPPED, "DWELL"
        one.score.answers[Person] = (Commit(Kind.RESET, {"who": WHO}, 5),)
        one.score.answers[Finished] = (Closed(5, End.DONE),)
        for _ in range(3):
            assert one.control.alarms.board.standing == ()
            await one.control.person(Command.RESET, ANNA)
        (standing,) = one.control.alarms.board.standing
        assert standing.alarm == LOCKED
        assert standing.since_s == one.control.resets._resets[-1].at_s > 0.0
        assert await refused(one.control.person(Command.RESET, ANNA)) == LOCKED_SAID
        one.score.state = State.STOPPED

    staged(play)
