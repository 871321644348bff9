"""What a person asks for is answered truthfully, whatever the disk and the line do meanwhile."""

import asyncio

import pytest

from controller.device.answers import Answer, Told
from controller.safety.refusal import RefusedError
from controller.treatment.conductor import treatment_of
from controller.treatment.events import Command
from firmware_protocol.vocabulary import Cause, Mode, Refusal, StopKind, Wish
from tests.controller.kernel.memory import Bench, bench
from tests.controller.treatment.couch import ANNA, plan


async def outcome(one: Bench, command: Command) -> str:
    """Ask and return the code of what was declined, or done."""
    try:
        await one.control.person(command, ANNA)
    except RefusedError as declined:
        return declined.code
    return "done"


def asks(one: Bench, command: Command) -> "asyncio.Task[str]":
    return asyncio.create_task(outcome(one, command), name=command.value)


async def trip(one: Bench) -> None:
    await one.bring_to_active()
    await one.see_for(0.1, Mode.SAFE, cause=Cause.DWELL)
    one.memory.done.clear()


# -- resume ----------------------------------------------------------------------------------------
@pytest.mark.hazard("H40")
def test_flow_is_wished_after_the_row_of_the_resume_and_not_before() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        assert await outcome(one, Command.PAUSE) == "done"
        await one.see_for(0.3, Mode.PAUSED)
        one.memory.done.clear()
        one.memory.commit_after_s = 0.9
        resumed = asks(one, Command.RESUME)
        await one.see_for(1.2, Mode.PAUSED)
        assert await resumed == "done"
        done = one.memory.done
        flows = [at for at, what in enumerate(done) if what[:2] == ("setpoint", Wish.ALL)]
        assert flows
        assert done.index(("durable", "resume")) < flows[0]

    bench(play)


@pytest.mark.hazard("H40")
def test_a_resume_whose_row_is_lost_is_told_as_not_done_and_the_treatment_ends() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        await one.control.person(Command.PAUSE, ANNA)
        one.memory.broken = "The disk is full."
        with pytest.raises(RefusedError, match="was not resumed, because the record"):
            await one.control.person(Command.RESUME, ANNA)
        assert one.control.state == "stopping"
        assert StopKind.NORMAL in one.memory.done
        one.memory.broken = None

    bench(play)


# -- reset -----------------------------------------------------------------------------------------
@pytest.mark.hazard("H10", "H18")
@pytest.mark.parametrize("disk_s", [0.02, 0.6, 1.5])
@pytest.mark.parametrize("stop_after_s", [0.0, 0.01, 0.3])
def test_a_stop_voids_a_reset_is_told_so_and_the_next_one_works(
    disk_s: float, stop_after_s: float
) -> None:
    async def play(one: Bench) -> None:
        await trip(one)
        await one.control.person(Command.ACK, ANNA)
        one.memory.commit_after_s, one.memory.answer_after_s = disk_s, 0.5
        reset = asks(one, Command.RESET)
        await asyncio.sleep(stop_after_s)
        one.control.stop_now(ANNA)
        assert await reset == "voided"
        one.memory.commit_after_s = one.memory.answer_after_s = 0.001
        for _ in range(20):  # whatever is late comes now, and changes nothing
            await one.see_for(0.1, Mode.SAFE, cause=Cause.DWELL)
            assert one.control.state == "tripped"
        one.see(Mode.SAFE, cause=Cause.DWELL)
        assert await outcome(one, Command.RESET) == "done"
        assert one.control.state == "cleared"

    bench(play)


@pytest.mark.hazard("H18")
@pytest.mark.parametrize("late", [Answer(Told.DONE, detail=77), Answer(Told.UNKNOWN)])
def test_a_late_answer_of_another_step_does_not_answer_a_reset(late: Answer) -> None:
    async def play(one: Bench) -> None:
        one.memory.answer_after_s, one.memory.answer = 1.0, late
        await one.control.begin(treatment_of(plan()), ANNA, 7)
        await one.see_for(0.1, Mode.DISARMED)  # CONFIG is out
        await one.see_for(0.3, Mode.SAFE, cause=Cause.DWELL)
        assert one.control.state == "tripped"
        await one.control.person(Command.ACK, ANNA)
        one.see(Mode.SAFE, cause=Cause.DWELL)
        reset = asks(one, Command.RESET)
        await one.see_for(0.7, Mode.SAFE, cause=Cause.DWELL)  # the answer to CONFIG comes
        assert not reset.done()
        one.memory.answer = Answer(Told.FAILED, Refusal.CAUSE_STANDS)
        assert await reset == "not_reset"
        assert one.control.state == "tripped"
        assert one.control.resets._resets == ()

    async def asked_late(one: Bench) -> None:
        one.memory.answer = late
        await play(one)

    bench(asked_late)


