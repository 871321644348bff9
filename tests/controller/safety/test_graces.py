"""How long each host interlock may tolerate its fault, in numbers written a second time.

The table of the interlocks is judged elsewhere by its own graces; a grace that was made longer
there would go unnoticed. Here stands what each may be at most, from the budgets of the register:
a fault that hurts in a quarter of a second is not watched for longer than it takes to be sure.
"""

import pytest

from controller.safety.interlocks import RULES, Interlock, Rule

AT_MOST_S = {
    Interlock.OVER_SUCTION: 0.0,
    Interlock.UNIT_CHANGED: 0.0,
    Interlock.SUCTION_JUMP: 0.0,
    Interlock.SENSOR_MISSING: 0.060,
    Interlock.FLOW_WITHOUT_CONTACT: 0.200,
    Interlock.OVER_FLOW: 0.300,
    Interlock.FLOW_WHILE_SHUT: 0.300,
    Interlock.STOP_WITHOUT_EFFECT: 0.400,
    Interlock.MODE_DISAGREES: 0.300,
    Interlock.SETPOINT_NOT_TAKEN: 0.300,
    Interlock.SENSORS_DISAGREE: 0.500,
    Interlock.SENSOR_FROZEN: 1.0,
    Interlock.FLOW_FROZEN: 1.0,
    Interlock.NO_FLOW: 1.5,
    Interlock.SENSORS_DRIFT: 2.0,
    Interlock.DWELL: 2.25,
    Interlock.SUCTION_WHILE_OFF: 2.5,
    Interlock.SUCTION_OVER_SET: 4.0,
    Interlock.SEAL_TOO_LONG: 8.25,
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.interlock.name)
def test_no_interlock_tolerates_its_fault_for_longer_than_is_written_here(rule: Rule) -> None:
    assert rule.grace_s <= AT_MOST_S[rule.interlock]
