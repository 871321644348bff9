"""The device's totalisers: what went through the valve, for how long, and what is left to use.

Metering is pessimistic: where the flow has no valid reading the envelope's maximum is charged. The
totals wrap like the 32-bit counters they are; what is left of the exposure never does.
"""

from math import isnan
from typing import Final

from firmware_protocol.envelope import FLOW_SET_MAX_MG_PER_MIN

_MASK = 0xFFFF_FFFF
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