@pytest.mark.hazard("H18")
def test_a_reset_that_takes_longer_than_anybody_waits_still_counts_when_it_is_done() -> None:
    async def play(one: Bench) -> None:
        await trip(one)
        await one.control.person(Command.ACK, ANNA)
        one.memory.answer_after_s = 5.0
        assert await outcome(one, Command.RESET) == "unknown"
        await asyncio.sleep(3.0)
        assert one.control.state == "cleared"
        assert [past.cause for past in one.control.resets._resets] == ["DWELL"]
        assert ("durable", "reset_done") in one.memory.done

    bench(play)


@pytest.mark.hazard("H10", "H18")
@pytest.mark.parametrize("disk_s", [0.02, 0.6])
def test_a_stop_voids_the_reset_of_an_idle_unit_and_the_next_one_works(disk_s: float) -> None:
    async def play(one: Bench) -> None:
        await one.see_for(0.1, Mode.SAFE, cause=Cause.BROWN_OUT)
        assert await outcome(one, Command.ACK) == "done"
        one.memory.commit_after_s = disk_s
        reset, again = asks(one, Command.RESET), asks(one, Command.RESET)
        await asyncio.sleep(0.01)
        one.control.stop_now(ANNA)
        assert (await reset, await again) == ("voided", "resetting")
        assert ("reset", Cause.BROWN_OUT) not in one.memory.done
        one.see(Mode.SAFE, cause=Cause.BROWN_OUT)
        assert await outcome(one, Command.RESET) == "done"
        assert [past.cause for past in one.control.resets._resets] == ["BROWN_OUT"]

    bench(play)


def test_the_reset_of_an_idle_unit_whose_answer_was_lost_is_done_when_the_unit_shows_it() -> None:
    async def play(one: Bench) -> None:
        await one.see_for(0.1, Mode.SAFE, cause=Cause.BROWN_OUT)
        assert await outcome(one, Command.ACK) == "done"
        one.memory.answer, one.memory.answer_after_s = Answer(Told.UNKNOWN), 0.5
        reset = asks(one, Command.RESET)
        await one.see_for(0.2, Mode.SAFE, cause=Cause.BROWN_OUT)
        await one.see_for(0.5, Mode.DISARMED)
        assert await reset == "done"
        assert [past.cause for past in one.control.resets._resets] == ["BROWN_OUT"]

    bench(play)


# -- acknowledge -----------------------------------------------------------------------------------
@pytest.mark.hazard("H18", "H40")
@pytest.mark.parametrize("treated", [True, False])
def test_an_alarm_counts_as_acknowledged_when_the_row_is_durable_and_not_before(
    *, treated: bool
) -> None:
    async def play(one: Bench) -> None:
        if treated:
            await trip(one)
        await one.see_for(0.1, Mode.SAFE, cause=Cause.DWELL)
        one.memory.commit_after_s = 0.5
        ack = asks(one, Command.ACK)
        await one.see_for(0.3, Mode.SAFE, cause=Cause.DWELL)
        assert await outcome(one, Command.RESET) == "not_acknowledged"
        assert one.control.alarms.unacknowledged
        await one.see_for(0.3, Mode.SAFE, cause=Cause.DWELL)
        assert await ack == "done"
        assert not one.control.alarms.unacknowledged
        one.memory.commit_after_s = 0.001
        one.see(Mode.SAFE, cause=Cause.DWELL)
        assert await outcome(one, Command.RESET) == "done"

    bench(play)


@pytest.mark.hazard("H18")
def test_an_alarm_that_comes_while_the_row_of_an_acknowledgement_is_written_stays() -> None:
    async def play(one: Bench) -> None:
        await trip(one)
        one.memory.commit_after_s = 0.5
        ack = asks(one, Command.ACK)
        await one.see_for(0.1, Mode.SAFE, cause=Cause.DWELL)
        await one.see_for(1.0, Mode.SAFE, cause=Cause.DWELL, valve_percent=45.0)
        assert await ack == "done"
        shown = {alarm.code: alarm.acknowledged for alarm in one.control.snapshot().alarms}
        assert shown.pop("S01")
        assert shown
        assert not any(shown.values())

    bench(play)


# -- begin and stop --------------------------------------------------------------------------------
@pytest.mark.hazard("H10")
def test_a_treatment_that_is_stopped_before_its_row_is_durable_did_not_begin() -> None:
    async def play(one: Bench) -> None:
        one.memory.commit_after_s = 0.5
        begin = asyncio.create_task(one.control.begin(treatment_of(plan()), ANNA, 7), name="begin")
        await one.see_for(0.1, Mode.DISARMED)
        one.control.stop_now(ANNA)
        with pytest.raises(RefusedError, match="stopped before it began"):
            await begin
        assert one.memory.done[-1] is StopKind.NORMAL or StopKind.NORMAL in one.memory.done

    bench(play)


@pytest.mark.hazard("H10")
def test_a_stop_that_is_repeated_is_answered_at_once_whatever_the_disk_does() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.commit_after_s = 10.0
        first = asks(one, Command.STOP)
        await asyncio.sleep(0.1)
        began_s = asyncio.get_running_loop().time()
        assert await outcome(one, Command.STOP) == "done"
        assert asyncio.get_running_loop().time() == began_s
        assert await first == "record"

    bench(play)
