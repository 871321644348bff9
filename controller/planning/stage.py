"""One zone of a plan: the chains of limits, and the proof that the worst case stays inside them."""

from dataclasses import replace
from typing import Final, NamedTuple

from controller.planning.case import Case
from controller.planning.chains import (
    cap_receipt,
    dose_receipt,
    flow_receipt,
    held,
    model_for,
    suction_receipt,
)
from controller.planning.plan import NO_USE, EndsBy, PlannedStage, ledger_of
from controller.planning.program import Stage
from controller.planning.proof import Line
from controller.planning.rules import FLOW_SET_MIN_G_PER_MIN, SUCTION_SET_MIN_KPA
from controller.planning.worst_case import prove_stage
from controller.planning.zone_end import ZoneEnd, end_of
from controller.safety.effect import stratum_of
from controller.safety.exposure import ZoneUse
from controller.safety.limits import Quantity, Receipt, Source, say, say_difference
from controller.safety.refusal import Refusal
from controller.safety.skin import Site, of_the_day

_ENDS_BY: Final[dict[Source, EndsBy]] = {Source.ZONE: "exposure", Source.SUCTION: "suction"}
_REMEDY: Final = {
    Quantity.SUCTION_KPA: Quantity.SUCTION_KPA,
    Quantity.SUCTION_KPA_S: Quantity.SUCTION_KPA,
}
"""What is lowered against a worst case that is too high; the crystal flow in all others."""


_DONE: Final = {
    ZoneEnd.TIME: "its time is used up",
    ZoneEnd.EXPOSURE: "the cap leaves too little to open the valve for",
    ZoneEnd.SUCTION: "the suction dose leaves too little to open the valve for",
}


class Shortfall(NamedTuple):
    """A stage that does not fit, and which setting would have to be lower."""

    code: str
    sentence: str
    receipt: Receipt
    remedy: Quantity


class LeftOut(NamedTuple):
    """A resumed zone in which nothing is left to do, or nothing that can be proved; and why."""

    note: str


Attempt = PlannedStage | Refusal | Shortfall | LeftOut


def plan_stage(case: Case, stage: Stage, site: Site) -> Attempt:
    """Plan one zone. One that was begun before a resume and does not fit any more is left out."""
    suction, flow = suction_receipt(case, stage, site), flow_receipt(case, stage)
    weak = _too_weak(case, site, (suction, flow))
    if weak is not None:
        return weak
    fresh = _fresh(case, stage, site, (suction, flow))
    ledger = ledger_of(fresh, model_for(case), motion_sensor=case.unit.motion_sensor)
    begun = case.wanted.used(stage.zone) not in (None, NO_USE)
    if begun and (end := end_of(fresh, ledger)) is not None:
        return LeftOut(f"{_had(fresh)}, and {_DONE[end]}.")
    planned = _planned(case, stage, fresh)
    if begun and isinstance(planned, Shortfall):
        return LeftOut(f"{_had(fresh)}, and nothing of the rest can be proved to stay inside.")
    return planned


def _planned(case: Case, stage: Stage, fresh: PlannedStage) -> PlannedStage | Shortfall:
    """Return the stage with what is expected of it and its proof, or why it does not fit."""
    suction, flow = fresh.receipts[:2]
    resumed = case.wanted.used(stage.zone)
    budget_s = stage.contact_budget_s - fresh.used.contact_s
    ledger = ledger_of(fresh, model_for(case), motion_sensor=case.unit.motion_sensor)
    by_depth_s = ledger.lasts_by_depth_s(flow.allowed, suction.allowed)
    by_suction_s = ledger.lasts_by_suction_s(flow.allowed, suction.allowed)
    limits = [
        (Source.PROGRAM, budget_s), (Source.ZONE, by_depth_s), (Source.SUCTION, by_suction_s)
    ]  # fmt: skip
    contact = held(Quantity.CONTACT_S, budget_s, limits)
    pass_s = stage.contact_budget_s / stage.passes
    if resumed is None and not (min(pass_s, budget_s) <= contact.allowed):
        return _no_whole_pass(fresh, contact, pass_s)
    ledger.add(flow.allowed, suction.allowed, contact.allowed, ledger.motion_usual)
    planned = replace(
        fresh,
        expected_nominal_um=ledger.nominal_um,
        expected_bound_um=min(ledger.bound_um, fresh.cap_um),
        expected_suction_kpa_s=min(ledger.suction_kpa_s, fresh.suction_max_kpa_s),
        expected_contact_s=fresh.used.contact_s + contact.allowed,
        ends_by="time" if contact.binding is None else _ENDS_BY[contact.binding.source],
        receipts=(*fresh.receipts[:3], contact, *fresh.receipts[3:]),
    )
    proof = prove_stage(case, planned)
    broken = next((line for line in proof if not line.holds), None)
    return replace(planned, proof=proof) if broken is None else _not_proved(broken)


