"""What people may ask of a kernel with nothing under way, and each refusal in full."""

import asyncio

import pytest

from controller.record.journal import Row
from controller.safety.refusal import RefusedError
from controller.treatment.events import (
    Command,
    Person,
)
from controller.treatment.kinds import Kind
from controller.treatment.states import State
from firmware_protocol.vocabulary import Cause, Mode, StopKind
from tests.controller.kernel.score import ANNA, FAR, WHO, Stage, staged
from tests.controller.kernel.test_control_refusals import NOT_LOCAL, NOT_RECORDED, refused, said


@pytest.mark.parametrize("after_one", [True, False])
@pytest.mark.parametrize("command", [Command.PAUSE, Command.RESUME, Command.LOWER])
def test_what_only_a_treatment_can_do_is_over_without_one(
    command: Command, *, after_one: bool
) -> None:
    async def play(one: Stage) -> None:
        if after_one:
            await one.begin()
            one.score.state = State.STOPPED
        assert await refused(one.control.person(command, ANNA)) == (
            "over",
            "The treatment is over.",
            "Start the next one.",
        )

    assert staged(play).score.told(Person) == []


@pytest.mark.parametrize("command", [Command.ACK, Command.RESET])
def test_a_trip_of_an_idle_unit_is_left_by_somebody_beside_it_alone(command: Command) -> None:
    async def play(one: Stage) -> None:
        one.show(one.reading(Mode.SAFE, cause=Cause.DWELL))
        assert await refused(one.control.person(command, FAR)) == NOT_LOCAL

    assert [row.kind for row in staged(play).unit.noted()] == [Kind.ALARM]


@pytest.mark.parametrize("treated", [True, False])
def test_with_nothing_to_acknowledge_that_is_said_to_somebody_at_the_unit(*, treated: bool) -> None:
    nothing = (
        "nothing_to_acknowledge",
        "No alarm stands that nobody has acknowledged, so there was nothing to acknowledge.",
        "`corneum status` shows what stands.",
    )

    async def play(one: Stage) -> None:
        if treated:
            await one.begin()
            one.score.state, one.score.acknowledged = State.TRIPPED, True
        assert await refused(one.control.person(Command.ACK, ANNA)) == nothing
        if treated:
            one.score.acknowledged = False
            await one.control.person(Command.ACK, ANNA)  # the trip itself is something
            assert one.score.told(Person) == [Person(Command.ACK, ANNA)]
        one.score.state = State.STOPPED

    staged(play)


def test_the_reset_of_an_idle_unit_counts_and_its_lost_row_is_told() -> None:
    async def play(one: Stage) -> None:
        reading = one.reading(Mode.SAFE, cause=Cause.BROWN_OUT)
        one.unit.newest = reading
        one.show(reading)
        await one.control.person(Command.ACK, ANNA)
        await one.control.person(Command.RESET, ANNA)
        one.unit.done.clear()
        one.unit.newest = one.reading(Mode.SAFE, cause=Cause.BROWN_OUT)
        one.unit.commit_after_s = 0.2
        asked = asyncio.create_task(refused(one.control.person(Command.RESET, ANNA)), name="reset")
        await asyncio.sleep(0.25)
        one.unit.broken = "The disk is full."
        assert await asked == NOT_RECORDED
        assert one.unit.done == [
            ("commit", Row(Kind.RESET, {"who": WHO, "cause": "BROWN_OUT"})),
            ("reset", Cause.BROWN_OUT),
            ("commit", Row(Kind.RESET_DONE, {"cause": "BROWN_OUT"})),
        ]
        assert [past.cause for past in one.control.resets._resets] == ["BROWN_OUT"] * 2

    staged(play)


def test_silence_is_for_somebody_at_the_unit_and_says_who() -> None:
    async def play(one: Stage) -> None:
        await asyncio.sleep(1.0)
        with pytest.raises(RefusedError) as caught:
            one.control.silence(FAR)
        assert said(caught.value) == NOT_LOCAL
        one.control.silence(ANNA)
        assert one.control.alarms.signal(1.5).left_s == pytest.approx(119.5)

    body = {"state": "audio paused", "why": "asked by anna", "who": WHO}
    assert staged(play).unit.done == [("note", Row(Kind.ALARM_QUIET, body))]


def test_whatever_goes_wrong_in_a_decision_stops_at_once() -> None:
    class Broken(dict[object, object]):
        def get(self, _key: object, _default: object = None) -> object:
            raise ZeroDivisionError

    async def play(one: Stage) -> None:
        await one.begin()
        one.score.answers = Broken()  # type: ignore[assignment]  # it fails
        with pytest.raises(ZeroDivisionError):
            one.control.stop_now(ANNA)
        assert one.unit.done == [StopKind.EMERGENCY]
        one.score.state = State.STOPPED

    staged(play)
