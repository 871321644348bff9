"""What the control loop passes on, whole: events to the conductor, actions to unit and record."""

import asyncio
from dataclasses import replace

import pytest

from controller.device.answers import LinkNews, LinkState, StopReport
from controller.record.journal import Row
from controller.safety.alarms import Alarm, Priority
from controller.safety.interlocks import Interlock
from controller.safety.refusal import Refusal, RefusedError
from controller.treatment.events import (
    Begin,
    Closed,
    Command,
    Commit,
    Configure,
    End,
    Finished,
    Hold,
    LinkLost,
    Note,
    Observed,
    Person,
    Raise,
    RecordLost,
    RunSelfTest,
    SendArm,
    SendReset,
    Settle,
    StopNow,
    Wake,
)
from controller.treatment.kinds import Kind
from controller.treatment.states import State
from firmware_protocol.messages import Config
from firmware_protocol.vocabulary import Cause, Mode, StopKind, Wish
from firmware_protocol.vocabulary import Refusal as UnitRefusal
from tests.controller.kernel.score import ANNA, FAR, WHO, Stage, staged

ALARM = Alarm("X01", Priority.LOW, "It is so.", "Do it.", latching=False)
OVER = {State.CLEARED, State.COMPLETED, State.STOPPED, State.REFUSED}
HOLD = Hold(28.0, 7.0, Wish.ALL, 900)


# -- actions ---------------------------------------------------------------------------------------
def test_each_action_is_performed_with_all_that_it_says_for_its_treatment() -> None:
    actions = (
        Raise(ALARM),
        Settle("X01"),
        Raise(replace(ALARM, code="X02")),
        Hold(12.0, 4.0, Wish.NONE, 0),
        HOLD,
        Note(Kind.PAUSE, {"who": WHO}),
        Commit(Kind.ARM, {"offer": 1}, 1),
        Configure(28.0, 7.0, 8.0, 3, 2),
        RunSelfTest(3),
        SendArm(77, 4),
    )

    async def play(one: Stage) -> None:
        one.score.answers[Begin] = actions
        one.control._loop_counter = 2**16 - 2
        await asyncio.sleep(0.1)
        begin = asyncio.create_task(one.begin(), name="begin")
        await asyncio.sleep(0.04)
        one.score.state = State.STOPPED
        begin.cancel()
        (standing,) = one.control.alarms.board.standing
        assert standing.alarm.code == "X02"
        assert standing.since_s == pytest.approx(0.1)

    one = staged(play)
    said = {"code": "X01", "priority": "LOW", "sentence": "It is so.", "first_out": False}
    assert one.unit.done == [
        ("note", Row(Kind.ALARM, said, 7)),
        ("note", Row(Kind.ALARM_GONE, {"code": "X01"}, 7)),
        ("note", Row(Kind.ALARM, {**said, "code": "X02"}, 7)),
        ("setpoint", actions[3], 7, 2**16 - 1),
        ("setpoint", HOLD, 7, 0),
        ("note", Row(Kind.PAUSE, {"who": WHO}, 7)),
        ("commit", Row(Kind.ARM, {"offer": 1}, 7)),
        Config(7, 28_000, 7_000, 8_000, 3),
        "self-test",
        ("arm", 77, 7),
    ]
    assert one.score.told() == [
        Begin(ANNA),
        Finished(1, End.DONE),
        Finished(2, End.DONE, UnitRefusal.NONE, 77),
        Finished(3, End.DONE, UnitRefusal.NONE, 77),
        Finished(4, End.DONE, UnitRefusal.NONE, 77),
    ]


def test_a_stop_of_the_conductor_is_written_voids_what_waits_and_leaves_how_it_ended() -> None:
    async def play(one: Stage) -> None:
        one.score.answers[Begin] = (
            SendReset(Cause.DWELL, 2),
            StopNow(StopKind.NORMAL),
            Note(Kind.STOP, {"kind": "NORMAL", "why": "asked"}),
        )
        await one.begin()
        one.unit.stops[0].set_result(
            StopReport(StopKind.NORMAL, confirmed=True, took_s=0.05, mode=Mode.SAFE, frames=2)
        )
        await asyncio.sleep(0.02)
        one.score.state = State.STOPPED

    one = staged(play)
    report = {"kind": "NORMAL", "confirmed": True, "took_ms": 50.0, "frames": 2}
    assert one.unit.done == [
        StopKind.NORMAL,
        ("note", Row(Kind.STOP, {"kind": "NORMAL", "why": "asked"}, 7)),
        ("note", Row(Kind.STOP_REPORT, report, 7)),
    ]
    assert one.score.told() == [Begin(ANNA), Finished(2, End.VOIDED)]


