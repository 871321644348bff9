"""Who waits for the end of what was asked for, and what that end is in words.

Every act of a person ends in one ``Closed``: done, failed, unknown or voided. Whoever asked waits
for it within a bound; what has to follow a done act follows also where nobody waits any more.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from controller.api.ask import END_MAX_S
from controller.kernel.declined import OUTCOME_UNKNOWN, VOIDED, DeclinedError
from controller.treatment.conduct import Actions
from controller.treatment.events import Closed, Commit, Declined, End


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
    failed: Declined,
    voided: Declined = VOIDED,
    unknown: Declined = OUTCOME_UNKNOWN,
) -> None:
    """Return when the act was done, and raise DeclinedError with its words for every other end.

    What the act itself says comes first. The end of one that is not there by ``due`` is not known.
    """
    if closed is None:
        return
    try:
        async with asyncio.timeout_at(due):
            end = await asyncio.shield(closed)
    except TimeoutError:
        raise DeclinedError(unknown) from None
    if end.end is End.DONE:
        return
    because = {End.FAILED: failed, End.VOIDED: voided, End.UNKNOWN: unknown}[end.end]
    raise DeclinedError(end.because or because)
