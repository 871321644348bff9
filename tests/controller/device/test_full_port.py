"""A port that takes nothing at all: what waits is written whole, in its order, and nothing else."""

import asyncio
import os
import pty
import tty
from collections.abc import Callable, Iterator

import pytest

from controller.device.answers import StreamLostError
from controller.device.transport import WAITING_MAX, Rank, open_stream

pytestmark = pytest.mark.realtime

PATIENCE_S = 5.0


@pytest.fixture
def line() -> Iterator[tuple[int, int]]:
    """Master and slave of a pty."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    for fd in (master, slave):
        os.set_blocking(fd, False)
    yield master, slave
    os.close(slave)
    os.close(master)


def fill(slave: int) -> None:
    """Write to the port from beside the stream until it takes not one byte more."""
    for size in (1024, 1):
        try:
            while True:
                os.write(slave, bytes(size))
        except BlockingIOError:
            continue


async def emptied(master: int) -> bytes:
    """Return what was written, without what filled the port before."""
    data = b""
    for _ in range(20):
        try:
            data += os.read(master, 65536)
        except BlockingIOError:
            await asyncio.sleep(0.001)
    return data.lstrip(b"\0")


def _request_first(write: Callable[..., None]) -> bytes:
    write(b"<request>")
    write(b"<setpoint>", Rank.NEWEST)
    return b"<setpoint><request>"


def _setpoint_first(write: Callable[..., None]) -> bytes:
    write(b"<setpoint>", Rank.NEWEST)
    write(b"<request>")
    write(b"<next>")
    return b"<setpoint><request><next>"


def _one_request(write: Callable[..., None]) -> bytes:
    write(b"<request>")
    return b"<request>"


def _one_setpoint(write: Callable[..., None]) -> bytes:
    write(b"<setpoint>", Rank.NEWEST)
    return b"<setpoint>"


def _after_a_stop(write: Callable[..., None]) -> bytes:
    write(b"<request>")
    write(b"<setpoint>", Rank.NEWEST)
    write(b"<stop>", Rank.AHEAD)
    write(b"<next>")
    write(b"<newer>", Rank.NEWEST)
    return b"<stop><newer><next>"


@pytest.mark.parametrize(
    "waiting", [_request_first, _setpoint_first, _one_request, _one_setpoint, _after_a_stop]
)
def test_what_waits_for_a_full_port_is_all_that_is_written_when_it_empties(
    line: tuple[int, int], waiting: Callable[[Callable[..., None]], bytes]
) -> None:
    async def scenario() -> None:
        stream = await open_stream(os.ttyname(line[1]), lambda _data: None, lambda _why: None)
        fill(line[1])
        written = waiting(stream.write)
        assert await emptied(line[0]) == written
        stream.write(b"<after>")
        assert await emptied(line[0]) == b"<after>"
        stream.close()

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))


def test_each_way_in_which_a_stream_ends_has_its_sentence_and_its_step(
    line: tuple[int, int],
) -> None:
    name = os.ttyname(line[1])
    lost: list[str] = []

    async def told(data: bytes, *, closed: bool) -> tuple[str, str]:
        stream = await open_stream(name, lambda _data: None, lost.append)
        if closed:
            stream.close()
        else:
            fill(line[1])
            stream.write(b"<waits>")
        with pytest.raises(StreamLostError) as caught:
            stream.write(data)
        await asyncio.sleep(0.001)
        return caught.value.sentence, caught.value.next_step

    async def scenario() -> None:
        assert await told(b"x", closed=True) == (f"{name} is closed", "reconnect")
        assert lost == []
        full = f"{name} takes no more bytes"
        step = "check that the unit is on and the cable is sound"
        assert await told(bytes(WAITING_MAX), closed=False) == (full, step)
        assert lost == [full]

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))


def test_a_write_that_the_system_refuses_says_why_and_what_to_do() -> None:
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    lost: list[str] = []

    async def scenario() -> None:
        stream = await open_stream(name, lambda _data: None, lost.append)
        os.close(slave)
        os.close(master)
        with pytest.raises(StreamLostError) as caught:
            stream.write(b"x")
        assert caught.value.sentence == f"{name}: Input/output error"
        assert caught.value.next_step == "reconnect"
        await asyncio.sleep(0.001)
        assert lost
        assert all(why.startswith(name) for why in lost)

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))
