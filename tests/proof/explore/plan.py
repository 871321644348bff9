"""The treatment that the explorations of the host go through: two zones, the softest settings."""

from typing import Final

from controller.planning.plan import Plan, PlannedStage
from controller.planning.program import Program
from controller.safety.removal import Moisture, RemovalModel

SUCTION_KPA: Final = 9.0
FLOW_G_PER_MIN: Final = 1.0
BUDGET_S: Final = 10.0
TIP: Final = 1
SERIAL: Final = 1001

_MODEL: Final = RemovalModel(
    rate_ref_um_per_s=0.75, suction_ref_kpa=30.0, flow_ref_g_per_min=10.0, suction_exponent=0.7,
    flow_exponent=1.0, choke_kpa=48.0, crystal_ref_um=100.0, crystal_max_um=150.0,
    size_exponent=0.5, moist_factor=2.0, error_ln_sd=0.9, coverage_factor=1.5,
    coverage_factor_blind=3.0, window_ref_mm=6.0, crystal_um=100.0, moisture=Moisture.DRY,
)  # fmt: skip


def _stage(zone: str) -> PlannedStage:
    return PlannedStage(
        zone=zone, display=zone.title(), suction_kpa=SUCTION_KPA, flow_g_per_min=FLOW_G_PER_MIN,
        contact_budget_s=BUDGET_S, cap_um=3.0, suction_max_kpa_s=100.0,
        area_cm2=20.0, expected_nominal_um=0.3, expected_bound_um=2.0, expected_suction_kpa_s=9.0,
        expected_contact_s=BUDGET_S, ends_by="time", receipts=(),
    )  # fmt: skip


def plan() -> Plan:
    """Return the plan."""
    program = Program("explored", "Explored", 1, "0" * 64, (), 14.0)
    stages = (_stage("nose"), _stage("chin"))
    return Plan(
        program=program, client_ref="demo", unit_serial=SERIAL, simulated=True, tip=TIP,
        stages=stages, notes=(), model=_MODEL, motion_sensor=True,
    )  # fmt: skip
