"""What planning looks at, gathered once."""

from dataclasses import dataclass
from typing import Final

from controller.planning.client import Client
from controller.planning.plan import Lower
from controller.planning.program import Program
from controller.planning.unit import Unit
from controller.safety.exposure import ZoneUse
from controller.safety.skin import PastDose, Skin

SECONDS_PER_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for beside program and client."""

    lower: Lower
    zones: tuple[str, ...] | None
    reason: str
    resumed: tuple[tuple[str, ZoneUse], ...]

    def used(self, zone: str) -> ZoneUse | None:
        """What a zone had before the treatment was interrupted; None in a new treatment."""
        return next((use for name, use in self.resumed if name == zone), None)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that planning looks at."""

    program: Program
    client: Client
    unit: Unit
    skin: Skin
    history: tuple[PastDose, ...]
    now_wall_s: float
    wanted: Wanted

    def display(self, zone: str) -> str:
        """Return the name of a zone for people."""
        site = self.skin.site(zone)
        return zone if site is None else site.display
