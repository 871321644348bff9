"""The lease of channel A: outputs live for a bounded time after each accepted setpoint.

Counted in the device's own 32-bit milliseconds from receipt. Once lapsed it stays lapsed until a
new grant, so a tick that wraps can never bring it back.
"""

from firmware_protocol.envelope import LEASE_MAX_MS, LEASE_MIN_MS

_MASK = 0xFFFF_FFFF


class Lease:
    """How long the last accepted setpoint still counts."""

    __slots__ = ("_ends_tick", "live")

    def __init__(self) -> None:
        self.live = False
        self._ends_tick = 0

    def grant(self, lease_ms: int, tick_ms: int) -> None:
        """Start anew from ``tick_ms`` for ``lease_ms``, clamped to the timing contract."""
        span_ms = min(max(lease_ms, LEASE_MIN_MS), LEASE_MAX_MS)
        self._ends_tick = (tick_ms + span_ms) & _MASK
        self.live = True

    def revoke(self) -> None:
        """End the lease now."""
        self.live = False

    def left_ms(self, tick_ms: int) -> int:
        """Return what is left at ``tick_ms``; reaching zero ends the lease for good."""
        if self.live:
            left = (self._ends_tick - tick_ms) & _MASK
            if 0 < left <= LEASE_MAX_MS:
                return left
            self.live = False
        return 0
