"""A byte stream to the unit: opened by pyserial or as a socket, then driven by the loop alone.

pyserial's own ``write`` may block for ever when the far end stops reading, so it opens, locks and
configures the port and is never called again: reading and writing is `os.read` and `os.write` on
the non-blocking descriptor, with the loop telling when. What the port cannot take at once waits
by its rank, within a bound.
"""

import asyncio
import contextlib
import os
import termios
from collections.abc import Awaitable, Callable
from enum import Enum, unique
from typing import Final, Protocol

from controller.device.answers import StreamLostError
from controller.device.port import OpenPort, open_in_thread

READ_MAX: Final = 4096  # what a tty holds at most: one read empties it
WAITING_MAX: Final = 4096  # four one-shots and their retries are below 1 kB


@unique
class Rank(Enum):
    """What happens to bytes that the port cannot take at once."""

    ORDERLY = "kept in order, bounded"
    NEWEST = "replaces what was not yet written of this rank: a setpoint"
    AHEAD = "everything else that is waiting is dropped, this goes first: a STOP"


class ByteStream(Protocol):
    """An open port. Each write is one or more whole frames."""

    def write(self, data: bytes, rank: Rank = Rank.ORDERLY) -> None:
        """Write without ever blocking; StreamLostError when the port is gone or full."""

    def close(self) -> None:
        """Close the port; ``on_lost`` is not called."""


OnData = Callable[[bytes], None]
OnLost = Callable[[str], None]
OpenStream = Callable[[OnData, OnLost], Awaitable[ByteStream]]
"""Opens one port: ``functools.partial(open_stream, url)``, or an in-memory line in tests."""


async def open_stream(url: str, on_data: OnData, on_lost: OnLost) -> ByteStream:
    """Open ``url``: the path of a serial port or pty, or ``tcp://host:port``. Raises PortError."""
    port = await open_in_thread(url)
    return FdStream(asyncio.get_running_loop(), port, on_data, on_lost)


class FdStream:
    """A stream over one non-blocking descriptor of a tty or a socket."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, port: OpenPort, on_data: OnData, on_lost: OnLost
    ) -> None:
        self._loop = loop
        self._port = port
        self._fd = port.fd
        self._on_data = on_data
        self._on_lost = on_lost
        self._closed = False
        self._blocked = False
        self._rest = b""  # of a frame that the port took a part of
        self._newest = b""
        self._orderly = b""
        loop.add_reader(self._fd, self._readable)

    def write(self, data: bytes, rank: Rank = Rank.ORDERLY) -> None:
        """Write without ever blocking; StreamLostError when the port is gone or full."""
        if self._closed:
            raise StreamLostError(f"{self._port.name} is closed", "reconnect")
        if self._blocked:
            self._wait(data, rank)
            return
        rest = self._push(data)
        if rest:
            self._block(rest, whole=len(rest) == len(data), rank=rank)

    def close(self) -> None:
        """Close the port; ``on_lost`` is not called."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._fd)
        if self._blocked:
            self._loop.remove_writer(self._fd)
        self._port.close()

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_MAX)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(f"{self._port.name}: {error.strerror}")
            return
        if data:
            self._on_data(data)
        else:
            self._lose(f"{self._port.name}: the other end hung up")

    def _lose(self, why: str) -> None:
        if not self._closed:
            self.close()
            self._on_lost(why)

    def _push(self, data: bytes) -> bytes:
        """Hand bytes to the port and return those that it did not take."""
        try:
            return data[os.write(self._fd, data) :]
        except (BlockingIOError, InterruptedError):
            return data
        except OSError as error:
            why = f"{self._port.name}: {error.strerror}"
            self._loop.call_soon(self._lose, why)  # never inside of the caller's write
            raise StreamLostError(why, "reconnect") from error

    def _block(self, rest: bytes, *, whole: bool, rank: Rank) -> None:
        self._blocked = True
        self._loop.add_writer(self._fd, self._writable)
        if whole:
            self._wait(rest, rank)
        else:
            self._rest = rest

    def _wait(self, data: bytes, rank: Rank) -> None:
        if rank is Rank.NEWEST:
            self._newest = data
        elif rank is Rank.AHEAD:
            self._jump_ahead(data)
        elif len(self._orderly) + len(data) <= WAITING_MAX:
            self._orderly += data
        else:
            why = f"{self._port.name} takes no more bytes"
            self._loop.call_soon(self._lose, why)
            raise StreamLostError(why, "check that the unit is on and the cable is sound")

    def _jump_ahead(self, data: bytes) -> None:
        """Drop all that waits, also in the buffer of the tty, and write ``data`` first.

        A frame may be cut short by that: a STOP begins with a delimiter of its own.
        """
        self._newest = self._orderly = b""
        with contextlib.suppress(termios.error, OSError):  # a socket has no such buffer
            termios.tcflush(self._fd, termios.TCOFLUSH)
        self._rest = self._push(data)

    def _writable(self) -> None:
        try:
            while self._take_next():  # at most once per place
                self._rest = self._push(self._rest)
                if self._rest:
                    return
        except StreamLostError:
            return  # the loss is on its way to whoever listens
        self._blocked = False
        self._loop.remove_writer(self._fd)

    def _take_next(self) -> bool:
        if not self._rest:
            if self._newest:
                self._rest, self._newest = self._newest, b""
            else:
                self._rest, self._orderly = self._orderly, b""
        return bool(self._rest)
