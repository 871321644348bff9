"""The rig: the real client, the real bytes and the device in virtual time, the same every time."""

import asyncio

import pytest

from controller.device.handpiece import Listeners
from controller.safety.reading import Reading
from qa.loop import run_virtual
from qa.rig import RigSpec, rig
from simulator.line import Weather


async def _watch(spec: RigSpec, seconds: float) -> tuple[str, list[Reading]]:
    readings: list[Reading] = []
    async with rig(spec) as made:
        client = made.client(Listeners(on_reading=readings.append))
        await client.connect()
        await asyncio.sleep(seconds)
        await client.close()
        return made.trace_sha256(), readings


def test_a_client_connects_and_hears_telemetry_every_20_ms() -> None:
    _, readings = run_virtual(_watch(RigSpec(), 2.0))
    assert 98 <= len(readings) <= 101


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() -> None:
    stormy = Weather(loss=0.02, delay_s=0.003, jitter_s=0.01, flip_rate=0.0005, duplicate=0.02)
    first, second = (run_virtual(_watch(RigSpec(7, weather=stormy), 3.0))[0] for _ in range(2))
    other, _ = run_virtual(_watch(RigSpec(8, weather=stormy), 3.0))
    assert first == second
    assert first != other


def test_the_device_goes_on_while_nobody_listens() -> None:
    async def scenario() -> float:
        async with rig() as made:
            await asyncio.sleep(5.0)
            return made.handpiece.now_s

    assert run_virtual(scenario()) == pytest.approx(5.0, abs=0.021)
