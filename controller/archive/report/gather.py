"""Makes the facts of a report from the rows of one treatment.

Pure: rows in, one frozen value out. What a row would have told that cannot be believed is unknown
and named so; where more may have been delivered than rows tell, figures are `at_least`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from controller.archive.report.facts import (
    AlarmFact,
    End,
    Facts,
    Moved,
    Person,
    Rest,
    Settings,
    Standing,
    Versions,
    ZoneFacts,
)
from controller.planning.fingerprint import skin_parts
from controller.record.chain import Chained
from controller.record.one_treatment import OneTreatment
from controller.record.treatments import RESUME_MAX_S, own_of, uses_in
from controller.safety.effect import effect_of, in_words, stratum_of
from controller.safety.exposure import ZoneUse
from controller.safety.skin import DAY_S, Skin
from controller.treatment.kinds import Kind

_DOSES: Final = frozenset({Kind.EXPOSURE, Kind.ENDED, Kind.INTERRUPTED})
_TELLS_TIME: Final = frozenset({Kind.TREATMENT, *_DOSES})
"""The rows whose newest one says when a treatment ended, as the planner takes it."""

_RESUME_COUNTS: Final = frozenset({Kind.TREATMENT, Kind.EXPOSURE, Kind.ARM, Kind.ENDED})
"""The rows from whose newest one the time counts in which it may be resumed."""


def facts_of(told: OneTreatment, skin: Skin) -> Facts:
    """Return what a report says; ``skin`` gives the layers of sites and the rule of rest."""
    said = told.begun.body
    plan = _table(said.get("plan"))
    ended, cut = _newest(told, Kind.ENDED), _newest(told, Kind.INTERRUPTED)
    doses = [row for row in told.rows if row.kind in _DOSES]
    had = uses_in(told.beginning, doses) if told.foreseen is None else told.foreseen.zones
    end = _end(told, ended, cut)
    rests_from_wall_s = max(row.wall_s for row in told.rows if row.kind in _TELLS_TIME)
    zones = _zones(told, skin, had, rests_from_wall_s)
    effects = [zone.effect for zone in zones if zone.effect is not None]
    tip, dismissed = _newest(told, Kind.TIP), _newest(told, Kind.DISMISSED)
    trip = _newest(told, Kind.TRIP)
    return Facts(
        treatment=told.beginning.treatment,
        client=told.beginning.client,
        program=told.beginning.program,
        display_name=str(said.get("display_name") or told.beginning.program),
        simulated=told.beginning.simulated,
        practice=told.beginning.practice,
        unit=told.beginning.unit,
        tip=None if tip is None else _text(tip.body.get("label")),
        by=_person(said),
        reason=_text(said.get("reason")),
        begun_wall_s=told.beginning.wall_s,
        ended_wall_s=max(row.wall_s for row in told.rows if row.kind in _RESUME_COUNTS),
        rests_from_wall_s=rests_from_wall_s,
        end=end,
        why="" if ended is None else str(ended.body.get("why") or ""),
        stopped_by=_stopped_by(told),
        trip=None if trip is None else _text(trip.body.get("sentence")),
        safe_ms=None if ended is None else _number(ended.body.get("time_to_safe_ms")),
        zones=zones,
        effect=in_words(effects, given=True) if effects else None,
        at_least=end is End.UNKNOWN or (ended is None and bool(told.unbelieved)),
        unseen_s=_unseen_s(told, cut),
        charge_stands=told.foreseen is None,
        dismissed=None if dismissed is None else _person(dismissed.body),
        dismissed_reason="" if dismissed is None else str(dismissed.body.get("reason") or ""),
        resumes=told.forerunners,
        resumed_by=told.resumed_by,
        resumable_until_wall_s=_resumable_until(told, end),
        alarms=tuple(_alarm(row) for row in told.rows if row.kind == Kind.ALARM),
        moves=tuple(_moves(told)),
        receipts=tuple(_receipts(plan)),
        later_receipts=tuple(_later_receipts(told.rows)),
        notes=tuple(str(note) for note in plan.get("notes", ())),
        rest=_rest(skin),
        versions=_versions(told, plan, skin),
        standing=_standing(told),
    )


def _versions(told: OneTreatment, plan: Mapping[str, Any], skin: Skin) -> Versions:
    said = told.begun.body
    kernel = {} if told.kernel is None else told.kernel.body
    return Versions(
        program=_text(said.get("program_version")),
        program_sha256=_text(said.get("program_sha256")),
        plan_sha256=_text(said.get("plan_sha256")),
        planned_wall_s=_number(said.get("planned_at_s")),
        corneum=_text(said.get("corneum")),
        python=_text(kernel.get("python")),
        firmware=_text(kernel.get("firmware")),
        skin=skin.version,
        skin_is_the_plans=_same_skin(plan, skin),
    )


def _standing(told: OneTreatment) -> Standing:
    return Standing(
        file=str(told.path),
        first_row=told.begun.id,
        last_row=told.last,
        rows=len(told.rows),
        unbelieved=told.unbelieved,
        head=told.head,
        head_wall_s=told.head_wall_s,
        lacking=told.lacking,
    )


def _end(told: OneTreatment, ended: Chained | None, cut: Chained | None) -> End:
    if ended is not None:
        try:
            return End(str(ended.body.get("outcome")))
        except ValueError:
            return End.UNKNOWN
    known = cut is not None or told.foreseen is not None
    return End.CUT_OFF if known else End.UNKNOWN


def _zones(
    told: OneTreatment, skin: Skin, had: Mapping[str, ZoneUse], ended_wall_s: float
) -> tuple[ZoneFacts, ...]:
    plan = _table(told.begun.body.get("plan"))
    stages = {str(each.get("zone")): each for each in _tables(plan.get("zones"))}
    ended = _newest(told, Kind.ENDED)
    closing = {str(each.get("zone")): each for each in _closing(ended)}
    by = {
        str(row.body.get("zone")): str(row.body.get("by"))
        for row in told.rows
        if row.kind == Kind.ZONE
    }
    own, charged, unseen_s = own_of(told.beginning, had), _charged(told), _unseen_s(told, None)
    names = list(dict.fromkeys([*told.beginning.zones, *had]))
    return tuple(
        _zone(
            number,
            (zone, own.get(zone, ZoneUse()), had.get(zone, ZoneUse())),
            (stages.get(zone, {}), closing.get(zone, {}), by.get(zone)),
            (unseen_s if zone in charged else 0.0, ended_wall_s),
            skin,
        )
        for number, zone in enumerate(names, 1)
    )


def _zone(
    number: int,
    uses: tuple[str, ZoneUse, ZoneUse],
    said: tuple[Mapping[str, Any], Mapping[str, Any], str | None],
    when: tuple[float, float],
    skin: Skin,
) -> ZoneFacts:
    (zone, own, had), (stage, closing, by), (charged_s, ended_wall_s) = uses, said, when
    site = skin.site(zone)
    known = site is not None and site.selectable
    stratum = stratum_of(skin, site) if site is not None and known else None
    days = skin.rules.intervals_days(old=False) if not own.bound_um <= 0.0 else None
    return ZoneFacts(
        number=number,
        zone=zone,
        display=str(stage.get("display") or (site.display if site is not None else zone)),
        planned=_settings(stage),
        own=own,
        had=had,
        state=_text(closing.get("state")),
        ended_by=by,
        suction_kpa_mean=_number(closing.get("suction_kpa_mean")),
        suction_kpa_peak=_number(closing.get("suction_kpa_peak")),
        set_suction_kpa=_number(closing.get("set_suction_kpa")),
        set_flow_g_per_min=_number(closing.get("set_flow_g_per_min")),
        charged_s=charged_s,
        effect=None if stratum is None else effect_of(stratum, own.nominal_um, own.bound_um),
        free_wall_s=None if days is None else ended_wall_s + days[0] * DAY_S,
        rested_wall_s=None if days is None else ended_wall_s + days[1] * DAY_S,
    )


def _settings(stage: Mapping[str, Any]) -> Settings:
    names = (
        "suction_kpa", "flow_g_per_min", "expected_contact_s", "expected_nominal_um",
        "expected_bound_um", "cap_um", "suction_max_kpa_s",
    )  # fmt: skip
    return Settings(*(_number(stage.get(name)) for name in names))


def _charged(told: OneTreatment) -> frozenset[str]:
    if told.foreseen is not None:
        return frozenset(told.foreseen.charged)
    cut = _newest(told, Kind.INTERRUPTED)
    return frozenset() if cut is None else frozenset(map(str, cut.body.get("charged", ())))


def _unseen_s(told: OneTreatment, cut: Chained | None) -> float:
    if told.foreseen is not None:
        return told.foreseen.unseen_s
    cut = cut or _newest(told, Kind.INTERRUPTED)
    return 0.0 if cut is None else _number(cut.body.get("unseen_s")) or 0.0


def _stopped_by(told: OneTreatment) -> Person | None:
    """Return who stopped it first; None where no person did."""
    stops = [row for row in told.rows if row.kind == Kind.STOP and not row.body.get("again")]
    return _person(stops[0].body) if stops and stops[0].body.get("who") else None


def _resumable_until(told: OneTreatment, end: End) -> float | None:
    early = end in {End.STOPPED, End.TRIPPED, End.CUT_OFF}
    taken = told.resumed_by is not None or _newest(told, Kind.DISMISSED) is not None
    if taken or not early:
        return None
    return max(row.wall_s for row in told.rows if row.kind in _RESUME_COUNTS) + RESUME_MAX_S


def _moves(told: OneTreatment) -> Sequence[Moved]:
    began_s = told.begun.mono_s
    return [
        Moved(
            row.mono_s - began_s,
            str(said.get("zone")),
            _number(said.get("bound_um")) or 0.0,
            _number(said.get("contact_s")) or 0.0,
            _number(said.get("grams")) or 0.0,
        )
        for row in told.rows
        if row.kind == Kind.EXPOSURE
        for said in (row.body,)
    ]


def _receipts(plan: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [
        {"zone": str(stage.get("display") or stage.get("zone")), **receipt}
        for stage in _tables(plan.get("zones"))
        for receipt in _tables(stage.get("receipts"))
    ]


def _later_receipts(rows: Sequence[Chained]) -> Sequence[str]:
    kinds = {Kind.LOWER: "Lowered", Kind.DECLINED: "Not lowered", Kind.REFUSED: "Refused"}
    found: list[str] = []
    for row in rows:
        for kind, word in kinds.items():
            if row.kind == kind:
                said = [str(each.get("sentence")) for each in _tables(row.body.get("receipts"))]
                found.append(f"{word}: {' '.join(said)}")
    return found


def _alarm(row: Chained) -> AlarmFact:
    said = row.body
    return AlarmFact(
        row.wall_s, str(said.get("code")), str(said.get("priority")), str(said.get("sentence"))
    )


def _rest(skin: Skin) -> Rest:
    young, old = skin.rules.intervals_days(old=False), skin.rules.intervals_days(old=True)
    return Rest(*young, skin.rules.age_derate_from_years, *old)


def _same_skin(plan: Mapping[str, Any], skin: Skin) -> bool | None:
    parts = _table(plan.get("parts"))
    own = skin_parts(skin)
    return all(parts[name] == own[name] for name in own) if set(own) <= set(parts) else None


def _closing(ended: Chained | None) -> Sequence[Mapping[str, Any]]:
    return [] if ended is None else _tables(ended.body.get("zones"))


def _newest(told: OneTreatment, kind: Kind) -> Chained | None:
    return next((row for row in reversed(told.rows) if row.kind == kind), None)


def _person(said: Mapping[str, Any]) -> Person:
    who = _table(said.get("who"))
    return Person(*(str(who.get(name) or "") for name in ("name", "role", "origin")))


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _tables(value: object) -> Sequence[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(float(value)) else None  # type: ignore[arg-type]  # narrowed
