from typing import Any

import pytest

from firmware_protocol.vocabulary import Defect
from simulator.firmware.selftest import SelfTest, at_power_on
from simulator.plant.signals import Sensors
from tests.simulator.firmware.samples import at_rest

STEP_MS = 5
NOISE = 1e-4


def noisy(now_ms: int, still: str = "", **changes: Any) -> Sensors:  # noqa: ANN401
    """Return a sample whose readings differ from those of the sample before, but for one."""
    sample = at_rest(**changes)
    up = now_ms // STEP_MS % 2 * NOISE
    for name in {"suction_a_kpa", "suction_b_kpa", "flow_g_per_min"} - {still}:
        reading = getattr(sample, name)
        setattr(sample, name, None if reading is None else reading + up)
    return sample


def outcome(*, released: bool = True, **changes: Any) -> tuple[Defect, int]:  # noqa: ANN401
    """Return what is found over samples with a little noise, and after how many milliseconds."""
    test = SelfTest()
    for after_ms in range(STEP_MS, 10_000, STEP_MS):
        sample = noisy(after_ms, **changes)
        found = test.sample(STEP_MS, sample, released=released)
        if found is not None:
            return found, after_ms
    raise AssertionError("no end within 10 s")


def test_a_healthy_unit_passes_in_less_than_a_second() -> None:
    assert outcome() == (Defect.NONE, 400)


@pytest.mark.hazard("H07")
@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"suction_a_kpa": 0.31}, Defect.ZERO_A | Defect.SENSORS_DISAGREE),
        ({"suction_b_kpa": 0.31}, Defect.ZERO_B),
        ({"suction_b_kpa": float("nan")}, Defect.ZERO_B | Defect.SENSORS_DISAGREE),
        ({"valve_percent": 1.5}, Defect.VALVE_OPEN),
        ({"flow_g_per_min": 0.6}, Defect.FLOW),
        ({"hopper_g": 0.2}, Defect.HOPPER_EMPTY),
        ({"waste_percent": 96.0}, Defect.WASTE_FULL),
        ({"filter_kpa": 7.0}, Defect.FILTER_LOADED),
        ({"pump_deg_c": 80.0}, Defect.PUMP_HOT),
        ({"supply_v": 19.0}, Defect.SUPPLY_LOW),
    ],
)
def test_each_thing_that_is_not_at_rest_fails_by_name(
    changes: dict[str, Any], found: Defect
) -> None:
    assert outcome(**changes)[0] == found


@pytest.mark.hazard("H08")
@pytest.mark.parametrize("still", ["suction_a_kpa", "suction_b_kpa", "flow_g_per_min"])
def test_a_sensor_without_noise_fails(still: str) -> None:
    assert outcome(still=still)[0] == Defect.SENSOR_FROZEN


@pytest.mark.parametrize("lost", ["suction_a_kpa", "suction_b_kpa", "flow_g_per_min"])
def test_a_lost_sensor_fails_at_once(lost: str) -> None:
    changes: dict[str, Any] = {lost: None}
    assert outcome(**changes) == (Defect.SENSOR_LOST, STEP_MS)


@pytest.mark.hazard("H36")
def test_a_pressed_hand_switch_fails_at_once() -> None:
    assert outcome(released=False)[0] == Defect.SWITCH_PRESSED


def test_a_line_that_does_not_vent_fails_after_two_seconds() -> None:
    found = outcome(suction_a_kpa=20.0, suction_b_kpa=20.0)
    assert found == (Defect.NOT_VENTED, 2005)


def test_it_waits_for_the_line_to_vent() -> None:
    test = SelfTest()
    assert test.sample(STEP_MS, at_rest(suction_a_kpa=9.0), released=True) is None
    found = [test.sample(STEP_MS, noisy(n * STEP_MS), released=True) for n in range(80)]
    assert found == [None] * 79 + [Defect.NONE]


# -- at power-on -----------------------------------------------------------------------------------
@pytest.mark.hazard("H36", "H05", "H09")
@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, Defect.NONE),
        ({"suction_a_kpa": 20.0, "suction_b_kpa": 20.0}, Defect.NONE),  # the line still vents
        ({"suction_b_kpa": None}, Defect.SENSOR_LOST),
        ({"flow_g_per_min": None}, Defect.SENSOR_LOST),
        ({"valve_percent": 1.5}, Defect.VALVE_OPEN),
        ({"flow_g_per_min": 0.6}, Defect.FLOW),
        ({"waste_percent": 96.0, "supply_v": float("nan")}, Defect.WASTE_FULL | Defect.SUPPLY_LOW),
    ],
)
def test_at_power_on_what_one_sample_shows_is_found(changes: dict[str, Any], found: Defect) -> None:
    assert at_power_on(at_rest(**changes), released=True) == found


def test_at_power_on_a_switch_that_is_not_released_is_found() -> None:
    assert at_power_on(at_rest(), released=False) == Defect.SWITCH_PRESSED
