"""Each check of the host's interlocks at its border: the limit holds, a hair more does not."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from controller.safety.interlocks import RULES, Belief, Interlock, Sight, Watch
from controller.safety.reading import Reading
from firmware_protocol.vocabulary import Input, Mode, Permit

OPEN = Input.SWITCH_CLOSED | Input.CONTACT | Input.VALVE_COMMANDED | Input.PUMP_COMMANDED
BELIEF = Belief(
    treating=True, stopped=False, modes=frozenset({Mode.ACTIVE}), set_suction_kpa=20.0,
    set_flow_g_per_min=6.0, flow_wished=True, motion_sensor=False, boot_id=5,
)  # fmt: skip
READING = Reading(
    at_s=1.0, tick_ms=1000, mode=Mode.ACTIVE, permits=Permit.ALL, inputs=OPEN, valve_percent=45.0,
    suction_kpa=20.0, suction_b_kpa=20.1, flow_g_per_min=6.0, set_suction_kpa=20.0,
    set_flow_g_per_min=6.0, boot_id=5,
)  # fmt: skip
SHUT = READING._replace(inputs=OPEN & ~Input.VALVE_COMMANDED, valve_percent=0.0, flow_g_per_min=0.1)
LIFTED = SHUT._replace(inputs=Input.SWITCH_CLOSED | Input.PUMP_COMMANDED)
OFF = SHUT._replace(mode=Mode.DISARMED, inputs=Input.SWITCH_REST, suction_kpa=0.1,
                    suction_b_kpa=0.1)  # fmt: skip
STOPPED = BELIEF._replace(treating=False, stopped=True)


class Border(NamedTuple):
    """One number of a reading that may just be this large (or small)."""

    interlock: Interlock
    reading: Reading
    field: str
    limit: float
    belief: Belief = BELIEF
    least: bool = False
    """The limit is the least that holds, not the most."""


BORDERS = (
    Border(Interlock.OVER_SUCTION, READING, "suction_kpa", 55.0),
    Border(Interlock.OVER_SUCTION, READING, "suction_b_kpa", 55.0),
    Border(Interlock.SUCTION_WHILE_OFF, OFF, "suction_kpa", 6.0),
    Border(Interlock.SUCTION_WHILE_OFF, OFF, "suction_b_kpa", 6.0),
    Border(Interlock.SUCTION_WHILE_OFF, OFF._replace(suction_b_kpa=None), "suction_kpa", 6.0),
    Border(Interlock.OVER_FLOW, READING, "flow_g_per_min", 9.5),
    Border(Interlock.FLOW_WHILE_SHUT, SHUT, "flow_g_per_min", 0.5),
    Border(Interlock.FLOW_WHILE_SHUT, SHUT, "valve_percent", 5.0),
    Border(Interlock.FLOW_WHILE_SHUT, SHUT._replace(flow_g_per_min=None), "valve_percent", 5.0),
    Border(Interlock.FLOW_WITHOUT_CONTACT, LIFTED, "valve_percent", 5.0),
    Border(Interlock.STOP_WITHOUT_EFFECT, SHUT, "flow_g_per_min", 0.5, STOPPED),
    Border(Interlock.STOP_WITHOUT_EFFECT, SHUT, "valve_percent", 5.0, STOPPED),
    Border(Interlock.SUCTION_OVER_SET, READING, "suction_kpa", 28.0),
    Border(
        Interlock.SUCTION_OVER_SET, READING, "suction_kpa", 50.0,
        BELIEF._replace(set_suction_kpa=40.0),
    ),
    Border(Interlock.SENSORS_DISAGREE, READING._replace(suction_b_kpa=0.0), "suction_kpa", 2.0),
    Border(Interlock.SENSORS_DISAGREE, READING._replace(suction_kpa=0.0), "suction_b_kpa", 2.0),
    Border(Interlock.SETPOINT_NOT_TAKEN, READING, "set_suction_kpa", 20.01),
    Border(Interlock.SETPOINT_NOT_TAKEN, READING, "set_flow_g_per_min", 6.01),
    Border(
        Interlock.NO_FLOW, READING._replace(set_flow_g_per_min=5.0), "flow_g_per_min", 1.0,
        least=True,
    ),
    Border(
        Interlock.NO_FLOW, READING._replace(set_flow_g_per_min=1.1), "flow_g_per_min", 0.5,
        least=True,
    ),
    Border(
        Interlock.NO_FLOW, READING._replace(set_flow_g_per_min=0.6), "flow_g_per_min", 0.3,
        least=True,
    ),
)  # fmt: skip


def holds(
    interlock: Interlock,
    reading: Reading,
    belief: Belief,
    previous: Reading | None = None,
    apart_kpa: float = 0.0,
) -> bool:
    """Judge one reading by one row; without a reading before it, nothing has moved."""
    rule = next(rule for rule in RULES if rule.interlock is interlock)
    return rule.holds(Sight(reading, previous or reading, belief, apart_kpa))


def having(reading: Reading, field: str, value: float) -> Reading:
    """Return a reading with another value in the named field."""
    changed: dict[str, Any] = {field: value}
    return reading._replace(**changed)


@pytest.mark.parametrize("border", BORDERS, ids=lambda each: f"{each.interlock.name}-{each.field}")
def test_a_limit_holds_exactly_where_it_lies_and_not_beyond(border: Border) -> None:
    at, away = having(border.reading, border.field, border.limit), math.inf
    beyond = math.nextafter(border.limit, -away if border.least else away)
    assert holds(border.interlock, at, border.belief)
    assert not holds(border.interlock, having(at, border.field, beyond), border.belief)
    assert not holds(border.interlock, having(at, border.field, math.nan), border.belief)


def test_of_two_sensors_that_are_high_five_percent_of_the_higher_one_may_lie_between() -> None:
    near = READING._replace(suction_kpa=50.0, suction_b_kpa=47.5)
    assert holds(Interlock.SENSORS_DISAGREE, near, BELIEF)
    assert not holds(Interlock.SENSORS_DISAGREE, near._replace(suction_b_kpa=47.4), BELIEF)
    turned = READING._replace(suction_kpa=47.5, suction_b_kpa=50.0)
    assert holds(Interlock.SENSORS_DISAGREE, turned, BELIEF)


def test_air_may_move_45_kpa_between_two_frames_either_way_and_no_more() -> None:
    low, high = READING._replace(suction_kpa=2.0), READING._replace(suction_kpa=47.0)
    for now, before in ((low, high), (high, low)):
        assert holds(Interlock.SUCTION_JUMP, now, BELIEF, previous=before)
    more = READING._replace(suction_kpa=math.nextafter(47.0, 99.0))
    assert not holds(Interlock.SUCTION_JUMP, more, BELIEF, previous=low)
    assert not holds(Interlock.SUCTION_JUMP, low, BELIEF, previous=more)


def test_the_averaged_difference_of_the_sensors_may_be_one_kpa_either_way() -> None:
    for apart_kpa in (1.0, -1.0):
        assert holds(Interlock.SENSORS_DRIFT, READING, BELIEF, apart_kpa=apart_kpa)
        more = apart_kpa * 1.001
        assert not holds(Interlock.SENSORS_DRIFT, READING, BELIEF, apart_kpa=more)


def _shut_by() -> Iterator[Reading]:
    yield READING._replace(inputs=OPEN & ~Input.VALVE_COMMANDED)
    for permit in Permit.ALL:
        yield READING._replace(permits=Permit.ALL & ~permit)


@pytest.mark.parametrize("reading", list(_shut_by()))
def test_the_valve_is_commanded_open_only_with_its_command_and_every_permit(
    reading: Reading,
) -> None:
    assert holds(Interlock.FLOW_WHILE_SHUT, READING, BELIEF)
    assert not holds(Interlock.FLOW_WHILE_SHUT, reading, BELIEF)
    assert holds(Interlock.NO_FLOW, reading._replace(flow_g_per_min=0.0), BELIEF)


def test_a_sensor_has_to_move_only_above_the_suction_of_a_seal_and_with_the_pump_on() -> None:
    sealed = READING._replace(suction_kpa=10.1)
    assert not holds(Interlock.SENSOR_FROZEN, sealed, BELIEF)
    assert holds(Interlock.SENSOR_FROZEN, sealed._replace(suction_kpa=10.0), BELIEF)
    unpumped = sealed._replace(inputs=OPEN & ~Input.PUMP_COMMANDED)
    assert holds(Interlock.SENSOR_FROZEN, unpumped, BELIEF)
    moved = sealed._replace(suction_kpa=10.2, suction_b_kpa=20.2)
    assert holds(Interlock.SENSOR_FROZEN, sealed, BELIEF, previous=moved)
    for one in ("suction_kpa", "suction_b_kpa"):
        half = having(sealed, one, 30.0)
        assert not holds(Interlock.SENSOR_FROZEN, sealed, BELIEF, previous=half)


def test_a_flow_has_to_move_only_above_its_noise_and_with_an_open_valve() -> None:
    assert not holds(Interlock.FLOW_FROZEN, READING, BELIEF)
    assert holds(Interlock.FLOW_FROZEN, READING._replace(flow_g_per_min=0.5), BELIEF)
    assert not holds(Interlock.FLOW_FROZEN, READING._replace(flow_g_per_min=0.501), BELIEF)
    assert holds(Interlock.FLOW_FROZEN, READING._replace(valve_percent=1.0), BELIEF)
    assert not holds(Interlock.FLOW_FROZEN, READING._replace(valve_percent=1.001), BELIEF)
    before = READING._replace(flow_g_per_min=6.1)
    assert holds(Interlock.FLOW_FROZEN, READING, BELIEF, previous=before)


def test_the_difference_of_the_sensors_is_averaged_over_five_seconds_of_readings() -> None:
    watch = Watch()
    apart = READING._replace(at_s=10.0, suction_kpa=21.0, suction_b_kpa=20.0)
    watch.judge(apart, BELIEF, 10.0)
    assert watch.apart_kpa == 0.0  # no time has passed yet
    for at_s, averaged_kpa in ((11.0, 0.2), (11.0, 0.2), (10.5, 0.2), (11.5, 0.36)):
        watch.judge(apart._replace(at_s=at_s), BELIEF, at_s)
        assert watch.apart_kpa == pytest.approx(averaged_kpa)
    watch.judge(apart._replace(at_s=20.0), BELIEF, 20.0)
    assert watch.apart_kpa == pytest.approx(1.0)
    watch.judge(apart._replace(at_s=21.0, suction_kpa=None), BELIEF, 21.0)
    assert watch.apart_kpa == pytest.approx(1.0)


def test_a_seal_counts_only_with_contact_and_an_open_valve() -> None:
    assert not holds(Interlock.SEAL_TOO_LONG, READING, BELIEF)
    assert holds(Interlock.SEAL_TOO_LONG, READING._replace(valve_percent=1.0), BELIEF)
    assert holds(Interlock.SEAL_TOO_LONG, READING._replace(inputs=OPEN & ~Input.CONTACT), BELIEF)
