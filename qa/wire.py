"""A serial line in memory: both directions, with their faults, on whichever loop is running.

The host's end is the byte stream that `controller.device` expects; the device's end is a pair of
functions. Between them stand two `Line` objects that delay, lose, flip and reorder, each from its
own seed. Every byte that is put on the line goes into one hash, with its direction and its time, so
that two runs can be compared as a whole.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Final, Protocol

from controller.device.answers import PortError, PortTrouble, StreamLostError
from controller.device.transport import ByteStream, OnData, OnLost, Rank

US_PER_S: Final = 1_000_000


class ByteLine(Protocol):
    """What a direction of the line does; `simulator.line.Line` is one."""

    def send(self, data: bytes, now_s: float) -> None:
        """Put bytes on the line."""

    def deliver(self, now_s: float) -> bytes:
        """Return what has arrived by now."""

    def deadline_s(self) -> float | None:
        """When something will arrive next."""


class Trace:
    """One hash over all bytes of both directions, in the order and at the times they were sent."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.chunks = 0
        self.tap: Callable[[bytes, bytes, float], None] | None = None
        """Is told every chunk: direction, bytes, time."""

    def note(self, direction: bytes, data: bytes, now_s: float) -> None:
        """Take one chunk; the time counts in whole microseconds."""
        at_us = round(now_s * US_PER_S)
        self._hash.update(b"%s%d:%d:%s" % (direction, at_us, len(data), data))
        self.chunks += 1
        if self.tap is not None:
            self.tap(direction, data, now_s)

    def sha256(self) -> str:
        """Return the hash so far."""
        return self._hash.hexdigest()


class _Way:
    """One direction: a line, the receiver at its end, and the one timer that delivers."""

    def __init__(self, name: bytes, line: ByteLine, trace: Trace) -> None:
        self.line = line
        self.receiver: Callable[[bytes], None] | None = None
        self._name = name
        self._trace = trace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def send(self, data: bytes) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        now_s = self._loop.time()
        self._trace.note(self._name, data, now_s)
        self.line.send(data, now_s)
        self._arm(self._loop)

    def stop(self) -> None:
        self.receiver = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        due_s = self.line.deadline_s()
        if due_s is None:
            return
        if self._timer is not None:
            if self._timer.when() <= due_s:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due_s, self._due, loop)

    def _due(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        data = self.line.deliver(loop.time())
        if data and self.receiver is not None:
            self.receiver(data)
        self._arm(loop)


class VirtualWire:
    """The line between one host and one device. What nobody listens to is lost, as on a UART."""

    def __init__(self, to_device: ByteLine, to_host: ByteLine) -> None:
        self.trace = Trace()
        self.plugged = True
        self._down = _Way(b">", to_device, self.trace)
        self._up = _Way(b"<", to_host, self.trace)
        self._host: _HostEnd | None = None

    def attach_device(self, receive: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Give the device its receiver and return the function that sends for it."""
        self._down.receiver = receive
        return self._send_up

    async def open(self, on_data: OnData, on_lost: OnLost) -> ByteStream:
        """Open the host's end; fits `controller.device.transport.OpenStream`."""
        await asyncio.sleep(0)
        if not self.plugged:
            raise PortError(PortTrouble.NOT_FOUND, "the virtual line is unplugged", "plug it in")
        self._host = _HostEnd(self, on_lost)
        self._up.receiver = on_data
        return self._host

    def unplug(self) -> None:
        """Take the line away: the host learns it at once, the device only by the silence."""
        self.plugged = False
        host, self._host = self._host, None
        self._up.receiver = None
        if host is not None:
            host.lose("the virtual line was unplugged")

    def plug(self) -> None:
        """Put the line back; the host must open it again."""
        self.plugged = True

    def close(self) -> None:
        """Stop delivering."""
        self._down.stop()
        self._up.stop()

    def send_down(self, data: bytes) -> None:
        """Put bytes of the host on the line."""
        if self.plugged:
            self._down.send(data)

    def hang_up(self, end: "_HostEnd") -> None:
        """Let the host close its end."""
        if self._host is end:
            self._host = None
            self._up.receiver = None

    def _send_up(self, data: bytes) -> None:
        if self.plugged and data:
            self._up.send(data)


class _HostEnd:
    """The host's byte stream. The line in memory takes every byte, so no rank ever waits."""

    def __init__(self, wire: VirtualWire, on_lost: OnLost) -> None:
        self._wire = wire
        self._on_lost = on_lost
        self._closed = False

    def write(self, data: bytes, rank: Rank = Rank.ORDERLY) -> None:
        """Put bytes on the line; StreamLostError when it is closed."""
        del rank
        if self._closed:
            raise StreamLostError("the virtual line is closed", "reconnect")
        self._wire.send_down(data)

    def close(self) -> None:
        """Close this end; ``on_lost`` is not called."""
        self._closed = True
        self._wire.hang_up(self)

    def lose(self, why: str) -> None:
        """Tell the host that the line is gone, from the loop and never from within its write."""
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().call_soon(self._on_lost, why)
