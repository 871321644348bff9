"""The orderly end: valve shut, purge so that the line empties, vent so that the tip lets go."""

from typing import Final

from firmware_protocol.envelope import PURGE_S, VENT_TIMEOUT_S, VENTED_MAX_PA

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
