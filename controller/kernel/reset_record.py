"""What the journal knows about the resets of a unit and the lock that they put on it.

Everything since the lock was taken off last: the row that locked the unit, and the resets that may
lock it yet. Blocks: run it through `Journal.read`.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from controller.kernel.clock_record import CLOCK_STEP
from controller.kernel.store import Store
from controller.safety.resets import Moment, PastReset, placed

RESET_DONE: Final = "reset_done"
LOCKED: Final = "locked"
UNLOCKED: Final = "unlocked"

RESETS_KEPT: Final = 256
"""The newest resets; a unit that locks has made three."""

STEPS_MAX: Final = 4096
"""Steps of the wall clock that are added up; a clock that was set more often tells no time."""

_OF_UNIT: Final = (
    " AND coalesce(json_extract(body, '$.unit'), :unit) = :unit"
    " AND coalesce(json_extract(body, '$.simulated'), :simulated) = :simulated"
)
"""A row that does not say whose it is counts for every unit."""


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
    """Return what counts against ``whose`` unit now, with times on the clock of the loop."""
    unit = {"unit": whose.unit, "simulated": int(whose.simulated)}
    connection = store.connection()
    (released,) = connection.execute(
        f"SELECT coalesce(max(id), 0) FROM journal WHERE kind = :kind{_OF_UNIT}",  # noqa: S608
        {**unit, "kind": UNLOCKED},
    ).fetchone()
    since = {**unit, "released": released}
    locked = connection.execute(
        "SELECT json_extract(body, '$.cause') FROM journal"  # noqa: S608
        f" WHERE kind = :kind AND id > :released{_OF_UNIT} ORDER BY id LIMIT 1",
        {**since, "kind": LOCKED},
    ).fetchone()
    found = connection.execute(
        "SELECT id, mono_s, wall_s, json_extract(body, '$.cause'), json_extract(body, '$.boot')"  # noqa: S608
        f" FROM journal WHERE kind = :kind AND id > :released{_OF_UNIT}"
        " ORDER BY id DESC LIMIT :most",
        {**since, "kind": RESET_DONE, "most": RESETS_KEPT},
    ).fetchall()[::-1]
    steps = _Steps(store, found[0][0] if found else 0)
    resets = [
        (str(cause), Moment(str(boot or ""), then_s, then_wall_s, steps.ahead_s(row_id)))
        for row_id, then_s, then_wall_s, cause, boot in found
    ]
    now = Moment(whose.boot, mono_s, wall_s, steps.ahead_s(None))
    return History(None if locked is None else str(locked[0]), placed(resets, now))


class _Steps:
    """The steps of the wall clock since a row, and how far ahead they had put it at a later one."""

    def __init__(self, store: Store, since_id: int) -> None:
        self._steps = (
            store.connection()
            .execute(
                "SELECT id, json_extract(body, '$.step_s') FROM journal"
                " WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
                (CLOCK_STEP, since_id, STEPS_MAX),
            )
            .fetchall()
        )

    def ahead_s(self, row_id: int | None) -> float:
        """Return the sum of the steps forward up to a row; None is now."""
        if len(self._steps) >= STEPS_MAX:
            return math.nan
        return sum(
            max(0.0, float(step_s or 0.0))
            for step_id, step_s in self._steps
            if row_id is None or step_id <= row_id
        )
