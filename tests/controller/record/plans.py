"""One plan in which no two figures are equal, so that none can stand in the place of another."""

from dataclasses import replace
from typing import Final

from controller.planning.fingerprint import Fingerprint
from controller.planning.plan import Plan
from controller.planning.program import Program
from controller.planning.proof import Line
from controller.planning.unit import Reuse
from controller.record.planner import Proved
from controller.record.tips import FittedTip
from controller.safety.effect import Stratum
from controller.safety.exposure import ZoneUse
from controller.safety.limits import Limit, Quantity, Receipt, Source
from controller.safety.timeline import Moment
from tests.controller.treatment.couch import MODEL, stage

BOUND: Final = Limit(Source.TIP, Quantity.SUCTION_KPA, 27.5)
LOWERED: Final = Receipt(
    Quantity.SUCTION_KPA, 30.0, 27.5, BOUND, -2.5,
    (Limit(Source.DEVICE, Quantity.SUCTION_KPA, 50.0), BOUND),
)  # fmt: skip
RECEIPT: Final = {
    "quantity": "suction_kpa",
    "unit": "kPa",
    "requested": 30.0,
    "allowed": 27.5,
    "limited": True,
    "refused": False,
    "binding": "tip",
    "margin": -2.5,
    "chain": [{"source": "device", "value": 50.0}, {"source": "tip", "value": 27.5}],
    "sentence": LOWERED.sentence(),
}
"""The receipt as everybody shows it."""

NOSE: Final = stage(
    "nose", display="The nose", suction_kpa=27.5, flow_g_per_min=6.5, contact_budget_s=11.0,
    cap_um=3.25, suction_max_kpa_s=101.0, area_cm2=21.0, expected_nominal_um=0.5,
    expected_bound_um=2.25, expected_suction_kpa_s=9.5, expected_contact_s=10.5,
    ends_by="exposure", receipts=(LOWERED,),
    used=ZoneUse(0.125, 0.25, 2.0, 0.375, 50.0),
    stratum=Stratum(10.0, 16.0, 8.0),
    proof=(Line("nose", "The nose", Quantity.DEPTH_UM, 3.25, 3.0),),
)  # fmt: skip
CHIN: Final = stage("chin", suction_kpa=20.0, flow_g_per_min=8.0, expected_contact_s=12.0)
PROGRAM: Final = Program("refresh", "Refresh", 3, "ab" * 32, (), 14.0)
PLAN: Final = Plan(
    program=PROGRAM, client_ref="c-0042", unit_serial=4711, simulated=True, tip=2,
    stages=(NOSE, CHIN), notes=("Wipe it dry.",), model=MODEL, motion_sensor=False,
)  # fmt: skip
PARTS: Final = (("wish", "01" * 32), ("program", "23" * 32))
MARK: Final = Fingerprint(1_900_000_000.25, PARTS)
PROVED: Final = Proved(
    PLAN, MARK, Moment("boot", 77.5, 1_900_000_000.25), practice=True, resumes=5,
    tip=FittedTip("A-1", Reuse.STERILISE),
)  # fmt: skip


def without_tip() -> Proved:
    """Return the same plan where tips are not told apart."""
    return replace(PROVED, tip=None, practice=False, resumes=None)
