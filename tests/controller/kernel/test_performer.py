"""What must happen in order, and what a stop makes void."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from controller.device.answers import Answer, Told
from controller.kernel.performer import QUEUE_MAX, Performer
from controller.treatment.events import (
    Answered,
    Commit,
    Configure,
    Ended,
    Outcome,
    RecordLost,
    RunSelfTest,
    SendArm,
    SendReset,
    Step,
)
from firmware_protocol.vocabulary import Cause
from simulator.qa.loop import run_virtual
from tests.controller.kernel.memory import Memory


def perform(
    play: Callable[[Performer, Memory, list[Any]], Awaitable[None]], memory: Memory | None = None
) -> list[Any]:
    told: list[Any] = []

    async def whole() -> None:
        kept = memory or Memory()
        performer = Performer(
            kept, kept, lambda number, event: told.append((number, event)),
            lambda number, outcome: told.append((number, outcome)),
        )  # fmt: skip
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(performer.run(), name="performer")
            await play(performer, kept, told)
            running.cancel()

    coroutine: Coroutine[Any, Any, None] = whole()
    run_virtual(coroutine, limit_s=60.0)
    return told


@pytest.mark.hazard("H11")
def test_a_stop_voids_what_was_asked_before_and_has_not_gone_out() -> None:
    async def play(performer: Performer, memory: Memory, _: list[Any]) -> None:
        memory.commit_after_s = 0.5
        performer.put(7, Commit("arm"))
        performer.put(7, SendArm(77))
        await asyncio.sleep(0.1)
        performer.void()
        performer.put(7, Commit("stop"))
        performer.put(8, RunSelfTest())
        await performer.drained()
        await asyncio.sleep(0.1)
        assert "self-test" in memory.done
        assert ("arm", 77, 7) not in memory.done
        assert ("durable", "stop") in memory.done

    perform(play)


def test_answers_come_back_with_their_treatment() -> None:
    async def play(performer: Performer, memory: Memory, _: list[Any]) -> None:
        performer.put(7, Configure(28.0, 7.0, 8.0, 1))
        performer.put(7, SendReset(Cause.DWELL))
        performer.put(7, Ended(Outcome.TRIPPED))
        await performer.drained()
        await asyncio.sleep(0.1)
        memory.answer = Answer(Told.UNKNOWN)
        performer.put(8, SendArm(1))
        await asyncio.sleep(0.1)

    assert perform(play) == [
        (7, Outcome.TRIPPED),
        (7, Answered(Step.CONFIGURE, ok=True, detail=77)),
        (7, Answered(Step.RESET, ok=True, detail=77)),
        (8, Answered(Step.ARM, ok=False, known=False)),
    ]


def test_the_row_of_a_trip_does_not_wait_for_an_answer() -> None:
    async def play(performer: Performer, memory: Memory, _: list[Any]) -> None:
        memory.answer_after_s = 5.0
        performer.put(7, SendArm(1))
        performer.put(7, Commit("trip"))
        await performer.drained()
        assert ("durable", "trip") in memory.done
        assert asyncio.get_running_loop().time() < 1.0

    perform(play)


@pytest.mark.hazard("H40")
def test_whoever_waits_hears_of_the_rows_since_he_asked_and_not_of_those_before() -> None:
    async def play(performer: Performer, memory: Memory, told: list[Any]) -> None:
        memory.broken = "The disk is full."
        performer.put(7, Commit("ack"))
        assert not await performer.drained(0)
        memory.broken = None
        before = performer.asked
        assert await performer.drained(before)
        performer.put(7, Commit("reset"))
        assert await performer.drained(before)
        assert not await performer.drained(0)
        before = performer.asked
        for _ in range(QUEUE_MAX + 1):  # one more than there is room for
            performer.put(7, Commit("stop"))
        assert not await performer.drained(before)
        assert await performer.drained(performer.asked)
        assert len(told) == 2

    perform(play)


@pytest.mark.hazard("H40")
def test_a_record_that_fails_or_falls_behind_is_told() -> None:
    async def play(performer: Performer, memory: Memory, told: list[Any]) -> None:
        memory.broken = "The disk is full."
        performer.put(7, Commit("begin"))
        await performer.drained()
        assert told == [(7, RecordLost("The disk is full."))]
        memory.commit_after_s = 5.0
        for _ in range(QUEUE_MAX + 1):
            performer.put(7, Commit("stop"))
        assert told[-1] == (7, RecordLost("The journal does not keep up."))

    perform(play)
