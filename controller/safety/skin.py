"""What is known about skin by site: thickness, area, caps and how it grows back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from controller.safety.removal import RemovalModel

SECONDS_PER_HOUR: Final = 3600.0


class Region(Enum):
    """Face and body differ in the suction that is allowed."""

    FACE = "face"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Site:
    """One zone of the body that a program can name; ``selectable`` False is an exclusion zone."""

    zone: str
    display: str
    region: Region
    sc_nom_um: float
    layers: float
    area_cm2: float
    suction_max_kpa: float
    selectable: bool
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class CapRules:
    """How a published thickness becomes the cap of one client's zone, and the shortest interval."""

    cap_share: float
    phototype_derate_from: int
    phototype_derate: float
    age_derate_from_years: int
    age_derate: float
    age_refuse_from_years: int
    interval_refuse_days: float
    interval_reason_days: float
    interval_age_factor: float
    regrowth_h_per_layer: float
    layer_um: float


@dataclass(frozen=True, slots=True)
class PastDose:
    """An earlier treatment of a zone, as the record has it: when it ended and its bound."""

    zone: str
    ended_wall_s: float
    bound_um: float


@dataclass(frozen=True, slots=True)
class Skin:
    """The versioned skin data: removal model, cap rules and sites."""

    version: str
    model: RemovalModel
    rules: CapRules
    sites: tuple[Site, ...]

    def site(self, zone: str) -> Site | None:
        """Return the site of that name, or None."""
        return next((site for site in self.sites if site.zone == zone), None)


def derate(rules: CapRules, phototype: int, age_years: int) -> float:
    """Return the factor on the cap for skin type and age, at most 1."""
    factor = rules.phototype_derate if phototype >= rules.phototype_derate_from else 1.0
    if age_years >= rules.age_derate_from_years:
        factor *= rules.age_derate
    return factor


def not_grown_back_um(
    rules: CapRules, history: Sequence[PastDose], zone: str, now_wall_s: float
) -> float:
    """Return what earlier treatments of ``zone`` took and has not grown back, in µm at the bound.

    A dose that cannot be placed in time or is not a finite number never grows back: a wall clock
    that was set back must not hide a treatment.
    """
    doses = sorted((dose for dose in history if dose.zone == zone), key=_ended_at)
    missing_um, at_s = 0.0, -math.inf
    for dose in doses:
        ended_s = dose.ended_wall_s if math.isfinite(dose.ended_wall_s) else math.nan
        missing_um = _after(rules, missing_um, ended_s - at_s) + _taken_um(dose)
        at_s = ended_s
    return _after(rules, missing_um, now_wall_s - at_s)


def _after(rules: CapRules, missing_um: float, elapsed_s: float) -> float:
    if missing_um <= 0.0 or not (elapsed_s > 0.0):
        return missing_um
    grown_um = elapsed_s / SECONDS_PER_HOUR / rules.regrowth_h_per_layer * rules.layer_um
    return max(0.0, missing_um - grown_um)


def _taken_um(dose: PastDose) -> float:
    return dose.bound_um if 0.0 <= dose.bound_um < math.inf else math.inf


def _ended_at(dose: PastDose) -> float:
    return dose.ended_wall_s if math.isfinite(dose.ended_wall_s) else math.inf
