"""The loop whose time jumps: repeatable, never waiting, never silently stuck."""

import asyncio
import os
import time

import pytest

from qa.loop import LooseEndError, NotVirtualError, StuckError, run_virtual


def test_time_starts_at_zero_and_jumps_to_each_timer() -> None:
    async def scenario() -> list[float]:
        seen = [asyncio.get_running_loop().time()]
        for pause_s in (0.05, 3600.0, 1e-6):
            await asyncio.sleep(pause_s)
            seen.append(asyncio.get_running_loop().time())
        return seen

    seen = run_virtual(scenario(), limit_s=4000.0)
    assert seen == pytest.approx([0.0, 0.05, 3600.05, 3600.050001], abs=1e-9)


def test_a_virtual_hour_of_renewals_takes_real_seconds_at_most() -> None:
    async def scenario() -> int:
        loop = asyncio.get_running_loop()
        beats = 0
        while loop.time() < 600.0:
            await asyncio.sleep(0.05)
            beats += 1
        return beats

    began_s = time.monotonic()
    assert run_virtual(scenario()) in (12_000, 12_001)
    assert time.monotonic() - began_s < 10.0


def test_a_hang_is_reported_at_once_with_the_names_of_those_who_wait() -> None:
    async def scenario() -> None:
        never = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(never.wait(), name="renew-the-lease")
            tasks.create_task(never.wait(), name="read-the-line")

    with pytest.raises(StuckError, match=r"read-the-line.*renew-the-lease"):
        run_virtual(scenario())


def test_a_busy_loop_is_reported_and_does_not_hang() -> None:
    async def scenario() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(StuckError, match="busy for ever"):
        run_virtual(scenario())


def test_the_limit_of_virtual_time_holds() -> None:
    async def scenario() -> None:
        while True:
            await asyncio.sleep(1.0)

    with pytest.raises(StuckError, match="not done after 30 virtual s"):
        run_virtual(scenario(), limit_s=30.0)


def test_a_time_out_fires_in_virtual_time() -> None:
    async def scenario() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5.0):
                await asyncio.get_running_loop().create_future()
        return asyncio.get_running_loop().time()

    assert run_virtual(scenario()) == pytest.approx(5.0)


def test_real_descriptors_are_refused() -> None:
    async def scenario() -> None:
        reading, writing = os.pipe()
        try:
            asyncio.get_running_loop().add_reader(reading, lambda: None)
        finally:
            os.close(reading)
            os.close(writing)

    with pytest.raises(NotVirtualError, match="realtime"):
        run_virtual(scenario())


def test_threads_are_replaced_by_running_at_once() -> None:
    def fails() -> None:
        raise ValueError("from below")

    async def scenario() -> int:
        with pytest.raises(ValueError, match="from below"):
            await asyncio.to_thread(fails)
        return await asyncio.to_thread(sum, (1, 2, 3))

    assert run_virtual(scenario()) == 6


def test_a_task_that_outlives_the_scenario_is_an_error_and_is_cleaned_up() -> None:
    cleaned: list[str] = []

    async def lingers() -> None:
        try:
            await asyncio.sleep(100.0)
        finally:
            cleaned.append("yes")

    kept: list[asyncio.Task[None]] = []

    async def scenario() -> None:
        kept.append(asyncio.create_task(lingers(), name="lingers"))
        await asyncio.sleep(0.1)

    with pytest.raises(LooseEndError, match=r"lingers at test_loop\.py"):
        run_virtual(scenario())
    assert cleaned == ["yes"]


def test_an_exception_in_a_callback_fails_the_run() -> None:
    def breaks() -> None:
        raise ValueError("in the timer")

    async def scenario() -> None:
        asyncio.get_running_loop().call_later(0.1, breaks)
        await asyncio.sleep(1.0)

    with pytest.raises(LooseEndError, match="callback") as caught:
        run_virtual(scenario())
    assert isinstance(caught.value.__cause__, ValueError)


def test_the_same_seed_gives_the_same_lateness_and_another_seed_another() -> None:
    async def scenario() -> tuple[float, ...]:
        seen = []
        for _ in range(20):
            await asyncio.sleep(0.05)
            seen.append(asyncio.get_running_loop().time())
        return tuple(seen)

    def run(seed: int) -> tuple[float, ...]:
        return run_virtual(scenario(), seed=seed, lateness_max_s=0.002)

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert run(1)[-1] <= 20 * 0.052 + 1e-9


def test_the_error_of_the_scenario_comes_out_unchanged() -> None:
    async def scenario() -> None:
        await asyncio.sleep(0.1)
        raise KeyError("its own")

    with pytest.raises(KeyError, match="its own"):
        run_virtual(scenario())
