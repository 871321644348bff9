"""Steps of the wall clock: recorded, so that a record can be read, and never decided upon.

Everything that is safe or not is decided by the monotonic clock; wall time is only written down
(hazard H31). Where the two part, somebody or something has set the clock, or the machine slept.
"""

import math
from typing import Final

STEP_MIN_S: Final = 1.0  # slewing by NTP moves 0.5 ms in a second; this is a hand or a sleep


class WallClockWatch:
    """Compares the wall clock with the monotonic one."""

    __slots__ = ("_ahead_s",)

    def __init__(self) -> None:
        self._ahead_s: float | None = None

    def step_s(self, mono_s: float, wall_s: float) -> float | None:
        """Return by how much the wall clock has jumped since the look before, or None.

        A wall clock that says nothing usable is no step: it is looked at again next time.
        """
        ahead_s = wall_s - mono_s
        if not math.isfinite(ahead_s):
            return None
        before_s, self._ahead_s = self._ahead_s, ahead_s
        if before_s is None or abs(ahead_s - before_s) < STEP_MIN_S:
            return None
        return ahead_s - before_s
