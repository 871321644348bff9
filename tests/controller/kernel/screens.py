"""A control and the screens around it, for the lead of a treatment alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from controller.api.requests import Request, WhoSays
from controller.api.viewer import Viewer
from controller.kernel.asked import OUTCOME_UNKNOWN
from controller.kernel.leading import Leading
from controller.record.journal import Row
from controller.record.store import RecordError
from controller.safety.alarms import Alarm
from controller.safety.refusal import RefusedError
from controller.treatment.events import Command, Who
from qa.loop import run_virtual

ANNA = WhoSays.model_validate({"name": "anna", "role": "practitioner", "origin": "local"})
BEN = WhoSays.model_validate({"name": "ben", "role": "supervisor", "origin": "local"})
KERNEL = Who("kernel", "service", "local")


@dataclass
class Treated:
    """A control and its record, which keep what they are asked."""

    state: str = "active"
    treatment: int = 7
    done: list[Any] = field(default_factory=list)
    refuses: bool = False
    lost: str | None = None

    @property
    def alarms(self) -> "Treated":
        return self

    def put(self, alarm: Alarm, now_s: float) -> None:
        self.done.append(("put", alarm, now_s))

    def settle(self, code: str) -> None:
        self.done.append(("settle", code))

    def snapshot(self) -> Any:  # noqa: ANN401 - as much as is looked at
        shown = SimpleNamespace(id=self.treatment) if self.treatment else None
        return SimpleNamespace(treatment=shown)

    def stop_now(self, who: Who) -> None:
        self.done.append(("stop", who))

    async def person(self, command: Command, who: Who, *, why: str) -> None:
        self.done.append(("person", command, who, why))
        if self.refuses:
            raise RefusedError(OUTCOME_UNKNOWN)

    async def commit(self, rows: Sequence[Row]) -> None:
        self.done.append(("commit", *rows))
        if self.lost is not None:
            raise RecordError(self.lost)


class Screens:
    """A lead and the screens around it."""

    def __init__(self) -> None:
        self.control = Treated()
        self.leading = Leading(cast("Any", self.control), self.control.commit)

    async def ask(
        self, do: str, viewer: Viewer | None = None, who: WhoSays = ANNA, number: int | None = None
    ) -> dict[str, Any]:
        request = Request.model_validate({"do": do, "who": who})

        async def answers(asked: Request) -> dict[str, Any]:
            assert asked is request
            self.control.done.append(do)
            self.control.treatment = number or self.control.treatment
            return {"answer": do}

        return await self.leading.answer(request, viewer, answers)

    async def led(self, viewer: Viewer | None) -> None:
        """Let a connection lead treatment 8."""
        await self.ask("treat", viewer, number=8)
        self.control.done.clear()

    def reads(self, viewer: Viewer, number: int = 1) -> None:
        """Let a screen confirm a line of now."""
        viewer.sent(number, now())
        viewer.seen(number)


def now() -> float:
    return asyncio.get_running_loop().time()


def play(scene: Callable[[Screens], Awaitable[None]]) -> None:
    async def whole() -> None:
        await scene(Screens())

    run_virtual(whole())
