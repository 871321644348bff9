"""What floods, leaks and clients that never read cost the kernel: a bounded part of its loop."""

import asyncio
import json
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from controller.api import server as server_module
from controller.api.ask import dial
from controller.api.server import CLIENTS_MAX
from controller.api.turns import BURST_UNITS, TURN_S, UNITS_A_TURN
from tests.controller.api.served import say, serving

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

STATUS = b'{"id": 1, "do": "status"}\n'


async def until_full(server: server_module.Server) -> None:
    async with asyncio.timeout(5.0):
        while server.clients < CLIENTS_MAX:
            await asyncio.sleep(0.01)


def test_a_flood_of_questions_is_taken_at_a_bounded_rate(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, float]:
        async with serving(tmp_path) as (_, path, _):
            with closing(dial(path)) as line:
                line.sendall(STATUS * 4000)
                loop = asyncio.get_running_loop()
                began_s = loop.time()
                await asyncio.sleep(0.5)
                took_s = loop.time() - began_s
                return line.recv(1_000_000).count(b"\n"), took_s

    asked, took_s = asyncio.run(scenario())
    assert BURST_UNITS <= asked <= BURST_UNITS + (took_s / TURN_S + 2) * UNITS_A_TURN


def test_a_stop_behind_a_flood_of_its_own_connection_waits_for_none_of_it(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, int]:
        async with serving(tmp_path) as (desk, path, _):
            with closing(dial(path)) as line:
                line.sendall(STATUS * 1000 + b'{"id": 2, "do": "stop"}\n')
                async with asyncio.timeout(5.0):
                    while not desk.stops:
                        await asyncio.sleep(0.001)
                return len(desk.asked), desk.stops

    asked, stops = asyncio.run(scenario())
    assert asked <= BURST_UNITS
    assert stops == 1


def test_who_asks_among_floods_is_answered_in_turn(tmp_path: Path) -> None:
    async def scenario() -> float:
        async with serving(tmp_path) as (_, path, _):
            with ExitStack() as stack:
                for _ in range(8):
                    stack.enter_context(closing(dial(path))).sendall(STATUS * 1000)
                await asyncio.sleep(0.2)
                loop = asyncio.get_running_loop()
                began_s = loop.time()
                assert (await say(path, STATUS))[0]["ok"] is True
                return loop.time() - began_s

    assert asyncio.run(scenario()) < 1.0


def test_a_client_that_asks_and_never_reads_is_asked_no_more_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "BEHIND_MAX_S", 0.3)

    async def scenario() -> tuple[int, int]:
        async with serving(tmp_path) as (desk, path, server):
            desk.padding = "x" * 1000
            with closing(dial(path)) as line:
                line.sendall(b'{"id": 1, "do": "watch"}\n')
                desk.padding = "x" * 800_000
                line.sendall(STATUS)
                async with asyncio.timeout(5.0):
                    while not server.clients:
                        await asyncio.sleep(0.01)
                    while server.clients:
                        await asyncio.sleep(0.01)
            return len(desk.asked), server.clients

    asked, clients = asyncio.run(scenario())
    assert asked <= 2
    assert clients == 0


@pytest.mark.parametrize("words", [b"", b'{"id": 1, "do": "st'], ids=["idle", "half a line"])
def test_an_idle_client_makes_room_for_a_newcomer_and_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    monkeypatch.setattr(server_module, "IDLE_MIN_S", 0.1)

    async def scenario() -> tuple[bool, str]:
        async with serving(tmp_path) as (_, path, server):
            with ExitStack() as stack:
                lines = [stack.enter_context(closing(dial(path))) for _ in range(CLIENTS_MAX)]
                for line in lines:
                    line.sendall(words)
                await until_full(server)
                await asyncio.sleep(0.2)
                (answer,) = await say(path, STATUS)
                said = json.loads(lines[0].recv(4096))
                return bool(answer["ok"]), str(said["error"]["code"])

    assert asyncio.run(scenario()) == (True, "idle")


def test_a_watcher_keeps_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "IDLE_MIN_S", 0.01)

    async def scenario() -> str:
        async with serving(tmp_path) as (desk, path, server):
            with ExitStack() as stack:
                for _ in range(CLIENTS_MAX):
                    line = stack.enter_context(closing(dial(path)))
                    line.sendall(b'{"id": 1, "do": "watch"}\n')
                    await asyncio.sleep(0.02)
                await until_full(server)
                async with asyncio.timeout(5.0):
                    while desk.watchers < CLIENTS_MAX:
                        await asyncio.sleep(0.01)
                (answer,) = await say(path, b"")
                return str(answer["error"]["code"])

    assert asyncio.run(scenario()) == "busy"


def test_a_watcher_that_is_hung_up_on_is_shown_nothing_more(tmp_path: Path) -> None:
    async def scenario() -> int:
        async with serving(tmp_path) as (_, path, server):
            with closing(dial(path)) as line:
                line.sendall(b'{"id": 1, "do": "watch"}\n')
                await asyncio.sleep(0.05)
                line.sendall(b"x" * 70_000 + b"\n")
                await asyncio.sleep(0.3)  # three snapshots, were it still shown any
                return server.clients

    assert asyncio.run(scenario()) <= 1
