"""What a treatment has asked for and not heard of yet, each by a number of its own.

Every row that permits and every one-shot gets a number, and its end comes back with that number
exactly once: done, failed, unknown or voided. Nothing is remembered as done because it was asked:
what permits changes when the end of the right number says so. A number that is not open any more
(a stop or a newer wish has voided it) changes nothing, however late its end comes.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from controller.treatment.events import Closed, End, Step

OF_PERSONS: Final = frozenset({Step.BEGIN, Step.RESUME, Step.ACK, Step.RESET_ROW, Step.RESET})
"""Steps of what a person has asked for, who is owed an answer."""

VOIDED_BY_STOP: Final = frozenset(Step) - {Step.ACK, Step.ENDED}
"""A stop, a trip and a refusal void every step that leads towards flow or out of a trip."""


class Open(NamedTuple):
    """An asked action whose end has not come."""

    step: Step
    act: int
    """The number of the first action of the same act: a reset is a row and then a one-shot."""


@dataclass(slots=True)
class Acts:
    """The open actions of one treatment.

    Their count is bounded by that of the performer, which tells one end of each.
    """

    newest: int = 0
    """The number that was given last; 0 is never given."""
    open: dict[int, Open] = field(default_factory=dict)

    def number(self) -> int:
        """Return a number for a row that permits nothing: whoever waits for it is told its end."""
        self.newest += 1
        return self.newest

    def ask(self, step: Step, act: int = 0) -> int:
        """Open a step and return its number; ``act`` names the act that it goes on with."""
        number = self.number()
        self.open[number] = Open(step, act or number)
        return number

    def take(self, number: int) -> Open | None:
        """Close what ends with ``number``; None where that is not open (any more)."""
        return self.open.pop(number, None)

    def waits_for(self, *steps: Step) -> bool:
        """Return whether one of these steps is open."""
        return any(one.step in steps for one in self.open.values())

    def drop(self, *steps: Step) -> tuple[Open, ...]:
        """Close these steps before their ends have come, and return what they were."""
        numbers = [number for number, one in self.open.items() if one.step in steps]
        return tuple(self.open.pop(number) for number in numbers)

    def void(self, *steps: Step) -> tuple[Closed, ...]:
        """Void these steps, and return the answers that people are owed."""
        dropped = self.drop(*steps)
        return tuple(Closed(one.act, End.VOIDED) for one in dropped if one.step in OF_PERSONS)
