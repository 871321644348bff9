"""Everything that a report says of one treatment, in plain figures."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any

from controller.record.head_note import Head
from controller.record.one_treatment import Unbelieved
from controller.safety.effect import Effect
from controller.safety.exposure import ZoneUse


@unique
class End(Enum):
    """How a treatment ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    TRIPPED = "tripped"
    REFUSED = "refused"
    CUT_OFF = "cut off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Person:
    """Who asked for something; empty where the record does not say it."""

    name: str = ""
    role: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a zone was planned with; None where the record does not say it."""

    suction_kpa: float | None
    flow_g_per_min: float | None
    contact_s: float | None
    nominal_um: float | None
    bound_um: float | None
    cap_um: float | None
    suction_max_kpa_s: float | None


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """What one zone had."""

    number: int
    """Its place in the order of the plan, from 1."""
    zone: str
    display: str
    planned: Settings
    own: ZoneUse
    """What this treatment gave."""
    had: ZoneUse
    """The same with what the zone had before in this treatment or on this day."""
    state: str | None
    """Done, current, waiting or skipped when the treatment ended; None where unknown."""
    ended_by: str | None
    """Time, exposure or suction, where one of them ended the zone."""
    suction_kpa_mean: float | None
    suction_kpa_peak: float | None
    set_suction_kpa: float | None
    set_flow_g_per_min: float | None
    charged_s: float
    """For how long the worst case is charged in it, since nobody saw what fell there."""
    effect: Effect | None
    """What was removed; None where the thickness of the site is not known."""
    free_wall_s: float | None
    """From when it may be treated again with a reason; None where it needs no rest."""
    rested_wall_s: float | None
    """From when it may be treated again as always."""

    @property
    def share(self) -> float | None:
        """The part of its cap that the zone had, from 0; None where it is not known."""
        cap_um = self.planned.cap_um
        known = cap_um is not None and cap_um > 0.0 and math.isfinite(self.had.bound_um)
        return self.had.bound_um / cap_um if known and cap_um else None

    @property
    def touched(self) -> bool:
        """True where crystals may have fallen in this treatment."""
        return not self.own.bound_um <= 0.0


@dataclass(frozen=True, slots=True)
class AlarmFact:
    """An alarm that stood, and since when."""

    wall_s: float
    code: str
    priority: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Moved:
    """One row of exposure: where and when, and what the zone had so far."""

    after_s: float
    """Since the treatment began."""
    zone: str
    bound_um: float
    contact_s: float
    grams: float


@dataclass(frozen=True, slots=True)
class Rest:
    """The rule by which a zone rests, in days: at every age, and from an age on."""

    refuse_days: float
    reason_days: float
    old_from_years: int
    old_refuse_days: float
    old_reason_days: float


@dataclass(frozen=True, slots=True)
class Versions:
    """What a treatment was planned and given with; None where the record does not say it."""

    program: str | None
    program_sha256: str | None
    plan_sha256: str | None
    planned_wall_s: float | None
    corneum: str | None
    python: str | None
    firmware: str | None
    skin: str
    """Of the skin data from which shares of the stratum corneum are told."""
    skin_is_the_plans: bool | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a treatment stands in its record, and how far the record can be believed."""

    file: str
    first_row: int
    last_row: int
    rows: int
    """How many of those between are of this treatment."""
    unbelieved: tuple[Unbelieved, ...]
    head: Head
    head_wall_s: float
    """When the newest row of the record was written."""
    lacking: str | None
    """What the record lacks as a whole."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One treatment, as its report tells it; None is what the record does not say."""

    treatment: int
    client: str
    program: str
    display_name: str
    simulated: bool
    practice: bool
    unit: int
    tip: str | None
    by: Person
    reason: str | None
    begun_wall_s: float
    ended_wall_s: float
    """When its last own row was written."""
    rests_from_wall_s: float
    """When it ended at the latest, from which zones rest: what was cut off, when that was found."""
    end: End
    why: str
    """Reason of the end, in the words of the record; empty where it says none."""
    stopped_by: Person | None
    trip: str | None
    """What tripped, in words."""
    safe_ms: float | None
    """From stop or trip to the shut valve."""
    zones: tuple[ZoneFacts, ...]
    effect: str | None
    at_least: bool
    """True where rows are missing that may have told of more."""
    unseen_s: float
    charge_stands: bool
    """False where the charge is what the next kernel will write at least."""
    dismissed: Person | None
    dismissed_reason: str
    resumes: tuple[int, ...]
    resumed_by: int | None
    resumable_until_wall_s: float | None
    alarms: tuple[AlarmFact, ...]
    moves: tuple[Moved, ...]
    receipts: tuple[Mapping[str, Any], ...]
    """Those of the plan, each with its zone."""
    later_receipts: tuple[str, ...]
    """What was lowered, declined or refused during the treatment, in words."""
    notes: tuple[str, ...]
    rest: Rest
    versions: Versions
    standing: Standing
