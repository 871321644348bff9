"""Who and what may be treated at all: each rule answers with a refusal, or with None."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from controller.planning.case import SECONDS_PER_DAY, Case
from controller.planning.chains import flow_receipt, suction_receipt
from controller.planning.client import Advice
from controller.planning.plan import Lower
from controller.planning.program import Stage
from controller.planning.readings import readings_are_of_the_past
from controller.planning.spans import ago, ahead
from controller.safety.limits import Quantity, Receipt, resolve, say
from controller.safety.refusal import Refusal
from controller.safety.skin import PastDose, Site
from firmware_protocol import envelope
from firmware_protocol.messages import PA_PER_KPA

SUCTION_SET_MIN_KPA: Final = envelope.CONTACT_SUCTION_MIN_PA / PA_PER_KPA  # below: no firm seal
FLOW_SET_MIN_G_PER_MIN: Final = 1.0  # assumed: a flow sensor cannot tell less from none
ZONES_MAX: Final = 32  # more names than any program has zones: a mistake, not a wish

Rule = Callable[[Case], Refusal | None]


def practice_client_is_for_simulated_units(case: Case) -> Refusal | None:
    """The practice client has answered a checklist for nobody."""
    if not case.client.practice or case.unit.simulated:
        return None
    return Refusal(
        "practice_client",
        f"Client {case.client.ref} is for practice and may only be used on a simulated handpiece.",
        "Name a real client, or use the simulator.",
    )


def checklist_is_clear(case: Case) -> Refusal | None:
    """Every question asked, every answer no (H19)."""
    checklist = case.client.checklist
    if checklist.unanswered:
        count = len(checklist.unanswered)
        return Refusal(
            "checklist",
            f"The checklist of client {case.client.ref} has {count} open "
            f"question{'s' if count > 1 else ''}, first: {checklist.unanswered[0].words}.",
            f"Ask, and write {checklist.unanswered[0].key} = true or false in the client file.",
        )
    if not checklist.present:
        return None
    worst = min(checklist.present, key=lambda item: list(Advice).index(item.advice))
    return Refusal(
        "checklist",
        f"Client {case.client.ref} has {worst.words}, and that speaks against treating now.",
        worst.advice.value,
    )


def age_is_within_the_rules(case: Case) -> Refusal | None:
    """Very old skin breaches sooner and heals slowly: a clinician decides."""
    limit_years = case.skin.rules.age_refuse_from_years
    if case.client.age_years < limit_years:
        return None
    return Refusal(
        "age",
        f"Client {case.client.ref} is {case.client.age_years} years old; "
        f"from {limit_years} years on the skin heals too slowly for these programs.",
        "Ask a clinician.",
    )


def calibration_is_valid(case: Case) -> Refusal | None:
    """A unit without a valid calibration cannot prove its own limits (H27)."""
    due_s = case.unit.calibration_due_wall_s
    if case.unit.simulated and due_s is None:
        return None
    if due_s is not None and case.now_wall_s <= due_s:
        return None
    return Refusal(
        "calibration",
        f"The calibration of handpiece {case.unit.serial} is out of date.",
        "Have the handpiece calibrated, or use another one.",
    )


def zones_can_be_selected(case: Case) -> Refusal | None:
    """Wanted zones belong to the program, to the agreement, and to no exclusion."""
    wanted = case.wanted.zones
    if wanted is None:
        return None
    if not 0 < len(wanted) <= ZONES_MAX:
        return Refusal("zone", f"{len(wanted)} zones were named.", f"Name 1 to {ZONES_MAX} zones.")
    return next((found for zone in wanted if (found := _zone_refusal(case, zone))), None)


def _zone_refusal(case: Case, zone: str) -> Refusal | None:
    site = case.skin.site(zone)
    if site is not None and not site.selectable:
        return Refusal(
            "zone_excluded",
            f"{site.display} is an exclusion zone and can never be selected.",
            "Leave it out.",
        )
    if zone in case.client.exclusions:
        return Refusal(
            "zone_excluded",
            f"{case.display(zone)} is excluded for client {case.client.ref}.",
            "Leave it out.",
        )
    if case.program.stage(zone) is None or site is None:
        names = ", ".join(stage.zone for stage in case.program.stages)
        return Refusal(
            "zone",
            f"Program {case.program.display_name} has no zone {zone!r}.",
            f"Choose from: {names}.",
        )
    if case.client.zones is not None and zone not in case.client.zones:
        return Refusal(
            "zone",
            f"{site.display} is not among the zones agreed with client {case.client.ref}.",
            f"Choose from: {', '.join(case.client.zones)}.",
        )
    return None


def settings_only_lower(case: Case) -> Refusal | None:
    """A practitioner may only go down from the program's values (H19)."""
    lower, stages = case.wanted.lower, [stage for stage, _ in selected(case)]
    highest_kpa = max((stage.suction_kpa for stage in stages), default=0.0)
    highest_g_per_min = max((stage.flow_g_per_min for stage in stages), default=0.0)
    checks = (
        (Quantity.SUCTION_KPA, lower.suction_kpa, SUCTION_SET_MIN_KPA, highest_kpa),
        (Quantity.FLOW_G_PER_MIN, lower.flow_g_per_min, FLOW_SET_MIN_G_PER_MIN, highest_g_per_min),
    )
    for quantity, value, low, high in checks:
        if value is not None and not (low <= value <= high):
            refusal = _setting_refusal(quantity, value, low, high)
            return refusal._replace(receipt=_setting_receipt(case, quantity, value))
    return None


