"""The link's shell: one stream, one timer, and no task between bytes and listeners.

Theory of operation. Bytes go into the sans-I/O `Link` in the callback that read them, and every
event it makes is handed on in that same callback, so that a breach and the STOP that answers it
share one stack. One timer serves the link's deadline. It is moved only when the deadline comes
earlier: a timer that fires too soon looks, and arms itself again, which is cheaper than to move it
with every frame.

Bytes prove nothing: a unit that is off leaves noise on its line, and a stranger talks. What counts
as heard is a frame that the link has used in the session that is open; STOPPED, which belongs to no
session, is none.
"""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from controller.device.answers import StreamLostError
from controller.device.timers import armed_s
from controller.device.transport import ByteStream, OpenStream, Rank
from firmware_protocol.catalogue import Direction
from firmware_protocol.link import (
    Event,
    Link,
    MessageReceived,
    RequestDone,
    RequestResolved,
    RequestUnknown,
)
from firmware_protocol.messages import Message, Stopped

GREETINGS_MAX: Final = 8
"""Frames that were written before there was a session and are known again: 5 tries of HELLO."""

GREETED_MAX_BYTES: Final = 4096
"""What is kept of the bytes that came before there was a session: over a second of telemetry."""

RESOLVE_WAIT_MAX_S: Final = 0.5  # telemetry comes every 20 ms; longer means that the line is dead


T = TypeVar("T")


class Reply(NamedTuple):
    """The answer to a one-shot, or None; and whether the unit executed it, where that is known."""

    message: Message | None
    executed: bool | None


class LinkDriver:
    """Carries messages over one stream at a time; the link and its sequences outlive the stream."""

    def __init__(
        self,
        open_stream: OpenStream,
        on_event: Callable[[Event], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self.link = Link(Direction.TO_DEVICE)
        self.heard_at_s = -math.inf
        """When the newest frame of a session was used, on the clock of the loop; before the first
        one for ever ago. It outlives the stream."""
        self._open_stream = open_stream
        self._on_event = on_event
        self._on_lost = on_lost
        self._stream: ByteStream | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[int, asyncio.Future[Message | None]] = {}
        self._unresolved: dict[int, asyncio.Future[bool | None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._greetings: deque[bytes] = deque(maxlen=GREETINGS_MAX)
        self._greeted = b""

    @property
    def echoes(self) -> bool:
        """True where a greeting of this stream came back: no unit can say the same bytes."""
        return any(said in self._greeted for said in self._greetings)

    @property
    def is_open(self) -> bool:
        """True while there is a stream to write to."""
        return self._stream is not None

    async def open(self) -> None:
        """Open the stream. Raises PortError."""
        self.close()
        self._loop = asyncio.get_running_loop()
        self._stream = await self._open_stream(self._received, self._lost)

    def begin(self, session: int, minor: int) -> None:
        """Open a session with the unit whose IDENT has just come: that is the first of it."""
        now_s = asyncio.get_running_loop().time()
        self.link.open_session(session, now_s, minor)
        self.heard_at_s = now_s

    def close(self) -> None:
        """Close the stream and the session; whoever waits for an answer learns: unknown."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._greetings.clear()
        self._greeted = b""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.link.close_session()
        self.link.poll(0.0)  # takes away the outcomes that are told to the waiters below
        for waiter in self._waiting.values():
            _settle(waiter, None)
        for resolution in self._unresolved.values():
            _settle(resolution, None)
        self._waiting.clear()
        self._unresolved.clear()

    def send(self, message: Message, rank: Rank) -> bool:
        """Write a periodic message or a STOP now; False when there is no stream."""
        if self._stream is None:
            return False
        try:
            self._stream.write(self.link.send(message), rank)
        except StreamLostError:  # the stream tells the loss by itself
            return False
        return True

    async def request(self, message: Message, *, resolve: bool = True) -> Reply:
        """Send a one-shot and return its answer, or what telemetry shows of it (``resolve``)."""
        loop = self._loop
        if loop is None or self._stream is None:
            return Reply(None, executed=False)
        seq = self.link.request(message, loop.time())
        waiter: asyncio.Future[Message | None] = loop.create_future()
        self._waiting[seq] = waiter
        self._flush()
        try:
            answer = await waiter
        finally:
            self._waiting.pop(seq, None)
        if answer is not None:
            return Reply(answer, executed=True)
        return Reply(None, executed=await self._resolved(seq) if resolve else None)

    async def _resolved(self, seq: int) -> bool | None:
        resolution = self._unresolved.get(seq)
        if resolution is None:  # the stream was closed meanwhile
            return None
        try:
            async with asyncio.timeout(RESOLVE_WAIT_MAX_S):
                return await resolution
        except TimeoutError:
            return None
        finally:
            self._unresolved.pop(seq, None)

    def _received(self, data: bytes) -> None:
        now_s = self._loop.time()  # type: ignore[union-attr]  # a stream exists only after open
        if not self.link.session:
            self._greeted = (self._greeted + data)[-GREETED_MAX_BYTES:]
        for event in self.link.receive(data, now_s):
            if isinstance(event, MessageReceived):  # first: 50 of these come every second
                if type(event.message) is not Stopped:
                    self.heard_at_s = now_s
                self._on_event(event)
            else:
                if isinstance(event, RequestDone) and self.link.session:
                    self.heard_at_s = now_s
                self._dispatch(event)
        if self._waiting:  # the host has nothing else to write: it answers no requests
            self._flush()

    def _dispatch(self, event: Event) -> None:
        if isinstance(event, RequestDone):
            _settle(self._waiting.get(event.seq), event.reply)
        elif isinstance(event, RequestUnknown):
            self._lose_track(event.seq)
        elif isinstance(event, RequestResolved):
            _settle(self._unresolved.get(event.seq), event.executed)
        else:
            self._on_event(event)

    def _lose_track(self, seq: int) -> None:
        waiter = self._waiting.get(seq)
        if waiter is not None and not waiter.done():
            # Registered here and not by the waiting task: telemetry may come before it wakes.
            self._unresolved[seq] = waiter.get_loop().create_future()
            waiter.set_result(None)

    def _flush(self) -> None:
        """Write what the link has ready and see to its deadline."""
        if self._stream is None:  # a listener has closed it
            return
        data = self.link.outgoing()
        if data:
            if not self.link.session:
                self._greetings.append(data)
            with contextlib.suppress(StreamLostError):  # the stream tells the loss by itself
                self._stream.write(data)
        deadline_s = self.link.deadline_s()
        if deadline_s is not None:
            self._arm(deadline_s)

    def _arm(self, deadline_s: float) -> None:
        loop: asyncio.AbstractEventLoop = self._loop  # type: ignore[assignment]  # as above
        timer, due_s = self._timer, armed_s(deadline_s, loop.time())
        if timer is not None:
            if timer.when() <= due_s:
                return
            timer.cancel()
        self._timer = loop.call_at(due_s, self._due)

    def _due(self) -> None:
        self._timer = None
        for event in self.link.poll(self._loop.time()):  # type: ignore[union-attr]
            self._dispatch(event)
        self._flush()

    def _lost(self, why: str) -> None:
        self._stream = None
        self.close()
        self._on_lost(why)


def _settle(waiter: asyncio.Future[T] | None, value: T) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(value)