def test_a_beginning_takes_what_stands_off_and_gives_the_conductor_unit_and_reading() -> None:
    async def play(one: Stage) -> None:
        one.control.alarms.put(ALARM, 0.0)
        one.unit.newest = one.reading(Mode.DISARMED)
        await one.begin()
        one.control.alarms.put(ALARM, 1.0)
        one.score.state = State.STOPPED

    one = staged(play)
    assert one.made_for == [(one.unit.identity, one.unit.newest)]
    assert one.score.heard[0] == Begin(ANNA)
    assert ("note", Row(Kind.ALARM_GONE, {"code": "X01"}, 0)) in one.unit.done
    came = [row.treatment for row in one.unit.noted() if row.kind is Kind.ALARM]
    assert came == [0, 7]


# -- what people ask for ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("command", "emergency"), [(Command.STOP, False), (Command.EMERGENCY, True)]
)
def test_a_stop_is_told_to_the_conductor_as_whose_and_which(
    command: Command, *, emergency: bool
) -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        one.score.answers[Person] = (StopNow(StopKind.NORMAL),)
        assert one.control.stop_now(FAR, emergency=emergency) == (StopNow(StopKind.NORMAL),)
        await one.control.person(command, FAR)
        one.score.state = State.STOPPED

    assert staged(play).score.told(Person) == [Person(command, FAR), Person(command, FAR)]


def test_a_stop_is_no_emergency_where_nobody_says_so() -> None:
    async def play(one: Stage) -> None:
        one.control.stop_now(FAR)
        await one.begin()
        one.control.stop_now(FAR)
        one.score.state = State.STOPPED

    one = staged(play)
    assert one.unit.done[0] is StopKind.NORMAL
    assert one.score.told(Person) == [Person(Command.STOP, FAR)]


@pytest.mark.parametrize("kind", StopKind)
def test_a_stop_without_a_treatment_is_written_with_whose_it_was_and_that_there_was_none(
    kind: StopKind,
) -> None:
    async def play(one: Stage) -> None:
        emergency = kind is StopKind.EMERGENCY
        assert one.control.stop_now(ANNA, emergency=emergency) == ()
        await asyncio.sleep(0.3)
        one.control.stop_now(ANNA, emergency=emergency)
        one.control.stop_now(ANNA, emergency=emergency)
        one.unit.stops[-1].set_result(StopReport(kind, True, 0.01, Mode.SAFE, 1))  # noqa: FBT003
        await asyncio.sleep(0.8)

    body = {"kind": kind.name, "who": WHO, "why": "no treatment"}
    report = {"kind": kind.name, "confirmed": True, "took_ms": 10.0, "frames": 1}
    assert staged(play).unit.done == [
        kind,
        ("note", Row(Kind.STOP, body, 0)),
        kind,
        kind,
        ("note", Row(Kind.STOP_REPORT, report, 0)),
        ("note", Row(Kind.STOP, {**body, "times": 2}, 0)),
    ]


@pytest.mark.parametrize("command", [Command.PAUSE, Command.RESUME, Command.LOWER])
def test_what_somebody_asks_is_told_to_the_conductor_whole(command: Command) -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        await one.control.person(command, FAR, 12.0, 4.0, "because")
        await one.control.person(command, ANNA)
        one.score.state = State.STOPPED

    assert staged(play).score.told(Person) == [
        Person(command, FAR, 12.0, 4.0, "because"),
        Person(command, ANNA, None, None, ""),
    ]


def test_a_reset_that_is_done_is_counted_with_the_cause_of_the_trip() -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        one.score.state, one.score.tripped_by = State.TRIPPED, "DWELL"
        one.score.answers[Person] = (Commit(Kind.RESET, {"who": WHO}, 5),)
        one.score.answers[Finished] = (Closed(5, End.DONE),)
        await one.control.person(Command.RESET, ANNA)
        one.score.state = State.STOPPED

    one = staged(play)
    assert one.score.told(Person) == [Person(Command.RESET, ANNA)]
    assert one.unit.noted() == [
        Row(Kind.RESET, {"who": WHO}, 7),
        Row(Kind.RESET_DONE, {"cause": "DWELL"}, 7),
    ]
    assert [(past.cause, past.at_s) for past in one.control.resets._resets] == [
        ("DWELL", one.score.at_s[one.score.heard.index(Finished(5, End.DONE))])
    ]


def test_an_acknowledgement_counts_for_what_stood_when_it_was_asked_for() -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        one.control.alarms.put(ALARM, 0.0)
        one.score.answers[Person] = (Commit(Kind.ACK, {"who": WHO}, 5),)
        one.score.answers[Finished] = (Closed(5, End.DONE),)
        one.unit.commit_after_s = 0.5
        asked = asyncio.create_task(one.control.person(Command.ACK, ANNA), name="ack")
        await asyncio.sleep(0.2)
        one.control.alarms.put(replace(ALARM, code="X02"), 0.2)
        await asked
        counts = {each.alarm.code: each.acknowledged for each in one.control.alarms.board.standing}
        assert counts == {"X01": True, "X02": False}
        one.score.state = State.STOPPED

    staged(play)


