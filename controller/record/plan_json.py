"""Plans, refusals and receipts as JSON-able values, for the API, the record and ``--json``."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from controller.planning.plan import Plan, PlannedStage
from controller.planning.proof import Line
from controller.safety.chance import Chance
from controller.safety.effect import PERCENT, Effect, in_words
from controller.treatment.events import Json

PROOF_KEYS: Final = ("zone", "display", "quantity", "unit", "limit", "worst", "margin", "holds")
EFFECT_KEYS: Final = ("depth_um", "bound_um", "share_percent", "layers", "shedding_h", "seen_by")


def plan_as_dict(plan: Plan) -> dict[str, Json]:
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
        "motion_sensor": plan.motion_sensor,
        "contact_s": sum(stage.expected_contact_s - stage.used.contact_s for stage in plan.stages),
        "zones": [stage_as_dict(stage) for stage in plan.stages],
        "proof": {
            "holds": plan.proof.holds,
            "lines": [line_as_dict(line) for line in plan.proof.lines],
        },
        "notes": list(plan.notes),
    }


def effects_told(plan: Plan, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan as ``told`` with what it means for the skin: in words, and zone by zone.

    It follows from what a plan says already, so that rows do without it.
    """
    zones = [
        {**zone, "effect": None if effect is None else effect_as_dict(effect)}
        for zone, effect in zip(told["zones"], plan.effects, strict=True)
    ]
    known = [effect for effect in plan.effects if effect is not None]
    return {**told, "zones": zones, "effect": in_words(known) if known else None}


def effect_as_dict(effect: Effect) -> dict[str, Json]:
    """Return what a depth means in one zone."""
    values = (
        effect.depth_um, effect.bound_um, PERCENT * effect.share, effect.layers, effect.shedding_h,
        list(effect.seen_by),
    )  # fmt: skip
    return dict(zip(EFFECT_KEYS, values, strict=True))


def chance_as_dict(chance: Chance) -> dict[str, Json]:
    """Return how often a treatment goes too deep in the simulation."""
    return asdict(chance)


def stage_as_dict(stage: PlannedStage) -> dict[str, Json]:
    """Return one zone of a plan."""
    return {
        "zone": stage.zone,
        "display": stage.display,
        "suction_kpa": stage.suction_kpa,
        "flow_g_per_min": stage.flow_g_per_min,
        "contact_budget_s": stage.contact_budget_s,
        "area_cm2": stage.area_cm2,
        "cap_um": stage.cap_um,
        "suction_max_kpa_s": stage.suction_max_kpa_s,
        "expected_suction_kpa_s": stage.expected_suction_kpa_s,
        "expected_contact_s": stage.expected_contact_s,
        "expected_nominal_um": stage.expected_nominal_um,
        "expected_bound_um": stage.expected_bound_um,
        "margin_um": stage.cap_um - stage.expected_bound_um,
        "ends_by": stage.ends_by,
        "receipts": [receipt.as_dict() for receipt in stage.receipts],
    }


def line_as_dict(line: Line) -> dict[str, Json]:
    """Return one limit of one stage with its worst case."""
    quantity = line.quantity
    values = (
        line.zone, line.display, quantity.name.lower(), quantity.unit,
        line.limit, line.worst, line.margin, line.holds,
    )  # fmt: skip
    return dict(zip(PROOF_KEYS, values, strict=True))
