"""The API on a unix socket: reads lines, asks the service, writes answers, streams snapshots.

STOP is taken the moment its line is read, in the reading callback itself, whatever else this or
another client has under way. Everything has a bound: clients, questions at a time, line length,
lines of all clients in a turn of the loop, bytes that wait for a slow reader. STOP has a way of its
own beside this: `stop_way`.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, cast

from controller.api import requests
from controller.api.authority import Do, may
from controller.api.broadcast import Broadcast
from controller.api.door import Door
from controller.api.faults import ENDING, FaultHandler
from controller.api.peer import is_welcome, peer_uid
from controller.api.requests import Request, WhoSays
from controller.api.turns import Lines, Turns
from controller.api.viewer import Viewer
from controller.safety.refusal import Refusal, RefusedError, refusing

CLIENTS_MAX: Final = 32
QUESTIONS_MAX: Final = 8
"""Questions of one connection at a time; a person asks one, a program a few."""

BACKLOG_MAX_BYTES: Final = 65_536
"""A reader that is this far behind gets no snapshot until it has caught up: the newest wins."""

BEHIND_MAX_S: Final = 10.0
"""A reader that has not caught up after this is hung up on."""

CLOSE_MAX_S: Final = 1.0
"""How long a client may take to read a last word."""

LEADING_LINES_MAX: Final = 8
"""Lines of the leading screen that wait for no turn, of what is read at once: a flood of others
must not make its confirmations late, which would pause the treatment. It sends ten a second."""

UNREAD_MAX_BYTES: Final = 4 * BACKLOG_MAX_BYTES
"""A client that reads none of its answers, up to this, is hung up on."""

PARTING_MAX: Final = 64
"""Connections that are being refused at a time; any more are hung up on without a word."""

IDLE_MIN_S: Final = 2.0
"""A connection that has asked nothing and watches nothing for so long makes room for another."""

_BUSY: Final = requests.refusal(
    0,
    Refusal(
        "busy",
        f"The kernel has {CLIENTS_MAX} clients already.",
        "Close one of them; `corneum stop` and the hand switch always work.",
    ),
)

_MADE_ROOM: Final = Refusal(
    "idle",
    f"All {CLIENTS_MAX} places of the kernel were taken, and this connection asked for nothing.",
    "Connect again when there is something to ask.",
)

_LOOKS: Final = frozenset({Do.STATUS, Do.WATCH})


class Service(Protocol):
    """What the server needs of the kernel."""

    @property
    def state(self) -> str:
        """Return the state of the treatment."""
        ...

    async def handle(self, request: Request, viewer: Viewer | None = None) -> dict[str, Any]:
        """Answer a question of the connection ``viewer``; RefusedError is a refusal."""
        ...

    def watched(self, viewer: Viewer, who: WhoSays) -> None:
        """Somebody watches from now on."""
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
        faults: FaultHandler | None = None,
    ) -> None:
        self.had_clients = False
        """True once anybody was connected."""
        self.broadcast = Broadcast(service.snapshot, lambda: service.state)
        self.turns = Turns()
        self.faults = FaultHandler() if faults is None else faults
        self._service = service
        self._own_uid = os.getuid() if own_uid is None else own_uid
        self._on_shutdown = on_shutdown
        self._connections: set[_Connection] = set()
        self._parting = 0
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
            why = Refusal(
                "not_allowed",
                f"This kernel belongs to user {self._own_uid}; user {uid} may not speak to it.",
                "Run the command as the user who runs the kernel.",
            )
            return requests.refusal(0, why)
        full = len(self._connections) + len(self._entering) >= CLIENTS_MAX
        return _BUSY if full and not self._make_room() else None

    def _let_in(self, line: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        entering: asyncio.Task[object] = loop.create_task(
            loop.connect_accepted_socket(lambda: _Connection(self._service, self), line),
            name="api-client",
        )
        self._entering.add(entering)
        entering.add_done_callback(self._entering.discard)

    def gone(self, connection: "_Connection", *, parting: bool) -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        self.broadcast.remove(connection)
        self.turns.leave(connection)
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
        """Look at what was answered with yes: something may have changed by it."""
        self.broadcast.stale()
        if request.do is Do.SHUTDOWN:
            self._on_shutdown()


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, service: Service, server: Server) -> None:
        self._service = service
        self._server = server
        self._is_welcome = False
        self._lines = Lines(requests.REQUEST_MAX_BYTES)
        self._is_paused = False
        self._is_choked = False
        """It reads its answers more slowly than it asks."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._viewer = Viewer()
        self._watch_id: int | None = None
        """The id of the request that each line of its watch carries; None while it does not."""
        self._parting: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._behind_since_s: float | None = None
        self._heard_s = asyncio.get_running_loop().time()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    # -- asyncio.Protocol --------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place; who it is was looked at before, at the door."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self._is_welcome = True
        self._server.came(self)

    def data_received(self, data: bytes) -> None:
        """Take what has come; a line may come in any pieces. A stop waits for nothing."""
        if not self._is_welcome:
            return
        for line in self._lines.feed(data, requests.says_stop):
            self._take(line)
        if self._lines.full and not self._is_paused and self._transport is not None:
            self._transport.pause_reading()
            self._is_paused = True
        self._come()

    def pause_writing(self) -> None:
        """Take nothing more but a stop until the answers so far are read; hang up if never."""
        self._is_choked = True
        if self._transport is not None:
            loop = asyncio.get_running_loop()
            self._stuck = loop.call_later(BEHIND_MAX_S, self._transport.abort)

    def resume_writing(self) -> None:
        """Go on with what waits."""
        self._is_choked = False
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        self._come()

    def _come(self) -> None:
        """Take what has come: of the screen that leads at once, of everybody else in turn."""
        if self._viewer.leads:
            for _ in range(LEADING_LINES_MAX):
                if not self._lines.whole or self._is_choked:
                    return
                self.take()
        if self._lines.whole and not self._is_choked:
            self._server.turns.come(self)

    def take(self) -> tuple[int, bool]:
        """Take the oldest line, in turn with all other clients."""
        line = self._lines.take() if self._is_welcome else b""
        if line is None:
            self.refuse_and_part(requests.TOO_LARGE)
            return 0, False
        if line.strip():
            self._heard_s = asyncio.get_running_loop().time()
            self._take(line)
        if self._is_paused and not self._lines.full and self._transport is not None:
            self._is_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return len(line), self._is_welcome and self._lines.whole and not self._is_choked

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything of this client; a treatment that it led soon pauses."""
        self._viewer.closed = True
        self._transport = None
        for timer in (self._parting, self._stuck):
            if timer is not None:
                timer.cancel()
        if not self._closed.done():
            self._closed.set_result(None)
        self._server.gone(self, parting=self._parting is not None)

    # -- the server's side -------------------------------------------------------------------------
    def hang_up(self) -> "asyncio.Future[None]":
        """Close after what waits has been written; done when closed."""
        self._server.broadcast.remove(self)
        if self._transport is not None:
            self._transport.close()
        return self._closed

    def idle_s(self, now_s: float) -> float:
        """Return for how long this client has wanted nothing; half a line is nothing."""
        viewer = self._viewer
        busy = self._watch_id is not None or viewer.leads or self._tasks or self._lines.whole
        return 0.0 if busy else now_s - self._heard_s

    def _take(self, line: bytes) -> None:
        request = None
        try:
            request = requests.read_request(line)
            if request.do is Do.STOP:
                self._write(requests.answer(request.id, self._service.stop(request)))
                self._server.broadcast.stale()
                return
            if request.do in _LOOKS and may(request.do, request.who.role, request.who.origin):
                self._look(request)
                return
            if request.do is Do.SEEN:
                self._viewer.seen(request.args.get("n"))
                return
            if len(self._tasks) >= QUESTIONS_MAX:
                raise refusing(
                    "busy",
                    f"{QUESTIONS_MAX} questions of this connection wait for an answer already.",
                    "Wait for an answer first.",
                )
        except RefusedError as error:
            self._write(requests.refusal(requests.request_id_of(line), error.refusal))
            return
        except Exception as error:  # noqa: BLE001 - whoever asks is answered
            self._begin(self._tell_fault(requests.request_id_of(line), request, error), "api-fault")
            return
        self._begin(self._answer(request), f"api-{request.do.value}")

    def _begin(self, answer: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(answer, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_fault(self, number: int, request: Request | None, error: Exception) -> None:
        self._server.broadcast.stale()
        self._write(requests.refusal(number, await self._server.faults.told(error, request)))

    async def _answer(self, request: Request) -> None:
        try:
            line = await self._server.faults.guarded(self._answered(request), request)
        except RefusedError as error:
            self._write(requests.refusal(request.id, error.refusal))
            return
        except asyncio.CancelledError:
            self._write(requests.refusal(request.id, ENDING))
            raise
        self._heard_s = asyncio.get_running_loop().time()
        self._write(line)
        self._server.answered(request)

    async def _answered(self, request: Request) -> bytes:
        return requests.answer(request.id, await self._service.handle(request, self._viewer))

    def _look(self, request: Request) -> None:
        """Answer with the snapshot that everybody gets, which costs next to nothing."""
        self._write(self._server.broadcast.answer(request.id))
        if request.do is Do.WATCH and self._watch_id is None and self._transport is not None:
            self._watch_id = request.id
            self._service.watched(self._viewer, request.who)
            self._server.broadcast.add(self)

    def show(self, number: int, rest: bytes) -> bool:
        """Send a snapshot unless too much waits; False for one who does not read at all."""
        if self._transport is None or self._watch_id is None:
            return False
        if self._transport.get_write_buffer_size() <= BACKLOG_MAX_BYTES:
            self._behind_since_s = None
            self._viewer.sent(number, asyncio.get_running_loop().time())
            self._write(requests.watch_start(self._watch_id, leads=self._viewer.leads) + rest)
            return True
        now_s = asyncio.get_running_loop().time()
        if self._behind_since_s is None:
            self._behind_since_s = now_s
        if now_s - self._behind_since_s <= BEHIND_MAX_S:
            return True
        self._transport.abort()
        return False

    def _write(self, line: bytes) -> None:
        if self._transport is None or self._transport.is_closing() or self._parting is not None:
            return  # after the last word nothing is said
        if self._transport.get_write_buffer_size() > UNREAD_MAX_BYTES:
            self._transport.abort()
            return
        self._transport.write(line)

    def refuse_and_part(self, why: Refusal) -> None:
        """Say why, hear nothing more, and hang up soon: at once would throw the answer away."""
        self._is_welcome = False
        line = self._transport
        if line is None:
            return
        if self._parting is not None or not self._server.may_part():
            line.abort()
            return
        self._write(requests.refusal(0, why))
        line.write_eof()
        self._parting = asyncio.get_running_loop().call_later(CLOSE_MAX_S, line.abort)
