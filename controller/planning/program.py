"""A program: stages by zone with what each may use. Values only; files are read elsewhere."""

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """Who may run a program."""

    PRACTITIONER = "practitioner"
    TRAINED = "trained"


@dataclass(frozen=True, slots=True)
class Stage:
    """One zone of a program: setpoints, passes and the contact time that these passes take."""

    zone: str
    suction_kpa: float
    flow_g_per_min: float
    passes: int
    speed_mm_per_s: float
    contact_budget_s: float


@dataclass(frozen=True, slots=True)
class Program:
    """A preset, versioned and known by the hash of its values."""

    name: str
    display_name: str
    version: int
    sha256: str
    stages: tuple[Stage, ...]
    interval_days: float
    course: str = ""
    role: Role = Role.PRACTITIONER
    note: str = ""

    def stage(self, zone: str) -> Stage | None:
        """Return the stage of that zone, or None."""
        return next((stage for stage in self.stages if stage.zone == zone), None)
