"""How much time has passed since a row of the record, when no clock can be trusted alone.

Theory of operation. A row tells three things about its time: its place in the order of the record,
the time since the boot of the computer, and the wall clock. The order is always right. Within one
boot the time since boot is exact (it counts the time in which the computer slept). Between boots
there is only the wall clock, and that may be wrong at either end: a computer without a battery
boots in the past, a hand or a time server sets it anywhere.

So a wall clock is *in order* when it is not before the highest one so far, and not further ahead of
it than `GAP_MAX_S` beside the time that is known to have passed. One that is out of order tells
nothing. A row without a wall clock that tells something can have been as late as the first one
after it that does, and what is known to have passed between two rows is all that counts between
them. Where a technician decides that the clock is right, what it contradicts is out of order.

Both bounds are of one kind: `least_s` never says too much, for intervals between treatments and
what has grown back; `most_s` never says too little, for what must happen on the same day.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

GAP_MAX_S: Final = 120 * 86_400.0
"""No record rests for longer between two rows unless a technician says so. A clinic closes for
weeks; a clock without a battery is wrong by years. Below a year, for the wrong year is typed."""

BACK_MAX_S: Final = 120.0
"""Two kernels and a time server put rows so far out of order without meaning anything."""


class Moment(NamedTuple):
    """When something was, on every clock there is."""

    boot: str
    """The boot of the computer; empty where it is not known, which is never the same one."""
    up_s: float
    """Seconds since that boot, with the time in which the computer slept."""
    wall_s: float


class Mark(NamedTuple):
    """A row that tells of its time."""

    row: int
    at: Moment
    decided: bool = False
    """A technician has said that the wall clock is right from here on."""


class Doubt(NamedTuple):
    """The wall clock of now, and the row of the record that it contradicts."""

    now_wall_s: float
    row: int
    row_wall_s: float


class Timeline:
    """The marks of a record in their order, with now at the end."""

    def __init__(self, marks: Sequence[Mark], now: Moment) -> None:
        newest = marks[-1].row if marks else 0
        self._marks = (*marks, Mark(newest + 1, now))
        self._index = {mark.row: number for number, mark in enumerate(self._marks)}
        self._known_s = _known_s(self._marks)
        self._groups = _groups(self._marks)
        self._told, self._highest = _in_order(self._marks, self._known_s)
        self._offsets = self._grouped()
        self._latest_s = self._latest()
        self._furthest_s = self._furthest()

    @property
    def doubt(self) -> Doubt | None:
        """What contradicts the wall clock of now; None where nothing does."""
        if self._told[-1] or self._highest is None:
            return None
        mark = self._marks[self._highest]
        return Doubt(self._marks[-1].at.wall_s, mark.row, mark.at.wall_s)

    def is_sure(self, row: int) -> bool:
        """True where the age of a row rests on one boot, or on two wall clocks in order."""
        number = self._index[row]
        then, now = self._marks[number].at, self._marks[-1].at
        return _same_boot(then, now) or (self._groups[number] in self._offsets and self._told[-1])

    def least_s(self, row: int) -> float:
        """Return the least time that can have passed since a row; never below 0."""
        number = self._index[row]
        known_s = self._known_s[-1] - self._known_s[number]
        if _same_boot(self._marks[number].at, self._marks[-1].at):
            return known_s
        by_wall_s = self._furthest_s[number] + self._known_s[-1] - self._latest_s[number]
        return max(known_s, by_wall_s) if math.isfinite(by_wall_s) else known_s

    def most_s(self, row: int) -> float:
        """Return the most time that can have passed since a row; infinite where nobody knows."""
        number = self._index[row]
        then, now = self._marks[number].at, self._marks[-1].at
        if _same_boot(then, now):
            return self._known_s[-1] - self._known_s[number]
        begun, ended = self._offsets.get(self._groups[number]), self._now_offset()
        if begun is None or ended is None:
            return math.inf
        return max(0.0, now.up_s + ended - then.up_s - begun[0])

    def ended_wall_s(self, row: int) -> float:
        """Return when a row was on the wall clock of now, such that its age is the least."""
        now_s, least_s = self._marks[-1].at.wall_s, self.least_s(row)
        own_s = self._marks[self._index[row]].at.wall_s
        if self.is_sure(row) and abs(now_s - own_s - least_s) < 1.0:
            return own_s  # as it was written: the same in every plan that is made of it
        return now_s - math.floor(least_s)

    def _now_offset(self) -> float | None:
        found = self._offsets.get(self._groups[-1])
        return found[1] if found is not None and self._told[-1] else None

    def _grouped(self) -> dict[tuple[str, int], tuple[float, float]]:
        """The lowest and highest offset of the wall clock that is in order, boot by boot."""
        found: dict[tuple[str, int], tuple[float, float]] = {}
        for number, mark in enumerate(self._marks):
            if self._told[number]:
                offset_s = mark.at.wall_s - mark.at.up_s
                low, high = found.get(self._groups[number], (offset_s, offset_s))
                found[self._groups[number]] = min(low, offset_s), max(high, offset_s)
        return found

    def _latest(self) -> list[float]:
        """The latest wall time of each mark: its own, or that of the next one that has any."""
        latest_s, next_s = [math.inf] * len(self._marks), math.inf
        for number in reversed(range(len(self._marks))):
            offsets = self._offsets.get(self._groups[number])
            if offsets is not None:
                latest_s[number] = self._marks[number].at.up_s + offsets[1]
                if self._told[number]:
                    next_s = latest_s[number] - self._known_s[number]
            else:
                latest_s[number] = next_s + self._known_s[number]
        return latest_s

    def _furthest(self) -> list[float]:
        """The furthest wall time at or after each mark, less what is known to pass up to there."""
        furthest_s, best_s = [-math.inf] * len(self._marks), -math.inf
        for number in reversed(range(len(self._marks))):
            if self._told[number]:
                low, _ = self._offsets[self._groups[number]]
                best_s = max(best_s, self._marks[number].at.up_s + low - self._known_s[number])
            furthest_s[number] = best_s
        return furthest_s


def _groups(marks: Sequence[Mark]) -> list[tuple[str, int]]:
    """Marks of one boot have one offset of the wall clock, until somebody decides about it."""
    decisions = 0
    groups = []
    for number, mark in enumerate(marks):
        decisions += mark.decided
        groups.append((mark.at.boot, decisions if mark.at.boot else -number))
    return groups


def _same_boot(one: Moment, other: Moment) -> bool:
    return bool(one.boot) and one.boot == other.boot


def _known_s(marks: Sequence[Mark]) -> list[float]:
    """The time that is known to have passed up to each mark, by the boots alone."""
    known_s = [0.0]
    for earlier, later in itertools.pairwise(marks):
        before, after = earlier.at, later.at
        passed_s = 0.0
        if _same_boot(before, after):
            passed_s = after.up_s - before.up_s
        elif before.boot and after.boot:
            passed_s = after.up_s  # the later boot began after the earlier row
        known_s.append(known_s[-1] + (passed_s if 0.0 < passed_s < math.inf else 0.0))
    return known_s


def _in_order(marks: Sequence[Mark], known_s: Sequence[float]) -> tuple[list[bool], int | None]:
    """Return which wall clocks are in order, and the mark of the highest of them."""
    told: list[bool] = []
    highest: int | None = None
    for number, mark in enumerate(marks):
        wall_s = mark.at.wall_s
        if mark.decided and math.isfinite(wall_s):
            told = [is_told and marks[n].at.wall_s <= wall_s for n, is_told in enumerate(told)]
            left = [n for n, is_told in enumerate(told) if is_told]
            highest = max(left, key=lambda n: marks[n].at.wall_s) if left else None
            if highest is not None and not _follows(marks, known_s, highest, number):
                told, highest = [False] * number, None
        fits = math.isfinite(wall_s) and (
            highest is None or _follows(marks, known_s, highest, number)
        )
        told.append(fits)
        if fits and (highest is None or wall_s >= marks[highest].at.wall_s):
            highest = number
    return told, highest


def _follows(marks: Sequence[Mark], known_s: Sequence[float], high: int, number: int) -> bool:
    """True where a wall clock can be that of a row after the one with the highest."""
    ahead_s = marks[number].at.wall_s - marks[high].at.wall_s
    return -BACK_MAX_S <= ahead_s <= GAP_MAX_S + known_s[number] - known_s[high]
