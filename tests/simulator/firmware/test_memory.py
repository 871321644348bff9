import pytest

from simulator.firmware.memory import BOOTS_UNKNOWN, STORM_BOOTS_MAX, Memory


@pytest.mark.hazard("H46")
def test_more_than_three_boots_without_peace_are_a_storm() -> None:
    memory = Memory()
    for number in range(1, 10):
        memory.booted()
        assert memory.boots == number
        assert memory.storming is (number > STORM_BOOTS_MAX)
    memory.settled()
    assert memory.boots == 0
    assert not memory.storming
    memory.settled()
    assert memory.boots == 0


def test_the_count_ends_at_its_top_and_never_wraps() -> None:
    memory = Memory()
    for _ in range(BOOTS_UNKNOWN + 5):
        memory.booted()
    assert memory.boots == BOOTS_UNKNOWN
    assert memory.storming


@pytest.mark.hazard("H34")
def test_one_copy_that_is_spoilt_is_not_believed_and_is_written_anew() -> None:
    memory = Memory()
    memory.booted()
    memory.booted()
    memory.spoil(1)
    assert memory.boots == 2
    memory.booted()
    assert memory.boots == 3
    assert len(set(memory._copies)) == 1


@pytest.mark.hazard("H34")
def test_where_no_copy_can_be_read_the_worst_is_assumed() -> None:
    memory = Memory()
    memory.spoil(2)
    assert memory.boots == BOOTS_UNKNOWN
    memory.booted()
    assert memory.storming
    memory.settled()
    assert not memory.storming
