import pytest

from simulator.firmware.contact import HandSwitch

STEP_MS = 5


def sampled(switch: HandSwitch, *contacts: tuple[bool, bool]) -> list[str]:
    """Give samples of (closed, rest) and return the edges."""
    edges = []
    for closed, rest in contacts:
        switch.sample(STEP_MS, closed=closed, rest=rest)
        if switch.newly_pressed:
            edges.append("pressed")
        if switch.newly_released:
            edges.append("released")
    return edges


PRESSED, RELEASED, TRAVEL, BOTH = (True, False), (False, True), (False, False), (True, True)


def test_a_press_counts_after_it_stood_for_20_ms() -> None:
    switch = HandSwitch()
    assert sampled(switch, RELEASED, TRAVEL, *[PRESSED] * 3) == []
    assert sampled(switch, PRESSED) == ["pressed"]
    assert sampled(switch, *[PRESSED] * 5) == []


def test_a_release_counts_at_once_and_its_bouncing_is_no_new_press() -> None:
    switch = HandSwitch()
    sampled(switch, *[PRESSED] * 4)
    assert sampled(switch, TRAVEL) == ["released"]
    assert sampled(switch, PRESSED, TRAVEL, PRESSED, PRESSED, RELEASED) == []
    assert switch.released


@pytest.mark.hazard("H36")
@pytest.mark.parametrize("stuck", [TRAVEL, BOTH])
def test_contacts_that_say_the_same_are_neither_pressed_nor_released(
    stuck: tuple[bool, bool],
) -> None:
    switch = HandSwitch()
    assert sampled(switch, *[stuck] * 11) == []
    assert not switch.pressed
    assert not switch.released
    assert switch.disagree_ms == 55
    sampled(switch, RELEASED)
    assert switch.disagree_ms == 0


@pytest.mark.hazard("H36")
def test_the_time_without_release_counts_also_through_bouncing() -> None:
    switch = HandSwitch()
    sampled(switch, *[PRESSED] * 10, TRAVEL, *[PRESSED] * 9)
    assert switch.held_ms == 100
    sampled(switch, RELEASED)
    assert switch.held_ms == 0
