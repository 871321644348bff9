"""The figures of the line that `status` tells: those of the line that there is, and of now."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from controller.api.snapshot import LinkView
from controller.device.answers import LinkState
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service
from tests.controller.kernel.memory import Bench, Memory, bench


def line(made: Service) -> dict[str, Any]:
    said: dict[str, Any] = made.snapshot()["link"]
    return said


@pytest.mark.parametrize("state", LinkState)
def test_status_tells_state_damage_and_round_trip_as_the_client_has_them(state: LinkState) -> None:
    async def play(one: Bench) -> None:
        assert one.control.snapshot().link == LinkView("identified", 0, None)
        one.memory.state, one.memory.bad_frames, one.memory.round_trip_s = state, 7, 0.0123
        assert one.control.snapshot().link == LinkView(state.value, 7, 12.3)

    bench(play, Memory())


@pytest.mark.hazard("H11", "H41")
def test_frames_that_noise_damages_are_counted_in_status_as_they_come() -> None:
    async def scenario() -> list[int]:
        async with service() as made:
            told = [line(made)["bad_frames"]]
            weather = made.rig.spec.weather
            made.rig.device.set_weather(replace(weather, flip_rate=0.001))
            for _ in range(3):
                await asyncio.sleep(2.0)
                told.append(line(made)["bad_frames"])
                assert told[-1] == made.kernel._handpiece.bad_frames
            made.rig.device.set_weather(weather)
            return told

    told = run_virtual(scenario())
    assert told[0] == 0
    assert told == sorted(set(told))


@pytest.mark.parametrize("delay_s", [0.003, 0.030])
def test_the_round_trip_in_status_is_that_of_the_line(delay_s: float) -> None:
    async def scenario() -> float:
        spec = RigSpec()
        weather = replace(spec.weather, delay_s=delay_s)
        async with service(replace(spec, weather=weather)) as made:
            await asyncio.sleep(1.0)
            return float(line(made)["rtt_ms"])

    least_ms = 2.0 * delay_s * 1000.0
    assert least_ms <= run_virtual(scenario()) <= least_ms + 10.0