def _had(fresh: PlannedStage) -> str:
    used, cap_um, most_kpa_s = fresh.used, fresh.cap_um, fresh.suction_max_kpa_s
    return (
        f"{fresh.display} is left out: it has had {say(Quantity.DEPTH_UM, used.bound_um)} of its "
        f"exposure cap of {say(Quantity.DEPTH_UM, cap_um)}, "
        f"{say(Quantity.SUCTION_KPA_S, used.suction_kpa_s)} of its suction dose of "
        f"{say(Quantity.SUCTION_KPA_S, most_kpa_s)}, and {used.contact_s:.0f} of "
        f"{fresh.contact_budget_s:.0f} s of contact"
    )


def note_of(planned: PlannedStage, fits_g_per_min: float | None) -> str | None:
    """Say what a person should know about a zone that a limit will end before its time."""
    contact = planned.receipt(Quantity.CONTACT_S)
    if planned.ends_by == "time" or contact is None:
        return None
    if planned.ends_by == "exposure":
        what = f"the exposure cap of {say(Quantity.DEPTH_UM, planned.cap_um)}"
    else:
        what = f"the suction dose of {say(Quantity.SUCTION_KPA_S, planned.suction_max_kpa_s)}"
    note = (
        f"{planned.display}: {what} ends "
        f"this zone after about {contact.allowed:.0f} of {contact.requested:.0f} s of contact"
    )
    if fits_g_per_min is None or planned.ends_by == "suction":
        return f"{note}."
    return f"{note}; all of it fits at {fits_g_per_min:.1f} g/min."


def _fresh(case: Case, stage: Stage, site: Site, settings: tuple[Receipt, Receipt]) -> PlannedStage:
    """The stage with its limits, holding what the day has given it, before anything is expected."""
    suction, flow = settings
    cap, dose = cap_receipt(case, site), dose_receipt(case)
    resumed = case.wanted.used(stage.zone) or NO_USE
    today = of_the_day(case.history, site.zone, case.now_wall_s)
    used = ZoneUse(
        resumed.nominal_um + today.nominal_um,
        resumed.bound_um + today.bound_um,
        resumed.contact_s,
        resumed.grams,
        resumed.suction_kpa_s + today.suction_kpa_s,
    )
    return PlannedStage(
        zone=stage.zone,
        display=site.display,
        suction_kpa=suction.allowed,
        flow_g_per_min=flow.allowed,
        contact_budget_s=stage.contact_budget_s,
        cap_um=cap.allowed,
        suction_max_kpa_s=dose.allowed,
        area_cm2=site.area_cm2,
        expected_nominal_um=used.nominal_um,
        expected_bound_um=used.bound_um,
        expected_suction_kpa_s=used.suction_kpa_s,
        expected_contact_s=used.contact_s,
        ends_by="time",
        receipts=(suction, flow, cap, dose),
        used=used,
        stratum=stratum_of(case.skin, site),
    )


def _too_weak(case: Case, site: Site, receipts: tuple[Receipt, Receipt]) -> Refusal | None:
    for receipt, low in zip(receipts, (SUCTION_SET_MIN_KPA, FLOW_SET_MIN_G_PER_MIN), strict=True):
        if not (low <= receipt.allowed):
            return Refusal(
                "limit",
                f"{site.display}: {receipt.sentence()} That is below the "
                f"{say(receipt.quantity, low)} that handpiece {case.unit.serial} needs to work.",
                "Use another handpiece or tip, or leave this zone out.",
                receipt.as_refusal(),
            )
    return None


def _no_whole_pass(fresh: PlannedStage, contact: Receipt, pass_s: float) -> Shortfall:
    by_suction = contact.binding is not None and contact.binding.source is Source.SUCTION
    source = Source.SUCTION if by_suction else Source.ZONE
    under = (
        f"the suction dose of {say(Quantity.SUCTION_KPA_S, fresh.suction_max_kpa_s)}"
        if by_suction
        else f"the exposure cap of {say(Quantity.DEPTH_UM, fresh.cap_um)}"
    )
    needed, allowed, _ = say_difference(Quantity.CONTACT_S, pass_s, contact.allowed)
    return Shortfall(
        "suction" if by_suction else "exposure",
        f"{fresh.display}: only {allowed} of contact fit under {under}, and one "
        f"whole pass takes {needed}.",
        held(Quantity.CONTACT_S, pass_s, [(source, contact.allowed)]).as_refusal(),
        Quantity.SUCTION_KPA if by_suction else Quantity.FLOW_G_PER_MIN,
    )


def _not_proved(line: Line) -> Shortfall:
    """A worst case above its limit: name stage, limit and margin."""
    worst, limit = say(line.quantity, line.worst), say(line.quantity, line.limit)
    return Shortfall(
        "proof",
        f"{line.display}: in the worst case {line.quantity.label.lower()} reaches {worst}, "
        f"{say(line.quantity, -line.margin)} above the limit of {limit}.",
        held(line.quantity, line.worst, [(Source.UNIT, line.limit)]).as_refusal(),
        _REMEDY.get(line.quantity, Quantity.FLOW_G_PER_MIN),
    )