def test_what_a_conductor_declines_is_raised_whole_and_nothing_is_waited_for() -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        one.score.answers[Person] = (Refusal("no", "No.", "Go."), Note(Kind.PAUSE, {"who": WHO}))
        with pytest.raises(RefusedError) as caught:
            await one.control.person(Command.PAUSE, ANNA)
        error = caught.value
        assert (error.code, error.sentence, error.next_step) == ("no", "No.", "Go.")
        one.score.state = State.STOPPED

    assert staged(play).unit.noted() == [Row(Kind.PAUSE, {"who": WHO}, 7)]


# -- what comes in ---------------------------------------------------------------------------------
def test_each_change_of_the_line_is_a_row_and_its_loss_is_told_to_the_conductor() -> None:
    async def play(one: Stage) -> None:
        one.news(LinkNews(LinkState.DISCONNECTED, "pulled out"))
        await one.begin()
        one.news(LinkNews(LinkState.CONNECTED, "opened"))
        one.news(LinkNews(LinkState.IDENTIFIED, "said who"))
        assert one.score.told() == [Begin(ANNA)]
        one.news(LinkNews(LinkState.DISCONNECTED, "pulled out"))
        one.score.state = State.STOPPED

    one = staged(play)
    assert one.unit.noted() == [
        Row(Kind.LINK, {"state": "disconnected", "why": "pulled out"}),
        Row(Kind.LINK, {"state": "connected", "why": "opened"}),
        Row(Kind.LINK, {"state": "identified", "why": "said who"}),
        Row(Kind.LINK, {"state": "disconnected", "why": "pulled out"}),
    ]
    assert one.score.told() == [Begin(ANNA), LinkLost(Interlock.LINK_LOST, "")]


def test_each_reading_is_told_to_the_conductor_and_what_an_idle_unit_shows_to_people() -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        treated = one.reading(Mode.SAFE, cause=Cause.DWELL)
        one.show(treated)
        assert one.control.snapshot().alarms == ()  # its conductor tells
        one.score.state = State.STOPPED
        await asyncio.sleep(0.02)
        idle = one.reading(Mode.SAFE, cause=Cause.DWELL)
        one.show(idle)
        assert one.score.told(Observed) == [Observed(treated), Observed(idle)]
        standing = one.control.alarms.board.standing
        assert [(each.alarm.code, each.since_s) for each in standing] == [("S01", idle.at_s)]

    staged(play)


@pytest.mark.parametrize("state", [*State])
def test_a_beat_tells_of_line_and_record_where_something_can_still_be_done(state: State) -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        one.score.heard.clear()
        one.score.state, one.unit.noisy, one.unit.failure = state, True, "The disk is full."
        await asyncio.sleep(0.06)
        one.score.state = State.STOPPED

    heard = staged(play).score.heard
    live = state in {State.ARMING, State.ARMED, State.ACTIVE, State.PAUSED}
    noisy = [LinkLost(Interlock.LINK_NOISY, "")] if live else []
    lost = [RecordLost("The disk is full.")] if live or state is State.PREPARING else []
    assert heard == ([] if state in OVER else [*noisy, *lost, Wake()])


def test_beats_are_every_fifty_milliseconds_and_none_is_late_or_missed() -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        await asyncio.sleep(0.23)
        assert [
            at_s
            for at_s, heard in zip(one.score.at_s, one.score.heard, strict=True)
            if heard == Wake()
        ] == pytest.approx([0.05, 0.1, 0.15, 0.2])
        assert one.control.timing.beats_missed == 0
        assert one.control.timing.late_max_s == pytest.approx(0.0, abs=1e-6)
        one.score.state = State.STOPPED

    staged(play)


# -- another treatment -----------------------------------------------------------------------------
def test_whoever_waits_for_an_act_hears_that_another_treatment_begins() -> None:
    async def play(one: Stage) -> None:
        await one.begin()
        one.score.answers[Person] = (Commit(Kind.PAUSE, {"who": WHO}, 5),)
        asked = asyncio.create_task(one.control.person(Command.PAUSE, ANNA), name="pause")
        await asyncio.sleep(0.1)
        one.score.state, one.score.recorded = State.STOPPED, True
        await one.begin(8)
        with pytest.raises(RefusedError, match="it is not known yet"):
            await asked
        assert asyncio.get_running_loop().time() < 1.0

    staged(play)
