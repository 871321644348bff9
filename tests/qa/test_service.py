"""The whole service in virtual time: kernel, bytes of the line and device, nothing replaced."""

import asyncio
from typing import Any

import pytest

from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service
from simulator.line import Weather

BUDGET_LEASE_S = 0.250
BUDGET_STOP_S = 0.100
WEATHER = Weather(loss=0.01, delay_s=0.003, jitter_s=0.004, duplicate=0.01)


def valve_shut_s(made: Service, since_s: float) -> float:
    """How long after ``since_s`` the device itself saw its valve shut."""
    shut = [
        float(str(event["t_s"]))
        for event in made.rig.events
        if event["kind"] == "valve"
        and float(str(event["open_percent"])) <= 1.0
        and float(str(event["t_s"])) >= since_s
    ]
    return shut[0] - since_s


async def _flowing(made: Service) -> None:
    """Start a treatment and wait until crystals flow."""
    await made.ask("treat", program="refresh", client="demo", zones=["nose"])
    await made.until(lambda: made.rig.flows, 30.0)


def _treat_nose(spec: RigSpec) -> tuple[dict[str, Any], str]:
    async def scenario() -> tuple[dict[str, Any], str]:
        async with service(spec) as made:
            return await made.treat("refresh", zones=["nose"]), made.rig.trace_sha256()

    return run_virtual(scenario())


def test_a_preset_treatment_runs_from_its_plan_to_its_record() -> None:
    snapshot, _ = _treat_nose(RigSpec())
    treatment = snapshot["treatment"]
    zone = treatment["zones"][0]
    assert (treatment["outcome"], zone["state"]) == ("completed", "done")
    assert 0.75 * zone["budget_s"] <= zone["contact_s"] <= zone["budget_s"] + 0.1  # or its cap
    assert 0.0 < zone["nominal_um"] < zone["bound_um"] <= zone["cap_um"]
    assert treatment["simulated"] is True
    assert snapshot["record"]["rows"] > 10


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() -> None:
    first, second = (_treat_nose(RigSpec(3, weather=WEATHER))[1] for _ in range(2))
    other = _treat_nose(RigSpec(4, weather=WEATHER))[1]
    assert first == second
    assert first != other


def test_anybody_may_stop_and_the_valve_shuts_at_once() -> None:
    async def scenario() -> tuple[float, str]:
        async with service() as made:
            await _flowing(made)
            since_s = made.rig.handpiece.now_s
            await made.ask("stop")
            await made.until(lambda: made.kernel.idle)
            return valve_shut_s(made, since_s), made.snapshot()["treatment"]["outcome"]

    took_s, outcome = run_virtual(scenario())
    assert took_s <= BUDGET_STOP_S
    assert outcome == "stopped"


@pytest.mark.hazard("H10")
def test_a_line_that_goes_silent_in_both_directions_shuts_the_valve_by_the_lease() -> None:
    async def scenario() -> tuple[float, str]:
        async with service() as made:
            await _flowing(made)
            since_s = made.rig.handpiece.now_s
            made.rig.device.silent = True
            await made.until(lambda: made.kernel.idle)
            return valve_shut_s(made, since_s), made.snapshot()["treatment"]["outcome"]

    took_s, outcome = run_virtual(scenario())
    assert took_s <= BUDGET_LEASE_S
    assert outcome == "tripped"


@pytest.mark.hazard("H09")
def test_a_fault_of_the_unit_ends_the_treatment_and_a_second_one_is_refused_until_reset() -> None:
    async def scenario() -> tuple[str, str]:
        async with service() as made:
            await _flowing(made)
            made.rig.handpiece.set_fault("suction-a-disconnected")
            await made.until(lambda: made.kernel.idle)
            outcome = made.snapshot()["treatment"]["outcome"]
            with pytest.raises(RefusedError) as refused:
                await made.ask("treat", program="refresh", client="demo")
            return outcome, refused.value.next_step

    outcome, next_step = run_virtual(scenario())
    assert outcome == "tripped"
    assert next_step


@pytest.mark.hazard("H44")
def test_an_unplugged_line_is_found_again_and_the_treatment_does_not_go_on_by_itself() -> None:
    async def scenario() -> tuple[str, str, float]:
        async with service() as made:
            await _flowing(made)
            made.rig.wire.unplug()
            await asyncio.sleep(1.0)
            made.rig.wire.plug()
            await made.until(lambda: made.snapshot()["link"]["state"] == "identified", 10.0)
            await asyncio.sleep(20.0)
            open_now = made.rig.handpiece.plant.truth.valve_open
            snapshot = made.snapshot()
            return snapshot["treatment"]["outcome"], snapshot["link"]["state"], open_now

    outcome, link, open_now = run_virtual(scenario())
    assert (outcome, link) == ("tripped", "identified")
    assert open_now == 0.0
