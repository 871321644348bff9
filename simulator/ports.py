"""The two ports that a simulated handpiece can sit on: a pty with a link to it, or a TCP port.

Neither tells the device that the far end is gone, as a UART would not: the pty keeps its own end
open, and a TCP client that leaves just leaves. What the far end does not read is lost, as without
flow control.
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, cast

from firmware_protocol.address import tcp_url
from simulator.claims import Claim, TakenError

READ_MAX: Final = 65_536
WAITING_MAX: Final = 65_536  # unsent bytes on TCP: ten seconds of telemetry, then the rest is lost
PTS: Final = Path("/dev/pts")

OnData = Callable[[bytes], None]


class PortUnusableError(Exception):
    """The port cannot be made; the text is one sentence that says why and what to do."""

    def __init__(self, sentence: str, *, usage: bool) -> None:
        super().__init__(sentence)
        self.usage = usage
        """True: the name given is wrong; False: the place is taken."""


class Port(Protocol):
    """Where the bytes go."""

    name: str
    """What a host opens."""

    def write(self, data: bytes) -> None:
        """Write what fits now; the rest is lost."""

    def close(self) -> None:
        """Give everything back."""


class PtyPort:
    """A pseudo-terminal; ``link`` is a symbolic link to its other side, made and removed here."""

    def __init__(self, link: Path | None) -> None:
        """Open it; PortUnusableError where the link cannot be made or is of one that lives."""
        self._claim = None if link is None else _claimed(link)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)  # before any host opens it, or it would echo
        os.set_blocking(self._master, False)
        self._path = Path(os.ttyname(self._slave))
        self._link = link
        self._loop: asyncio.AbstractEventLoop | None = None
        self.name = str(self._path if link is None else link)
        if link is not None:
            self._make_link(link)

    def _make_link(self, link: Path) -> None:
        try:
            if link.is_symlink() and _is_left_behind(link, self._claim):
                link.unlink()
            link.symlink_to(self._path)
        except OSError as error:
            self._link = None
            self.close()
            raise PortUnusableError(_why_not(link, error), usage=True) from error

    def start(self, loop: asyncio.AbstractEventLoop, on_data: OnData) -> None:
        """Begin to read."""
        self._loop = loop
        loop.add_reader(self._master, self._read, on_data)

    def _read(self, on_data: OnData) -> None:
        with contextlib.suppress(BlockingIOError):
            on_data(os.read(self._master, READ_MAX))

    def write(self, data: bytes) -> None:
        """Write what fits now; the rest is lost."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)

    def close(self) -> None:
        """Close both sides and remove the link, if it still is ours."""
        if self._loop is not None:
            self._loop.remove_reader(self._master)
        if self._link is not None and self._link.is_symlink():
            with contextlib.suppress(OSError):
                if self._link.readlink() == self._path:
                    self._link.unlink()
        if self._claim is not None:
            self._claim.release()
        os.close(self._master)
        os.close(self._slave)


class TcpPort:
    """A TCP port for one client at a time; a second one is turned away."""

    def __init__(self) -> None:
        self.name = ""
        self._client: asyncio.Transport | None = None
        self._server: asyncio.Server | None = None

    async def start(
        self, loop: asyncio.AbstractEventLoop, on_data: OnData, host: str, port: int
    ) -> None:
        """Listen; PortUnusableError where the address is taken or wrong."""
        try:
            self._server = await loop.create_server(lambda: _Client(self, on_data), host, port)
        except OSError as error:
            raise PortUnusableError(
                f"cannot listen on {tcp_url(host, port)}: {error.strerror or error}; "
                "choose another port, or 0 for any free one",
                usage=False,
            ) from error
        bound = self._server.sockets[0].getsockname()
        self.name = tcp_url(host, bound[1])

    def take(self, client: asyncio.Transport) -> None:
        """Serve a client, unless there is one."""
        if self._client is None:
            self._client = client
        else:
            client.abort()

    def leave(self, client: asyncio.Transport) -> None:
        """Forget a client that is gone."""
        if self._client is client:
            self._client = None

    def write(self, data: bytes) -> None:
        """Write what fits now; the rest is lost."""
        client = self._client
        if client is not None and client.get_write_buffer_size() <= WAITING_MAX:
            client.write(data)

    def close(self) -> None:
        """Stop listening and hang up."""
        if self._server is not None:
            self._server.close()
        if self._client is not None:
            self._client.abort()


class _Client(asyncio.Protocol):
    def __init__(self, port: TcpPort, on_data: OnData) -> None:
        self._port = port
        self._on_data = on_data
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self._port.take(self._transport)

    def data_received(self, data: bytes) -> None:
        self._on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._port.leave(self._transport)


def _claimed(link: Path) -> Claim:
    try:
        return Claim(link)
    except TakenError as error:
        sentence = f"another simulator serves {link} ({error}); end it, or name another path"
        raise PortUnusableError(sentence, usage=False) from error
    except OSError as error:
        raise PortUnusableError(_why_not(link, error), usage=True) from error


def _is_left_behind(link: Path, claim: Claim | None) -> bool:
    """True for the link of a run that was killed: to a pty that is gone, or claimed by the dead."""
    if link.readlink().parent != PTS:
        return False
    return not link.exists() or (claim is not None and claim.inherited)


def _why_not(link: Path, error: OSError) -> str:
    if link.is_symlink() and link.readlink().parent == PTS:
        return (
            f"{link} leads to {link.readlink()}, which another program has; remove the link, "
            "or name another"
        )
    if link.is_symlink():
        return f"{link} is a link to {link.readlink()} and not to a pty; remove it or name another"
    if link.exists():
        return f"{link} exists and is not a link; remove it or name another path for the port"
    return f"cannot make the link {link}: {error.strerror or error}; name a path you can write to"
