"""Where a unit is found: on a port, in a simulator of our own, or in virtual time."""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from controller.device.transport import open_stream
from qa.conformance.bench import TIP_DEFAULT, Bench
from qa.conformance.peer import Peer
from qa.conformance.verdicts import UnitLostError
from qa.wire import VirtualWire
from simulator.control import Control as ControlChannel
from simulator.handpiece import Handpiece
from simulator.host import DeviceHost
from simulator.line import Line, Weather

OWN: Final = "sim:"
"""The URL that starts a simulator for the run."""
START_MAX_S: Final = 20.0
END_MAX_S: Final = 5.0
REPLY_MAX_S: Final = 5.0
LINE_MAX_BYTES: Final = 65_536
VIRTUAL_DELAY_S: Final = 0.003
VIRTUAL_MARGIN_S: Final = 0.030  # one report, and the line both ways


class SocketControl:
    """The control channel of a simulator in another process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def do(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do one request; UnitLostError where nobody answers."""
        try:
            async with asyncio.timeout(REPLY_MAX_S):
                self._writer.write(json.dumps(dict(request)).encode() + b"\n")
                await self._writer.drain()
                reply = json.loads(await self._reader.readline())
        except (OSError, ValueError, TimeoutError) as error:
            raise UnitLostError(f"the control channel does not answer: {error}") from error
        return dict(reply)


class InlineControl:
    """The control channel of a device on the same loop."""

    def __init__(self, host: DeviceHost) -> None:
        self._channel = ControlChannel(host)

    async def do(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do one request."""
        return self._channel.answer(json.dumps(dict(request)).encode())


@contextlib.asynccontextmanager
async def place(
    url: str, control: Path | None = None, tip: int = TIP_DEFAULT
) -> AsyncIterator[Bench]:
    """Open the port of a unit, and its control channel where one is named.

    Raises:
        PortError: the port cannot be opened.
        UnitLostError: nobody serves the control channel, or the simulator did not start.
    """
    async with contextlib.AsyncExitStack() as stack:
        if url == OWN:
            url, control = await stack.enter_async_context(_own_simulator())
        channel = None if control is None else await stack.enter_async_context(_channel(control))
        peer = Peer(partial(open_stream, url))
        await peer.open()
        stack.callback(peer.close)
        yield Bench(peer, channel, tip=tip)


@contextlib.asynccontextmanager
async def virtual_place(handpiece: Handpiece | None = None) -> AsyncIterator[Bench]:
    """Give a device of its own in virtual time; inside of `run_virtual`."""
    loop = asyncio.get_running_loop()
    unit = Handpiece(1, "absent") if handpiece is None else handpiece
    wire = VirtualWire(_line("to device"), _line("to host"))

    def write(data: bytes) -> None:
        send(data)

    host = DeviceHost(unit, loop, write)
    send = wire.attach_device(host.receive)
    peer = Peer(wire.open)
    host.start()
    await peer.open()
    try:
        yield Bench(peer, InlineControl(host), margin_s=VIRTUAL_MARGIN_S)
    finally:
        peer.close()
        host.stop()
        wire.close()


def _line(way: str) -> Line:
    line = Line(way)
    line.weather = Weather(delay_s=VIRTUAL_DELAY_S)
    return line


@contextlib.asynccontextmanager
async def _channel(path: Path) -> AsyncIterator[SocketControl]:
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=LINE_MAX_BYTES)
    except OSError as error:
        raise UnitLostError(
            f"no simulator answers on the control socket {path}: {error.strerror or error}"
        ) from error
    try:
        yield SocketControl(reader, writer)
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def _own_simulator() -> AsyncIterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="corneum-") as folder:
        control = Path(folder) / "control"
        arguments = ("serve", "--json", "--hand", "absent", "--seed", "1", "--while-stdin")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "simulator.cli", *arguments, "--control", str(control),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            yield await _port_of(process), control
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(END_MAX_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _port_of(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise UnitLostError("the simulator has no standard output")
    try:
        async with asyncio.timeout(START_MAX_S):
            said = json.loads(await process.stdout.readline())
    except (TimeoutError, ValueError) as error:
        raise UnitLostError(f"the simulator did not start: {error}") from error
    return str(said["port"])
