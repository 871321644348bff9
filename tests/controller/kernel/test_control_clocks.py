"""A computer that slept, or whose wall clock was set, while the control loop stood still or ran."""

import asyncio

import pytest

from controller.device.answers import LinkNews, LinkState
from controller.record.clocks import Here
from controller.record.journal import Row
from controller.safety.interlocks import Interlock
from controller.treatment.events import LinkLost, Observed
from controller.treatment.kinds import Kind
from controller.treatment.states import State
from firmware_protocol.vocabulary import Cause, Mode
from tests.controller.kernel.score import Stage, staged


@pytest.mark.parametrize(("slept_s", "told"), [(0.99, []), (1.0, ["It slept for 1 s."])])
def test_a_sleep_of_a_second_is_one(slept_s: float, told: list[str]) -> None:
    asleep = [0.0]

    async def play(one: Stage) -> None:
        await one.begin()
        await asyncio.sleep(0.06)
        asleep[0] = slept_s
        await asyncio.sleep(0.06)
        one.score.state = State.STOPPED

    def wall_s() -> float:
        return 1.9e9 + asleep[0] + asyncio.get_running_loop().time()

    one = staged(play, here=Here(wall_s, "a boot", lambda: asleep[0]))
    assert [each.detail for each in one.score.told(LinkLost) if isinstance(each, LinkLost)] == told


@pytest.mark.parametrize("live", [True, False])
def test_a_sleep_of_the_computer_is_written_down_and_ends_what_is_live(*, live: bool) -> None:
    clocks = {"wall": 1.9e9, "asleep": 0.0}

    async def play(one: Stage) -> None:
        await asyncio.sleep(0.1)
        await one.begin()
        one.score.state = State.ACTIVE if live else State.STOPPED
        clocks["wall"] += 61.6
        clocks["asleep"] += 61.6
        await asyncio.sleep(0.1)
        clocks["wall"] -= 3600.0
        await asyncio.sleep(0.1)
        one.score.state = State.STOPPED

    loop_s = asyncio.get_running_loop

    def wall_s() -> float:
        return clocks["wall"] + loop_s().time()

    one = staged(play, here=Here(wall_s, "a boot", lambda: clocks["asleep"]))
    assert one.unit.noted() == [
        Row(Kind.CLOCK_STEP, {"step_s": 0.0, "asleep_s": 61.6}, 7),
        Row(Kind.CLOCK_STEP, {"step_s": -3600.0, "asleep_s": 61.6}, 7),
    ]
    slept = [LinkLost(Interlock.LOOP_STALLED, "It slept for 62 s.")] if live else []
    assert one.score.told(LinkLost) == slept


@pytest.mark.parametrize("shown", [True, False])
def test_a_unit_that_trips_meanwhile_or_is_lost_is_told_after_the_sleep(*, shown: bool) -> None:
    asleep = [0.0]

    async def play(one: Stage) -> None:
        await one.begin()
        await asyncio.sleep(0.06)
        asleep[0] = 90.0
        if shown:
            one.show(one.reading(Mode.SAFE, cause=Cause.LEASE_LAPSED))
        else:
            one.news(LinkNews(LinkState.DISCONNECTED, "silent"))
        first, *_ = one.score.told(LinkLost, Observed)
        assert first == LinkLost(Interlock.LOOP_STALLED, "It slept for 90 s.")
        one.score.state = State.STOPPED

    def wall_s() -> float:
        return 1.9e9 + asleep[0] + asyncio.get_running_loop().time()

    staged(play, here=Here(wall_s, "a boot", lambda: asleep[0]))
