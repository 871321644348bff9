"""How long the tip has been on one spot, and how long one seal has lasted.

Only lifting the tip (or, for the first, moving it) starts these clocks anew: shutting the valve or
letting go of the switch in between does not, because the skin under the tip has not changed.

The limit of an unbroken seal holds whatever the motion sensor says. A sensor that always says
moving would otherwise make a unit that has one worse than a unit that has none: at 2 um/s a tip
that stands for 8 s takes 16 um, about the stratum corneum of a cheek, and for 20 s 40 um. A stroke
lasts 2 to 3 s, of a slow hand 6 s, so that nobody is in its way.
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
        """Open valve in one unbroken seal, moving or not."""
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
        if valve_open:
            self.sealed_ms += dt_ms
        if sensors.motion:
            self.still_ms = 0
        elif valve_open and sensors.motion is not None:
            self.still_ms += dt_ms
