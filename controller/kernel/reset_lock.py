"""The resets of this unit, and the lock that too many of one cause put on it."""

from collections.abc import Callable
from typing import Final

from controller.kernel.declined import of_alarm
from controller.kernel.journal import Row
from controller.safety.alarm_texts import LOCKED
from controller.safety.resets import PastReset, locked_by
from controller.treatment.events import Declined

UNIT_LOCKED: Final = of_alarm("locked", LOCKED)
RESETS_KEPT: Final = 256  # the newest; a unit that locks has made three


class ResetLock:
    """Counts resets and says when the unit is locked; rows tell of each of both."""

    def __init__(self, note: Callable[[Row], None]) -> None:
        self._note = note
        self._resets: list[PastReset] = []
        self.cause: str | None = None
        """The cause that locked the unit; None while it is not locked."""

    @property
    def declined(self) -> Declined | None:
        """What somebody is told who wants to begin or reset; None while there is no lock."""
        return None if self.cause is None else UNIT_LOCKED

    def remember(self, *resets: PastReset) -> None:
        """Take resets of earlier processes, oldest first, with times on the clock of the loop."""
        self._resets = [*resets, *self._resets][-RESETS_KEPT:]
        self.cause = locked_by(self._resets)

    def add(self, cause: str, at_s: float, treatment: int) -> bool:
        """A trip was reset; True when this locks the unit."""
        self._resets = [*self._resets, PastReset(cause, at_s)][-RESETS_KEPT:]
        self._note(Row("reset_done", {"cause": cause}, treatment))
        before, self.cause = self.cause, self.cause or locked_by(self._resets)
        if self.cause is None or before is not None:
            return False
        self._note(Row("locked", {"cause": self.cause}, treatment))
        return True
