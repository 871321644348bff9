import ast
from pathlib import Path

import pytest

from firmware_protocol.vocabulary import Cause
from simulator.firmware import channel_a, channel_b
from simulator.firmware.channel_b import ChannelB

STEP_MS = 5


def tick(
    b: ChannelB,
    suction_kpa: float | None = 20.0,
    valve_percent: float = 0.0,
    *,
    rest: bool = False,
    tripped: bool = False,
    times: int = 1,
) -> Cause:
    """Give samples with the hand switch pressed; return the last answer."""
    found = Cause.NONE
    for _ in range(times):
        found = b.tick(STEP_MS, suction_kpa, valve_percent, switch_rest=rest, a_tripped=tripped)
        if found is not Cause.NONE:
            break
    return found


def leased() -> ChannelB:
    """Return a channel that enables."""
    b = ChannelB()
    b.renewed(200)
    tick(b)
    return b


def test_it_enables_only_with_its_own_lease_pressed_switch_and_healthy_sensor() -> None:
    assert leased().enable
    for suction_kpa, rest in [(None, False), (55.1, False), (float("nan"), False), (20.0, True)]:
        b = leased()
        tick(b, suction_kpa, rest=rest)
        assert not b.enable


@pytest.mark.hazard("H10")
@pytest.mark.parametrize(
    ("asked_ms", "granted_ms"), [(0, 100), (200, 200), (201, 200), (60_000, 200)]
)
def test_its_own_lease_lapses_by_itself(asked_ms: int, granted_ms: int) -> None:
    b = ChannelB()
    b.renewed(asked_ms)
    tick(b, times=granted_ms // STEP_MS - 1)
    assert b.enable
    tick(b)
    assert not b.enable
    assert b.power
    b.renewed(200)
    b.revoke()
    tick(b)
    assert not b.enable


@pytest.mark.hazard("H05")
def test_it_takes_the_power_when_the_valve_is_open_though_it_does_not_enable() -> None:
    b = leased()
    assert tick(b, valve_percent=80.0, times=30) is Cause.NONE
    assert b.enable
    b = ChannelB()
    assert tick(b, valve_percent=80.0, times=20) is Cause.NONE
    assert tick(b, valve_percent=80.0) is Cause.VALVE_STUCK_OPEN
    assert not b.power
    assert tick(b, valve_percent=80.0) is Cause.NONE  # it says so once
    assert not b.power


@pytest.mark.hazard("H03")
@pytest.mark.parametrize("suction_kpa", [55.01, 64.9, float("nan")])
def test_it_trips_on_its_own_sensor(suction_kpa: float) -> None:
    b = leased()
    assert tick(b, suction_kpa, times=3) is Cause.NONE
    assert tick(b, suction_kpa) is Cause.OVER_SUCTION
    assert not b.power
    assert tick(leased(), 55.0, times=30) is Cause.NONE


@pytest.mark.hazard("H09")
def test_it_trips_when_its_sensor_is_lost_for_two_samples() -> None:
    b = leased()
    assert tick(b, None) is Cause.NONE
    assert tick(b, None) is Cause.SENSOR_INVALID


@pytest.mark.hazard("H08")
def test_it_trips_when_its_sensor_shows_one_count_for_half_a_second_under_suction() -> None:
    b = leased()
    b.renewed(500)
    assert tick(b, 20.0, times=99) is Cause.NONE
    assert tick(b, 20.025) is Cause.NONE
    assert tick(b, 20.0, times=100) is Cause.NONE
    b.renewed(500)
    assert tick(b, 20.0) is Cause.SENSOR_FROZEN
    assert not b.power
    assert b.reset(20.0, 0.0)
    assert tick(b, 20.0, times=99) is Cause.NONE
    at_rest = ChannelB()
    assert tick(at_rest, 1.0, times=1000) is Cause.NONE
    assert tick(at_rest, 1.025, times=100) is Cause.NONE
    assert tick(at_rest, 1.025) is Cause.SENSOR_FROZEN


def test_it_holds_the_power_off_while_channel_a_is_tripped() -> None:
    b = leased()
    tick(b, tripped=True)
    assert not b.power
    tick(b)
    assert b.power


def test_it_resets_only_when_nothing_stands() -> None:
    b = ChannelB()
    tick(b, valve_percent=80.0, times=30)
    assert not b.reset(None, 0.0)
    assert not b.reset(60.0, 0.0)
    assert not b.reset(0.0, 6.0)
    assert b.cause is Cause.VALVE_STUCK_OPEN
    assert b.reset(0.0, 0.0)
    tick(b)
    assert b.power


def test_neither_channel_imports_anything_of_the_firmware_that_the_other_one_does() -> None:
    def imported(path: str) -> set[str]:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
        names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        return {name for name in names if name is not None and name.startswith("simulator")}

    assert imported(channel_b.__file__) == set()
    assert "simulator.firmware.channel_b" not in imported(channel_a.__file__)
