"""Watching over a real socket: what a screen is sent, and what becomes of a slow one."""

import asyncio
import math
from contextlib import closing
from pathlib import Path

import pytest

from controller.api import server as server_module
from controller.api.ask import dial
from controller.api.authority import Do
from controller.api.client import KernelClient
from tests.controller.api.served import ANNA, say, serving

pytestmark = [pytest.mark.realtime, pytest.mark.alone]


def test_a_watcher_gets_snapshots_at_most_ten_times_a_second(tmp_path: Path) -> None:
    async def scenario() -> float:
        async with serving(tmp_path) as (_, path, _), await KernelClient.open(path, ANNA) as kernel:
            watching, loop = kernel.watch(), asyncio.get_running_loop()
            await anext(watching)
            began_s = loop.time()
            for _ in range(5):
                await anext(watching)
            return loop.time() - began_s

    assert 0.45 <= asyncio.run(scenario()) <= 3.0


@pytest.mark.hazard("H57")
def test_a_line_that_a_screen_has_shown_is_confirmed_and_counts_from_when_it_was_sent(
    tmp_path: Path,
) -> None:
    async def scenario() -> tuple[float, float, list[Do]]:
        async with (
            serving(tmp_path) as (desk, path, _),
            await KernelClient.open(path, ANNA) as kernel,
        ):
            watching, loop = kernel.watch(), asyncio.get_running_loop()
            line = await anext(watching)
            assert desk.viewer is not None
            before_s = desk.viewer.age_s(loop.time())
            kernel.seen(line.number)
            await kernel.ask("status")  # what was written before it has been read
            return before_s, desk.viewer.age_s(loop.time()), desk.asked

    before_s, after_s, asked = asyncio.run(scenario())
    assert before_s == math.inf
    assert 0.0 <= after_s < 2.0
    assert Do.SEEN not in asked  # it is taken where it is read and waits for no question


@pytest.mark.hazard("H57")
def test_a_connection_that_is_closed_is_no_screen_any_more(tmp_path: Path) -> None:
    async def scenario() -> bool:
        async with serving(tmp_path) as (desk, path, server):
            await say(path, b'{"do": "watch"}\n', 2)
            async with asyncio.timeout(5.0):
                while server.clients:
                    await asyncio.sleep(0.01)
            return desk.viewer is not None and desk.viewer.closed

    assert asyncio.run(scenario())


def test_a_slow_watcher_holds_up_nobody_and_sees_the_newest_when_it_reads(tmp_path: Path) -> None:
    async def scenario() -> tuple[float, int]:
        async with serving(tmp_path) as (desk, path, server):
            desk.padding = "x" * 200_000
            with closing(dial(path)) as sleeper:
                sleeper.sendall(b'{"id": 1, "do": "watch"}\n')
                await asyncio.sleep(0.8)
                (connection,) = server._connections
                assert connection._transport is not None
                backlog = connection._transport.get_write_buffer_size()
                loop = asyncio.get_running_loop()
                began_s = loop.time()
                await say(path, b'{"do": "stop"}\n')
                return loop.time() - began_s, backlog

    took_s, backlog = asyncio.run(scenario())
    assert took_s < 0.5
    assert backlog < 600_000  # a few snapshots of 200 kB, not one for every tenth of a second


def test_a_reader_that_never_catches_up_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "BEHIND_MAX_S", 0.3)

    async def scenario() -> int:
        async with serving(tmp_path) as (desk, path, server):
            desk.padding = "x" * 400_000
            with closing(dial(path)) as sleeper:
                sleeper.sendall(b'{"id": 1, "do": "watch"}\n')
                async with asyncio.timeout(5.0):
                    while not server.clients:
                        await asyncio.sleep(0.01)
                    while server.clients:
                        await asyncio.sleep(0.05)
            return server.clients

    assert asyncio.run(scenario()) == 0
