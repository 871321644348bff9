"""One zone of a plan: the chains of limits and the worst-case proof against the zone's cap."""

import math
from typing import Final

from controller.safety.exposure import ZoneLedger
from controller.safety.limits import Quantity, Receipt, Source, say
from controller.safety.skin import Site
from controller.treatment.case import Case
from controller.treatment.plan import NO_USE, PlannedStage, Refusal
from controller.treatment.plan_limits import (
    cap_receipt,
    flow_receipt,
    held,
    model_for,
    suction_receipt,
)
from controller.treatment.plan_rules import FLOW_SET_MIN_G_PER_MIN, SUCTION_SET_MIN_KPA
from controller.treatment.program import Stage

FLOW_STEP_G_PER_MIN: Final = 0.1  # suggestions are rounded down to what a person can set


def plan_stage(case: Case, stage: Stage, site: Site) -> PlannedStage | Refusal | None:
    """Plan one zone; None when a resumed zone has nothing left to do."""
    suction, flow = suction_receipt(case, stage, site), flow_receipt(case, stage)
    weak = _too_weak(case, site, (suction, flow))
    if weak is not None:
        return weak
    cap = cap_receipt(case, site)
    resumed = case.wanted.used(stage.zone)
    used = resumed or NO_USE
    ledger = ZoneLedger(
        stage.zone, cap.allowed, site.area_cm2, model_for(case), used.nominal_um, used.bound_um
    )
    budget_s = stage.contact_budget_s - used.contact_s
    if resumed is not None and (ledger.reached or not (budget_s > 0.0)):
        return None
    left_s = ledger.left_s(flow.allowed, suction.allowed)
    contact = held(
        Quantity.CONTACT_S, budget_s, [(Source.PROGRAM, budget_s), (Source.ZONE, left_s)]
    )
    pass_s = stage.contact_budget_s / stage.passes
    if resumed is None and not (min(pass_s, budget_s) <= left_s):
        return _no_whole_pass(case, site, (suction, flow, cap, contact), pass_s)
    ledger.add(flow.allowed, suction.allowed, contact.allowed)
    return PlannedStage(
        zone=stage.zone,
        display=site.display,
        suction_kpa=suction.allowed,
        flow_g_per_min=flow.allowed,
        contact_budget_s=stage.contact_budget_s,
        cap_um=cap.allowed,
        area_cm2=site.area_cm2,
        expected_nominal_um=ledger.nominal_um,
        expected_bound_um=min(ledger.bound_um, cap.allowed),
        expected_contact_s=used.contact_s + contact.allowed,
        ends_by="exposure" if contact.limited else "time",
        receipts=(suction, flow, cap, contact),
        used=used,
    )


def note_of(case: Case, planned: PlannedStage) -> str | None:
    """Say what a person should know about a zone that its cap will end before its time."""
    if planned.ends_by == "time":
        return None
    contact = planned.receipts[-1]
    note = (
        f"{planned.display}: the exposure cap of {say(Quantity.DEPTH_UM, planned.cap_um)} ends "
        f"this zone after about {contact.allowed:.0f} of {contact.requested:.0f} s of contact"
    )
    fits = fitting_flow_g_per_min(case, planned.flow_g_per_min, contact.allowed, contact.requested)
    return f"{note}; all of it fits at {fits:.1f} g/min." if fits is not None else f"{note}."


def fitting_flow_g_per_min(
    case: Case, flow_g_per_min: float, left_s: float, needed_s: float
) -> float | None:
    """Return the highest settable flow at which ``needed_s`` of contact fits, or None."""
    if not (left_s > 0.0 and needed_s > 0.0):
        return None
    exact = flow_g_per_min * math.pow(left_s / needed_s, 1.0 / case.skin.model.flow_exponent)
    fits = math.floor(exact / FLOW_STEP_G_PER_MIN) * FLOW_STEP_G_PER_MIN
    return fits if fits >= FLOW_SET_MIN_G_PER_MIN else None


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


def _no_whole_pass(
    case: Case, site: Site, receipts: tuple[Receipt, Receipt, Receipt, Receipt], pass_s: float
) -> Refusal:
    _, flow, cap, contact = receipts
    one_pass = held(Quantity.CONTACT_S, pass_s, [(Source.ZONE, contact.allowed)])
    fits = fitting_flow_g_per_min(case, flow.allowed, contact.allowed, pass_s)
    change = f"Lower the crystal flow to {fits:.1f} g/min, or leave" if fits else "Leave"
    return Refusal(
        "exposure",
        f"{site.display}: only {contact.allowed:.0f} s of contact fit under the exposure cap of "
        f"{say(Quantity.DEPTH_UM, cap.allowed)}, and one whole pass takes {pass_s:.0f} s.",
        f"{change} out {site.display.lower()}.",
        one_pass.as_refusal(),
    )
