"""The worst case of one stage, in interval arithmetic, against each of its limits.

Independent of the ledger's own sums: the ledger counts what the readings say and adds what they may
be off by; here the true flow and suction are intervals, and the ledger's stop is a latency. What a
handpiece does beside its limits (a sensor that lies, a valve that stays open) is not of the plan:
interlocks of both ends answer it.
"""

import math
from typing import Final

from controller.planning.case import Case
from controller.planning.chains import model_for
from controller.planning.plan import PlannedStage, ledger_of
from controller.planning.proof import Line
from controller.safety.exposure import OVERSHOOT_S, ZoneLedger
from controller.safety.interval import Interval
from controller.safety.limits import Quantity
from controller.safety.removal import FLOW_WORST_G_PER_MIN, SUCTION_WORST_KPA, Motion
from firmware_protocol.envelope import (
    BUDGET_FLOW_S,
    BUDGET_SWITCH_S,
    DWELL_TRIP_S,
    SEAL_UNBROKEN_MAX_S,
)

CONTACT_OVER_MAX_S: Final = 0.5
"""How far the contact time may pass its budget while a stop is on its way: a fifth of a stroke."""
SENSORS: Final = 2.0
"""The regulator may be off by the uncertainty, and the sensor that trips by as much again."""


def prove_stage(case: Case, stage: PlannedStage) -> tuple[Line, ...]:
    """Return the worst case of every limit of a stage, whether it holds or not."""
    unit = case.unit
    ledger = ledger_of(stage, model_for(case), motion_sensor=unit.motion_sensor)
    flow = Interval.around(stage.flow_g_per_min, percent=unit.flow_uncertainty_percent)
    suction = Interval.around(stage.suction_kpa, plus_minus=unit.suction_uncertainty_kpa)
    contact_s = stage.expected_contact_s - stage.used.contact_s
    tip = ledger.model.bound_interval_um_per_s(flow, suction)
    read_twice = Interval.around(
        stage.suction_kpa, plus_minus=SENSORS * unit.suction_uncertainty_kpa
    )
    worst = (
        (Quantity.DEPTH_UM, ledger.cap_um, ledger.bound_um + _given(ledger, tip, contact_s)),
        (
            Quantity.SUCTION_KPA_S,
            ledger.suction_max_kpa_s,
            ledger.suction_kpa_s + _given(ledger, suction, contact_s),
        ),
        (Quantity.SUCTION_KPA, SUCTION_WORST_KPA, read_twice.high),
        (Quantity.FLOW_G_PER_MIN, FLOW_WORST_G_PER_MIN, flow.high),
        (
            Quantity.CONTACT_S,
            stage.contact_budget_s + CONTACT_OVER_MAX_S,
            stage.expected_contact_s + OVERSHOOT_S,
        ),
        (Quantity.DWELL_S, _dwell_max_s(ledger), _dwell_worst_s(ledger, tip)),
    )
    return tuple(
        Line(stage.zone, stage.display, quantity, limit, most) for quantity, limit, most in worst
    )


def _given(ledger: ZoneLedger, per_s: Interval, contact_s: float) -> float:
    """The most that the worst place of a zone can get: a working hand, then a tip that stops.

    The ledger ends the zone after ``contact_s`` at the latest; until the valve is shut the tip may
    stand still where it is, on a unit that would have seen that, else be as uneven as ever.
    """
    usual = Interval.exactly(ledger.model.place_share(ledger.area_cm2, ledger.motion_usual))
    last = Interval.exactly(ledger.model.place_share(ledger.area_cm2, ledger.motion_worst))
    while_treated = per_s.times(usual).times(Interval.exactly(contact_s))
    while_it_shuts = per_s.times(last).times(Interval.exactly(OVERSHOOT_S))
    return while_treated.plus(while_it_shuts).high


def _dwell_max_s(ledger: ZoneLedger) -> float:
    """What the register of hazards allows a tip that stands still (H02)."""
    guard_s = DWELL_TRIP_S if ledger.motion_sensor else SEAL_UNBROKEN_MAX_S
    return guard_s + BUDGET_FLOW_S


def _dwell_worst_s(ledger: ZoneLedger, tip: Interval) -> float:
    """How long crystals can fall on one spot of skin: until a guard trips, or the ledger ends it.

    Without a motion sensor the ledger does not see it, and the seal is the only guard.
    """
    if not ledger.motion_sensor:
        return SEAL_UNBROKEN_MAX_S + BUDGET_SWITCH_S
    still = ledger.model.place_share(ledger.area_cm2, Motion.STILL)
    slowest = tip.low * still
    spent_s = ledger.left_um / slowest if slowest > 0.0 else math.inf
    return min(DWELL_TRIP_S + BUDGET_SWITCH_S, spent_s)
