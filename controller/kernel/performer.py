"""Performs what must not be done out of order: rows that must be durable, and what they permit.

One queue, one task. Rows are committed one after the other; a one-shot goes out only when every row
before it is durable, and not at all when a stop came in between: a stop voids what was asked.
One-shots run beside the queue, so that the row of a trip never waits for an answer.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from controller.device.answers import Answer, Told
from controller.kernel.journal import Row
from controller.kernel.ports import JournalPort, OneShots
from controller.kernel.store import RecordError
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
from firmware_protocol.messages import Config
from firmware_protocol.quantities import g_per_min_to_mg_per_min, kpa_to_pa

QUEUE_MAX: Final = 256  # a treatment leaves some thirty ordered actions; this many is a stuck disk

Ask = Configure | RunSelfTest | SendArm | SendReset
Ordered = Commit | Ended | Ask

_STEP: Final[dict[type[Ask], Step]] = {
    Configure: Step.CONFIGURE,
    RunSelfTest: Step.SELF_TEST,
    SendArm: Step.ARM,
    SendReset: Step.RESET,
}


class Waiting(NamedTuple):
    """One ordered action, the treatment that it belongs to, and the epoch that it was asked in."""

    number: int
    treatment: int
    epoch: int
    action: Ordered | asyncio.Future[None]


class Performer:
    """The queue, and the task that works through it."""

    def __init__(
        self,
        journal: JournalPort,
        one_shots: OneShots,
        tell: Callable[[int, Answered | RecordLost], None],
        ended: Callable[[int, Outcome | None], None],
    ) -> None:
        """``ended`` hears how a treatment ended once that is durable; None where it is not."""
        self._journal = journal
        self._one_shots = one_shots
        self._tell = tell
        self._ended = ended
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue(QUEUE_MAX)
        self._epoch = 0
        self.asked = 0
        """How much was put so far."""
        self._lost = 0
        """The number of the last row that could not be made durable; 0 is none."""

    def put(self, treatment: int, action: Ordered) -> None:
        """Do ``action`` after everything that was put before."""
        self.asked += 1
        try:
            self._queue.put_nowait(Waiting(self.asked, treatment, self._epoch, action))
        except asyncio.QueueFull:
            self._lost = self.asked
            self._tell(treatment, RecordLost("The journal does not keep up."))
            if isinstance(action, Ended):
                self._ended(treatment, None)

    def void(self) -> None:
        """A stop: what was asked of the device and has not gone out will not."""
        self._epoch += 1

    async def drained(self, since: int = 0) -> bool:
        """Return when everything that was put so far is done.

        True where every row is durable that was put after ``asked`` was ``since``.
        """
        mark: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._queue.put(Waiting(0, 0, self._epoch, mark))
        await mark
        return self._lost <= since

    async def run(self) -> None:
        """Work through the queue for ever."""
        durable = True  # the row before an Ended is that of the end
        async with asyncio.TaskGroup() as tasks:
            while True:
                number, treatment, epoch, action = await self._queue.get()
                match action:
                    case Commit(kind, body):
                        durable = await self._commit(Row(kind, body, treatment))
                        self._lost = self._lost if durable else max(self._lost, number)
                    case Ended(outcome):
                        self._ended(treatment, outcome if durable else None)
                    case asyncio.Future():
                        if not action.done():
                            action.set_result(None)
                    case _ if epoch == self._epoch:
                        name = f"ask-{_STEP[type(action)].value}"
                        tasks.create_task(self._ask(treatment, action), name=name)

    async def _commit(self, row: Row) -> bool:
        try:
            await self._journal.commit([row])
        except RecordError as error:
            self._tell(row.treatment, RecordLost(str(error)))
            return False
        return True

    async def _ask(self, treatment: int, action: Ask) -> None:
        answer = await self._sent(treatment, action)
        told = Answered(
            _STEP[type(action)],
            ok=answer.done,
            refusal=answer.refusal,
            detail=answer.detail,
            known=answer.outcome is not Told.UNKNOWN,
        )
        self._tell(treatment, told)

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
