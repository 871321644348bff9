"""What one zone of a plan asks of handpiece, hand and controller, as plain numbers.

They come out of the controller's own planning: a campaign runs the presets, tables and limits that
ship, not copies of them.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from controller.planning.plan import Plan, PlannedStage

SPEED_USUAL_MM_PER_S: Final = 30.0


@unique
class Arm(Enum):
    """Who ends the crystals in a zone."""

    INTERLOCKED = "interlocked"
    """The controller as it ships: ledger, dwell, seal and time."""
    TIME_LIMIT = "time limit"
    """A fixed time of contact for the zone, and nothing else."""
    NONE = "no interlocks"
    """The hand alone, when it has been over the zone as often as the program says."""


@dataclass(frozen=True, slots=True)
class ZoneSetting:
    """One zone of a plan."""

    zone: str
    area_cm2: float
    passes: int
    suction_kpa: float
    flow_g_per_min: float
    contact_budget_s: float
    expected_contact_s: float
    """What the plan says will be done: its budget, or less where the cap ends it."""
    cap_um: float
    """What the bound may reach before the ledger ends the zone: the cap less its reserve."""
    moving_um_per_s: float
    """What the ledger charges a moving tip, at the bound."""
    still_um_per_s: float
    """What the ledger charges a tip that does not move, at the bound; without a motion sensor, one
    that it believes to move."""
    suction_dose_max_kpa_s: float
    """What the suction dose of one place may be."""
    speed_mm_per_s: float
    """What the program asks of the hand."""
    motion_sensor: bool


def settings_of(plan: Plan) -> tuple[ZoneSetting, ...]:
    """Return the settings of every zone of a plan, in its order."""
    return tuple(_setting(plan, stage) for stage in plan.stages)


def _setting(plan: Plan, stage: PlannedStage) -> ZoneSetting:
    model, flow, suction = plan.model, stage.flow_g_per_min, stage.suction_kpa
    program, ledger = plan.program.stage(stage.zone), plan.ledger(stage)
    usual, worst = (
        model.spread_rate_um_per_s(flow, suction, stage.area_cm2, motion).bound_um_per_s
        for motion in (ledger.motion_usual, ledger.motion_worst)
    )
    ends_um = ledger.lasts_by_depth_s(flow, suction) * usual
    return ZoneSetting(
        zone=stage.zone,
        area_cm2=stage.area_cm2,
        passes=1 if program is None else program.passes,
        suction_kpa=suction,
        flow_g_per_min=flow,
        contact_budget_s=stage.contact_budget_s,
        expected_contact_s=stage.expected_contact_s,
        cap_um=ends_um,
        moving_um_per_s=usual,
        still_um_per_s=worst,
        suction_dose_max_kpa_s=stage.suction_max_kpa_s,
        speed_mm_per_s=SPEED_USUAL_MM_PER_S if program is None else program.speed_mm_per_s,
        motion_sensor=plan.motion_sensor,
    )
