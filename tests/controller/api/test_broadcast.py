"""One snapshot a period for all who look, encoded once."""

import asyncio
import json
from dataclasses import asdict
from typing import Any

from controller.api import requests
from controller.api.broadcast import WATCH_PERIOD_S, Broadcast
from qa.loop import run_virtual
from qa.rig import service


class Kernel:
    """Counts how often somebody makes it look at itself."""

    def __init__(self) -> None:
        self.looks = 0

    def snapshot(self) -> dict[str, Any]:
        """Show the count."""
        self.looks += 1
        return {"looks": self.looks}


class Screen:
    """One who watches for a while."""

    def __init__(self, lines: int = 1_000_000) -> None:
        self.seen: list[bytes] = []
        self._left = lines

    def show(self, _number: int, rest: bytes) -> bool:
        """Keep the line."""
        self.seen.append(rest)
        self._left -= 1
        return self._left > 0


def test_thirty_two_watchers_cost_one_snapshot_a_period() -> None:
    async def scenario() -> tuple[int, list[Screen]]:
        kernel, screens = Kernel(), [Screen() for _ in range(32)]
        broadcast = Broadcast(kernel.snapshot)
        for screen in screens:
            broadcast.add(screen)
        await asyncio.sleep(10 * WATCH_PERIOD_S + 0.05)
        for screen in screens:
            broadcast.remove(screen)
        return kernel.looks, screens

    looks, screens = run_virtual(scenario())
    assert looks == 11
    assert all(len(screen.seen) == 11 for screen in screens)
    assert all(one is other for one, other in zip(screens[0].seen[1:], screens[31].seen[1:],
                                                  strict=True))  # fmt: skip


def test_each_line_has_the_id_of_its_watch_and_the_number_of_its_snapshot() -> None:
    async def scenario() -> list[bytes]:
        broadcast, screen = Broadcast(Kernel().snapshot), Screen()
        broadcast.add(screen)
        await asyncio.sleep(2.5 * WATCH_PERIOD_S)
        broadcast.remove(screen)
        return screen.seen

    lines = [
        json.loads(requests.watch_start(7, leads=False) + rest) for rest in run_virtual(scenario())
    ]
    assert [line["id"] for line in lines] == [7, 7, 7]
    assert [line["n"] for line in lines] == [1, 2, 3]
    assert [line["snapshot"]["looks"] for line in lines] == [1, 2, 3]


def test_questions_of_one_period_are_answered_with_one_snapshot() -> None:
    async def scenario() -> tuple[int, int, dict[str, Any]]:
        kernel = Kernel()
        broadcast = Broadcast(kernel.snapshot)
        answers = {broadcast.answer(1) for _ in range(100)}
        assert len(answers) == 1
        within = kernel.looks
        await asyncio.sleep(WATCH_PERIOD_S)
        broadcast.answer(2)
        return within, kernel.looks, json.loads(answers.pop())

    within, after, answer = run_virtual(scenario())
    assert (within, after) == (1, 2)
    assert answer == {"id": 1, "ok": True, "result": {"looks": 1}}


def test_who_was_granted_something_sees_it_in_the_next_look() -> None:
    async def scenario() -> int:
        kernel = Kernel()
        broadcast = Broadcast(kernel.snapshot)
        broadcast.answer(1)
        broadcast.stale()
        broadcast.answer(2)
        return kernel.looks

    assert run_virtual(scenario()) == 2


def test_nobody_who_watches_leaves_no_timer_and_one_who_hangs_is_let_go() -> None:
    async def scenario() -> tuple[int, int]:
        kernel, brief = Kernel(), Screen(lines=3)
        broadcast = Broadcast(kernel.snapshot)
        broadcast.add(brief)
        await asyncio.sleep(10 * WATCH_PERIOD_S)
        return kernel.looks, len(brief.seen)

    assert run_virtual(scenario()) == (3, 3)


def test_the_snapshot_as_json_is_what_the_library_would_make_of_it() -> None:
    async def scenario() -> tuple[dict[str, Any], dict[str, Any]]:
        async with service() as made:
            await made.ask("treat", program="refresh", client="demo", lower={"suction_kpa": 20.0})
            await made.until(lambda: made.state == "active", 30.0)
            shown = made.kernel.control.snapshot()
            await made.ask("stop")
            await made.until(lambda: made.kernel.idle)
            return shown.as_dict(), asdict(shown)

    ours, theirs = run_virtual(scenario())
    assert ours == theirs
    assert json.dumps(ours) == json.dumps(theirs)
