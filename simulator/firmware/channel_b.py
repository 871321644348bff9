"""Channel B: the second, independent channel. It may only close.

It has its own pressure sensor, its own lease timer fed by the raw notice of each accepted
setpoint, its own view of the normally closed contact of the hand switch, and the position switch
of the valve. It knows no modes, no programs and no setpoints. Its enable line is wired in series
with the valve driver; when it trips it removes the power of valve and pump, and so it does while
channel A holds its trip line.

Nothing here is shared with channel A, not even a helper: a fault of thinking there must not be one
here.
"""

from typing import Final

from firmware_protocol.envelope import LEASE_MAX_MS, LEASE_MIN_MS, SUCTION_TRIP_PA
from firmware_protocol.vocabulary import Cause

SUCTION_TRIP_KPA: Final = SUCTION_TRIP_PA / 1000
OVER_SUCTION_MAX_MS: Final = 20  # longer than a spike of the sensor, far inside the 250 ms budget
SENSOR_LOST_MAX_MS: Final = 10  # two samples at the rail
SENSOR_FROZEN_MAX_MS: Final = 500  # the very same count; a live sensor under suction has noise
FROZEN_WATCHED_KPA: Final = 1.0  # at rest a live sensor may show its zero for long
VALVE_SHUT_PERCENT: Final = 5.0  # the position switch closes below this
VALVE_OPEN_MAX_MS: Final = 100  # a healthy spring shuts within 50 ms
_NONE: Final = Cause.NONE  # bound once: a look-up on the enum costs as much as a whole comparison


class ChannelB:
    """Closes by itself; never opens anything."""

    __slots__ = (
        "_last_kpa", "_lease_left_ms", "_lost_ms", "_open_ms", "_over_ms", "_same_ms", "cause",
        "enable", "power",
    )  # fmt: skip

    def __init__(self) -> None:
        self.enable = False
        self.power = True
        self.cause = _NONE
        self._lease_left_ms = 0
        self._over_ms = 0
        self._lost_ms = 0
        self._open_ms = 0
        self._same_ms = 0
        self._last_kpa: float | None = None

    def renewed(self, lease_ms: int) -> None:
        """Take notice that a setpoint was accepted just now."""
        self._lease_left_ms = min(max(lease_ms, LEASE_MIN_MS), LEASE_MAX_MS)

    def revoke(self) -> None:
        """End the lease now: a stop or a new session."""
        self._lease_left_ms = 0

    def tick(
        self,
        dt_ms: int,
        suction_kpa: float | None,
        valve_percent: float,
        *,
        switch_rest: bool,
        a_tripped: bool,
    ) -> Cause:
        """Judge one sample and return a cause if it trips now, NONE otherwise."""
        left_ms = self._lease_left_ms - dt_ms
        self._lease_left_ms = left_ms if left_ms > 0 else 0
        healthy = suction_kpa is not None and suction_kpa <= SUCTION_TRIP_KPA
        self.enable = (
            self.cause is _NONE and self._lease_left_ms > 0 and not switch_rest and healthy
        )
        found = self._judge(dt_ms, suction_kpa, valve_percent, healthy=healthy)
        if self.cause is not _NONE:
            found = _NONE
        elif found is not _NONE:
            self.cause = found
            self.enable = False
        self.power = self.cause is _NONE and not a_tripped
        return found

    def _judge(
        self, dt_ms: int, suction_kpa: float | None, valve_percent: float, *, healthy: bool
    ) -> Cause:
        lost = suction_kpa is None
        shut = valve_percent <= VALVE_SHUT_PERCENT
        self._lost_ms = self._lost_ms + dt_ms if lost else 0
        self._over_ms = 0 if healthy or lost else self._over_ms + dt_ms
        self._open_ms = 0 if shut or self.enable else self._open_ms + dt_ms
        self._watch_frozen(dt_ms, suction_kpa)
        if self._over_ms >= OVER_SUCTION_MAX_MS:
            return Cause.OVER_SUCTION
        if self._open_ms > VALVE_OPEN_MAX_MS:
            return Cause.VALVE_STUCK_OPEN
        if self._same_ms >= SENSOR_FROZEN_MAX_MS:
            return Cause.SENSOR_FROZEN
        return Cause.SENSOR_INVALID if self._lost_ms >= SENSOR_LOST_MAX_MS else _NONE

    def _watch_frozen(self, dt_ms: int, suction_kpa: float | None) -> None:
        last_kpa, self._last_kpa = self._last_kpa, suction_kpa
        same = suction_kpa is not None and suction_kpa == last_kpa
        under_suction = suction_kpa is not None and suction_kpa > FROZEN_WATCHED_KPA
        self._same_ms = self._same_ms + dt_ms if same and under_suction else 0

    def reset(self, suction_kpa: float | None, valve_percent: float) -> bool:
        """Unlatch if nothing stands any more, and return whether nothing does."""
        healthy = suction_kpa is not None and suction_kpa <= SUCTION_TRIP_KPA
        if not (healthy and valve_percent <= VALVE_SHUT_PERCENT):
            return False
        self.cause = _NONE
        self._over_ms = self._lost_ms = self._open_ms = self._same_ms = 0
        return True
