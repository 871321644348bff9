"""Plans, refusals and receipts as JSON-able values, for the API, the record and ``--json``."""

import math

from controller.safety.limits import Receipt
from controller.treatment.plan import Plan, PlannedStage, Refusal

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


def plan_as_dict(plan: Plan) -> dict[str, JsonValue]:
    """Return a plan with every number's unit in its name."""
    return {
        "program": plan.program.name,
        "display_name": plan.program.display_name,
        "program_version": plan.program.version,
        "program_sha256": plan.program.sha256,
        "client": plan.client_ref,
        "unit_serial": plan.unit_serial,
        "simulated": plan.simulated,
        "tip": plan.tip,
        "contact_s": sum(stage.expected_contact_s - stage.used.contact_s for stage in plan.stages),
        "zones": [stage_as_dict(stage) for stage in plan.stages],
        "notes": list(plan.notes),
    }


def stage_as_dict(stage: PlannedStage) -> dict[str, JsonValue]:
    """Return one zone of a plan."""
    return {
        "zone": stage.zone,
        "display": stage.display,
        "suction_kpa": stage.suction_kpa,
        "flow_g_per_min": stage.flow_g_per_min,
        "contact_budget_s": stage.contact_budget_s,
        "area_cm2": stage.area_cm2,
        "cap_um": stage.cap_um,
        "expected_contact_s": stage.expected_contact_s,
        "expected_nominal_um": stage.expected_nominal_um,
        "expected_bound_um": stage.expected_bound_um,
        "margin_um": stage.cap_um - stage.expected_bound_um,
        "ends_by": stage.ends_by,
        "receipts": [receipt_as_dict(receipt) for receipt in stage.receipts],
    }


def refusal_as_dict(refusal: Refusal) -> dict[str, JsonValue]:
    """Return a refusal: code, sentence, next step, and the receipt where a limit was the reason."""
    receipt = refusal.receipt
    return {
        "code": refusal.code,
        "sentence": refusal.sentence,
        "next_step": refusal.next_step,
        "receipt": None if receipt is None else receipt_as_dict(receipt),
    }


def receipt_as_dict(receipt: Receipt) -> dict[str, JsonValue]:
    """Return a receipt; a number that is not finite becomes null, which JSON can carry."""
    return {
        "quantity": receipt.quantity.name.lower(),
        "unit": receipt.quantity.unit,
        "requested": _finite(receipt.requested),
        "allowed": _finite(receipt.allowed),
        "limited": receipt.limited,
        "binding": None if receipt.binding is None else receipt.binding.source.name.lower(),
        "margin": _finite(receipt.margin),
        "chain": [
            {"source": limit.source.name.lower(), "value": _finite(limit.value)}
            for limit in receipt.chain
        ],
        "sentence": receipt.sentence(),
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