def _setting_receipt(case: Case, quantity: Quantity, value: float) -> Receipt:
    """Hold the setting against the chain of the zone in which the program has most of it."""
    as_planned = replace(case, wanted=replace(case.wanted, lower=Lower()))
    receipts = [
        suction_receipt(as_planned, stage, site)
        if quantity is Quantity.SUCTION_KPA
        else flow_receipt(as_planned, stage)
        for stage, site in selected(case)
    ]
    widest = max(receipts, key=lambda receipt: receipt.allowed)
    return resolve(quantity, value, widest.chain).as_refusal()


def _setting_refusal(quantity: Quantity, value: float, low: float, high: float) -> Refusal:
    span = f"{say(quantity, low)} to {say(quantity, high)}" if low < high else say(quantity, high)
    if math.isfinite(value) and value > high:
        return Refusal(
            "raised",
            f"{quantity.label} {say(quantity, value)} is above the program's "
            f"{say(quantity, high)}, and a practitioner may only lower.",
            f"Choose {span}; a supervisor decides about more.",
        )
    asked = say(quantity, value) if math.isfinite(value) else f"{value}"
    return Refusal(
        "setting",
        f"{quantity.label} {asked} cannot be used: it must be {span}.",
        f"Choose {span}.",
    )


def interval_has_passed(case: Case) -> Refusal | None:
    """The same zone rests: refused under 7 days, a reason under 10, longer in old age (H25)."""
    return next(
        (found for stage, _ in selected(case) if (found := _interval_refusal(case, stage.zone))),
        None,
    )


def _interval_refusal(case: Case, zone: str) -> Refusal | None:
    dose = newest_dose(case, zone)
    refuse_days, reason_days = intervals_days(case)
    if dose is None or reason_days <= _days_ago(case, dose):
        return None
    since_days = _days_ago(case, dose)
    was = "can have been" if dose.doubt else "was"
    when = f"{case.display(zone)} {was} treated {ago(since_days)}"
    doubt = f" {dose.doubt}" if dose.doubt else ""
    if not (refuse_days <= since_days):
        left_days = refuse_days - since_days
        return Refusal(
            "interval",
            f"{when}, and the same zone needs at least {refuse_days:g} days.{doubt}",
            f"Choose other zones, or come back in {ahead(left_days)}.",
        )
    if case.wanted.reason:
        return None
    return Refusal(
        "reason_needed",
        f"{when}; under {reason_days:g} days a reason is needed.{doubt}",
        "Give the reason, choose other zones, or wait.",
    )


def intervals_days(case: Case) -> tuple[float, float]:
    """Return the days under which a zone is refused, and under which a reason is needed."""
    rules = case.skin.rules
    return rules.intervals_days(old=case.client.age_years >= rules.age_derate_from_years)


def days_since(case: Case, zone: str) -> float | None:
    """Return the days since the zone was treated; None if never, 0 if the clock makes no sense."""
    dose = newest_dose(case, zone)
    return None if dose is None else _days_ago(case, dose)


def newest_dose(case: Case, zone: str) -> PastDose | None:
    """Return the last dose of crystals in a zone; suction alone is of the day and needs no rest."""
    doses = [dose for dose in case.history if dose.zone == zone and not dose.bound_um <= 0.0]
    return min(doses, key=lambda dose: _days_ago(case, dose), default=None)


def _days_ago(case: Case, dose: PastDose) -> float:
    days = (case.now_wall_s - dose.ended_wall_s) / SECONDS_PER_DAY
    return days if math.isfinite(days) and days > 0.0 else 0.0


def selected(case: Case) -> Sequence[tuple[Stage, Site]]:
    """Return the stages to treat: the wanted or agreed zones, without exclusions, in order."""
    wanted = case.wanted.zones if case.wanted.zones is not None else case.client.zones
    return tuple(
        (stage, site)
        for stage in case.program.stages
        if (wanted is None or stage.zone in wanted)
        and stage.zone not in case.client.exclusions
        and (site := case.skin.site(stage.zone)) is not None
        and site.selectable
    )


def something_is_selected(case: Case) -> Refusal | None:
    """A plan without a zone is no plan."""
    if selected(case):
        return None
    return Refusal(
        "zone",
        f"Program {case.program.display_name} has no zone that client {case.client.ref} may have.",
        f"Choose another program; this one treats {_zones(case)}.",
    )


def _zones(case: Case) -> str:
    return ", ".join(stage.zone for stage in case.program.stages)


RULES: Final[tuple[Rule, ...]] = (
    practice_client_is_for_simulated_units,
    checklist_is_clear,
    age_is_within_the_rules,
    readings_are_of_the_past,
    calibration_is_valid,
    zones_can_be_selected,
    something_is_selected,
    settings_only_lower,
    interval_has_passed,
)
"""In this order: the first refusal is the one that a person reads."""
