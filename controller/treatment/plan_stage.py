"""One zone of a plan: the chains of limits and the worst-case proof against the zone's cap."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from controller.safety.exposure import ZoneLedger
from controller.safety.limits import Limit, Quantity, Receipt, Source, resolve, say
from controller.safety.removal import RemovalModel
from controller.safety.skin import Region, Site, derate, not_grown_back_um
from controller.treatment.case import Case
from controller.treatment.plan import NO_USE, PlannedStage, Refusal
from controller.treatment.plan_rules import FLOW_SET_MIN_G_PER_MIN, SUCTION_SET_MIN_KPA
from controller.treatment.program import Stage
from firmware_protocol import envelope
from firmware_protocol.quantities import MG_PER_G, PA_PER_KPA

SUCTION_MAX_KPA: Final = {
    Region.FACE: envelope.SUCTION_FACE_MAX_PA / PA_PER_KPA,
    Region.BODY: envelope.SUCTION_SET_MAX_PA / PA_PER_KPA,
}
FLOW_MAX_G_PER_MIN: Final = envelope.FLOW_SET_MAX_MG_PER_MIN / MG_PER_G
FLOW_STEP_G_PER_MIN: Final = 0.1  # suggestions are rounded down to what a person can set


def model_for(case: Case) -> RemovalModel:
    """Return the removal model with what this unit's readings may be wrong by."""
    return replace(
        case.skin.model,
        suction_uncertainty_kpa=case.unit.suction_uncertainty_kpa,
        flow_uncertainty_percent=case.unit.flow_uncertainty_percent,
    )


def suction_receipt(case: Case, stage: Stage, site: Site) -> Receipt:
    """Hold the program's suction against the whole chain."""
    limits = [
        (Source.FACTORY, SUCTION_MAX_KPA[site.region]),
        (Source.UNIT, case.unit.suction_max_kpa),
        (Source.TIP, case.unit.tip.suction_max_kpa),
        (Source.SITE, site.suction_max_kpa),
        (Source.PROGRAM, stage.suction_kpa),
    ]
    if case.wanted.lower.suction_kpa is not None:
        limits.append((Source.PERSON, case.wanted.lower.suction_kpa))
    return _resolve(Quantity.SUCTION_KPA, stage.suction_kpa, limits)


def flow_receipt(case: Case, stage: Stage) -> Receipt:
    """Hold the program's crystal flow against the whole chain."""
    limits = [
        (Source.FACTORY, FLOW_MAX_G_PER_MIN),
        (Source.UNIT, case.unit.flow_max_g_per_min),
        (Source.PROGRAM, stage.flow_g_per_min),
    ]
    if case.wanted.lower.flow_g_per_min is not None:
        limits.append((Source.PERSON, case.wanted.lower.flow_g_per_min))
    return _resolve(Quantity.FLOW_G_PER_MIN, stage.flow_g_per_min, limits)


def cap_receipt(case: Case, site: Site) -> Receipt:
    """Return the cap of this client's zone: published thickness, skin, and what has grown back."""
    rules, client = case.skin.rules, case.client
    published_um = rules.cap_share * site.sc_nom_um
    skin_um = published_um * derate(rules, client.phototype, client.age_years)
    missing_um = not_grown_back_um(rules, case.history, site.zone, case.now_wall_s)
    limits = [
        (Source.SITE, published_um),
        (Source.SKIN, skin_um),
        (Source.ZONE, max(0.0, skin_um - missing_um)),
    ]
    return _resolve(Quantity.DEPTH_UM, published_um, limits)


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
    contact = _resolve(
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


def _resolve(
    quantity: Quantity, requested: float, limits: Sequence[tuple[Source, float]]
) -> Receipt:
    return resolve(
        quantity, requested, [Limit(source, quantity, value) for source, value in limits]
    )


def _too_weak(case: Case, site: Site, receipts: tuple[Receipt, Receipt]) -> Refusal | None:
    for receipt, low in zip(receipts, (SUCTION_SET_MIN_KPA, FLOW_SET_MIN_G_PER_MIN), strict=True):
        if not (low <= receipt.allowed):
            return Refusal(
                "limit",
                f"{site.display}: {receipt.sentence()} That is below the "
                f"{say(receipt.quantity, low)} that handpiece {case.unit.serial} needs to work.",
                "Use another handpiece or tip, or leave this zone out.",
                receipt,
            )
    return None


def _no_whole_pass(
    case: Case, site: Site, receipts: tuple[Receipt, Receipt, Receipt, Receipt], pass_s: float
) -> Refusal:
    _, flow, cap, contact = receipts
    fits = fitting_flow_g_per_min(case, flow.allowed, contact.allowed, pass_s)
    change = f"Lower the crystal flow to {fits:.1f} g/min, or leave" if fits else "Leave"
    return Refusal(
        "exposure",
        f"{site.display}: only {contact.allowed:.0f} s of contact fit under the exposure cap of "
        f"{say(Quantity.DEPTH_UM, cap.allowed)}, and one whole pass takes {pass_s:.0f} s.",
        f"{change} out {site.display.lower()}.",
        cap,
    )
