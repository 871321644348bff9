"""The API on a unix socket: reads lines, asks the service, writes answers, streams snapshots.

STOP is taken the moment its line is read, in the reading callback itself, whatever else this or
another client has under way. Everything has a bound: clients, questions at a time and in a moment,
line length, bytes that wait for a slow reader. STOP has a way of its own beside this: `stop_way`.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from controller.kernel import api
from controller.kernel.api import ApiError, Request
from controller.kernel.authority import Do
from controller.kernel.door import Door
from controller.kernel.lines import Lines
from controller.kernel.peer import is_welcome, peer_uid
from controller.kernel.turns import Turns

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

PARTING_MAX: Final = 64
"""Connections that are being refused at a time; any more are hung up on without a word."""

IDLE_MIN_S: Final = 2.0
"""A connection that has asked nothing and watches nothing for so long makes room for another."""

_BUSY: Final = api.refusal(
    0,
    ApiError(
        "busy",
        f"The kernel has {CLIENTS_MAX} clients already.",
        "Close one of them; `corneum stop` and the hand switch always work.",
    ),
)
_STOP_WORD: Final = Do.STOP.value.encode()

_MADE_ROOM: Final = ApiError(
    "idle",
    f"All {CLIENTS_MAX} places of the kernel were taken, and this connection asked for nothing.",
    "Connect again when there is something to ask.",
)
_TOO_LARGE: Final = ApiError(
    "too_large",
    f"A request is longer than {api.REQUEST_MAX_BYTES // 1024} KiB.",
    "Send one JSON object a line; large things belong into files.",
)


class Service(Protocol):
    """What the server needs of the kernel."""

    async def handle(self, request: Request) -> dict[str, Any]:
        """Answer a question; ApiError is a refusal."""
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
        self._parting = 0
        self._turns = Turns()
        self._door: Door | None = None
        self._entering: set[asyncio.Task[object]] = set()

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def open(self, listener: socket.socket) -> None:
        """Serve on ``listener``."""
        self._door = Door(listener, self._refusal, self._let_in)

    async def close(self) -> None:
        """Hang up on everybody, after what was answered has gone out, within ``CLOSE_MAX_S``."""
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._entering:
            await asyncio.wait(self._entering, timeout=CLOSE_MAX_S)
        waiting = [connection.hang_up() for connection in tuple(self._connections)]
        if waiting:
            await asyncio.wait(waiting, timeout=CLOSE_MAX_S)

    def came(self, connection: "_Connection") -> None:
        """Count a connection that was let in."""
        self._connections.add(connection)
        self.had_clients = True

    def _refusal(self, line: socket.socket) -> bytes | None:
        """Return why somebody at the door may not come in, or None."""
        uid = peer_uid(line)
        if not is_welcome(uid, self._own_uid):
            error = ApiError(
                "not_allowed",
                f"This kernel belongs to user {self._own_uid}; user {uid} may not speak to it.",
                "Run the command as the user who runs the kernel.",
            )
            return api.refusal(0, error)
        full = len(self._connections) + len(self._entering) >= CLIENTS_MAX
        return _BUSY if full and not self._make_room() else None

    def _let_in(self, line: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        entering: asyncio.Task[object] = loop.create_task(
            loop.connect_accepted_socket(
                lambda: _Connection(self._service, self, self._turns), line
            ),
            name="api-client",
        )
        self._entering.add(entering)
        entering.add_done_callback(self._entering.discard)

    def gone(self, connection: "_Connection", *, parting: bool) -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        self._turns.forget(connection)
        self._parting -= parting

    def may_part(self) -> bool:
        """Return whether one more may be told why it is hung up on, and count it."""
        allowed = self._parting < PARTING_MAX
        self._parting += allowed
        return allowed

    def _make_room(self) -> bool:
        """Hang up on whoever has been idle for the longest time; False where nobody is."""
        now_s = asyncio.get_running_loop().time()
        idle = [one for one in self._connections if one.idle_s(now_s) >= IDLE_MIN_S]
        if not idle:
            return False
        oldest = max(idle, key=lambda one: one.idle_s(now_s))
        self._connections.discard(oldest)
        oldest.refuse_and_part(_MADE_ROOM)
        return True

    def answered(self, request: Request) -> None:
        """Look at what was answered with yes."""
        if request.do is Do.SHUTDOWN:
            self._on_shutdown()


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, service: Service, server: Server, turns: Turns) -> None:
        self._service = service
        self._server = server
        self._turns = turns
        self._is_welcome = False
        self._lines = Lines(api.REQUEST_MAX_BYTES)
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch: asyncio.TimerHandle | None = None
        self._parting: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._behind_since_s: float | None = None
        self._heard_s = asyncio.get_running_loop().time()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    # -- asyncio.Protocol --------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place; who it is was looked at before, at the door."""
        line = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self._transport = line
        line.set_write_buffer_limits(BACKLOG_MAX_BYTES)
        self._is_welcome = True
        self._server.came(self)

    def data_received(self, data: bytes) -> None:
        """Take what has come: a STOP at once, everything else in its turn."""
        if not self._is_welcome:
            return
        self._lines.feed(data)
        for line in self._lines.with_word(_STOP_WORD):
            if self._stopped_by(line):
                break
        self._wait_for_turn()

    def pause_writing(self) -> None:
        """Take nothing more from a client that does not read; hang up if it never does."""
        loop = asyncio.get_running_loop()
        if self._transport is not None:
            self._stuck = loop.call_later(BEHIND_MAX_S, self._transport.abort)

    def resume_writing(self) -> None:
        """Go on with a client that has read its answers."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        self._wait_for_turn()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything of this client; what it started goes on."""
        for timer in (self._watch, self._parting, self._stuck):
            if timer is not None:
                timer.cancel()
        self._transport = None
        if not self._closed.done():
            self._closed.set_result(None)
        self._server.gone(self, parting=self._parting is not None)

    # -- the server's side -------------------------------------------------------------------------
    def hang_up(self) -> "asyncio.Future[None]":
        """Close after what waits has been written; done when closed."""
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.close()
        return self._closed

    def idle_s(self, now_s: float) -> float:
        """Return for how long this client has wanted nothing; half a line is nothing."""
        busy = self._watch is not None or self._tasks or self._lines.waiting
        return 0.0 if busy else now_s - self._heard_s

    def take_one(self) -> bool:
        """Take one line in this connection's turn; True where another one waits."""
        if self._lines.too_long:
            self._lines.clear()
            self.refuse_and_part(_TOO_LARGE)
            return False
        line = self._lines.take()
        if line.strip():
            self._heard_s = asyncio.get_running_loop().time()
            self._take(line)
        return self._may_go_on()

    def _may_go_on(self) -> bool:
        """Return whether a line may be taken; what does not fit stays with the client."""
        line = self._transport
        if line is None or not self._is_welcome:
            return False
        waits = self._lines.waiting
        if waits:
            line.pause_reading()
        elif not line.is_reading() and not line.is_closing():
            line.resume_reading()
        return self._stuck is None and (waits or self._lines.too_long)

    def _wait_for_turn(self) -> None:
        if self._may_go_on():
            self._turns.wait(self)

    def _stopped_by(self, line: bytes) -> bool:
        """Stop at once where ``line`` says so, whatever stands before it."""
        try:
            request = api.read_request(line)
        except ApiError:
            return False
        if request.do is not Do.STOP:
            return False
        self._lines.drop(line)
        self._write(api.answer(request.id, self._service.stop(request)))
        return True

    def _take(self, line: bytes) -> None:
        try:
            request = api.read_request(line)
            if request.do is Do.STOP:
                self._write(api.answer(request.id, self._service.stop(request)))
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
            result = await self._service.handle(request)
        except ApiError as error:
            self._write(api.refusal(request.id, error))
            return
        self._heard_s = asyncio.get_running_loop().time()
        self._write(api.answer(request.id, result))
        self._server.answered(request)
        if request.do is Do.WATCH and self._watch is None:
            self._show(request.id)

    def _show(self, request_id: int) -> None:
        if self._transport is None or self._parting is not None:
            return
        loop = asyncio.get_running_loop()
        if self._transport.get_write_buffer_size() <= BACKLOG_MAX_BYTES:
            self._behind_since_s = None
            self._write(api.snapshot_line(request_id, self._service.snapshot()))
        elif self._behind_since_s is None:
            self._behind_since_s = loop.time()
        elif not loop.time() - self._behind_since_s <= BEHIND_MAX_S:
            self._transport.abort()
            return
        self._watch = loop.call_later(WATCH_PERIOD_S, self._show, request_id)

    def _write(self, line: bytes) -> None:
        parting = self._parting is not None  # the last word is said
        if self._transport is not None and not self._transport.is_closing() and not parting:
            self._transport.write(line)

    def refuse_and_part(self, error: ApiError) -> None:
        """Say why, hear nothing more, and hang up soon: at once would throw the answer away."""
        self._is_welcome = False
        line = self._transport
        if line is None:
            return
        if self._parting is not None or not self._server.may_part():
            line.abort()
            return
        self._write(api.refusal(0, error))
        line.write_eof()
        self._parting = asyncio.get_running_loop().call_later(CLOSE_MAX_S, line.abort)
