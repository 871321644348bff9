"""The handpiece that a plan is made for: its calibrated span, what it may be wrong by, its tip."""

from dataclasses import dataclass
from enum import Enum, unique


@unique
class Reuse(Enum):
    """What becomes of a tip after a treatment, in the words of the unit's file."""

    SINGLE = "single"
    """It is thrown away: it touches one client, at one visit."""
    STERILISE = "sterilise"
    """It touches the next client after a recorded sterilisation."""


@dataclass(frozen=True, slots=True)
class Tip:
    """The tip that is fitted; ``number`` is what CONFIG tells the device."""

    number: int
    name: str
    window_mm: float
    suction_max_kpa: float
    reuse: Reuse | None = None
    """None: no skin is touched, so tips are not told apart (simulated units)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One handpiece. ``calibration_due_wall_s`` None: a simulated unit is never out of date.

    ``crystal_um`` is the mean size of the crystals in it, None where nobody has said it.
    ``motion_sensor`` is what the unit says of itself; False until it has been asked.
    """

    serial: int
    simulated: bool
    suction_max_kpa: float
    flow_max_g_per_min: float
    suction_uncertainty_kpa: float
    flow_uncertainty_percent: float
    tip: Tip
    calibration_due_wall_s: float | None = None
    crystal_um: float | None = None
    motion_sensor: bool = False
