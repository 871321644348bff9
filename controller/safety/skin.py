"""What is known about skin by site: thickness, area, caps and how it grows back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from controller.safety.breach import Layered, depth_at_risk_um, local_cv
from controller.safety.exposure import ZoneUse
from controller.safety.removal import RemovalModel

SECONDS_PER_HOUR: Final = 3600.0
DAY_S: Final = 24.0 * SECONDS_PER_HOUR
"""What a zone had within this time is of the same day, wherever midnight lies."""


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
    between_cv: float
    """Standard deviation of the mean thickness between people, over the mean."""
    within_share: float
    """The part of all variance of the thickness that lies within the site of one person."""
    area_cm2: float
    suction_max_kpa: float
    selectable: bool
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class CapRules:
    """How a published thickness becomes the cap of one client's zone, and the shortest interval."""

    cap_share: float
    breach_max_share: float
    """Of the points of a zone, that may lose the whole stratum corneum: the mean over all doubt."""
    suction_max_kpa_s: float
    """Suction dose that one place may have in a day."""
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

    def intervals_days(self, *, old: bool) -> tuple[float, float]:
        """Return the days under which a zone is refused, and under which a reason is needed.

        ``old`` is from ``age_derate_from_years`` on.
        """
        factor = self.interval_age_factor if old else 1.0
        return self.interval_refuse_days * factor, self.interval_reason_days * factor


@dataclass(frozen=True, slots=True)
class Shedding:
    """How long skin that is left alone takes to shed one layer. For words; no limit rests on it."""

    body_h_per_layer: float
    face_h_per_layer: float


@dataclass(frozen=True, slots=True)
class PastDose:
    """An earlier treatment of a zone, as the record has it: its latest possible end, its bound."""

    zone: str
    ended_wall_s: float
    bound_um: float
    nominal_um: float = 0.0
    suction_kpa_s: float = 0.0
    doubt: str = ""
    """Why it may have ended earlier, in a sentence; empty where its end is known."""


@dataclass(frozen=True, slots=True)
class Skin:
    """The versioned skin data: removal model, cap rules, shedding and sites."""

    version: str
    model: RemovalModel
    rules: CapRules
    shedding: Shedding
    sites: tuple[Site, ...]

    def site(self, zone: str) -> Site | None:
        """Return the site of that name, or None."""
        return next((site for site in self.sites if site.zone == zone), None)


def layered(site: Site, rules: CapRules) -> Layered:
    """Return the layers of a site: as many as both the count and the thickness allow.

    Fewer and thicker layers at the same thickness are breached sooner, so that the lower of both is
    taken: the counted ones, or those of ``layer_um`` that fit into the thickness.
    """
    layer_um = rules.layer_um
    if site.layers > 0.0:
        layer_um = max(layer_um, site.sc_nom_um / site.layers)
    return Layered(site.sc_nom_um, layer_um, local_cv(site.between_cv, site.within_share))


def risk_cap_um(skin: Skin, site: Site, model: RemovalModel | None = None) -> float:
    """Return the bound at which the risk of a point reaches what the rules allow.

    ``model`` is that of one client, where something is known of them. A smaller error lets more of
    a bound be true and less be beyond it, so that the same bound is another risk.
    """
    found = layered(site, skin.rules)
    error_ln_sd = (skin.model if model is None else model).error_ln_sd
    return depth_at_risk_um(found, error_ln_sd, skin.rules.breach_max_share)


def derate_phototype(rules: CapRules, phototype: int) -> float:
    """Return the factor for skin that darkens after treatment, at most 1."""
    return rules.phototype_derate if phototype >= rules.phototype_derate_from else 1.0


def derate(rules: CapRules, phototype: int, age_years: int) -> float:
    """Return the factor on the cap for skin type and age, at most 1."""
    factor = derate_phototype(rules, phototype)
    if age_years >= rules.age_derate_from_years:
        factor *= rules.age_derate
    return factor


def of_the_day(history: Sequence[PastDose], zone: str, now_wall_s: float) -> ZoneUse:
    """Return what ``zone`` had within the last 24 hours: a ledger of today starts from it.

    A dose that cannot be placed in time is of today. A dose that is not a finite number fills it.
    """
    today = [dose for dose in history if dose.zone == zone and _is_today(dose, now_wall_s)]
    return ZoneUse(
        nominal_um=sum(min(_usable(dose.nominal_um), _taken_um(dose)) for dose in today),
        bound_um=sum(_taken_um(dose) for dose in today),
        suction_kpa_s=sum(_usable(dose.suction_kpa_s) for dose in today),
    )


def before_the_day(history: Sequence[PastDose], now_wall_s: float) -> tuple[PastDose, ...]:
    """Return the doses that ``of_the_day`` leaves to be grown back."""
    return tuple(dose for dose in history if not _is_today(dose, now_wall_s))


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


def _is_today(dose: PastDose, now_wall_s: float) -> bool:
    return not (DAY_S <= now_wall_s - dose.ended_wall_s < math.inf)


def _taken_um(dose: PastDose) -> float:
    return _usable(dose.bound_um)


def _usable(taken: float) -> float:
    return taken if 0.0 <= taken < math.inf else math.inf


def _ended_at(dose: PastDose) -> float:
    return dose.ended_wall_s if math.isfinite(dose.ended_wall_s) else math.inf
