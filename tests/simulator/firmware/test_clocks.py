"""The device's own clock: jumps and wraps, with real physics."""

import pytest

from firmware_protocol.vocabulary import Cause
from simulator.firmware.firmware import TICK_S
from tests.simulator.host import Host


@pytest.mark.hazard("H31", shows="works")
@pytest.mark.parametrize("step_s", [-3600.0, -10.0, -0.15, 0.6, 10.0, 3600.0, 2**32 / 1000 - 0.1])
def test_a_clock_that_jumps_shuts_the_valve_at_once(step_s: float) -> None:
    host = Host().active()
    firmware, sensors = host.device.firmware, host.device.plant.sensors
    drives = firmware.tick(host.now_s + step_s, sensors)
    assert drives.valve == 0.0
    assert not firmware.board.b.enable
    again = firmware.tick(host.now_s + step_s + TICK_S, sensors)
    assert again.valve == 0.0


@pytest.mark.hazard("H32", shows="works")
@pytest.mark.parametrize("before_ms", [3_000, 3_400, 3_650, 3_800, 4_000])
def test_a_lease_lapses_in_time_across_the_wrap_of_the_tick(before_ms: int) -> None:
    host = Host(boot_tick_ms=2**32 - before_ms).active()
    host.streaming = False
    host.give(host.renewal())
    took_s = host.until(lambda: host.shut, 0.5)
    assert host.cause is Cause.LEASE_LAPSED
    assert 0.2 <= took_s <= 0.25
