"""Who holds the tip, and for how long: the hand switch, the dwell, and the seal.

Channel A sees two contacts of the switch that must disagree with each other: the normally open one
closes when pressed, the normally closed one opens. Release is believed at once, a press only after
it stood for a moment, so that a bouncing release can never look like a new press.

Only lifting the tip (or, for the dwell, moving it) starts the clocks of the skin anew: shutting the
valve or letting go of the switch does not, because the skin under the tip has not changed.

The limit of an unbroken seal holds whatever the motion sensor says. A sensor that always says
moving would otherwise make a unit that has one worse than a unit that has none: at 2 um/s a tip
that stands for 8 s takes 16 um, about the stratum corneum of a cheek, and for 20 s 40 um. A stroke
lasts 2 to 3 s, of a slow hand 6 s, so that nobody is in its way.
"""

from typing import Final

from firmware_protocol.envelope import CONTACT_SUCTION_MIN_PA, SWITCH_HELD_MAX_S
from simulator.plant.signals import Sensors

# -- the hand switch -------------------------------------------------------------------------------
PRESS_DEBOUNCE_MS: Final = 20  # longer than the bounce of a small snap switch, 5 to 10 ms
CONTACTS_DISAGREE_MAX_MS: Final = 50  # both contacts change within one travel, about 20 ms
HELD_MAX_MS: Final = int(SWITCH_HELD_MAX_S * 1000)


class HandSwitch:
    """Level, edges and faults of the hand switch."""

    __slots__ = (
        "_standing_ms", "closed", "disagree_ms", "held_ms", "newly_pressed", "newly_released",
        "pressed", "rest",
    )  # fmt: skip

    def __init__(self) -> None:
        self.pressed = False
        self.newly_pressed = False
        self.newly_released = False
        self.closed = False
        self.rest = False
        self.disagree_ms = 0
        self.held_ms = 0
        self._standing_ms = 0

    @property
    def released(self) -> bool:
        """True while both contacts say released; anything else is not released."""
        return self.rest and not self.closed

    def sample(self, dt_ms: int, *, closed: bool, rest: bool) -> None:
        """Take one sample of both contacts, ``dt_ms`` after the one before."""
        self.closed = closed
        self.rest = rest
        self.newly_pressed = self.newly_released = False
        self.disagree_ms = self.disagree_ms + dt_ms if closed is rest else 0
        self.held_ms = 0 if rest and not closed else self.held_ms + dt_ms
        if closed and not rest:
            self._standing_ms += dt_ms
            if not self.pressed and self._standing_ms >= PRESS_DEBOUNCE_MS:
                self.pressed = self.newly_pressed = True
            return
        self._standing_ms = 0
        self.newly_released = self.pressed
        self.pressed = False


# -- the skin under the tip ------------------------------------------------------------------------
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
