"""A handpiece and a journal that remember in which order they were asked."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.device.answers import Answer, DeviceError, LinkNews, LinkState, StopReport, Told
from controller.device.handpiece import Holding, Listeners
from controller.kernel.control import About, Control
from controller.record.health import RecordHealth
from controller.record.journal import Row
from controller.record.store import RecordError
from controller.safety.reading import Identity, Reading
from controller.treatment.conductor import treatment_of
from firmware_protocol.messages import Config
from firmware_protocol.vocabulary import Capability, Cause, Mode, StopKind
from qa.loop import run_virtual
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
    trouble: DeviceError | None = None
    heard_at_s: float = -math.inf
    bad_frames: int = 0
    rows: int = 0
    health: RecordHealth = field(default_factory=RecordHealth)
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
        await self.control.begin(treatment_of(plan()), ANNA, 7)
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
