"""The guards at their borders, and what they are told before the first sample: nothing."""

import math

import pytest

from simulator.firmware.contact import Dwell, HandSwitch
from simulator.firmware.guards import Scene, flow_excess, hopper_empty, no_flow, no_suction
from tests.simulator.firmware.samples import at_rest


def scene(**changed: float) -> Scene:
    """A scene with an open valve, a running pump and 10 g/min set, on one sample."""
    made = Scene(at_rest(contact=True, **changed), HandSwitch(), Dwell())
    made.opened = made.pumping = True
    made.set_flow_g_per_min = 10.0
    made.suction_min_kpa = 8.0
    return made


def test_a_scene_begins_with_nothing_commanded_granted_or_left() -> None:
    new = Scene(at_rest(), HandSwitch(), Dwell())
    assert [new.lease, new.opened, new.pumping, new.asked] == [False] * 4
    assert all(type(flag) is bool for flag in (new.lease, new.opened, new.pumping, new.asked))
    zeros = (new.set_flow_g_per_min, new.suction_min_kpa, new.left_mg, new.tip, new.unchanged_ms)
    assert [*zeros, new.flow_unchanged_ms] == [0] * 6


@pytest.mark.hazard("H01")
def test_a_flow_is_in_excess_above_its_limit_and_not_at_it() -> None:
    assert not flow_excess(scene(flow_g_per_min=14.0))
    assert flow_excess(scene(flow_g_per_min=math.nextafter(14.0, 99.0)))


@pytest.mark.hazard("H06", "H30")
def test_a_fifth_of_what_was_set_is_no_flow_and_half_a_gram_is_an_empty_hopper() -> None:
    assert no_flow(scene(flow_g_per_min=2.0))
    assert not no_flow(scene(flow_g_per_min=math.nextafter(2.0, 99.0)))
    assert hopper_empty(scene(flow_g_per_min=2.0, hopper_g=0.5))
    assert not hopper_empty(scene(flow_g_per_min=2.0, hopper_g=math.nextafter(0.5, 99.0)))


@pytest.mark.hazard("H06", "H30")
@pytest.mark.parametrize(
    ("set_g_per_min", "most"), [(2.5, 0.5), (1.1, 0.5), (1.0, 0.5), (0.6, 0.3)]
)
def test_of_a_small_setpoint_noise_is_no_flow_up_to_half_of_it(
    set_g_per_min: float, most: float
) -> None:
    at, beyond = scene(flow_g_per_min=most), scene(flow_g_per_min=math.nextafter(most, 99.0))
    at.set_flow_g_per_min = beyond.set_flow_g_per_min = set_g_per_min
    assert no_flow(at)
    assert not no_flow(beyond)


@pytest.mark.hazard("H04")
def test_the_suction_that_permits_flow_has_to_be_more_than_the_least() -> None:
    assert no_suction(scene(suction_a_kpa=8.0))
    assert not no_suction(scene(suction_a_kpa=math.nextafter(8.0, 99.0)))
