"""The hand that holds the handpiece: what it can see, what it does, and a hand to steer by hand."""

from enum import Enum, unique
from typing import Final, NamedTuple, Protocol

from simulator.plant.path import AREA_DEFAULT_CM2, position, side_of

HAND_PERIOD_S: Final = 0.005  # how often the plant asks the hand; far below a human reaction time
MANUAL_SEAL: Final = 0.985
MANUAL_SPEED_MM_PER_S: Final = 30.0
MANUAL_PITCH_MM: Final = 3.0


@unique
class Lamp(Enum):
    """What the device shows to the operator on the handpiece."""

    OFF = "off"
    """Nothing to do; let go."""
    READY = "ready"
    """Armed: a press starts the flow."""
    ON = "on"
    """Working."""
    TRIP = "trip"
    """The device tripped; let go and lift."""


class Grip(NamedTuple):
    """What the hand does with the handpiece at one moment."""

    switch_pressed: bool
    on_skin: bool
    seal: float
    """How much of the rim is tight on the skin, 0 to 1; 0 off the skin."""
    speed_mm_per_s: float


AWAY: Final = Grip(switch_pressed=False, on_skin=False, seal=0.0, speed_mm_per_s=0.0)


def physical(grip: Grip) -> Grip:
    """Return the grip with a seal that can be: none off the skin, and 0 to 1 on it."""
    seal = min(max(grip.seal, 0.0), 1.0) if grip.on_skin and grip.seal == grip.seal else 0.0
    return grip if seal == grip.seal else grip._replace(seal=seal)


Place = tuple[float, float]
"""Where the middle of the tip is: (x, y) in mm from the first corner of the zone."""

CORNER: Place = (0.0, 0.0)  # no Final: mypyc 2.4 forgets to set a final tuple of plain numbers


class Hand(Protocol):
    """An operator. Asked every ``HAND_PERIOD_S`` of plant time."""

    def step(self, now_s: float, lamp: Lamp) -> Grip:
        """Return the grip at ``now_s`` after a look at the lamp."""

    def begin_zone(self, area_cm2: float) -> None:
        """Hear which zone comes next; it begins when the tip next goes on the skin."""

    def where(self, now_s: float) -> Place:
        """Return the place at ``now_s``, which is not before the last step.

        It is not part of the grip, since nothing but the record of a treatment wants to know it.
        """


class ManualHand:
    """A hand that a test or the control channel moves; in auto it lets another hand work."""

    def __init__(self, inner: Hand) -> None:
        self._inner = inner
        self._auto = True
        self._grip = AWAY
        self._side_mm = side_of(AREA_DEFAULT_CM2)
        self._along_mm = 0.0
        self._since_s = self._at_s = 0.0

    @property
    def grip(self) -> Grip:
        """What it did when it was last asked."""
        return self._grip

    def step(self, now_s: float, lamp: Lamp) -> Grip:
        """Return the grip; the inner hand keeps watching, so that auto can take over any time."""
        inner = self._inner.step(now_s, lamp)
        self._at_s = now_s
        if self._auto:
            self._grip = inner
        return self._grip

    def begin_zone(self, area_cm2: float) -> None:
        """Tell the inner hand; by hand, the tip goes on from the first corner at once."""
        self._inner.begin_zone(area_cm2)
        self._side_mm = side_of(area_cm2)
        self._along_mm, self._since_s = 0.0, self._at_s

    def where(self, now_s: float) -> Place:
        """Return the place: that of the inner hand, or a way of its own without errors."""
        if self._auto:
            return self._inner.where(now_s)
        along_mm = self._along_mm + self._grip.speed_mm_per_s * (now_s - self._since_s)
        return position(along_mm, self._side_mm, MANUAL_PITCH_MM, 0.0)

    def press(self) -> None:
        """Press the switch; skin contact stays as it is."""
        self._take(self._grip._replace(switch_pressed=True))

    def release(self) -> None:
        """Release the switch; skin contact stays as it is."""
        self._take(self._grip._replace(switch_pressed=False))

    def place(self) -> None:
        """Set the tip on the skin and stroke; the switch stays as it is."""
        self._take(
            Grip(
                switch_pressed=self._grip.switch_pressed,
                on_skin=True,
                seal=MANUAL_SEAL,
                speed_mm_per_s=MANUAL_SPEED_MM_PER_S,
            )
        )

    def lift(self) -> None:
        """Lift the tip off the skin; the switch stays as it is."""
        self._take(AWAY._replace(switch_pressed=self._grip.switch_pressed))

    def hold_still(self) -> None:
        """Stop moving, without lifting."""
        self._take(self._grip._replace(speed_mm_per_s=0.0))

    def auto(self) -> None:
        """Give the handpiece back to the inner hand."""
        self._auto = True

    def _take(self, grip: Grip) -> None:
        if not self._auto:
            self._along_mm += self._grip.speed_mm_per_s * (self._at_s - self._since_s)
        self._auto, self._since_s = False, self._at_s
        self._grip = grip
