"""STOP: written at once, ahead of everything, and repeated until the unit is seen to be safe."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from controller.device.stopping import STOP_REPEAT_MAX_S, STOP_REPEAT_S, StopPath
from firmware_protocol.vocabulary import Mode, StopKind
from qa.loop import run_virtual

SAFE_AFTER = {
    StopKind.NORMAL: {Mode.BOOT, Mode.DISARMED, Mode.STOPPING, Mode.SAFE},
    StopKind.EMERGENCY: {Mode.BOOT, Mode.DISARMED, Mode.SAFE},
}


class Writer:
    """Takes STOP frames."""

    def __init__(self, *, connected: bool = True) -> None:
        self.frames: list[tuple[float, StopKind]] = []
        self.connected = connected

    def __call__(self, kind: StopKind) -> bool:
        if self.connected:
            self.frames.append((asyncio.get_running_loop().time(), kind))
        return self.connected


def run(scenario: Coroutine[Any, Any, None]) -> None:
    run_virtual(scenario, limit_s=60.0)


def test_the_first_stop_is_written_before_the_call_returns() -> None:
    async def scenario() -> None:
        writer = Writer()
        stops = StopPath(writer)
        _ = stops.stop(StopKind.EMERGENCY)
        assert writer.frames == [(0.0, StopKind.EMERGENCY)]
        stops.close()

    run(scenario())


def test_a_stop_is_repeated_until_the_valve_is_seen_shut_in_a_safe_mode() -> None:
    async def scenario() -> None:
        writer = Writer()
        stops = StopPath(writer)
        report = stops.stop(StopKind.NORMAL)
        await asyncio.sleep(0.050)
        stops.seen(Mode.ACTIVE, 0.0)
        stops.seen(Mode.STOPPING, 40.0)
        assert stops.pending
        await asyncio.sleep(0.015)
        stops.seen(Mode.STOPPING, 1.0)
        said = await report
        assert (said.confirmed, said.mode, said.frames) == (True, Mode.STOPPING, 4)
        assert said.took_s == pytest.approx(0.065)
        await asyncio.sleep(1.0)
        assert len(writer.frames) == 4

    run(scenario())


@pytest.mark.parametrize("kind", StopKind)
@pytest.mark.parametrize("mode", Mode)
def test_only_modes_that_a_stop_leads_to_confirm_it(kind: StopKind, mode: Mode) -> None:
    async def scenario() -> None:
        stops = StopPath(Writer())
        _ = stops.stop(kind)
        stops.seen(mode, 0.0)
        assert stops.pending is (mode not in SAFE_AFTER[kind])
        stops.close()

    run(scenario())


@pytest.mark.parametrize("percent", [1.1, 100.0, float("nan")])
def test_a_valve_that_is_not_seen_shut_confirms_nothing(percent: float) -> None:
    async def scenario() -> None:
        stops = StopPath(Writer())
        _ = stops.stop(StopKind.NORMAL)
        stops.seen(Mode.SAFE, percent)
        assert stops.pending
        stops.close()

    run(scenario())


def test_without_proof_the_stop_ends_unconfirmed_at_its_bound() -> None:
    async def scenario() -> None:
        writer = Writer()
        said = await StopPath(writer).stop(StopKind.NORMAL)
        assert not said.confirmed
        assert said.took_s == pytest.approx(STOP_REPEAT_MAX_S, abs=2 * STOP_REPEAT_S)
        assert said.frames == len(writer.frames) <= STOP_REPEAT_MAX_S / STOP_REPEAT_S + 2

    run(scenario())


def test_a_stop_over_the_bound_of_one_that_a_held_up_loop_left_has_its_end_told() -> None:
    async def scenario() -> None:
        stops = StopPath(Writer())
        first = stops.stop(StopKind.NORMAL)
        stops._since_s -= STOP_REPEAT_MAX_S + STOP_REPEAT_S  # as if no timer had run meanwhile
        second = stops.stop(StopKind.EMERGENCY)
        assert not (await second).confirmed
        assert not (await first).confirmed

    run(scenario())


def test_an_emergency_overtakes_a_normal_stop_and_is_never_taken_back() -> None:
    async def scenario() -> None:
        writer = Writer()
        stops = StopPath(writer)
        normal = stops.stop(StopKind.NORMAL)
        emergency = stops.stop(StopKind.EMERGENCY)
        assert emergency is normal
        assert stops.stop(StopKind.NORMAL) is normal
        assert [kind for _, kind in writer.frames] == [
            StopKind.NORMAL, StopKind.EMERGENCY, StopKind.EMERGENCY,
        ]  # fmt: skip
        stops.seen(Mode.STOPPING, 0.0)  # the answer to the normal one
        assert stops.pending
        stops.seen(Mode.DISARMED, 0.0)
        assert (await normal).kind is StopKind.EMERGENCY

    run(scenario())


def test_a_stop_without_a_line_is_written_as_soon_as_there_is_one() -> None:
    async def scenario() -> None:
        writer = Writer(connected=False)
        stops = StopPath(writer)
        _ = stops.stop(StopKind.NORMAL)
        await asyncio.sleep(0.5)
        writer.connected = True
        await asyncio.sleep(STOP_REPEAT_S)
        assert writer.frames
        stops.close()

    run(scenario())


def test_whoever_is_cancelled_while_waiting_does_not_end_the_stop() -> None:
    async def scenario() -> None:
        writer = Writer()
        stops = StopPath(writer)

        async def wait() -> None:
            await stops.stop(StopKind.NORMAL)

        waiting = asyncio.create_task(wait(), name="waiting")
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0.1)
        assert len(writer.frames) >= 5
        again = stops.stop(StopKind.NORMAL)
        stops.seen(Mode.DISARMED, 0.0)
        assert (await again).confirmed

    run(scenario())


def test_a_second_stop_after_the_first_begins_anew() -> None:
    async def scenario() -> None:
        stops = StopPath(Writer())
        first = stops.stop(StopKind.EMERGENCY)
        stops.seen(Mode.DISARMED, 0.0)
        await asyncio.sleep(1.0)
        second = stops.stop(StopKind.NORMAL)
        stops.seen(Mode.DISARMED, 0.0)
        assert (await first).kind is StopKind.EMERGENCY
        assert ((await second).kind, (await second).took_s) == (StopKind.NORMAL, 0.0)

    run(scenario())


def test_repeating_and_closing_without_a_stop_does_nothing() -> None:
    async def scenario() -> None:
        writer = Writer()
        stops = StopPath(writer)
        stops.repeat()
        stops.seen(Mode.ACTIVE, 100.0)
        stops.close()
        assert writer.frames == []

    run(scenario())
