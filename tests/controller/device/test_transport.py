"""The byte stream over a real pty and a real socket, on both loops that the service may run on."""

import asyncio
import fcntl
import os
import pty
import socket
import struct
import termios
import tty
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop

from controller.device.answers import StreamLostError
from controller.device.transport import WAITING_MAX, ByteStream, Rank, open_stream

pytestmark = pytest.mark.realtime

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
PATIENCE_S = 5.0
STOP = b"\x00stop\x00"


@dataclass
class Pty:
    """A pty whose far end the test reads and writes."""

    master: int
    slave: int
    path: str

    def close(self) -> None:
        for fd in (self.master, self.slave):
            try:
                os.close(fd)
            except OSError:
                continue
        self.master = self.slave = -1


@pytest.fixture
def line() -> Iterator[Pty]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    made = Pty(master, slave, os.ttyname(slave))
    yield made
    made.close()


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    def runner(scenario: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as made:
            made.run(asyncio.wait_for(scenario, PATIENCE_S))

    return runner


Run = Callable[[Coroutine[Any, Any, None]], None]


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def drained(fd: int) -> bytes:
    data = b""
    while True:
        try:
            data += os.read(fd, 65536)
        except BlockingIOError:
            return data


async def fill(stream: ByteStream) -> None:
    """Write until the port takes no more."""
    while not stream._blocked:  # type: ignore[attr-defined]
        stream.write(bytes(range(1, 200)) * 5)


def test_bytes_pass_both_ways_raw(line: Pty, run: Run) -> None:
    everything = bytes(range(256))

    async def scenario() -> None:
        heard: list[bytes] = []
        stream = await open_stream(line.path, heard.append, lambda _why: None)
        os.write(line.master, everything)
        await until(lambda: b"".join(heard) == everything)
        stream.write(everything)
        assert drained(line.master) == everything
        stream.close()
        stream.close()
        with pytest.raises(StreamLostError):
            stream.write(b"x")

    run(scenario())


def test_a_full_port_never_blocks_and_keeps_only_the_newest_setpoint(line: Pty, run: Run) -> None:
    async def scenario() -> None:
        stream = await open_stream(line.path, lambda _data: None, lambda _why: None)
        await fill(stream)
        for number in range(1000):
            stream.write(b"<setpoint %d>" % number, Rank.NEWEST)
        stream.write(b"<request>")
        data = drained(line.master)
        while not data.endswith(b"<request>"):
            await asyncio.sleep(0.001)
            data += drained(line.master)
        assert data.endswith(b"<setpoint 999><request>")
        assert data.count(b"<setpoint") == 1
        stream.write(b"<after>")
        assert drained(line.master) == b"<after>"
        stream.close()

    run(scenario())


@pytest.mark.hazard("H10")
def test_a_stop_goes_ahead_of_everything_that_waits(line: Pty, run: Run) -> None:
    async def scenario() -> None:
        stream = await open_stream(line.path, lambda _data: None, lambda _why: None)
        await fill(stream)
        stream.write(b"<setpoint>", Rank.NEWEST)
        stream.write(b"<request>")
        stream.write(STOP, Rank.AHEAD)
        data = drained(line.master)
        while STOP not in data:
            await asyncio.sleep(0.001)
            data += drained(line.master)
        assert b"<setpoint>" not in data
        assert b"<request>" not in data
        stream.close()

    run(scenario())


def test_a_port_that_takes_nothing_for_ever_is_lost_and_not_buffered(line: Pty, run: Run) -> None:
    async def scenario() -> None:
        lost: list[str] = []
        stream = await open_stream(line.path, lambda _data: None, lost.append)
        await fill(stream)
        stream.write(bytes(WAITING_MAX - 2 * 995))
        with pytest.raises(StreamLostError):
            stream.write(bytes(2 * 995 + 1))
        assert lost == []  # told from the loop, never within the write
        await until(lambda: lost)
        assert len(lost) == 1

    run(scenario())


@pytest.mark.hazard("H44")
def test_a_hang_up_is_told_once(line: Pty, run: Run) -> None:
    async def scenario() -> None:
        lost: list[str] = []
        stream = await open_stream(line.path, lambda _data: None, lost.append)
        line.close()
        await until(lambda: lost)
        await asyncio.sleep(0.02)
        assert len(lost) == 1
        assert line.path in lost[0]
        with pytest.raises(StreamLostError):
            stream.write(b"x")

    run(scenario())


@pytest.mark.hazard("H44")
def test_writing_to_a_port_that_is_gone_is_told_from_the_loop(line: Pty, run: Run) -> None:
    async def scenario() -> None:
        lost: list[str] = []
        stream = await open_stream(line.path, lambda _data: None, lost.append)
        line.close()
        with pytest.raises(StreamLostError):
            stream.write(b"x")
        assert lost == []
        await until(lambda: lost)
        await asyncio.sleep(0.02)
        assert len(lost) == 1

    run(scenario())


def test_closing_from_within_a_listener_is_quiet(line: Pty, run: Run) -> None:
    async def scenario() -> None:
        lost: list[str] = []
        streams: list[ByteStream] = []
        stream = await open_stream(line.path, lambda _data: streams[0].close(), lost.append)
        streams.append(stream)
        os.write(line.master, b"x")
        await asyncio.sleep(0.05)
        assert lost == []

    run(scenario())


def test_a_socket_is_a_port_too(run: Run) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            heard: list[bytes] = []
            lost: list[str] = []
            port = server.getsockname()[1]
            stream = await open_stream(f"tcp://127.0.0.1:{port}", heard.append, lost.append)
            far, _ = server.accept()
            stream.write(b"ping")
            assert far.recv(10) == b"ping"
            far.send(b"pong")
            await until(lambda: heard == [b"pong"])
            # A reset, not an orderly end: what a pulled cable looks like in the end.
            far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            far.close()
            await until(lambda: lost)

    run(scenario())


def test_a_stop_goes_ahead_on_a_socket_that_is_full(run: Run) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            stream = await open_stream(
                f"tcp://127.0.0.1:{port}", lambda _data: None, lambda _why: None
            )
            far, _ = server.accept()
            far.setblocking(False)  # noqa: FBT003 - the name of the standard library
            await fill(stream)
            stream.write(b"<request>")
            stream.write(STOP, Rank.AHEAD)
            data = drained(far.fileno())
            while STOP not in data:
                await asyncio.sleep(0.001)
                data += drained(far.fileno())
            assert b"<request>" not in data
            stream.close()
            far.close()

    run(scenario())


def test_the_port_is_raw_locked_and_hang_ups_are_seen(line: Pty, run: Run) -> None:
    async def scenario() -> None:
        stream = await open_stream(line.path, lambda _data: None, lambda _why: None)
        settings = termios.tcgetattr(line.slave)
        assert not settings[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
        assert not settings[2] & termios.HUPCL
        assert settings[6][termios.VMIN] in (1, b"\x01")
        with pytest.raises(BlockingIOError):
            fcntl.flock(line.slave, fcntl.LOCK_EX | fcntl.LOCK_NB)
        stream.close()

    run(scenario())
