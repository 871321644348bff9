"""Our own plugin at work: short scenes of hand, sensors and line, as its users write them."""

import asyncio

import pytest

from firmware_protocol.envelope import BUDGET_FLOW_S, BUDGET_SWITCH_S
from qa.plugin.alone import Alone
from qa.plugin.device import Device, Faults
from qa.rig import Service

BUDGET_LEASE_S = 0.250


@pytest.mark.hazard("H36", shows="works")
async def test_letting_go_shuts_the_valve_without_any_host_that_judges(
    handpiece: Alone, device: Device
) -> None:
    await handpiece.bring_to("ACTIVE")
    let_go = device.release()
    await asyncio.sleep(0.5)
    device.assert_valve_shut_within(BUDGET_SWITCH_S, of=let_go)
    device.assert_never("trip")


@pytest.mark.hazard("H09", shows="works")
@pytest.mark.parametrize("name", ["suction-a-disconnected", "flow-disconnected"])
async def test_a_sensor_that_comes_off_makes_the_device_safe_by_itself(
    handpiece: Alone, device: Device, faults: Faults, name: str
) -> None:
    await handpiece.bring_to("ACTIVE")
    broken = faults.inject(name)
    await asyncio.sleep(2.0)
    device.assert_safe_within(BUDGET_FLOW_S, of=broken)
    device.assert_happened_once("trip", since=broken)
    device.assert_valve_stays_shut(since="safe")


@pytest.mark.hazard("H10", shows="works")
async def test_a_line_that_goes_silent_ends_the_treatment_on_both_ends(
    service: Service, device: Device, faults: Faults
) -> None:
    await service.ask("treat", program="refresh", client="demo", zones=["nose"])
    await service.until(lambda: device.valve_percent > 5.0, 30.0)
    silent = faults.line(silent=True)
    await service.until(lambda: service.kernel.idle)
    device.assert_safe_within(BUDGET_LEASE_S, of=silent)
    device.assert_happened_once("lease", since=silent, state="lapsed")
    assert service.snapshot()["treatment"]["outcome"] == "tripped"
