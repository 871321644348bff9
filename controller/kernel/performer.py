"""Performs what must not be done out of order, and tells the end of each asked action once.

One queue, one task. Rows are committed one after the other; a one-shot goes out only when every row
before it has ended, and not at all when a stop came in between: it ends as voided. One-shots run
beside the queue, so that the row of a trip never waits for an answer.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from controller.device.answers import Answer, Told
from controller.device.interface import OneShots
from controller.record.journal import JournalPort, Row
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
from firmware_protocol.messages import Config, g_per_min_to_mg_per_min, kpa_to_pa

QUEUE_MAX: Final = 256  # a treatment leaves some thirty asked actions; this many is a stuck disk
ASKS_MAX: Final = 3
"""One-shots under way; the link holds four. A unit that answers none of them gets no more."""

BEHIND: Final = "The journal does not keep up."

Ask = Configure | RunSelfTest | SendArm | SendReset
Asked = Commit | Ask
OnEnd = Callable[[Finished], None]

_END: Final = {Told.DONE: End.DONE, Told.FAILED: End.FAILED, Told.UNKNOWN: End.UNKNOWN}


class Waiting(NamedTuple):
    """One asked action, the treatment that it belongs to, the stops so far, and who hears."""

    treatment: int
    stops: int
    action: Asked
    on_end: OnEnd


class Performer:
    """The queue, and the task that works through it."""

    def __init__(self, journal: JournalPort, one_shots: OneShots) -> None:
        self._journal = journal
        self._one_shots = one_shots
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue(QUEUE_MAX)
        self._asks = 0
        """One-shots that are out and have not ended."""
        self.stops = 0
        """How often everything was voided so far."""

    def put(self, treatment: int, action: Asked, on_end: OnEnd) -> None:
        """Do ``action`` after what was put before; ``on_end`` hears its end, never in this call."""
        try:
            self._queue.put_nowait(Waiting(treatment, self.stops, action, on_end))
        except asyncio.QueueFull:
            row = isinstance(action, Commit)
            ended = End.FAILED if row else End.VOIDED
            finished = Finished(action.number, ended, lost=BEHIND if row else "")
            asyncio.get_running_loop().call_soon(on_end, finished)

    def ended(self, treatment: int, action: Asked) -> "asyncio.Future[Finished]":
        """Put ``action``, and return its end to come."""
        end: asyncio.Future[Finished] = asyncio.get_running_loop().create_future()
        self.put(treatment, action, lambda said: None if end.done() else end.set_result(said))
        return end

    def void(self) -> None:
        """A stop: one-shots that were put and have not gone out will not."""
        self.stops += 1

    async def run(self) -> None:
        """Work through the queue for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                waiting = await self._queue.get()
                if isinstance(waiting.action, Commit):
                    waiting.on_end(await self._commit(waiting.action, waiting.treatment))
                else:
                    name = f"ask-{type(waiting.action).__name__}"
                    tasks.create_task(self._ask(waiting, waiting.action), name=name)

    async def _commit(self, action: Commit, treatment: int) -> Finished:
        try:
            await self._journal.commit([Row(action.kind, action.body, treatment)])
        except RecordError as error:
            return Finished(action.number, End.FAILED, lost=str(error))
        return Finished(action.number, End.DONE)

    async def _ask(self, waiting: Waiting, action: Ask) -> None:
        if waiting.stops != self.stops or self._asks >= ASKS_MAX:
            waiting.on_end(Finished(action.number, End.VOIDED))
            return
        self._asks += 1
        try:
            answer = await self._sent(waiting.treatment, action)
        finally:
            self._asks -= 1
        end = _END[answer.outcome]
        waiting.on_end(Finished(action.number, end, answer.refusal, answer.detail))

    async def _sent(self, treatment: int, action: Ask) -> Answer:
        match action:
            case Configure():
                return await self._one_shots.configure(config_of(treatment, action))
            case RunSelfTest():
                return await self._one_shots.self_test()
            case SendArm(token):
                return await self._one_shots.arm(token, treatment)
            case SendReset(cause):
                return await self._one_shots.reset(cause)


def config_of(treatment: int, asked: Configure) -> Config:
    """Return the message that tells the device what ``treatment`` may use."""
    return Config(
        treatment=treatment,
        suction_max_pa=kpa_to_pa(asked.suction_max_kpa),
        flow_max_mg_per_min=g_per_min_to_mg_per_min(asked.flow_max_g_per_min),
        suction_min_pa=kpa_to_pa(asked.suction_min_kpa),
        tip=asked.tip,
    )
