"""What must happen in order, what a stop makes void, and that each asked action ends once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from controller.device.answers import Answer, Told
from controller.kernel.performer import BEHIND, QUEUE_MAX, Asked, Performer
from controller.treatment.events import (
    Commit,
    Configure,
    End,
    Finished,
    RunSelfTest,
    SendArm,
    SendReset,
)
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Cause, Refusal
from qa.loop import run_virtual
from tests.controller.kernel.memory import Memory

EACH: list[Asked] = [
    Commit(Kind.STOP, {}, 1),
    Configure(28.0, 7.0, 8.0, 1, number=2),
    RunSelfTest(3),
    SendArm(77, 4),
    SendReset(Cause.DWELL, 5),
]


def perform(play: Callable[[Performer, Memory, list[Finished]], Awaitable[None]]) -> list[Finished]:
    told: list[Finished] = []

    async def whole() -> None:
        kept = Memory()
        performer = Performer(kept, kept)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(performer.run(), name="performer")
            await play(performer, kept, told)
            running.cancel()

    coroutine: Coroutine[Any, Any, None] = whole()
    run_virtual(coroutine, limit_s=60.0)
    return told


@pytest.mark.hazard("H11")
def test_a_stop_voids_what_was_asked_before_and_has_not_gone_out() -> None:
    async def play(performer: Performer, memory: Memory, told: list[Finished]) -> None:
        memory.commit_after_s = 0.5
        performer.put(7, Commit(Kind.ARM, {}, 1), told.append)
        performer.put(7, SendArm(77, 2), told.append)
        await asyncio.sleep(0.1)
        performer.void()
        performer.put(8, RunSelfTest(3), told.append)
        await performer.ended(7, Commit(Kind.STOP))
        await asyncio.sleep(0.1)
        assert "self-test" in memory.done
        assert ("arm", 77, 7) not in memory.done
        assert ("durable", "stop") in memory.done

    said = perform(play)
    assert said == [
        Finished(1, End.DONE),
        Finished(2, End.VOIDED),
        Finished(3, End.DONE, detail=77),
    ]


@pytest.mark.hazard("H10", "H18")
def test_a_stop_in_the_moment_in_which_a_one_shot_is_about_to_go_out_voids_it() -> None:
    async def play(performer: Performer, memory: Memory, told: list[Finished]) -> None:
        performer.put(7, SendArm(77, 1), told.append)
        while not performer._queue.empty():
            await asyncio.sleep(0.0)
        performer.void()
        await asyncio.sleep(0.1)
        assert memory.done == []

    assert perform(play) == [Finished(1, End.VOIDED)]


@pytest.mark.parametrize("trouble", ["none", "refused", "silent", "stopped", "crowded", "disk"])
@pytest.mark.parametrize("action", EACH, ids=lambda action: type(action).__name__)
def test_each_asked_action_ends_once_with_its_number(action: Asked, trouble: str) -> None:
    row = isinstance(action, Commit)

    async def play(performer: Performer, memory: Memory, told: list[Finished]) -> None:
        memory.answer = {
            "refused": Answer(Told.FAILED, Refusal.BUSY), "silent": Answer(Told.UNKNOWN),
        }.get(trouble, memory.answer)  # fmt: skip
        memory.broken = "The disk is full." if trouble == "disk" and row else None
        for _ in range(QUEUE_MAX if trouble == "crowded" else 0):
            performer.put(7, Commit(Kind.STOP), lambda _: None)
        performer.put(7, action, told.append)
        assert told == []
        if trouble == "stopped":
            performer.void()
        await asyncio.sleep(2.0)

    ask_ends = {
        "none": End.DONE, "disk": End.DONE, "refused": End.FAILED, "silent": End.UNKNOWN,
        "stopped": End.VOIDED, "crowded": End.VOIDED,
    }  # fmt: skip
    row_ends = {"crowded": End.FAILED, "disk": End.FAILED}
    wanted = row_ends.get(trouble, End.DONE) if row else ask_ends[trouble]
    assert [(said.number, said.end) for said in perform(play)] == [(action.number, wanted)]


def test_the_row_of_a_trip_does_not_wait_for_an_answer() -> None:
    async def play(performer: Performer, memory: Memory, _: list[Finished]) -> None:
        memory.answer_after_s = 5.0
        performer.put(7, SendArm(1), lambda _: None)
        await performer.ended(7, Commit(Kind.TRIP))
        assert ("durable", "trip") in memory.done
        assert asyncio.get_running_loop().time() < 1.0

    perform(play)


@pytest.mark.hazard("H40")
def test_whoever_waits_hears_of_his_own_row_and_not_of_others() -> None:
    async def play(performer: Performer, memory: Memory, _: list[Finished]) -> None:
        memory.broken = "The disk is full."
        lost = await performer.ended(7, Commit(Kind.ACK))
        memory.broken = None
        kept = await performer.ended(7, Commit(Kind.RESET))
        assert (lost.end, lost.lost) == (End.FAILED, "The disk is full.")
        assert (kept.end, kept.lost) == (End.DONE, "")

    perform(play)


@pytest.mark.hazard("H40")
def test_a_record_that_falls_behind_is_told_for_each_row_that_found_no_place() -> None:
    async def play(performer: Performer, memory: Memory, told: list[Finished]) -> None:
        memory.commit_after_s = 5.0
        await asyncio.sleep(0.0)
        for number in range(1, QUEUE_MAX + 3):
            performer.put(7, Commit(Kind.STOP, {}, number), told.append)
        assert told == []
        await asyncio.sleep(0.01)

    assert Counter(perform(play)) == {
        Finished(number, End.FAILED, lost=BEHIND): 1 for number in (QUEUE_MAX + 1, QUEUE_MAX + 2)
    }
