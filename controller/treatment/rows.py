"""The bodies of the rows that a treatment leaves in the journal."""

from controller.safety.alarms import Alarm
from controller.safety.exposure import ZoneUse
from controller.safety.reading import Reading
from controller.safety.totals import totals_of
from controller.treatment.course import ZoneProgress
from controller.treatment.events import Body, Json, Outcome, Who


def who_body(who: Who) -> dict[str, Json]:
    """Who asked."""
    return {"name": who.name, "role": who.role, "origin": who.origin}


def use_body(zone: str, use: ZoneUse) -> dict[str, Json]:
    """What a zone has had; a resume after a crash goes on from here."""
    return {
        "zone": zone,
        "nominal_um": use.nominal_um,
        "bound_um": use.bound_um,
        "contact_s": use.contact_s,
        "grams": use.grams,
        "suction_kpa_s": use.suction_kpa_s,
    }


def totals_body(reading: Reading | None) -> Json:
    """The unit's totals, against which a recovery holds what was seen; None where unknown."""
    totals = totals_of(reading)
    return None if totals is None else {**totals._asdict()}


def exposure_body(
    zone: str, use: ZoneUse, may_open: tuple[str, ...], reading: Reading | None
) -> dict[str, Json]:
    """What a zone has had, which zones may be open next, and the totals of the unit."""
    return {
        **use_body(zone, use),
        "may_open": list(may_open),
        "totals": totals_body(reading),
    }


def arm_body(offer: int, reading: Reading, may_open: tuple[str, ...]) -> Body:
    """The row that permits arming, ahead of the act."""
    return {
        "offer": offer,
        "reading": reading_body(reading),
        "may_open": list(may_open),
        "totals": totals_body(reading),
    }


def reading_body(reading: Reading | None) -> dict[str, Json]:
    """What the unit said last; nothing where it never spoke."""
    if reading is None:
        return {}
    return {
        "tick_ms": reading.tick_ms,
        "mode": reading.mode.name,
        "cause": reading.cause.name,
        "valve_percent": reading.valve_percent,
        "suction_kpa": reading.suction_kpa,
        "flow_g_per_min": reading.flow_g_per_min,
        "contact": reading.contact,
    }


def trip_body(by: str, cause: str, alarm: Alarm, reading: Reading | None) -> Body:
    """Why the treatment tripped: by the device or by the host."""
    return {
        "by": by,
        "cause": cause,
        "code": alarm.code,
        "sentence": alarm.sentence,
        "reading": reading_body(reading),
    }


def zone_body(progress: ZoneProgress) -> dict[str, Json]:
    """One zone in the closing row."""
    return {
        **use_body(progress.stage.zone, progress.use),
        "state": progress.state,
        "suction_kpa_mean": progress.suction_kpa_mean,
        "suction_kpa_peak": progress.suction_kpa_peak,
        "set_suction_kpa": progress.set_suction_kpa,
        "set_flow_g_per_min": progress.set_flow_g_per_min,
    }


def ended_body(
    outcome: Outcome,
    zones: tuple[ZoneProgress, ...],
    why: str,
    time_to_safe_ms: float | None,
) -> Body:
    """The closing row: ``time_to_safe_ms`` is None where the safe state was not seen."""
    return {
        "outcome": outcome.value,
        "why": why,
        "zones": [zone_body(zone) for zone in zones],
        "time_to_safe_ms": time_to_safe_ms,
    }
