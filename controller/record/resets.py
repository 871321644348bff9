"""The resets of a unit and the lock that too many of one cause put on it.

The lock outlives the kernel: whoever starts one reads everything since the lock was taken off last
(`read` blocks: run it through `Journal.read`) and lets `ResetLock` remember it.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from controller.record.chain import Chained
from controller.record.store import Store
from controller.safety.alarm_texts import LOCKED
from controller.safety.refusal import Refusal
from controller.safety.resets import Moment, PastReset, locked_by, placed
from controller.treatment import persons
from controller.treatment.events import Commit, End, Finished
from controller.treatment.kinds import Kind

RESETS_KEPT: Final = 256
"""The newest resets; a unit that locks has made three."""

STEPS_MAX: Final = 4096
"""Steps of the wall clock that are added up; a clock that was set more often tells no time."""

LOOKED_AT_MAX: Final = 1024
"""The newest rows of one kind that are looked through for those of one unit."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The unit whose resets are counted, and the boot of the computer that counts them."""

    unit: int
    simulated: bool
    boot: str

    def body(self) -> dict[str, Any]:
        """Return what each row about it says."""
        return {"unit": self.unit, "simulated": self.simulated, "boot": self.boot}


@dataclass(frozen=True, slots=True)
class History:
    """What was found: the cause of a lock that stands, and the resets that count."""

    locked: str | None
    resets: tuple[PastReset, ...]


def read(store: Store, whose: Whose, mono_s: float, wall_s: float) -> History:
    """Return what counts against ``whose`` unit now, with times on the clock of the loop.

    Raises:
        BrokenRowError: a row since the lock was taken off last cannot be believed.
    """
    unlocked = _newest(store, Kind.UNLOCKED, whose, since_id=0, most=1)
    released_id = unlocked[0].id if unlocked else 0
    locked = _newest(store, Kind.LOCKED, whose, released_id, RESETS_KEPT)
    found = _newest(store, Kind.RESET_DONE, whose, released_id, RESETS_KEPT)
    steps = _Steps(store, found[0].id if found else 0)
    resets = [
        (
            str(row.body.get("cause")),
            Moment(str(row.body.get("boot") or ""), row.mono_s, row.wall_s, steps.ahead_s(row.id)),
        )
        for row in found
    ]
    now = Moment(whose.boot, mono_s, wall_s, steps.ahead_s(None))
    cause = str(locked[0].body.get("cause")) if locked else None
    return History(cause, placed(resets, now))


def _newest(store: Store, kind: Kind, whose: Whose, since_id: int, most: int) -> list[Chained]:
    """Return the newest rows of a kind about a unit, oldest first."""
    ids = store.ask(
        "SELECT id FROM journal WHERE kind = ? AND id > ? ORDER BY id DESC LIMIT ?",
        (kind, since_id, LOOKED_AT_MAX),
    )
    found: list[Chained] = []
    for (row_id,) in ids:
        found += [row for row in store.read([row_id]) if _is_about(row.body, whose)]
        if len(found) >= most:
            break
    return found[::-1]


def _is_about(body: dict[str, Any], whose: Whose) -> bool:
    """A row that does not say whose it is counts for every unit."""
    unit, simulated = body.get("unit"), body.get("simulated")
    return unit in (None, whose.unit) and simulated in (None, whose.simulated)


class _Steps:
    """The steps of the wall clock since a row, and how far ahead they had put it at a later one."""

    def __init__(self, store: Store, since_id: int) -> None:
        ids = store.ask(
            "SELECT id FROM journal WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
            (Kind.CLOCK_STEP, since_id, STEPS_MAX),
        )
        rows = store.read(row_id for (row_id,) in ids) if len(ids) < STEPS_MAX else None
        self._steps = None if rows is None else [(row.id, row.body.get("step_s")) for row in rows]

    def ahead_s(self, row_id: int | None) -> float:
        """Return the sum of the steps forward up to a row; None is now."""
        if self._steps is None:
            return math.nan
        return sum(
            max(0.0, float(step_s or 0.0))
            for step_id, step_s in self._steps
            if row_id is None or step_id <= row_id
        )


# -- the lock --------------------------------------------------------------------------------------
UNIT_LOCKED: Final = persons.of_alarm("locked", LOCKED)


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
    def declined(self) -> Refusal | None:
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
