"""What a case is: an id, the rule in one sentence, hazards, what it needs, and a coroutine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from qa.conformance.bench import Bench

Act = Callable[[Bench], Awaitable[None]]


@unique
class Needs(Enum):
    """What a case needs beside the port."""

    NOTHING = "the port alone"
    HAND = "a hand at the switch and the skin"
    FAULT = "a fault in the unit"


@dataclass(frozen=True, slots=True)
class Case:
    """One rule of the wire and how a port shows it."""

    number: str
    """C01 and so on: stable, never given to another rule."""
    rule: str
    hazards: tuple[str, ...]
    needs: Needs
    act: Act


class Group:
    """The cases of one file, in the order in which they stand there."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def case(
        self, number: str, rule: str, *hazards: str, needs: Needs = Needs.NOTHING
    ) -> Callable[[Act], Act]:
        """Register a coroutine function as a case."""

        def register(act: Act) -> Act:
            self.cases.append(Case(number, rule, hazards, needs, act))
            return act

        return register


PERSON: Final = {
    Needs.HAND: "needs a person at the switch and the skin, or --control of a simulator",
    Needs.FAULT: "needs a person who breaks and mends the unit, or --control of a simulator",
}
"""Why a case is not run where there is no control channel."""
