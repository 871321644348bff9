"""What the journal knows about time: the rows from which a `Timeline` is made.

The row of a kernel says in which boot of the computer it runs; the rows after it are of that boot,
as all kernels of one record run on one computer. Steps of the wall clock, sleep of the computer and
decisions about the clock have rows of their own. Blocks: run it through `Journal.read`.
"""

import asyncio
import json
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from controller.record.chain import FIELDS, Chained, chained
from controller.record.journal import Row
from controller.record.store import Store
from controller.safety.reading import Identity
from controller.safety.timeline import Doubt, Mark, Moment, Timeline
from controller.treatment.kinds import Kind

CLOCK: Final = "clock"
"""The subject of a decision that says: from this row on the wall clock is right."""

MARKS_MAX: Final = 2048
"""The newest starts of kernels, steps and decisions that are looked at: half a year of a busy
clinic, in some 30 ms."""

_MARKS: Final = (
    f"SELECT {FIELDS} FROM journal"  # noqa: S608
    " WHERE kind IN (:kernel, :step, :decision) ORDER BY id DESC LIMIT :most"
)

_KINDS: Final = {"kernel": Kind.KERNEL, "step": Kind.CLOCK_STEP, "decision": Kind.DECISION}

_IDS: Final = _MARKS.replace(FIELDS, "id")


def never() -> float:
    """Return no sleep: for a computer that is not known to sleep."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Here:
    """The clocks of this process."""

    wall_clock: Callable[[], float]
    boot: str = ""
    """The boot of the computer, whose monotonic time all its kernels share; empty if unknown."""
    asleep_clock: Callable[[], float] = never
    """For how long the computer has slept since its boot; monotonic time leaves that out."""

    def now(self) -> Moment:
        """Return this moment; called inside of the loop."""
        up_s = asyncio.get_running_loop().time() + self.asleep_clock()
        return Moment(self.boot, up_s, self.wall_clock())

    def body(self) -> dict[str, Any]:
        """Return what a row says of the clock that its monotonic time is on."""
        return {"boot": self.boot, "asleep_s": round(self.asleep_clock(), 3)}


def kernel_row(pid: int, port: str, identity: Identity, here: Here) -> Row:
    """Return the row of a kernel that has found its unit; the rows after it are of its boot."""
    body = {
        "pid": pid,
        "port": port,
        "unit": identity.serial,
        "firmware": identity.firmware,
        "simulated": identity.simulated,
    }
    return Row(Kind.KERNEL, body | here.body())


@dataclass(frozen=True, slots=True)
class Stamp:
    """The times of one row; ``boot`` is what the row itself says, None where it does not."""

    row: int
    mono_s: float
    wall_s: float
    boot: str | None = None
    asleep_s: float | None = None


class ClockRecord:
    """The marks of a record, and where the rows between them lie."""

    def __init__(self, store: Store) -> None:
        self._marks: list[Mark] = []
        self._rows: list[int] = []
        self._state: list[tuple[str, float]] = []
        """Boot and sleep from each mark on."""
        asked = {**_KINDS, "most": MARKS_MAX}
        boot, asleep_s = "", 0.0
        for row in reversed(_marks(store, asked)):
            # A row that is not what was written marks nothing: what rests on it is in doubt then.
            said = row.body if row.holds else {}
            decides = row.kind == Kind.DECISION
            if not row.holds or (decides and said.get("subject") != CLOCK):
                continue
            own_boot, own_asleep_s = said.get("boot"), said.get("asleep_s")
            if row.kind == Kind.KERNEL:
                boot, asleep_s = str(own_boot or ""), 0.0
            asleep_s = float(own_asleep_s) if own_asleep_s is not None else asleep_s
            own = str(own_boot) if own_boot else "" if decides else boot
            at = Moment(own, row.mono_s + asleep_s, row.wall_s)
            self._marks.append(Mark(row.id, at, decided=decides))
            self._rows.append(row.id)
            self._state.append((boot, asleep_s))

    def timeline(self, stamps: Sequence[Stamp], now: Moment) -> Timeline:
        """Return the timeline of the record with these rows in it."""
        known = set(self._rows)
        more = [self._mark(stamp) for stamp in stamps if stamp.row not in known]
        return Timeline(sorted([*self._marks, *more], key=lambda mark: mark.row), now)

    def last_before(self, now: Moment, age_s: float) -> int:
        """Return the newest mark that is certainly older than ``age_s``; 0 where none is."""
        line = Timeline(self._marks, now)
        return max((row for row in self._rows if age_s <= line.least_s(row)), default=0)

    def moment(self, stamp: Stamp) -> Moment:
        """Return when a row was written."""
        return self._mark(stamp).at

    def _mark(self, stamp: Stamp) -> Mark:
        at = bisect_right(self._rows, stamp.row)
        boot, asleep_s = self._state[at - 1] if at else ("", 0.0)
        if stamp.boot is not None:
            boot, asleep_s = stamp.boot, stamp.asleep_s or 0.0
        return Mark(stamp.row, Moment(boot, stamp.mono_s + asleep_s, stamp.wall_s))


def _marks(store: Store, asked: dict[str, object]) -> list[Chained]:
    """Return the rows of the marks, the newest first; those on a damaged page are left out."""
    try:
        return [chained(*each) for each in store.connection().execute(_MARKS, asked)]
    except sqlite3.DatabaseError:  # their numbers stand in an index, which can be made anew
        return store.read((row_id for (row_id,) in store.ask(_IDS, asked)), skip_broken=True)


def doubt_of(store: Store, now: Moment) -> str | None:
    """Return what is wrong with the wall clock of now, in a sentence; None where nothing is."""
    doubt = ClockRecord(store).timeline((), now).doubt
    return None if doubt is None else sentence_of(doubt)


def doubt_about(line: Timeline, row: int) -> str:
    """Return why the age of a row is not known; empty where it is."""
    if line.is_sure(row):
        return ""
    if line.doubt is not None:
        return sentence_of(line.doubt)
    return (
        "The clock of the computer was wrong at that time, so that it counts as late as the record "
        "allows."
    )


def sentence_of(doubt: Doubt) -> str:
    """Return what contradicts the wall clock, and what to do about it."""
    return (
        f"The clock of this computer says {_said(doubt.now_wall_s)}, and row {doubt.row} of the "
        f"record was written at {_said(doubt.row_wall_s)}: time that rests on it does not count. "
        "Set the clock; where it is right now, a technician records that: "
        "corneum records accept clock --reason WHY."
    )


def _said(wall_s: float) -> str:
    try:
        return datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return "nothing usable"


def stamp_of(row: int, mono_s: float, wall_s: float, body: str) -> Stamp:
    """Return the times of a row that may say its boot itself."""
    said = json.loads(body)
    return Stamp(row, mono_s, wall_s, said.get("boot"), said.get("asleep_s"))
