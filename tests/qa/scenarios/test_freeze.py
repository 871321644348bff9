"""Freezing: what belongs to a process stands still, everything else goes on."""

import asyncio

from qa.loop import run_virtual
from qa.scenarios.freeze import Frozen, context_of


async def _beats(times: list[float], period_s: float) -> None:
    while True:
        await asyncio.sleep(period_s)
        times.append(round(asyncio.get_running_loop().time(), 3))


def test_timers_of_a_frozen_process_fire_when_it_goes_on_and_others_in_time() -> None:
    async def scenario() -> tuple[list[float], list[float]]:
        mine: list[float] = []
        others: list[float] = []
        loop = asyncio.get_running_loop()
        process = object()
        tasks = [
            loop.create_task(_beats(mine, 0.1), context=context_of(process)),
            loop.create_task(_beats(others, 0.1)),
        ]
        await asyncio.sleep(0.25)
        frozen = Frozen(loop, process)
        await asyncio.sleep(0.5)
        frozen.thaw()
        await asyncio.sleep(0.25)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return mine, others

    mine, others = run_virtual(scenario())
    assert others == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0][: len(others)]
    assert len(others) >= 9
    assert mine == [0.1, 0.2, 0.75, 0.85, 0.95]


def test_a_step_that_was_ready_is_not_lost_and_not_run_early() -> None:
    async def scenario() -> list[str]:
        ran: list[str] = []
        loop = asyncio.get_running_loop()
        process = object()
        context = context_of(process)
        loop.call_soon(ran.append, "mine", context=context)
        loop.call_soon(ran.append, "other")
        cancelled = loop.call_soon(ran.append, "cancelled", context=context)
        frozen = Frozen(loop, process)
        await asyncio.sleep(0.1)
        cancelled.cancel()
        ran.append("thawed")
        frozen.thaw()
        await asyncio.sleep(0.1)
        return ran

    assert run_virtual(scenario()) == ["other", "thawed", "mine"]


def test_a_timer_that_is_cancelled_while_frozen_never_fires() -> None:
    async def scenario() -> list[str]:
        ran: list[str] = []
        loop = asyncio.get_running_loop()
        process = object()
        context = context_of(process)
        timers = [
            loop.call_later(0.1, ran.append, str(number), context=context) for number in range(300)
        ]
        frozen = Frozen(loop, process)
        for timer in timers[1:]:
            timer.cancel()
        frozen.thaw()
        await asyncio.sleep(0.2)
        return ran

    assert run_virtual(scenario()) == ["0"]
