"""What a reading says of itself; the unknown is never taken for the good."""

import pytest

from controller.safety.reading import Identity, Reading
from firmware_protocol.vocabulary import Capability, Input, Mode


def reading(mode: Mode = Mode.DISARMED) -> Reading:
    return Reading(at_s=1.0, tick_ms=5, mode=mode)


def test_a_reading_that_says_nothing_permits_nothing() -> None:
    bare = reading()
    assert (bare.suction_kpa, bare.flow_g_per_min, bare.supplies) == (None, None, None)
    assert not bare.valve_shut
    assert not bare.outputs_off
    assert not bare.contact
    assert not bare.switch_pressed
    assert not bare.switch_released


@pytest.mark.parametrize("mode", Mode)
def test_outputs_are_off_only_in_resting_modes_with_a_shut_valve(mode: Mode) -> None:
    rests = mode in {Mode.BOOT, Mode.DISARMED, Mode.SAFE}
    assert reading(mode)._replace(valve_percent=0.0).outputs_off is rests
    assert not reading(mode)._replace(valve_percent=2.0).outputs_off
    assert not reading(mode)._replace(valve_percent=float("nan")).outputs_off
    assert reading(mode).treating is (mode in {Mode.ARMED, Mode.ACTIVE, Mode.PAUSED})


@pytest.mark.hazard("H36")
@pytest.mark.parametrize(
    ("inputs", "pressed", "released"),
    [
        (Input.NONE, False, False),
        (Input.SWITCH_CLOSED, True, False),
        (Input.SWITCH_REST | Input.VENT_OPEN, False, True),
        (Input.SWITCH_CLOSED | Input.SWITCH_REST, False, False),
    ],
)
def test_contacts_that_disagree_are_neither_pressed_nor_released(
    inputs: Input,
    pressed: bool,  # noqa: FBT001 - a row of the table
    released: bool,  # noqa: FBT001 - a row of the table
) -> None:
    both = reading()._replace(inputs=inputs)
    assert (both.switch_pressed, both.switch_released) == (pressed, released)


def test_contact_and_age_are_told() -> None:
    assert reading()._replace(inputs=Input.CONTACT).contact
    assert reading().age_s(1.25) == 0.25


def test_an_identity_tells_what_the_unit_has() -> None:
    both = Identity(1, 2, "1.0", Capability.SIMULATED | Capability.MOTION_SENSOR)
    assert (both.simulated, both.motion_sensor) == (True, True)
    neither = both._replace(capabilities=Capability.NONE)
    assert (neither.simulated, neither.motion_sensor) == (False, False)
