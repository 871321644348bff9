"""The hand of the fault matrix: it strokes and lifts, and never gives up.

What a fault can break must be tried: whenever the lamp invites a press this hand presses, and after
a trip it holds on for a moment, lets go and presses again, as a person does who wants to go on. It
follows from the lamp and the time alone, so that a copy of it goes on exactly as the original.
"""

from typing import Final

from simulator.plant.hand import AWAY, CORNER, MANUAL_SEAL, MANUAL_SPEED_MM_PER_S, Grip, Lamp, Place

STROKE_S: Final = 2.5
LIFT_S: Final = 0.4
PRESS_AFTER_S: Final = 0.1  # the lamp invites, and the hand is released
RELEASE_AFTER_S: Final = 0.3  # a reaction time
HAMMER_S: Final = 0.5  # after a trip: pressed for so long, then released for so long

_SLACK_S: Final = 1e-9


class StubbornHand:
    """Wants crystals to flow, by every means that a hand has."""

    def __init__(self) -> None:
        self.working = True
        """False: it rests beside the handpiece."""
        self.still = False
        """True: it neither moves nor lifts once it is on the skin."""
        self.pressed = False
        self.on_skin = False
        self._lamp = Lamp.OFF
        self._since_s = 0.0

    def step(self, now_s: float, lamp: Lamp) -> Grip:
        """Return the grip at ``now_s``."""
        if lamp is not self._lamp:
            self._lamp, self._since_s = lamp, now_s
        if self.working:
            self._work(now_s, now_s - self._since_s + _SLACK_S)
        elif self.pressed or self.on_skin:
            self.pressed = self.on_skin = False
        return self._grip()

    def begin_zone(self, area_cm2: float) -> None:
        """Press on, whatever the zone."""

    def where(self, now_s: float) -> Place:
        """Return the corner: it matters when it strokes, not where."""
        return CORNER

    def _work(self, now_s: float, waited_s: float) -> None:
        lamp = self._lamp
        if lamp is Lamp.ON:
            lifted = waited_s % (STROKE_S + LIFT_S) >= STROKE_S
            self.on_skin = self.still or not lifted
        elif lamp is Lamp.TRIP:
            if waited_s >= HAMMER_S:
                self.pressed, self._since_s = not self.pressed, now_s
        elif self.pressed and waited_s >= RELEASE_AFTER_S:
            self.pressed, self._since_s = False, now_s
        elif lamp is Lamp.READY and not self.pressed and waited_s >= PRESS_AFTER_S:
            self.pressed = self.on_skin = True
            self._since_s = now_s

    def _grip(self) -> Grip:
        if not self.on_skin:
            return AWAY._replace(switch_pressed=self.pressed)
        speed = 0.0 if self.still else MANUAL_SPEED_MM_PER_S
        return Grip(self.pressed, on_skin=True, seal=MANUAL_SEAL, speed_mm_per_s=speed)
