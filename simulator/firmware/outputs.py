"""What drives the outputs of channel A, and what went through them.

Two regulators: suction by the pump, crystal flow by the crystal valve. The orderly end shuts the
valve, purges so that the line empties, and vents so that the tip lets go. Metering is pessimistic:
where the flow has no valid reading the envelope's maximum is charged. The totals wrap like the
32-bit counters they are; what is left of the exposure never does.
"""

from math import isfinite, isnan, sqrt
from typing import Final

from firmware_protocol.envelope import (
    FLOW_SET_MAX_MG_PER_MIN,
    PURGE_S,
    VALVE_CLOSED_MIN_S,
    VENT_TIMEOUT_S,
    VENTED_MAX_PA,
)
from simulator.firmware.guards import flow_missing_g_per_min

# The line fills at 65 kPa/s per unit of drive behind a lag of 0.08 s and empties only through small
# leaks: an overshoot stays for seconds, so damping comes before speed.


# -- regulators ------------------------------------------------------------------------------------
PUMP_KP_PER_KPA: Final = 0.10
PUMP_KI_PER_KPA_S: Final = 0.10
PUMP_KD_S_PER_KPA: Final = 0.006
PUMP_SLOPE_FILTER_MS: Final = 20.0
PUMP_BIAS_PER_KPA: Final = 0.003  # drive that holds a good seal, by set suction
PUMP_NEAR_KPA: Final = 4.0
PUMP_INTEGRAL_MAX: Final = 0.5
PUMP_IDLE_RATIO: Final = 4.0  # off the skin the pump idles, so that a seal meets no full pump
PUMP_IDLE_MAX: Final = 0.35

FEED_FULL_G_PER_MIN: Final = 16.0  # full opening at FEED_REFERENCE_KPA, factory calibration
FEED_REFERENCE_KPA: Final = 30.0
FEED_SUCTION_MIN_KPA: Final = 4.0  # keeps the root away from zero
TRIM_MIN: Final = 0.5
TRIM_MAX: Final = 1.5
TRIM_PER_S: Final = 1.5
TRIM_SETTLE_MS: Final = 150  # ramp, valve and sensor follow first
CLOSED_MIN_MS: Final = round(VALVE_CLOSED_MIN_S * 1000)
STARVED_MS: Final = 200  # next to nothing comes for longer than ramp, valve and sensor explain


class PumpRegulator:
    """PID on sensor A with a bias; it integrates only near the setpoint and off its bounds."""

    __slots__ = ("_integral", "_smooth_kpa")

    def __init__(self) -> None:
        self._integral = 0.0
        self._smooth_kpa = 0.0

    def stop(self) -> float:
        """Switch off and forget."""
        self._integral = self._smooth_kpa = 0.0
        return 0.0

    def drive(self, dt_ms: int, set_kpa: float, suction_kpa: float, *, sealed: bool) -> float:
        """Return the drive of the pump, 0 to 1."""
        bias = set_kpa * PUMP_BIAS_PER_KPA
        share = dt_ms / PUMP_SLOPE_FILTER_MS if dt_ms < PUMP_SLOPE_FILTER_MS else 1.0
        step_kpa = (suction_kpa - self._smooth_kpa) * share
        self._smooth_kpa += step_kpa
        error_kpa = set_kpa - suction_kpa
        if not sealed:
            self._integral = 0.0
            idle = min(bias * PUMP_IDLE_RATIO, PUMP_IDLE_MAX)
            return min(idle, max(bias + PUMP_KP_PER_KPA * error_kpa, 0.0))
        damping = PUMP_KD_S_PER_KPA * step_kpa * 1000.0 / dt_ms
        wanted = bias + self._integral + PUMP_KP_PER_KPA * error_kpa - damping
        if -PUMP_NEAR_KPA <= error_kpa <= PUMP_NEAR_KPA and 0.0 < wanted < 1.0:
            integral = self._integral + PUMP_KI_PER_KPA_S * error_kpa * dt_ms / 1000.0
            self._integral = _within(integral, -PUMP_INTEGRAL_MAX, PUMP_INTEGRAL_MAX)
        return _within(wanted, 0.0, 1.0)


