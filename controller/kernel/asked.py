"""What the kernel says to whoever asked for something: declined, or how it ended.

A treatment declines in its own words (`persons`); here are those of the kernel. Every act of a
person ends in one ``Closed``: done, failed, unknown or voided. Whoever asked waits for it within a
bound; what has to follow a done act follows also where nobody waits any more.
"""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from controller.api.ask import END_MAX_S
from controller.safety.refusal import Refusal, RefusedError
from controller.treatment.conduct import Actions
from controller.treatment.events import Closed, Command, Commit, End

# -- declined --------------------------------------------------------------------------------------
NO_UNIT: Final = Refusal(
    "no_unit", "No unit is connected.", "Check its cable and power; `corneum doctor` looks closer."
)
WRONG_UNIT: Final = Refusal(
    "wrong_unit", "The plan was made for another unit.", "Plan anew for the unit that is connected."
)
BUSY: Final = Refusal("busy", "A treatment is under way.", "Wait for its end, or stop it.")
NOTHING_TO_ACKNOWLEDGE: Final = Refusal(
    "nothing_to_acknowledge",
    "No alarm stands that nobody has acknowledged, so there was nothing to acknowledge.",
    "`corneum status` shows what stands.",
)
NOT_RECORDED: Final = Refusal(
    "record",
    "It was done, but its record is not written.",
    "`corneum status` says what is wrong with the record; mend that before the next treatment.",
)
NOT_BEGUN_UNRECORDED: Final = Refusal(
    "record",
    "The treatment did not begin, because the record of it is not written.",
    "`corneum status` says what is wrong with the record; mend that, and start anew.",
)
NOT_RESET_UNRECORDED: Final = Refusal(
    "record",
    "The unit was not reset, because the record of it is not written.",
    "`corneum status` says what is wrong with the record; mend that, and reset again.",
)
NOT_RESUMED_UNRECORDED: Final = Refusal(
    "record",
    "The treatment was not resumed, because the record of it is not written.",
    "`corneum status` says what is wrong with the record; mend that before the next treatment.",
)
NOT_ACKNOWLEDGED_UNRECORDED: Final = Refusal(
    "record",
    "The alarm was not acknowledged, because the record of it is not written.",
    "`corneum status` says what is wrong with the record; mend that, and acknowledge again.",
)
NOT_BEGUN_STOPPED: Final = Refusal(
    "stopped", "The treatment was stopped before it began.", "Start anew."
)
VOIDED: Final = Refusal(
    "voided",
    "A stop, a trip or a newer wish came first, so it was not done.",
    "Ask again if need be.",
)
OUTCOME_UNKNOWN: Final = Refusal(
    "unknown",
    "It was asked for, and it is not known yet whether it was done.",
    "Look at `corneum status` before you ask again.",
)

UNRECORDED: Final[Mapping[Command, Refusal]] = MappingProxyType(
    {
        Command.RESUME: NOT_RESUMED_UNRECORDED,
        Command.ACK: NOT_ACKNOWLEDGED_UNRECORDED,
        Command.RESET: NOT_RESET_UNRECORDED,
    }
)
"""What is said where the row of a command is lost; of any other command, it was done without."""


def raise_declined(actions: Actions) -> None:
    """Raise what the treatment declines, if it does."""
    for action in actions:
        if isinstance(action, Refusal):
            raise RefusedError(action)


# -- the end of an act -----------------------------------------------------------------------------
class Act(NamedTuple):
    """An act by the treatment that it belongs to and its number in there."""

    treatment: int
    number: int


class _Open(NamedTuple):
    closed: "asyncio.Future[Closed]"
    when_done: Callable[[], None]


class OpenActs:
    """The acts that have not come to their end.

    Each has an asked action at the performer, so that there are no more of them than that holds.
    """

    def __init__(self) -> None:
        self._open: dict[Act, _Open] = {}

    def open(
        self, treatment: int, actions: Actions, when_done: Callable[[], None] = lambda: None
    ) -> "asyncio.Future[Closed] | None":
        """Return the end to come of what was just asked for; None where no row was.

        ``when_done`` is called as soon as it has come as done.
        """
        rows = [action for action in actions if isinstance(action, Commit)]
        if not rows:
            return None
        one = _Open(asyncio.get_running_loop().create_future(), when_done)
        self._open[Act(treatment, rows[0].number)] = one
        return one.closed

    def close(self, act: Act, closed: Closed) -> None:
        """An act has come to its end; one that nobody has opened is nobody's."""
        one = self._open.pop(act, None)
        if one is None:
            return
        if closed.end is End.DONE:
            one.when_done()
        if not one.closed.done():
            one.closed.set_result(closed)

    def forget(self) -> None:
        """A new treatment begins: whoever still waits hears that the end is not known."""
        for act in tuple(self._open):
            self.close(act, Closed(act.number, End.UNKNOWN))


def due_s() -> float:
    """Return when an act that is asked for now has its end: all of its steps share that time."""
    return asyncio.get_running_loop().time() + END_MAX_S


async def answered(
    closed: "asyncio.Future[Closed] | None",
    due: float,
    failed: Refusal,
    voided: Refusal = VOIDED,
    unknown: Refusal = OUTCOME_UNKNOWN,
) -> None:
    """Return when the act was done, and raise RefusedError with its words for every other end.

    What the act itself says comes first. The end of one that is not there by ``due`` is not known.
    """
    if closed is None:
        return
    try:
        async with asyncio.timeout_at(due):
            end = await asyncio.shield(closed)
    except TimeoutError:
        raise RefusedError(unknown) from None
    if end.end is End.DONE:
        return
    because = {End.FAILED: failed, End.VOIDED: voided, End.UNKNOWN: unknown}[end.end]
    raise RefusedError(end.because or because)
