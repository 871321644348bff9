"""What passes between the plant and the firmware: drives in, sensor readings out."""

from dataclasses import dataclass
from typing import Protocol


class Noise(Protocol):
    """A seeded source of chance; ``random.Random`` fits."""

    def gauss(self, mu: float, sigma: float) -> float:
        """Return a draw of the normal distribution."""

    def random(self) -> float:
        """Return a draw from [0, 1)."""


@dataclass(slots=True)
class Drives:
    """What the firmware commands. The default is everything off, which is also safe."""

    valve: float = 0.0
    """Commanded opening of the crystal valve, 0 to 1."""
    pump: float = 0.0
    """Commanded speed of the pump, 0 to 1."""
    vent_closed: bool = False
    """The vent is normally open; it stays closed only while it is driven."""
    power: bool = True
    """False: channel B took the power from valve, pump and vent, whatever channel A commands."""


@dataclass(slots=True, init=False)
class Sensors:
    """Raw readings as the firmware's converter sees them; None is a rail value (disconnected).

    Made two hundred times a second: an ``__init__`` of its own is compiled with everything else.
    """

    suction_a_kpa: float | None
    suction_b_kpa: float | None
    flow_g_per_min: float | None
    """Crystal flow right behind the valve."""
    valve_percent: float
    """Sensed position of the crystal valve."""
    contact: bool
    """The contact ring of the tip is covered by skin."""
    motion: bool | None
    """The tip moves; None where no motion sensor is fitted."""
    switch_closed: bool
    """The normally open contact of the hand switch is closed (pressed)."""
    switch_rest: bool
    """The normally closed contact of the hand switch is closed (released)."""
    hopper_g: float
    waste_percent: float
    filter_kpa: float
    pump_deg_c: float
    supply_v: float
    tip: int | None
    """Number of the tip by its coding; None where it cannot be read."""

    def __init__(  # noqa: PLR0913, PLR0917 - one argument per field, in their order
        self,
        suction_a_kpa: float | None,
        suction_b_kpa: float | None,
        flow_g_per_min: float | None,
        valve_percent: float,
        contact: bool,  # noqa: FBT001 - as above
        motion: bool | None,  # noqa: FBT001
        switch_closed: bool,  # noqa: FBT001
        switch_rest: bool,  # noqa: FBT001
        hopper_g: float,
        waste_percent: float,
        filter_kpa: float,
        pump_deg_c: float,
        supply_v: float,
        tip: int | None,
    ) -> None:
        self.suction_a_kpa = suction_a_kpa
        self.suction_b_kpa = suction_b_kpa
        self.flow_g_per_min = flow_g_per_min
        self.valve_percent = valve_percent
        self.contact = contact
        self.motion = motion
        self.switch_closed = switch_closed
        self.switch_rest = switch_rest
        self.hopper_g = hopper_g
        self.waste_percent = waste_percent
        self.filter_kpa = filter_kpa
        self.pump_deg_c = pump_deg_c
        self.supply_v = supply_v
        self.tip = tip


@dataclass(slots=True)
class PlantTruth:
    """What really is, for event files and tests; the firmware never sees it."""

    t_s: float = 0.0
    suction_kpa: float = 0.0
    """Suction at the tip, below ambient."""
    flow_g_per_min: float = 0.0
    """Crystals that leave the tip, mean of the last 5 ms."""
    feed_g_per_min: float = 0.0
    """Crystals that pass the valve, mean of the last 5 ms."""
    valve_open: float = 0.0
    """Position of the crystal valve, 0 to 1, whatever its sensor says."""
    pump_speed: float = 0.0
    seal: bool = False
    """The tip is sealed on skin."""
    speed_mm_per_s: float = 0.0
    """Speed of the tip over the skin."""
    seal_s: float = 0.0
    """Unbroken time of the present seal."""
    contact_s: float = 0.0
    """Time so far with crystals at the tip on sealed skin."""
    through_valve_g: float = 0.0
    """Crystals that ever passed the valve."""
    hopper_g: float = 0.0
    held_g: float = 0.0
    """Crystals on their way in the line between valve and tip."""
    waste_g: float = 0.0
    ejected_g: float = 0.0
    """Crystals lost to the room."""
