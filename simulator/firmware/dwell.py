"""How long the tip has been on one spot, and how long one seal has lasted.

Only lifting the tip (or, for the first, moving it) starts these clocks anew: shutting the valve or
letting go of the switch in between does not, because the skin under the tip has not changed.
"""

from typing import Final

from firmware_protocol.envelope import CONTACT_SUCTION_MIN_PA
from simulator.plant.signals import Sensors

SUCKED_MIN_KPA: Final = CONTACT_SUCTION_MIN_PA / 1000


class Dwell:
    """Three clocks over the same patch of skin, in milliseconds."""

    __slots__ = ("sealed_ms", "still_ms", "sucked_ms")

    def __init__(self) -> None:
        self.still_ms = 0
        """Open valve, on skin, not moving; stays 0 where no motion sensor is fitted."""
        self.sealed_ms = 0
        """Open valve in one unbroken seal; counts where no motion sensor is fitted."""
        self.sucked_ms = 0
        """Skin sucked in without a break, valve open or not, moving or not."""

    def sample(self, dt_ms: int, sensors: Sensors, *, valve_open: bool) -> None:
        """Take one sample."""
        if not sensors.contact:
            self.still_ms = self.sealed_ms = self.sucked_ms = 0
            return
        suction_kpa = sensors.suction_a_kpa
        loose = suction_kpa is not None and suction_kpa <= SUCKED_MIN_KPA
        self.sucked_ms = 0 if loose else self.sucked_ms + dt_ms
        if sensors.motion:
            self.still_ms = 0
        elif valve_open and sensors.motion is None:
            self.sealed_ms += dt_ms
        elif valve_open:
            self.still_ms += dt_ms
