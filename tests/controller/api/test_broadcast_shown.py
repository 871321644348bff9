"""When a snapshot is made anew, who is shown it, and under which number."""

import asyncio
import json
from typing import Any

from controller.api.broadcast import WATCH_PERIOD_S, Broadcast
from qa.loop import run_virtual


class Kernel:
    """Counts the looks at it, and is in the state that a test wants."""

    def __init__(self) -> None:
        self.looks = 0
        self.state = "idle"

    def snapshot(self) -> dict[str, Any]:
        """Show the count."""
        self.looks += 1
        return {"looks": self.looks}


class Screen:
    """Notes what it is shown, and when."""

    def __init__(self, *, stays: bool = True) -> None:
        self.shown: list[tuple[int, bytes]] = []
        self.at: list[int] = []
        """In which period since the start of the loop."""
        self._stays = stays

    def show(self, number: int, rest: bytes) -> bool:
        """Keep the line."""
        self.shown.append((number, rest))
        self.at.append(round(asyncio.get_running_loop().time() / WATCH_PERIOD_S))
        return self._stays


def rest(number: int, looks: int) -> tuple[int, bytes]:
    return number, b'"n":%d,"snapshot":{"looks":%d}}\n' % (number, looks)


def test_who_comes_is_shown_the_newest_at_once_and_each_period_with_all_others() -> None:
    async def scenario() -> None:
        kernel, one, other = Kernel(), Screen(), Screen()
        broadcast = Broadcast(kernel.snapshot)
        assert broadcast.answer(5) == b'{"id":5,"ok":true,"result":{"looks":1}}\n'
        broadcast.add(one)
        await asyncio.sleep(0.5 * WATCH_PERIOD_S)
        broadcast.add(other)
        assert one.shown == other.shown == [rest(1, 1)]
        await asyncio.sleep(WATCH_PERIOD_S)
        assert one.shown == other.shown == [rest(1, 1), rest(2, 2)]
        broadcast.remove(one)
        broadcast.remove(one)
        await asyncio.sleep(WATCH_PERIOD_S)
        assert (len(one.shown), other.shown[-1]) == (2, rest(3, 3))
        broadcast.remove(other)
        await asyncio.sleep(3 * WATCH_PERIOD_S)
        assert kernel.looks == 3
        broadcast.add(one)  # the timer begins anew
        await asyncio.sleep(1.5 * WATCH_PERIOD_S)
        assert one.shown[2:] == [rest(4, 4), rest(5, 5)]
        broadcast.remove(one)

    run_virtual(scenario())


def test_who_does_not_stay_is_shown_nothing_more_and_others_are() -> None:
    async def scenario() -> tuple[list[int], list[int]]:
        broadcast, brief, other = Broadcast(Kernel().snapshot), Screen(stays=False), Screen()
        broadcast.add(other)
        broadcast.add(brief)
        await asyncio.sleep(2.5 * WATCH_PERIOD_S)
        broadcast.remove(other)
        return brief.at, other.at

    assert run_virtual(scenario()) == ([0], [0, 1, 2])


def test_a_snapshot_is_made_anew_after_a_period_a_grant_or_in_another_state() -> None:
    async def scenario() -> list[int]:
        kernel, looks = Kernel(), []
        broadcast = Broadcast(kernel.snapshot, lambda: kernel.state)

        def look() -> None:
            looks.append(json.loads(broadcast.answer(1))["result"]["looks"])

        look()
        look()
        kernel.state = "active"
        look()
        look()
        broadcast.stale()
        look()
        look()
        await asyncio.sleep(0.9 * WATCH_PERIOD_S)
        look()
        await asyncio.sleep(0.2 * WATCH_PERIOD_S)
        look()
        return looks

    assert run_virtual(scenario()) == [1, 1, 2, 2, 3, 3, 3, 4]


def test_a_kernel_that_says_no_state_is_looked_at_by_its_time_alone() -> None:
    async def scenario() -> int:
        kernel = Kernel()
        broadcast = Broadcast(kernel.snapshot)
        for _ in range(3):
            broadcast.answer(1)
        return kernel.looks

    assert run_virtual(scenario()) == 1


def test_the_first_look_is_a_look_even_where_the_clock_begins() -> None:
    async def scenario() -> tuple[float, bytes]:
        began_s = asyncio.get_running_loop().time()
        return began_s, Broadcast(Kernel().snapshot, lambda: "").answer(1)

    began_s, answer = run_virtual(scenario())
    assert began_s == 0.0
    assert answer == b'{"id":1,"ok":true,"result":{"looks":1}}\n'
