"""In which order the control loop does things: with a handpiece and a journal that remember."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from controller.device.answers import Answer, LinkNews, LinkState, StopReport, Told
from controller.device.handpiece import Holding, Listeners
from controller.kernel.control import About, Control, DeclinedError
from controller.kernel.journal import Row
from controller.kernel.performer import QUEUE_MAX, Performer
from controller.kernel.store import RecordError
from controller.safety.reading import Identity, Reading
from controller.treatment.events import (
    Answered,
    Command,
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
from firmware_protocol.messages import Config
from firmware_protocol.vocabulary import Capability, Cause, Input, Mode, Refusal, StopKind, Wish
from simulator.qa.loop import LooseEndError, run_virtual
from tests.controller.treatment.couch import ANNA, FLOWING, couch, plan

DONE = Answer(Told.DONE, detail=77)


@dataclass
class Memory:
    """A handpiece and a journal that write down what is asked of them, in one list."""

    done: list[Any] = field(default_factory=list)
    answer: Answer = DONE
    answer_after_s: float = 0.001
    commit_after_s: float = 0.001
    broken: str | None = None
    note_raises: bool = False
    noisy: bool = False
    state: LinkState = LinkState.IDENTIFIED
    identity: Identity | None = field(
        default_factory=lambda: Identity(1001, 5, "1.0", Capability.SIMULATED)
    )
    newest: Reading | None = None
    round_trip_s: float | None = None
    bad_frames: int = 0
    rows: int = 0
    failure: str | None = None
    held_s: float = 0.0

    async def _ask(self, what: object) -> Answer:
        self.done.append(what)
        await asyncio.sleep(self.answer_after_s)
        return self.answer

    async def configure(self, config: Config) -> Answer:
        return await self._ask(config)

    async def self_test(self) -> Answer:
        return await self._ask("self-test")

    async def arm(self, token: int, treatment: int) -> Answer:
        return await self._ask(("arm", token, treatment))

    async def reset(self, cause: Cause) -> Answer:
        return await self._ask(("reset", cause))

    def setpoint(self, hold: Holding, treatment: int, loop_counter: int) -> bool:
        self.done.append(("setpoint", hold.wish, treatment, loop_counter))
        self.held_s = asyncio.get_running_loop().time()
        return True

    def stop(self, kind: StopKind) -> asyncio.Future[StopReport]:
        self.done.append(kind)
        return asyncio.get_running_loop().create_future()

    def limit_exceeded(self) -> bool:
        return self.noisy

    async def commit(self, rows: Sequence[Row]) -> None:
        self.done.append(("asked", rows[0].kind))
        await asyncio.sleep(self.commit_after_s)
        if self.broken is not None:
            raise RecordError(self.broken)
        self.done.append(("durable", rows[0].kind))

    def note(self, row: Row) -> None:
        if self.note_raises:
            raise RuntimeError("a mistake of ours")
        self.done.append(("note", row.kind))


@dataclass
class Bench:
    """A control loop with its memory, and the readings that a test shows it."""

    memory: Memory
    control: Control
    show: Callable[[Reading], None]
    news: Callable[[LinkNews], None]

    def reading(self, mode: Mode, **changes: Any) -> Reading:  # noqa: ANN401 - by name
        bed = couch()
        bed.now_s = now = asyncio.get_running_loop().time()
        bed.tick_ms = round(now * 1000)
        bed.moves = round(now * 50)
        bed.held_s = self.memory.held_s
        return bed.reading(mode, **changes)

    def see(self, mode: Mode, **changes: Any) -> None:  # noqa: ANN401 - by name
        self.memory.newest = self.reading(mode, **changes)
        self.show(self.memory.newest)

    async def see_for(self, seconds: float, mode: Mode, **changes: Any) -> None:  # noqa: ANN401
        for _ in range(round(seconds / 0.02)):
            await asyncio.sleep(0.02)
            self.see(mode, **changes)

    async def bring_to_active(self) -> None:
        await self.control.begin(plan(), ANNA, 7)
        await self.see_for(0.1, Mode.DISARMED)
        await self.see_for(0.1, Mode.SELFTEST)
        await self.see_for(2.0, Mode.READY)
        await self.see_for(0.1, Mode.ARMED)
        await self.see_for(0.2, Mode.ACTIVE, **FLOWING)
        assert self.control.snapshot().state == "active"
        self.memory.done.clear()


def bench(play: Callable[[Bench], Awaitable[None]], memory: Memory | None = None) -> Memory:
    kept = memory or Memory()

    async def whole() -> None:
        heard: list[Listeners] = []

        def make(listeners: Listeners) -> Memory:
            heard.append(listeners)
            return kept

        control = Control(make, kept, About("a port", "a file"))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(control.run(), name="control")
            await play(Bench(kept, control, heard[0].on_reading, heard[0].on_link))
            running.cancel()

    coroutine: Coroutine[Any, Any, None] = whole()
    run_virtual(coroutine, limit_s=60.0)
    return kept


# -- what stops ------------------------------------------------------------------------------------
@pytest.mark.hazard("H03")
def test_the_stop_is_written_in_the_callback_that_read_the_breach_before_any_row() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.see(Mode.ACTIVE, **FLOWING, suction_kpa=56.0, suction_b_kpa=56.0)
        assert one.memory.done[0] is StopKind.EMERGENCY
        assert [what for what in one.memory.done if what == ("asked", "trip")] == []
        await asyncio.sleep(0.01)
        assert ("durable", "trip") in one.memory.done

    bench(play)


@pytest.mark.hazard("H10")
def test_a_stop_is_written_before_the_call_returns() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.control.stop_now(ANNA)
        assert one.memory.done[0] is StopKind.NORMAL

    bench(play)


@pytest.mark.hazard("H40")
def test_a_stop_does_not_wait_for_a_slow_record_and_says_that_it_is_missing() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.commit_after_s = 10.0
        with pytest.raises(DeclinedError, match="not written yet"):
            await one.control.person(Command.STOP, ANNA)
        assert one.memory.done[0] is StopKind.NORMAL

    bench(play)


def test_a_mistake_of_ours_ends_in_stop() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.note_raises = True
        with pytest.raises(RuntimeError, match="a mistake of ours"):
            one.see(Mode.PAUSED)
        assert one.memory.done[-1] is StopKind.EMERGENCY
        one.memory.note_raises = False

    bench(play)


def test_a_mistake_in_the_loop_itself_ends_it_with_stop() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.note_raises = True
        one.memory.noisy = True
        await asyncio.sleep(1.0)

    kept = Memory()
    with pytest.raises((LooseEndError, BaseExceptionGroup)):
        bench(play, kept)
    assert kept.done[-1] is StopKind.EMERGENCY


@pytest.mark.hazard("H11")
def test_a_noisy_line_trips() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.noisy = True
        await asyncio.sleep(0.06)
        assert one.control.snapshot().alarms[0].code == "C02"

    assert StopKind.EMERGENCY in bench(play).done


@pytest.mark.hazard("H40")
def test_a_journal_that_fails_in_the_middle_ends_it_in_order() -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        one.memory.failure = "The disk is full."
        await asyncio.sleep(0.06)
        assert one.control.snapshot().state == "stopping"
        one.memory.failure = None

    assert StopKind.NORMAL in bench(play).done


# -- what permits ----------------------------------------------------------------------------------
def test_each_step_towards_flow_waits_for_its_row() -> None:
    async def play(one: Bench) -> None:
        await one.control.begin(plan(), ANNA, 7)
        await one.see_for(0.1, Mode.DISARMED)
        await one.see_for(0.1, Mode.SELFTEST)
        await one.see_for(2.0, Mode.READY)
        await one.see_for(0.1, Mode.ARMED)

    done = bench(play).done
    config = next(what for what in done if isinstance(what, Config))
    assert config == Config(7, 28_000, 7_000, 8_000, 1)
    assert done.index(("durable", "begin")) < done.index(config) < done.index("self-test")
    assert done.index(("durable", "arm")) < done.index(("arm", 77, 7))
    beats = [what for what in done if isinstance(what, tuple) and what[0] == "setpoint"]
    assert [beat[3] for beat in beats] == list(range(1, len(beats) + 1))
    first_wish = next(beat for beat in beats if beat[1])
    assert first_wish[1] == Wish.ALL
    assert done.index(("arm", 77, 7)) < done.index(first_wish)


@pytest.mark.hazard("H40")
def test_without_a_record_nothing_is_asked_of_the_unit() -> None:
    async def play(one: Bench) -> None:
        await one.control.begin(plan(), ANNA, 7)
        await one.see_for(0.3, Mode.DISARMED)
        assert one.control.snapshot().state == "refused"
        assert one.control.idle

    done = bench(play, Memory(broken="The disk is full.")).done
    assert not [what for what in done if isinstance(what, Config)]


def test_the_end_of_a_link_is_told_to_the_treatment() -> None:
    async def play(one: Bench) -> None:
        one.news(LinkNews(LinkState.DISCONNECTED, "nobody treats"))
        await one.bring_to_active()
        one.news(LinkNews(LinkState.CONNECTED, "not yet"))
        assert one.control.snapshot().state == "active"
        one.news(LinkNews(LinkState.DISCONNECTED, "unplugged"))
        assert one.control.snapshot().state == "tripped"

    bench(play)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(Told.FAILED, Refusal.LOCKED), "not_reset"),
        (Answer(Told.UNKNOWN), "not_reset"),
    ],
)
def test_a_reset_that_fails_says_why(answer: Answer, code: str) -> None:
    async def play(one: Bench) -> None:
        await one.bring_to_active()
        await one.see_for(0.1, Mode.SAFE, cause=Cause.DWELL)
        await one.control.person(Command.ACK, ANNA)
        one.memory.answer = answer
        with pytest.raises(DeclinedError) as caught:
            await one.control.person(Command.RESET, ANNA)
        assert caught.value.code == code
        one.see(Mode.SAFE, cause=Cause.DWELL, inputs=Input.SWITCH_REST)
        one.memory.answer_after_s = 9.0
        with pytest.raises(DeclinedError, match="cannot be heard"):
            await one.control.person(Command.RESET, ANNA)

    bench(play)


def test_beats_that_come_too_late_are_left_out_and_not_made_up_for() -> None:
    async def whole() -> None:
        kept = Memory()
        control = Control(lambda _: kept, kept, About("a port", "a file"))
        task = asyncio.create_task(control.run(), name="control")
        await asyncio.sleep(5.0)
        assert control.beats_missed > 10
        assert control.late_max_s > 0.1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(whole(), seed=1, lateness_max_s=0.2)


def test_answers_to_an_earlier_treatment_and_a_missing_unit_change_nothing() -> None:
    async def play(one: Bench) -> None:
        one.memory.identity = None
        one.memory.state = LinkState.CONNECTED
        with pytest.raises(DeclinedError, match="No unit"):
            await one.control.begin(plan(), ANNA, 7)
        view = one.control.snapshot()
        assert (view.unit, view.live, view.treatment) == (None, None, None)
        one.control._told(7, RecordLost("late"))
        one.control._ended(9, Outcome.STOPPED)
        assert one.control.idle

    bench(play)


# -- the performer ---------------------------------------------------------------------------------
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