class FeedRegulator:
    """Opening by the factory calibration, trimmed slowly by the measured flow.

    After each closing it stays shut for a while, whatever shut it: a permissive that flickers, or a
    host that grants one milligram again and again, opens it a few times a second and no more.
    """

    __slots__ = ("_missing_ms", "_open_ms", "_shut_ms", "_trim")

    def __init__(self) -> None:
        self._trim = 1.0
        self._open_ms = 0
        self._missing_ms = 0
        self._shut_ms = CLOSED_MIN_MS

    @property
    def may_open(self) -> bool:
        """True while open, and from the shortest closed time after the closing."""
        return self._open_ms > 0 or self._shut_ms >= CLOSED_MIN_MS

    @property
    def starved(self) -> bool:
        """True while the valve is open and next to nothing comes."""
        return self._missing_ms >= STARVED_MS

    def shut(self, dt_ms: int) -> float:
        """Shut; the trim is kept, because the crystals are the same."""
        if self._shut_ms < CLOSED_MIN_MS:
            self._shut_ms += dt_ms
        self._open_ms = self._missing_ms = 0
        return 0.0

    def open(self, dt_ms: int, set_g_per_min: float, flow: float | None, suction: float) -> float:
        """Return the opening of the valve, 0 to 1, for a set flow, measured flow and suction."""
        self._open_ms += dt_ms
        self._shut_ms = 0
        missing = flow is not None and flow <= flow_missing_g_per_min(set_g_per_min)
        self._missing_ms = self._missing_ms + dt_ms if missing else 0
        settled = self._open_ms > TRIM_SETTLE_MS and set_g_per_min > 0.0
        known = flow is not None and isfinite(flow)
        if flow is not None and known and settled and not missing:  # wide open frees no clog
            error = (set_g_per_min - flow) / set_g_per_min
            trim = self._trim + error * TRIM_PER_S * dt_ms / 1000.0
            self._trim = _within(trim, TRIM_MIN, TRIM_MAX)
        known_kpa = suction if suction > FEED_SUCTION_MIN_KPA else FEED_SUCTION_MIN_KPA
        root = sqrt(known_kpa / FEED_REFERENCE_KPA)
        return _within(set_g_per_min * self._trim / (FEED_FULL_G_PER_MIN * root), 0.0, 1.0)


def _within(value: float, low: float, high: float) -> float:
    """Return ``value``, or the end that it is beyond; what is no number stays none."""
    if value < low:
        return low
    return high if value > high else value


# -- the orderly end -------------------------------------------------------------------------------
PURGE_MS: Final = int(PURGE_S * 1000)
VENT_TIMEOUT_MS: Final = int(VENT_TIMEOUT_S * 1000)
VENTED_MAX_KPA: Final = VENTED_MAX_PA / 1000
PURGE_MIN_PA: Final = 10_000.0  # carries the last crystals away even where little was set


class Ending:
    """Where the orderly end has got to."""

    __slots__ = ("_left_ms", "purging", "suction_pa")

    def __init__(self) -> None:
        self.purging = False
        self.suction_pa = 0.0
        self._left_ms = 0

    def begin(self, suction_pa: float, suction_max_pa: int) -> None:
        """Start the purge at the suction that was in force."""
        self.purging = True
        self.suction_pa = min(max(suction_pa, PURGE_MIN_PA), suction_max_pa)
        self._left_ms = PURGE_MS

    def step(self, dt_ms: int, suction_kpa: float | None, *, lease: bool) -> bool:
        """Go on by ``dt_ms`` and return True when it is over; without a lease it vents at once."""
        self._left_ms -= dt_ms
        if self.purging:
            if self._left_ms <= 0 or not lease:
                self.purging = False
                self._left_ms = VENT_TIMEOUT_MS
            return False
        vented = suction_kpa is not None and suction_kpa <= VENTED_MAX_KPA
        return vented or self._left_ms <= 0


_MASK = 0xFFFF_FFFF


# -- totalisers ------------------------------------------------------------------------------------
_MS_PER_MIN: Final = 60_000


class Totals:
    """Crystals and contact time since boot, and crystals since the last setpoint."""

    __slots__ = ("_contact_ms", "_total_mg", "left_mg")

    def __init__(self) -> None:
        self._total_mg = 0.0
        self._contact_ms = 0
        self.left_mg = 0.0

    def allow(self, exposure_left_mg: int) -> None:
        """Take what the newest setpoint still allows in this zone."""
        self.left_mg = float(exposure_left_mg)

    def meter(self, dt_ms: int, flow_mg_per_min: float | None) -> None:
        """Charge ``dt_ms`` of flow; None and what is no number are charged with the maximum."""
        if flow_mg_per_min is None or isnan(flow_mg_per_min):
            flow_mg_per_min = FLOW_SET_MAX_MG_PER_MIN
        if flow_mg_per_min > 0.0:
            mg = flow_mg_per_min * dt_ms / _MS_PER_MIN
            self._total_mg += mg
            self.left_mg -= mg

    def touch(self, dt_ms: int) -> None:
        """Count ``dt_ms`` with the valve open on skin."""
        self._contact_ms += dt_ms

    @property
    def crystal_total_mg(self) -> int:
        """Crystals since boot; wraps."""
        return int(self._total_mg) & _MASK

    @property
    def contact_total_ms(self) -> int:
        """Open valve on skin since boot; wraps."""
        return self._contact_ms & _MASK
