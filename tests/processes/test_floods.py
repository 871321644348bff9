"""A viewer who asks without end, for whatever there is, ends nobody's treatment."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from tests.processes.service import FAR_AWAY, SOMEBODY, Kernel, kernel, unit

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

CLIENTS = 24
UNDER_WAY = 12
"""Requests of each client that wait for an answer: more than the kernel takes of one."""
FLOOD_S = 3.0
ACTIVE_MAX_S = 30.0
LIVE = "active"
LOCAL_VIEWER = {"name": "tv", "role": "viewer", "origin": "local"}


def line(do: str, who: dict[str, str] = LOCAL_VIEWER, **args: object) -> bytes:
    return json.dumps({"id": 1, "do": do, "who": who, "args": args}).encode() + b"\n"


FLOODS = {
    "plans": [line("plan", program="body-smooth", client="demo")],
    "looks": [line("status"), line("watch")],
    "starts": [
        line("treat", program="body-smooth", client="demo"),
        line("treat", SOMEBODY, program="body-smooth", client="demo"),
    ],
    "nonsense": [b"{}\n", b"[" * 40 + b"\n", b'{"do": "dance"}\n', line("reset", FAR_AWAY)],
    "long lines": [line("status", why="x" * 60_000)],
}


@pytest.fixture(scope="module")
def treating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """Treat long enough for all floods, one after the other."""
    folder = tmp_path_factory.mktemp("floods")
    with unit(folder, hand="average") as device, kernel(device, folder / "state") as host:
        host.ask("treat", program="body-smooth", client="demo")
        yield host
        host.ask("stop")


@pytest.mark.hazard("H22")
@pytest.mark.parametrize("flood", FLOODS)
def test_a_viewer_who_asks_without_end_ends_no_treatment(treating: Kernel, flood: str) -> None:
    _until_active(treating)
    answered = asyncio.run(_flood(treating.socket, FLOODS[flood]))
    shown = treating.ask("status")
    assert answered > CLIENTS
    assert shown["state"] == LIVE, shown["alarms"]
    assert not [each for each in shown["alarms"] if each["priority"] == "high"]


def _until_active(host: Kernel) -> None:
    end_s = time.monotonic() + ACTIVE_MAX_S
    while host.state() != LIVE:
        assert time.monotonic() < end_s, host.ask("status")
        time.sleep(0.1)


async def _flood(path: Path, requests: list[bytes]) -> int:
    end_s = time.monotonic() + FLOOD_S
    return sum(await asyncio.gather(*(_client(path, requests, end_s) for _ in range(CLIENTS))))


async def _client(path: Path, requests: list[bytes], end_s: float) -> int:
    """Ask anew as soon as something is answered, and return how much was."""
    reader, writer = await asyncio.open_unix_connection(path, limit=2**20)
    asks, answered = cycle(requests), 0
    for _ in range(UNDER_WAY):
        writer.write(next(asks))
    try:
        async with asyncio.timeout(max(0.0, end_s - time.monotonic())):
            while await reader.readline():
                answered += 1
                writer.write(next(asks))
                await writer.drain()
    except TimeoutError:
        pass
    finally:
        writer.transport.abort()  # what it has not read yet is nothing to wait for
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return answered
