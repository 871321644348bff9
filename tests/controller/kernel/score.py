"""A conductor that plays what a test has written down, on a unit that keeps every argument."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.device.answers import LinkNews, StopReport
from controller.device.handpiece import Holding, Listeners
from controller.kernel.control import About, Control
from controller.record.clocks import Here
from controller.record.journal import Row
from controller.record.store import RecordError
from controller.safety.reading import Identity, Reading
from controller.treatment.conductor import Assignment
from controller.treatment.events import Action, Event, Observed, Wake, Who
from controller.treatment.states import State
from firmware_protocol.vocabulary import Mode, StopKind
from qa.loop import run_virtual
from tests.controller.kernel.memory import Memory
from tests.controller.treatment.couch import couch

ANNA = Who("anna", "practitioner")
FAR = Who("ben", "practitioner", "remote")
WHO = {"name": "anna", "role": "practitioner", "origin": "local"}


@dataclass
class Whole(Memory):
    """A memory that keeps rows and setpoints whole, and whose stops can be seen to end."""

    stops: list["asyncio.Future[StopReport]"] = field(default_factory=list)

    def setpoint(self, hold: Holding, treatment: int, loop_counter: int) -> bool:
        self.done.append(("setpoint", hold, treatment, loop_counter))
        return True

    def stop(self, kind: StopKind) -> "asyncio.Future[StopReport]":
        self.done.append(kind)
        self.stops.append(asyncio.get_running_loop().create_future())
        return self.stops[-1]

    async def commit(self, rows: Sequence[Row]) -> None:
        self.done += [("commit", row) for row in rows]
        await asyncio.sleep(self.commit_after_s)
        if self.broken is not None:
            raise RecordError(self.broken)

    def note(self, row: Row) -> None:
        self.done.append(("note", row))

    def noted(self) -> list[Row]:
        """The rows so far, whichever way they were written."""
        return [what[1] for what in self.done if isinstance(what, tuple) and what[0] in WRITTEN]


WRITTEN = ("commit", "note")
TURNS = 3  # of the loop, until the control has begun to beat


@dataclass
class Score:
    """What is conducted: how far it has come, and what it answers to each kind of event."""

    state: State = State.ACTIVE
    recorded: bool | None = None
    waits: bool = False
    acknowledged: bool = False
    tripped_by: str = ""
    answers: dict[type[Event], tuple[Action, ...]] = field(default_factory=dict)
    heard: list[Event] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)

    @property
    def conduct(self) -> "Score":
        return self

    def step(self, event: Event, now_s: float) -> tuple[Action, ...]:
        self.heard.append(event)
        self.at_s.append(now_s)
        return self.answers.get(type(event), ())

    def told(self, *kinds: type[Event]) -> list[Event]:
        """Return what it has heard beside beats and readings, or of these kinds."""
        passing = (Wake, Observed)
        return [
            one
            for one in self.heard
            if (isinstance(one, kinds) if kinds else not isinstance(one, passing))
        ]


@dataclass
class Stage:
    """A control loop that conducts a score."""

    unit: Whole
    control: Control
    score: Score
    show: Callable[[Reading], None]
    news: Callable[[LinkNews], None]
    made_for: list[tuple[Identity, Reading | None]] = field(default_factory=list)

    def assignment(self, **changes: Any) -> Assignment:  # noqa: ANN401 - by name
        def conductor(identity: Identity, newest: Reading | None) -> Any:  # noqa: ANN401
            self.made_for.append((identity, newest))
            return self.score

        made = Assignment(1001, simulated=True, conductor=conductor)
        return made._replace(**changes)

    async def begin(self, number: int = 7) -> None:
        await self.control.begin(self.assignment(), ANNA, number)

    def reading(self, mode: Mode, **changes: Any) -> Reading:  # noqa: ANN401 - by name
        bed = couch()
        bed.now_s = now_s = asyncio.get_running_loop().time()
        bed.tick_ms = round(now_s * 1000)
        return bed.reading(mode, **changes)


def staged(
    play: Callable[[Stage], Awaitable[None]],
    score: Score | None = None,
    here: Here | None = None,
) -> Stage:
    """Let a test play, and return everything that was heard and done."""

    async def whole() -> Stage:
        unit, heard = Whole(), list[Listeners]()

        def make(listeners: Listeners) -> Whole:
            heard.append(listeners)
            return unit

        control = Control(make, unit, About("a port", "a file", here, 7))
        one = Stage(unit, control, score or Score(), heard[0].on_reading, heard[0].on_link)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(control.run(), name="control")
            for _ in range(TURNS):
                await asyncio.sleep(0)
            await play(one)
            running.cancel()
        return one

    return run_virtual(whole(), limit_s=60.0)
