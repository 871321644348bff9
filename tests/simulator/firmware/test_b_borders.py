"""Channel B at its borders, and the head of the diagram of modes."""

import math

import pytest

from firmware_protocol.vocabulary import Cause
from simulator.firmware.channel_b import ChannelB
from simulator.firmware.modes import mermaid
from simulator.firmware.setpoints import Lease


def ticked(channel: ChannelB, dt_ms: int, suction_kpa: float | None, valve: float = 0.0) -> Cause:
    """One sample with the switch at rest and channel A untripped."""
    return channel.tick(dt_ms, suction_kpa, valve, switch_rest=True, a_tripped=False)


def ticked_power(channel: ChannelB) -> bool:
    """Whether it gives power after one more sample, at a suction that is no fault."""
    ticked(channel, 1, 20.0)
    return channel.power


def over(channel: ChannelB) -> None:
    """Latch an over-suction."""
    assert ticked(channel, 20, 56.0) is Cause.OVER_SUCTION


@pytest.mark.hazard("H03")
def test_it_resets_at_its_limits_and_not_beyond() -> None:
    channel = ChannelB()
    over(channel)
    beyond_kpa, beyond_percent = math.nextafter(55.0, 99.0), math.nextafter(5.0, 9.0)
    assert not channel.reset(beyond_kpa, 5.0)
    assert not channel.reset(55.0, beyond_percent)
    assert not channel.reset(None, 0.0)
    assert not channel.reset(math.nan, 0.0)
    assert not ticked_power(channel)
    assert channel.reset(55.0, 5.0)
    assert ticked_power(channel)


@pytest.mark.hazard("H03", "H05", "H08", "H09")
@pytest.mark.parametrize(
    ("suction_kpa", "valve_percent", "after_ms", "cause"),
    [
        (56.0, 0.0, 20, Cause.OVER_SUCTION),
        (math.nan, 0.0, 20, Cause.OVER_SUCTION),
        (20.0, 6.0, 101, Cause.VALVE_STUCK_OPEN),
        (None, 0.0, 10, Cause.SENSOR_INVALID),
    ],
)
@pytest.mark.parametrize("start", ["fresh", "healthy", "reset"])
def test_every_clock_starts_from_nothing(
    suction_kpa: float | None, valve_percent: float, after_ms: int, cause: Cause, start: str
) -> None:
    channel = ChannelB()
    if start == "healthy":
        assert ticked(channel, 1, 21.0) is Cause.NONE
    if start == "reset":
        over(channel)
        assert channel.reset(20.0, 0.0)
    found = [ticked(channel, 1, suction_kpa, valve_percent) for _ in range(after_ms)]
    assert found == [Cause.NONE] * (after_ms - 1) + [cause]


@pytest.mark.hazard("H05")
def test_a_valve_at_five_percent_is_shut_for_as_long_as_it_likes() -> None:
    channel = ChannelB()
    samples_kpa = [20.0 + n % 2 for n in range(300)]
    assert {ticked(channel, 1, kpa, 5.0) for kpa in samples_kpa} == {Cause.NONE}


@pytest.mark.hazard("H10", "H13")
def test_it_enables_to_the_last_millisecond_of_its_own_lease() -> None:
    channel = ChannelB()
    assert (channel.enable, channel.power) == (False, True)
    channel.renewed(100)
    enabled = []
    for _ in range(101):
        channel.tick(1, 20.0, 0.0, switch_rest=False, a_tripped=False)
        enabled.append(channel.enable)
    assert enabled == [True] * 99 + [False] * 2


@pytest.mark.hazard("H32")
def test_a_lease_that_was_never_granted_is_dead_also_just_before_the_tick_wraps() -> None:
    lease = Lease()
    assert lease.live is False
    assert lease.left_ms(2**32 - 100) == 0
    lease.grant(200, 0)
    lease.revoke()
    assert lease.live is False
    lease.grant(200, 0)
    assert lease.left_ms(200) == 0
    assert lease.live is False


@pytest.mark.hazard("H08")
def test_after_a_reset_a_sensor_may_stand_still_for_half_a_second_again() -> None:
    channel = ChannelB()
    assert ticked(channel, 1, 20.0) is Cause.NONE
    over(channel)
    assert channel.reset(56.0 - 1.0, 0.0)
    found = [ticked(channel, 1, 20.0) for _ in range(501)]
    assert found == [Cause.NONE] * 500 + [Cause.SENSOR_FROZEN]


def test_the_diagram_is_one_that_can_be_drawn() -> None:
    drawn = mermaid()
    assert drawn.startswith("stateDiagram-v2\n    [*] --> BOOT\n    BOOT --> SAFE: TRIP\n")
    assert drawn.endswith("\n")
    assert all(line.startswith("    ") for line in drawn.splitlines()[1:])
