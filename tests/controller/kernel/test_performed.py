"""What the performer passes on of each asked action, and what it tells of the answer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from controller.device.answers import Answer, Told
from controller.kernel.performer import ASKS_MAX, QUEUE_MAX, Asked, Performer, config_of
from controller.record.journal import Row
from controller.record.store import RecordError
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
from firmware_protocol.messages import Config
from firmware_protocol.vocabulary import Cause, Refusal
from qa.loop import run_virtual


class Line:
    """A journal and a unit that keep every argument, and answer as the test says."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.answer = Answer(Told.DONE, detail=77)
        self.lost: str | None = None
        self.after_s = 0.1
        self.out = 0
        self.out_max = 0

    async def commit(self, rows: Sequence[Row]) -> None:
        self.heard.append(list(rows))
        await asyncio.sleep(self.after_s)
        if self.lost is not None:
            raise RecordError(self.lost)

    async def _ask(self, *what: object) -> Answer:
        self.heard.append(what)
        self.out += 1
        self.out_max = max(self.out, self.out_max)
        try:
            await asyncio.sleep(self.after_s)
        finally:
            self.out -= 1
        return self.answer

    async def configure(self, config: Config) -> Answer:
        return await self._ask("configure", config)

    async def self_test(self) -> Answer:
        return await self._ask("self-test")

    async def arm(self, token: int, treatment: int) -> Answer:
        return await self._ask("arm", token, treatment)

    async def reset(self, cause: Cause) -> Answer:
        return await self._ask("reset", cause)


Play = Callable[[Performer, Line, list[Finished]], Awaitable[None]]


def perform(play: Play) -> tuple[list[Any], list[Finished]]:
    line, told = Line(), list[Finished]()

    async def whole() -> None:
        performer = Performer(cast("Any", line), line)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(performer.run(), name="performer")
            await play(performer, line, told)
            running.cancel()

    run_virtual(whole(), limit_s=60.0)
    return line.heard, told


CONFIG = Config(
    treatment=9,
    suction_max_pa=28_000,
    flow_max_mg_per_min=7_000,
    suction_min_pa=8_000,
    tip=3,
)


