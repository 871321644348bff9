"""Steps of the wall clock and sleep of the computer: recorded, so that a record can be read.

Everything that is safe or not while a treatment runs is decided by the monotonic clock (hazard
H31); the wall clock counts between treatments only (`timeline`). Where the two part, somebody or
something has set the wall clock; where the computer slept, the monotonic one stood still.
"""

import math
from typing import Final, NamedTuple

STEP_MIN_S: Final = 1.0  # slewing by NTP moves 0.5 ms in a second; this is a hand or a sleep


class Step(NamedTuple):
    """What happened between two looks at the clocks."""

    step_s: float
    """By how much the wall clock was set forward; 0 where the computer only slept."""
    asleep_s: float
    """For how long the computer has slept in all since its boot."""


class WallClockWatch:
    """Compares the wall clock with the time since boot."""

    __slots__ = ("_ahead_s", "_asleep_s", "slept_s")

    def __init__(self) -> None:
        self.slept_s = 0.0
        """For how long the computer slept before the newest look; 0 where it did not."""
        self._ahead_s: float | None = None
        self._asleep_s: float | None = None

    def look(self, mono_s: float, asleep_s: float, wall_s: float) -> Step | None:
        """Return what has happened since the look before, or None where nothing has.

        A wall clock that says nothing usable is no step: it is looked at again next time.
        """
        slept_s = 0.0 if self._asleep_s is None else asleep_s - self._asleep_s
        self.slept_s = slept_s if slept_s >= STEP_MIN_S else 0.0
        step_s = self._step_s(mono_s + asleep_s, wall_s)
        if self._asleep_s is None or slept_s >= STEP_MIN_S:
            self._asleep_s = asleep_s
        if abs(step_s) < STEP_MIN_S and slept_s < STEP_MIN_S:
            return None
        return Step(round(step_s, 3), round(asleep_s, 3))

    def _step_s(self, up_s: float, wall_s: float) -> float:
        """By how much the wall clock has moved on more than time has."""
        ahead_s = wall_s - up_s
        if not math.isfinite(ahead_s):
            return 0.0
        before_s, self._ahead_s = self._ahead_s, ahead_s
        return 0.0 if before_s is None else ahead_s - before_s
