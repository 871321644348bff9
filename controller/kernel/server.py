"""The API on a unix socket: reads lines, asks the service, writes answers, streams snapshots.

STOP is taken the moment its line is read, in the reading callback itself, whatever else this or
another client has under way. Everything has a bound: clients, questions at a time, line length,
bytes that wait for a slow reader.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from controller.kernel import api
from controller.kernel.api import ApiError, Request
from controller.kernel.authority import Do
from controller.kernel.leading import Viewer
from controller.kernel.peer import is_welcome, peer_uid

CLIENTS_MAX: Final = 32
QUESTIONS_MAX: Final = 8
"""Questions of one connection at a time; a person asks one, a program a few."""

WATCH_PERIOD_S: Final = 0.1
BACKLOG_MAX_BYTES: Final = 65_536
"""A reader that is this far behind gets no snapshot until it has caught up: the newest wins."""

BEHIND_MAX_S: Final = 10.0
"""A reader that has not caught up after this is hung up on."""

CLOSE_MAX_S: Final = 1.0
"""How long a client may take to read a last word."""

_TOO_LARGE: Final = ApiError(
    "too_large",
    f"A request is longer than {api.REQUEST_MAX_BYTES // 1024} KiB.",
    "Send one JSON object a line; large things belong into files.",
)


class Service(Protocol):
    """What the server needs of the kernel."""

    async def handle(self, request: Request, viewer: Viewer | None = None) -> dict[str, Any]:
        """Answer a question of the connection ``viewer``; ApiError is a refusal."""
        ...

    def stop(self, request: Request) -> dict[str, Any]:
        """Stop now: whatever has to be written to the unit is written when this returns."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """Return everything there is to see."""
        ...


class Server:
    """All connections of one kernel."""

    def __init__(
        self,
        service: Service,
        own_uid: int | None = None,
        on_shutdown: Callable[[], None] = lambda: None,
    ) -> None:
        self.had_clients = False
        """True once anybody was connected."""
        self._service = service
        self._own_uid = os.getuid() if own_uid is None else own_uid
        self._on_shutdown = on_shutdown
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def open(self, listener: socket.socket) -> None:
        """Serve on ``listener``."""
        self._server = await asyncio.get_running_loop().create_unix_server(
            lambda: _Connection(self._service, self), sock=listener
        )

    async def close(self) -> None:
        """Hang up on everybody, after what was answered has gone out, within ``CLOSE_MAX_S``."""
        if self._server is not None:
            self._server.close()
        waiting = [connection.hang_up() for connection in tuple(self._connections)]
        if waiting:
            await asyncio.wait(waiting, timeout=CLOSE_MAX_S)

    def welcome(self, connection: "_Connection", line: socket.socket | None) -> ApiError | None:
        """Let a new connection in, or say why not."""
        uid = None if line is None else peer_uid(line)
        if not is_welcome(uid, self._own_uid):
            return ApiError(
                "not_allowed",
                f"This kernel belongs to user {self._own_uid}; user {uid} may not speak to it.",
                "Run the command as the user who runs the kernel.",
            )
        if len(self._connections) >= CLIENTS_MAX:
            return ApiError(
                "busy",
                f"The kernel has {CLIENTS_MAX} clients already.",
                "Close one of them; a stop by the hand switch always works.",
            )
        self._connections.add(connection)
        self.had_clients = True
        return None

    def gone(self, connection: "_Connection") -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def answered(self, request: Request) -> None:
        """Look at what was answered with yes."""
        if request.do is Do.SHUTDOWN:
            self._on_shutdown()


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, service: Service, server: Server) -> None:
        self._service = service
        self._server = server
        self._is_welcome = False
        self._read = bytearray()
        self._tasks: set[asyncio.Task[None]] = set()
        self._viewer = Viewer()
        self._watch: asyncio.TimerHandle | None = None
        self._parting: asyncio.TimerHandle | None = None
        self._behind_since_s: float | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    # -- asyncio.Protocol --------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Check who it is before a byte is read."""
        line = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self._transport = line
        refused = self._server.welcome(self, line.get_extra_info("socket"))
        if refused is None:
            self._is_welcome = True
        else:
            self._refuse_and_part(refused)

    def data_received(self, data: bytes) -> None:
        """Take what has come; a line may come in any pieces."""
        if not self._is_welcome:
            return
        self._read += data
        while (end := self._read.find(b"\n")) >= 0:
            line = bytes(self._read[:end])
            del self._read[: end + 1]
            if len(line) >= api.REQUEST_MAX_BYTES:
                break
            if line.strip():
                self._take(line)
        if len(self._read) >= api.REQUEST_MAX_BYTES or end >= 0:
            self._read.clear()
            self._refuse_and_part(_TOO_LARGE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything of this client; a treatment that it led soon pauses."""
        self._viewer.closed = True
        if self._watch is not None:
            self._watch.cancel()
        self._transport = None
        if self._parting is not None:
            self._parting.cancel()
        if not self._closed.done():
            self._closed.set_result(None)
        self._server.gone(self)

    # -- the server's side -------------------------------------------------------------------------
    def hang_up(self) -> "asyncio.Future[None]":
        """Close after what waits has been written; done when closed."""
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.close()
        return self._closed

    def _take(self, line: bytes) -> None:
        try:
            request = api.read_request(line)
            if request.do is Do.STOP:
                self._write(api.answer(request.id, self._service.stop(request)))
                return
            if request.do is Do.SEEN:
                self._viewer.seen(request.args.get("n"))
                return
            if len(self._tasks) >= QUESTIONS_MAX:
                raise ApiError(
                    "busy",
                    f"{QUESTIONS_MAX} questions of this connection wait for an answer already.",
                    "Wait for an answer first.",
                )
        except ApiError as error:
            self._write(api.refusal(api.request_id_of(line), error))
            return
        task = asyncio.create_task(self._answer(request), name=f"api-{request.do.value}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request) -> None:
        try:
            result = await self._service.handle(request, self._viewer)
        except ApiError as error:
            self._write(api.refusal(request.id, error))
            return
        self._write(api.answer(request.id, result))
        self._server.answered(request)
        if request.do is Do.WATCH and self._watch is None:
            self._show(request.id)

    def _show(self, request_id: int) -> None:
        if self._transport is None:
            return
        loop = asyncio.get_running_loop()
        if self._transport.get_write_buffer_size() <= BACKLOG_MAX_BYTES:
            self._behind_since_s = None
            number, leads = self._viewer.show(loop.time()), self._viewer.leads
            shown = self._service.snapshot()
            self._write(api.snapshot_line(request_id, number, shown, leads=leads))
        elif self._behind_since_s is None:
            self._behind_since_s = loop.time()
        elif not loop.time() - self._behind_since_s <= BEHIND_MAX_S:
            self._transport.abort()
            return
        self._watch = loop.call_later(WATCH_PERIOD_S, self._show, request_id)

    def _write(self, line: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(line)

    def _refuse_and_part(self, error: ApiError) -> None:
        """Say why, hear nothing more, and hang up soon: at once would throw the answer away."""
        self._is_welcome = False
        self._write(api.refusal(0, error))
        if self._transport is not None:
            self._transport.write_eof()
            self._parting = asyncio.get_running_loop().call_later(
                CLOSE_MAX_S, self._transport.abort
            )
