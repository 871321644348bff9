"""One connection of the kernel's server: what it confirms, and what is left of it."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.controller.api.served import serving

pytestmark = pytest.mark.realtime

WHO = {"name": "anna", "role": "practitioner", "origin": "local"}


def line(do: str, **args: object) -> bytes:
    return json.dumps({"id": 1, "do": do, "who": WHO, "args": args}).encode() + b"\n"


def test_a_line_counts_as_shown_once_its_number_was_confirmed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as (desk, path, _):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(line("watch"))
            said: dict[str, object] = {}
            while "snapshot" not in said:
                said = json.loads(await reader.readline())
            assert desk.viewer is not None
            loop = asyncio.get_running_loop()
            assert desk.viewer.age_s(loop.time()) == float("inf")
            writer.write(line("seen", n=said["n"]))
            async with asyncio.timeout(5.0):
                while desk.viewer.age_s(loop.time()) > 60.0:
                    await asyncio.sleep(0.001)
            writer.close()
            await writer.wait_closed()

    asyncio.run(scenario())


def test_who_was_hung_up_on_is_shown_nothing_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as (_, path, server):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(line("watch"))
            await reader.readline()
            (connection,) = server._connections
            assert server.broadcast._watchers == {connection}
            _ = connection.hang_up()
            assert server.broadcast._watchers == set()
            writer.close()
            await writer.wait_closed()

    asyncio.run(scenario())


def test_a_reader_that_was_slow_once_is_served_and_ends_as_any_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as (_, path, server):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(line("ack"))
            await reader.readline()
            (connection,) = server._connections
            connection.pause_writing()
            connection.resume_writing()
            connection.resume_writing()
            writer.write(line("ack"))
            assert json.loads(await reader.readline())["result"] == {"did": "ack"}
            writer.close()
            await writer.wait_closed()
            async with asyncio.timeout(5.0):
                while server._connections:
                    await asyncio.sleep(0.001)

    asyncio.run(scenario())