# -- what goes out ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("action", "heard"),
    [
        (Commit(Kind.ARM, {"offer": 1}, 5), [Row(Kind.ARM, {"offer": 1}, 9)]),
        (Configure(28.0, 7.0, 8.0, 3, number=5), ("configure", CONFIG)),
        (RunSelfTest(5), ("self-test",)),
        (SendArm(77, 5), ("arm", 77, 9)),
        (SendReset(Cause.DWELL, 5), ("reset", Cause.DWELL)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_action_goes_out_with_all_that_it_says(action: Asked, heard: object) -> None:
    async def play(performer: Performer, _line: Line, told: list[Finished]) -> None:
        performer.put(9, action, told.append)
        await asyncio.sleep(1.0)

    went, told = perform(play)
    assert went == [heard]
    detail = 0 if isinstance(action, Commit) else 77
    assert told == [Finished(5, End.DONE, Refusal.NONE, detail, "")]


def test_settings_are_configured_in_pascal_and_milligrams() -> None:
    assert config_of(9, Configure(28.0, 7.0, 8.0, 3)) == CONFIG
    finer = config_of(9, Configure(28.123, 7.0456, 8.001, 3))
    assert (finer.suction_max_pa, finer.flow_max_mg_per_min, finer.suction_min_pa) == (
        28_123,
        7_046,
        8_001,
    )


# -- what is told ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "finished"),
    [
        (Answer(Told.DONE, detail=77), Finished(5, End.DONE, Refusal.NONE, 77)),
        (
            Answer(Told.FAILED, Refusal.CAUSE_STANDS, 4),
            Finished(5, End.FAILED, Refusal.CAUSE_STANDS, 4),
        ),
        (Answer(Told.UNKNOWN), Finished(5, End.UNKNOWN)),
    ],
)
def test_what_the_unit_says_is_told_whole(answer: Answer, finished: Finished) -> None:
    async def play(performer: Performer, line: Line, _told: list[Finished]) -> None:
        line.answer = answer
        assert await performer.ended(9, SendReset(Cause.DWELL, 5)) == finished

    perform(play)


def test_a_lost_row_is_told_with_its_sentence_and_the_next_one_is_written() -> None:
    async def play(performer: Performer, line: Line, told: list[Finished]) -> None:
        line.lost = "The disk is full."
        performer.put(9, Commit(Kind.STOP, {}, 5), told.append)
        await asyncio.sleep(0.2)
        line.lost = None
        performer.put(9, Commit(Kind.STOP, {}, 6), told.append)
        await asyncio.sleep(0.2)

    assert perform(play)[1] == [
        Finished(5, End.FAILED, Refusal.NONE, 0, "The disk is full."),
        Finished(6, End.DONE, Refusal.NONE, 0, ""),
    ]


def test_an_end_that_nobody_waits_for_any_more_is_dropped() -> None:
    async def play(performer: Performer, line: Line, _told: list[Finished]) -> None:
        end = performer.ended(9, Commit(Kind.ACK, {}, 5))
        end.cancel()
        await asyncio.sleep(0.2)
        assert (await performer.ended(9, Commit(Kind.ACK, {}, 6))).number == 6
        assert len(line.heard) == 2

    perform(play)


# -- how many --------------------------------------------------------------------------------------
def test_of_more_one_shots_than_may_be_out_at_a_time_the_others_are_void() -> None:
    async def play(performer: Performer, line: Line, told: list[Finished]) -> None:
        for number in range(1, ASKS_MAX + 3):
            performer.put(9, SendArm(77, number), told.append)
        await asyncio.sleep(1.0)
        assert line.out_max == ASKS_MAX == 3
        for number in (7, 8, 9):
            performer.put(9, SendArm(78, number), told.append)  # their places are free again
        await asyncio.sleep(1.0)

    heard, told = perform(play)
    assert heard == [("arm", 77, 9)] * 3 + [("arm", 78, 9)] * 3
    assert told == [
        Finished(4, End.VOIDED),
        Finished(5, End.VOIDED),
        Finished(1, End.DONE, Refusal.NONE, 77),
        Finished(2, End.DONE, Refusal.NONE, 77),
        Finished(3, End.DONE, Refusal.NONE, 77),
        Finished(7, End.DONE, Refusal.NONE, 77),
        Finished(8, End.DONE, Refusal.NONE, 77),
        Finished(9, End.DONE, Refusal.NONE, 77),
    ]


def test_what_finds_no_place_in_the_queue_is_told_as_lost_or_void() -> None:
    async def play(performer: Performer, line: Line, told: list[Finished]) -> None:
        line.after_s = 5.0
        for _ in range(QUEUE_MAX):
            performer.put(9, Commit(Kind.STOP, {}, 1), lambda _said: None)
        performer.put(9, Commit(Kind.STOP, {}, 2), told.append)
        performer.put(9, SendArm(77, 3), told.append)
        await asyncio.sleep(0.1)

    assert perform(play)[1] == [
        Finished(2, End.FAILED, Refusal.NONE, 0, "The journal does not keep up."),
        Finished(3, End.VOIDED, Refusal.NONE, 0, ""),
    ]


def test_each_stop_is_counted_and_voids_only_what_was_put_before() -> None:
    async def play(performer: Performer, _line: Line, told: list[Finished]) -> None:
        assert performer.stops == 0
        performer.put(9, Commit(Kind.STOP, {}, 1), told.append)
        performer.put(9, SendArm(77, 2), told.append)
        performer.void()
        performer.void()
        performer.put(9, SendArm(78, 3), told.append)
        assert performer.stops == 2
        await asyncio.sleep(1.0)

    heard, told = perform(play)
    assert heard == [[Row(Kind.STOP, {}, 9)], ("arm", 78, 9)]
    assert told == [
        Finished(1, End.DONE),
        Finished(2, End.VOIDED),
        Finished(3, End.DONE, Refusal.NONE, 77),
    ]
