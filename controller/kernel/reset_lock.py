"""The resets of this unit, and the lock that too many of one cause put on it.

It outlives the kernel: whoever starts one reads the journal and lets the lock remember.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from controller.kernel.asked import of_alarm
from controller.record.resets import RESETS_KEPT, History, Whose
from controller.safety.alarm_texts import LOCKED
from controller.safety.resets import PastReset, locked_by
from controller.treatment.events import Commit, Declined, End, Finished
from controller.treatment.kinds import Kind

UNIT_LOCKED: Final = of_alarm("locked", LOCKED)


class ResetLock:
    """Counts resets and says when the unit is locked; durable rows tell of each of both."""

    def __init__(self, put: Callable[[int, Commit], "asyncio.Future[Finished]"]) -> None:
        """``put`` writes a row of a treatment and returns its end to come."""
        self._put = put
        self._written: list[asyncio.Future[Finished]] = []
        """The ends of the rows of the newest reset."""
        self._resets: tuple[PastReset, ...] = ()
        self._whose: dict[str, Any] = {}
        self.cause: str | None = None
        """The cause that locked the unit; None while it is not locked."""

    @property
    def declined(self) -> Declined | None:
        """What somebody is told who wants to begin or reset; None while there is no lock."""
        return None if self.cause is None else UNIT_LOCKED

    def begin(self, whose: Whose, history: History) -> None:
        """Count for this unit from now on, and remember what its record says."""
        self._whose = whose.body()
        self.remember(*history.resets)
        self.cause = history.locked or self.cause

    def remember(self, *resets: PastReset) -> None:
        """Take resets of earlier processes, oldest first, with times on the clock of the loop."""
        self._resets = (*resets, *self._resets)[-RESETS_KEPT:]
        self.cause = locked_by(self._resets)

    def add(self, cause: str, at_s: float, treatment: int) -> bool:
        """A trip was reset; True when this locks the unit."""
        self._resets = (*self._resets, PastReset(cause, at_s))[-RESETS_KEPT:]
        self._written.clear()
        self._row(Kind.RESET_DONE, cause, treatment)
        before, self.cause = self.cause, self.cause or locked_by(self._resets)
        if self.cause is None or before is not None:
            return False
        self._row(Kind.LOCKED, self.cause, treatment)
        return True

    def release(self) -> None:
        """Service has taken the lock off, and its row is durable: counting begins anew."""
        self._resets, self.cause = (), None

    async def written(self, due: float) -> bool:
        """Wait for the rows of the newest reset; return whether all are durable by ``due``."""
        try:
            async with asyncio.timeout_at(due):
                ends = [await asyncio.shield(end) for end in tuple(self._written)]
        except TimeoutError:
            return False
        return all(end.end is End.DONE for end in ends)

    def _row(self, kind: Kind, cause: str, treatment: int) -> None:
        self._written.append(self._put(treatment, Commit(kind, {"cause": cause, **self._whose})))
