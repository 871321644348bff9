"""People, disk and unit at random: every act is answered, and nothing permits before it may.

One run is a pause or a trip with a journal that is slow or loses rows, a unit that answers late,
refuses or does not answer, and people who ask for one thing after the other without waiting.
"""

import asyncio
import collections
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from controller.api.ask import END_MAX_S
from controller.device.answers import Answer, Told
from controller.kernel.control import Control
from controller.safety.refusal import RefusedError
from controller.treatment import conduct as conduct_module
from controller.treatment.acts import Acts, Open
from controller.treatment.conduct import Conduct
from controller.treatment.events import Body, Command, Commit, Step
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Cause, Mode, Refusal, StopKind, Wish
from tests.controller.kernel.memory import Bench, Memory, bench
from tests.controller.treatment.couch import ANNA

RUNS = 20
ASKED = 12
ANSWERED_WITHIN_S = END_MAX_S + 0.1  # the act, and the row that it was done
DISKS_S = (0.001, 0.001, 0.02, 0.3, 0.6, 0.95)
ANSWERS = (
    Answer(Told.DONE, detail=77), Answer(Told.UNKNOWN), Answer(Told.FAILED, Refusal.CAUSE_STANDS),
)  # fmt: skip
HELD = (Command.PAUSE, Command.RESUME, Command.RESUME)
TRIPPED = (Command.ACK, Command.RESET, Command.RESET, Command.RESET, Command.STOP)


class BrokenError(AssertionError):
    """A rule does not hold."""


def insist(holds: object, rule: str) -> None:
    if not holds:
        raise BrokenError(rule)


class Telling(Memory):
    """Writes down too when the unit has said that it was reset."""

    async def reset(self, cause: Cause) -> Answer:
        answer = self.answer
        self.done.append(("reset", cause))
        await asyncio.sleep(self.answer_after_s)
        if answer.done:
            self.done.append(("answered", "reset"))
        return answer


@dataclass
class Street:
    """What happens to one control loop."""

    one: Bench
    chance: random.Random
    asked: list["asyncio.Task[str]"] = field(default_factory=list)

    def ask(self, command: Command) -> None:
        """Ask without waiting; who is not answered in time, or not truthfully, is told of."""
        task = asyncio.create_task(self._answer(command), name=command.value)
        self.asked.append(task)

    async def _answer(self, command: Command) -> str:
        loop = asyncio.get_running_loop()
        began_s, state = loop.time(), self.one.control.state
        try:
            await self.one.control.person(command, ANNA)
            code = "done"
        except RefusedError as declined:
            code = declined.code
        insist(loop.time() - began_s <= ANSWERED_WITHIN_S, f"{command.value} was not answered")
        if command is Command.RESET and code == "done" and state == "tripped":
            insist(self.one.control.state == "cleared", "a reset was told as done and was not")
        return code

    def disk(self) -> None:
        memory = self.one.memory
        memory.commit_after_s = self.chance.choice(DISKS_S)
        memory.broken = "The disk is full." if self.chance.random() < 0.05 else None
        memory.answer = self.chance.choice(ANSWERS)
        memory.answer_after_s = self.chance.choice((0.01, 0.1, 0.775, 1.2))

    async def pass_time(self, seconds: float) -> None:
        if self.one.control.state == "tripped":
            await self.one.see_for(seconds, Mode.SAFE, cause=Cause.DWELL)
        elif self.one.control.state == "paused":
            await self.one.see_for(seconds, Mode.PAUSED)
        else:
            await self.one.see_for(seconds, Mode.DISARMED)

    async def walk(self) -> None:
        """Pause, or trip, and ask for one thing after the other."""
        await self.one.bring_to_active()
        trips = self.chance.random() < 0.7
        await self.one.see_for(
            0.1, Mode.SAFE if trips else Mode.PAUSED, cause=Cause.DWELL if trips else Cause.NONE
        )
        for _ in range(ASKED):
            self.disk()
            self.ask(self.chance.choice(TRIPPED if trips else HELD))
            await self.pass_time(self.chance.choice((0.02, 0.1, 0.4, 1.0)))
        await self.calm()

    async def calm(self) -> None:
        """Let everything work again: whoever is tripped can acknowledge and reset."""
        memory = self.one.memory
        memory.broken, memory.commit_after_s = None, 0.001
        memory.answer, memory.answer_after_s = ANSWERS[0], 0.001
        await self.pass_time(4.0)
        for task in self.asked:
            await task
        if self.one.control.state != "tripped" or self.one.control.resets.declined is not None:
            return
        with contextlib.suppress(RefusedError):  # somebody has acknowledged it already
            await self.one.control.person(Command.ACK, ANNA)
        await self.pass_time(0.1)
        await self.one.control.person(Command.RESET, ANNA)
        insist(self.one.control.state == "cleared", "a trip could not be reset")


def judge(done: list[object]) -> None:
    """Read what was done, in its order."""
    held = recorded = stopped = False
    said = told = 0
    for what in done:
        held = what == ("note", "pause") or (held and what != ("durable", "resume"))
        recorded = what == ("durable", "reset") or (recorded and what != ("asked", "reset"))
        stopped = isinstance(what, StopKind) or (stopped and what != ("asked", "reset"))
        said += what == ("answered", "reset")
        told += what == ("durable", "reset_done")
        insist(told <= said, "a reset was recorded as done that the unit has not done")
        if isinstance(what, tuple) and what[0] == "setpoint":
            insist(not (held and what[1] & Wish.FLOW), "flow was wished before its row")
        elif isinstance(what, tuple) and what[0] == "reset":
            insist(recorded and not stopped, "RESET went out without its row, or after a stop")


def run(number: int) -> None:
    async def play(one: Bench) -> None:
        await Street(one, random.Random(f"asked {number}")).walk()  # noqa: S311 - must repeat

    judge(bench(play, Telling()).done)


@pytest.mark.hazard("H18", "H40")
@pytest.mark.parametrize("number", range(RUNS))
def test_every_act_is_answered_truthfully_whatever_is_late_lost_or_voided(number: int) -> None:
    run(number)


# -- the old faults, put back ----------------------------------------------------------------------
def _stop_voids_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(conduct_module, "VOIDED_BY_STOP", ())


def _any_end_is_taken(patch: pytest.MonkeyPatch) -> None:
    take = Acts.take

    def eager(self: Acts, number: int) -> Open | None:
        return take(self, number) or take(self, max(self.open, default=0))

    patch.setattr(Acts, "take", eager)


def _resume_counts_when_asked(patch: pytest.MonkeyPatch) -> None:
    row = Conduct.row

    def eager(self: Conduct, kind: Kind, body: Body, step: Step | None = None) -> Commit:
        self.held = self.held and kind != Kind.RESUME
        return row(self, kind, body, step)

    patch.setattr(Conduct, "row", eager)


def _wish_is_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A lost end is never told."""
    tell = Control._finished

    def forgetful(self: Control, supervisor: object, treatment: int, event: object) -> None:
        if getattr(event, "lost", ""):
            return
        tell(self, supervisor, treatment, event)  # type: ignore[arg-type]  # as it came

    patch.setattr(Control, "_finished", forgetful)


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a stop voids nothing": _stop_voids_nothing,
    "any end is taken": _any_end_is_taken,
    "a resume counts when it is asked": _resume_counts_when_asked,
    "a lost row is never told": _wish_is_for_ever,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_old_kind_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[fault](monkeypatch)
    with pytest.raises((BrokenError, RefusedError, BaseExceptionGroup)):
        collections.deque(map(run, range(RUNS)), maxlen=0)
