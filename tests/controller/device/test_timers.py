"""A timer of ours never spins and is never early by more than a loop rounds, on any loop."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from controller.device.driver import LinkDriver
from controller.device.greeting import hello
from controller.device.timers import TIMER_LEAD_S, armed_s
from controller.device.transport import Rank
from firmware_protocol.session import TRIES_MAX
from qa.loop import run_virtual

LOOKS_MAX = 4
"""Callbacks for one deadline: the armed one, and a few that a loop's rounding brings too early."""
NOTHING_S = 1.0


class Mute:
    """A stream on which nobody answers."""

    def write(self, data: bytes, rank: Rank = Rank.ORDERLY) -> None:
        """Take the bytes."""

    def close(self) -> None:
        """Do nothing."""


async def _looks() -> tuple[int, int]:
    """Return how often a driver looked at its deadlines, and how many there were."""
    looks = 0

    async def open_stream(*_: object) -> Mute:
        await asyncio.sleep(0)
        return Mute()

    driver = LinkDriver(open_stream, lambda _event: None, lambda _why: None)
    await driver.open()
    poll = driver.link.poll

    def counted(now_s: float) -> object:
        nonlocal looks
        looks += 1
        return poll(now_s)

    driver.link.poll = counted  # type: ignore[method-assign,assignment]
    await driver.request(hello(1), resolve=False)
    driver.close()
    return looks, TRIES_MAX


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.mark.realtime
@pytest.mark.parametrize("make", LOOPS.values(), ids=LOOPS)
def test_retries_on_a_real_loop_look_at_each_deadline_a_few_times_at_most(
    make: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    with asyncio.Runner(loop_factory=make) as runner:
        looks, deadlines = runner.run(_looks())
    assert deadlines <= looks <= deadlines * LOOKS_MAX


def test_retries_in_virtual_time_look_at_each_deadline_once() -> None:
    async def scenario() -> None:
        looks, deadlines = await _looks()
        assert looks == deadlines + 1  # and once more when the driver is closed

    run_virtual(scenario())


def test_a_deadline_that_is_over_is_looked_at_a_millisecond_later() -> None:
    assert armed_s(5.0, 7.0) == 7.0 + TIMER_LEAD_S
    assert armed_s(7.0, 7.0) == 7.0 + TIMER_LEAD_S
    assert armed_s(8.0, 7.0) == 8.0
