"""Effect while nothing is commanded: found after its grace, gone after the calm, not sooner."""

import math

import pytest

from controller.safety.alarm_texts import SUCTION_WHILE_OFF, VALVE_STUCK_OPEN
from controller.safety.interlocks import VENT_GRACE_S
from controller.safety.off_watch import CALM_S, EFFECT_CODES, OffWatch
from controller.safety.reading import Reading
from firmware_protocol.vocabulary import Input, Mode, Permit
from tests.controller.safety.test_interlocks import FRAME_S, HEALTHY, OFF

SUCKING = OFF._replace(suction_kpa=9.0, suction_b_kpa=9.0)
LEAKING = OFF._replace(flow_g_per_min=1.4)
AJAR = OFF._replace(valve_percent=5.1)


class Idle:
    """An idle unit that is looked at, frame by frame."""

    def __init__(self) -> None:
        self.watch = OffWatch()
        self.now_s = 100.0

    def codes(self, reading: Reading, for_s: float = FRAME_S) -> list[str]:
        """Show ``reading`` for so long and return what stands at the end of it."""
        end_s, found = self.now_s + for_s, []
        while self.now_s < end_s - FRAME_S / 2:
            self.now_s += FRAME_S
            shown = reading._replace(at_s=self.now_s)
            found = sorted(alarm.code for alarm in self.watch.look(shown, self.now_s))
        return found


@pytest.mark.hazard("H48", "H05")
@pytest.mark.parametrize(
    ("reading", "grace_s", "code"),
    [
        (SUCKING, VENT_GRACE_S, "V06"),
        (SUCKING._replace(suction_kpa=0.1), VENT_GRACE_S, "V06"),
        (SUCKING._replace(suction_b_kpa=math.nan), VENT_GRACE_S, "V06"),
        (SUCKING._replace(suction_kpa=None, suction_b_kpa=None), VENT_GRACE_S, "V06"),
        (SUCKING._replace(mode=Mode.SAFE), VENT_GRACE_S, "V06"),
        (SUCKING._replace(mode=Mode.BOOT), VENT_GRACE_S, "V06"),
        (LEAKING, 0.3, "F06"),
        (AJAR, 0.3, "F06"),
        (AJAR._replace(valve_percent=math.nan), 0.3, "F06"),
    ],
)
def test_an_effect_that_nobody_commands_is_found_after_its_grace_and_not_before(
    reading: Reading, grace_s: float, code: str
) -> None:
    idle = Idle()
    assert idle.codes(OFF, 1.0) == []
    assert idle.codes(reading, grace_s) == []
    assert idle.codes(reading, 2 * FRAME_S) == [code]
    assert idle.codes(reading, 60.0) == [code]


@pytest.mark.hazard("H05")
def test_a_valve_that_the_unit_itself_commands_open_is_no_excuse_where_the_host_asks_nothing() -> (
    None
):
    flowing = HEALTHY._replace(inputs=HEALTHY.inputs | Input.VALVE_COMMANDED, permits=Permit.ALL)
    assert Idle().codes(flowing, 0.5) == ["F06"]


def test_both_effects_stand_beside_each_other() -> None:
    assert Idle().codes(LEAKING._replace(suction_kpa=9.0), 3.0) == ["F06", "V06"]
    assert {"F06", "V06"} == EFFECT_CODES
    assert {SUCTION_WHILE_OFF.code, VALVE_STUCK_OPEN.code} == EFFECT_CODES


@pytest.mark.parametrize(
    "reading",
    [
        OFF,
        OFF._replace(inputs=OFF.inputs | Input.CONTACT),
        OFF._replace(suction_kpa=6.0, suction_b_kpa=6.0, flow_g_per_min=0.5, valve_percent=5.0),
        OFF._replace(suction_b_kpa=None, flow_g_per_min=None),
        SUCKING._replace(mode=Mode.STOPPING, inputs=Input.SWITCH_REST | Input.PUMP_COMMANDED),
    ],
    ids=["off", "pressed on skin", "at every border", "sensors missing", "purging"],
)
def test_what_is_ordinary_raises_nothing(reading: Reading) -> None:
    assert Idle().codes(reading, 30.0) == []


def test_residual_suction_that_goes_within_the_grace_raises_nothing() -> None:
    idle = Idle()
    for _ in range(10):
        assert idle.codes(SUCKING, VENT_GRACE_S - FRAME_S) == []
        assert idle.codes(OFF) == []


def test_it_goes_once_nothing_was_found_for_the_calm_and_comes_again_after_a_grace() -> None:
    idle = Idle()
    assert idle.codes(LEAKING, 1.0) == ["F06"]
    assert idle.codes(OFF, CALM_S - FRAME_S) == ["F06"]
    assert idle.codes(OFF, 2 * FRAME_S) == []
    assert idle.codes(LEAKING, 0.3) == []
    assert idle.codes(LEAKING, 2 * FRAME_S) == ["F06"]


def test_a_reading_at_the_border_does_not_let_the_alarm_come_and_go() -> None:
    idle = Idle()
    idle.codes(LEAKING, 1.0)
    for _ in range(100):
        assert idle.codes(OFF) == ["F06"]
        assert idle.codes(LEAKING, 0.4) == ["F06"]


@pytest.mark.hazard("H48")
def test_the_grace_counts_from_the_vent_of_the_orderly_end() -> None:
    idle = Idle()
    venting = SUCKING._replace(mode=Mode.STOPPING)
    purging = venting._replace(inputs=Input.SWITCH_REST | Input.PUMP_COMMANDED)
    for reading, for_s in ((purging, 2.0), (venting, 2.0)):
        for _ in range(round(for_s / FRAME_S)):
            idle.now_s += FRAME_S
            idle.watch.pass_by(reading._replace(at_s=idle.now_s), idle.now_s)
    assert idle.codes(SUCKING, VENT_GRACE_S - 2.0) == []
    assert idle.codes(SUCKING, 2 * FRAME_S) == ["V06"]


def test_a_treatment_that_flows_leaves_nothing_behind() -> None:
    idle = Idle()
    for _ in range(500):
        idle.now_s += FRAME_S
        idle.watch.pass_by(HEALTHY._replace(at_s=idle.now_s), idle.now_s)
    assert idle.codes(OFF, 1.0) == []
