"""Everything around the beginning of a treatment, which keeps what it is asked."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.api.requests import TreatArgs
from controller.kernel import treating
from controller.kernel.treating import Room, Treating
from controller.planning.fingerprint import Fingerprint
from controller.planning.steps import Steps
from controller.record.clocks import Here
from controller.record.journal import Row
from controller.record.past import Asked
from controller.record.planner import Handset, Purpose
from controller.safety.reading import Identity
from controller.safety.refusal import Refusal, RefusedError
from controller.safety.timeline import Moment
from controller.treatment.conductor import Assignment
from controller.treatment.events import Who
from firmware_protocol.vocabulary import Capability
from tests.controller.kernel.score import ANNA
from tests.controller.treatment.couch import plan

WALL_S = 1.9e9
MARK = Fingerprint(WALL_S, (("the program file", "c" * 64),))
SHA = MARK.sha256
UNIT = Identity(1001, 5, "1.0", Capability.SIMULATED | Capability.MOTION_SENSOR)
CONFIGS = Path("/configs")


def wish_of(**changes: Any) -> TreatArgs:  # noqa: ANN401 - by name
    made: dict[str, Any] = {"program": "refresh", "client": "demo", "plan_sha256": SHA}
    return TreatArgs.model_validate({**made, "planned_at_s": WALL_S, "planned_up_s": 0.0} | changes)


def now() -> float:
    return asyncio.get_running_loop().time()


class House:
    """Everything around the beginning of a treatment, which writes down what it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[Any] = []
        self.idle = True
        self.newest_up_s: float | None = None
        self.declines: list[Refusal | None] = [None, None]
        self.book_s = self.read_s = 0.0
        self.health = SimpleNamespace(breaks=("a break",))
        self.proved = SimpleNamespace(
            plan=plan(),
            mark=MARK,
            as_dict=lambda: {"sha256": SHA},
        )
        monkeypatch.setattr(treating, "reading", self._reading)
        monkeypatch.setattr(treating, "past_of", self._past_of)
        monkeypatch.setattr(treating, "proving", self._proving)
        room = Room(cast("Any", self), Here(lambda: WALL_S + now(), "a boot"), CONFIGS)
        self.treating = Treating(room, cast("Any", self), cast("Any", self), lambda: None)

    # what is planned, in steps
    def _reading(self, *given: object) -> Steps[str]:
        self.done.append(("reading", *given))
        yield
        return "given"

    def _past_of(self, *given: object) -> SimpleNamespace:
        self.done.append(("past_of", *given))
        return SimpleNamespace(newest_up_s=self.newest_up_s)

    def _proving(self, *given: object) -> Steps[SimpleNamespace]:
        self.done.append(("proving", given[0], *given[2:]))
        yield
        return self.proved

    # the record
    async def read(self, question: Callable[[str], object]) -> object:
        await asyncio.sleep(self.read_s)
        return question("a store")

    def note(self, row: Row) -> None:
        self.done.append(row)

    # the booking
    async def ready(self, look: Callable[[], Awaitable[None]]) -> None:
        self.done.append("ready")
        await look()

    async def book(self, *given: object) -> int:
        self.done.append(("book", *given))
        await asyncio.sleep(self.book_s)
        return 9

    async def withdraw(self, treatment: int, why: str) -> None:
        self.done.append(("withdraw", treatment, why))

    # the control
    def may_begin(self, assignment: Assignment, who: Who) -> Refusal | None:
        self.done.append(("may begin", assignment.serial, assignment.simulated, who))
        return self.declines[0]

    async def begin(self, assignment: Assignment, who: Who, treatment: int) -> None:
        self.done.append(("begin", assignment.serial, who, treatment))
        if self.declines[1] is not None:
            raise RefusedError(self.declines[1])

    # and whoever asks
    async def look(self) -> None:
        self.done.append("looked")

    async def treat(self, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - by name
        return await self.treating.treat(wish_of(**changes), ANNA, lambda: UNIT, self.look)


def house_of(monkeypatch: pytest.MonkeyPatch) -> House:
    """Return a house whose planning, booking and control write into one list."""
    made = House(monkeypatch)
    made.treating._booking = cast(
        "Any",
        SimpleNamespace(
            ready=made.ready,
            book=made.book,
            withdraw=made.withdraw,
        ),
    )
    return made


async def refused(house: House, **changes: Any) -> tuple[str, str, str]:  # noqa: ANN401 - by name
    with pytest.raises(RefusedError) as caught:
        await house.treat(**changes)
    error = caught.value
    assert house.treating.starting is False
    return error.code, error.sentence, error.next_step


def asked_of(**changes: Any) -> Asked:  # noqa: ANN401 - by name
    return Asked(wish_of(**changes), 1001, simulated=True, at=Moment("a boot", 0.0, WALL_S))


PLANNED = [
    "ready",
    "looked",
    (
        "reading",
        CONFIGS,
        wish_of(),
        Handset(1001, simulated=True, motion_sensor=True),
    ),
    ("past_of", "a store", asked_of(), "given", ("a break",)),
    ("proving", "given", asked_of(), Purpose.CHECK),
]
MAY = ("may begin", 1001, True, ANNA)


def book_of(house: House) -> tuple[object, ...]:
    return ("book", house.proved, wish_of(), ANNA)
