"""A host that may misbehave: any bytes out, every frame in with its time, a stream of setpoints.

It is neither the controller's client nor the scripted host, on purpose. Both stand on `Link`, which
never sends what a host must never send, and hides what a device should not have said: a frame of
another session, a stale sequence, an answer to nobody. A unit of another make is judged by just
those, so this host counts its sequences itself, keeps every frame that decodes and writes whatever
it is given; it shares the words of the scripted host alone. The loop's time is its only clock, so
that the same cases run in real time on a port and in virtual time.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeVar

from controller.device.answers import StreamLostError
from controller.device.transport import ByteStream, OpenStream
from firmware_protocol.catalogue import PROTOCOL_MAJOR, Direction
from firmware_protocol.codec import BadFrameError, decode, encode
from firmware_protocol.envelope import SETPOINT_PERIOD_S
from firmware_protocol.frame import DELIMITER, RETRY, Frame, FrameDecoder
from firmware_protocol.messages import (
    Hello,
    Ident,
    LogRecord,
    Message,
    Result,
    Setpoint,
    Telemetry,
    WitnessHead,
)
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.session import TICK_SPAN, next_seq, session_number
from firmware_protocol.vocabulary import Cause, Mode, Permit
from qa.conformance.verdicts import NonconformityError, UnitLostError
from qa.host import Wishes, greeting

T = TypeVar("T")

HEARD_MAX: Final = 20_000  # five minutes of telemetry and status; a case takes seconds
TRIES: Final = 5
RETRY_FIRST_S: Final = 0.050
ANSWER_MAX_S: Final = 1.0
MS_PER_S: Final = 1000


class Heard(NamedTuple):
    """One frame of the device, counted from 1, and when its last byte came."""

    number: int
    at_s: float
    frame: Frame


class Peer:
    """One end of a line, in the hands of a case."""

    def __init__(self, open_stream: OpenStream) -> None:
        self.session = 0
        self.heard: deque[Heard] = deque(maxlen=HEARD_MAX)
        self.mark = 0
        """The number of the newest frame: what comes later has a higher one."""
        self.strange: list[str] = []
        """What the device sent that is no frame, with the reason."""
        self.wishes = Wishes()
        self.request_seq = self.sent_seq = self.loop_counter = 0
        self.newest: Telemetry | None = None
        self.setpoint_at_s = 0.0
        """When the newest setpoint of the stream was written."""
        self._newest_at_s = 0.0
        self._open_stream = open_stream
        self._loop = asyncio.get_running_loop()
        self._stream: ByteStream | None = None
        self._decoder = FrameDecoder()
        self._synchronised = False
        self._hello_seq = 0
        self._nonce = 0
        self._news = asyncio.Event()
        self._lost: str | None = None
        self._timer: asyncio.TimerHandle | None = None

    # -- the port ----------------------------------------------------------------------------------
    async def open(self) -> None:
        """Open the port; PortError where that fails."""
        self._stream = await self._open_stream(self._received, self._line_lost)

    def close(self) -> None:
        """Stop the stream of setpoints and close the port."""
        self.stop_stream()
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def write(self, wire: bytes) -> None:
        """Write any bytes; UnitLostError when the port is gone."""
        if self._stream is None or self._lost is not None:
            raise UnitLostError(self._lost or "the port is closed")
        try:
            self._stream.write(wire)
        except StreamLostError as error:
            raise UnitLostError(str(error)) from error

    def _line_lost(self, why: str) -> None:
        self._lost = why
        self._news.set()

    def _received(self, data: bytes) -> None:
        now_s = self._loop.time()
        if not self._synchronised:  # the line may have been in the middle of a frame
            head, mark, data = data.partition(DELIMITER)
            del head
            self._synchronised = bool(mark)
        for run in self._decoder.feed(data):
            try:
                frame = decode(run, Direction.TO_HOST)
            except BadFrameError as error:
                self.strange.append(f"{run.hex()}: {error.reason.value}")
                continue
            self.mark += 1
            self.heard.append(Heard(self.mark, now_s, frame))
            message = frame.message
            if isinstance(message, Telemetry) and frame.session == self.session:
                self.newest, self._newest_at_s = message, now_s
        self._news.set()

    # -- waiting -----------------------------------------------------------------------------------
    async def until(
        self, sentence: str, found: Callable[[], T | None], max_s: float = ANSWER_MAX_S
    ) -> T:
        """Wait until ``found`` gives something; NonconformityError(sentence) after ``max_s``."""
        end_s = self._loop.time() + max_s
        while (seen := found()) is None:
            if self._lost is not None:
                raise UnitLostError(self._lost)
            left_s = end_s - self._loop.time()
            if left_s <= 0.0:
                raise NonconformityError(f"{sentence} (waited {max_s:g} s)")
            self._news.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._news.wait()
            except TimeoutError:
                continue
        return seen

    def since(self, mark: int, kind: type[T]) -> Iterator[tuple[float, Frame, T]]:
        """Yield when, frame and message of everything of that kind heard after ``mark``."""
        for number, at_s, frame in self.heard:
            if number > mark and isinstance(frame.message, kind):
                yield at_s, frame, frame.message

    async def telemetry(
        self, sentence: str, holds: Callable[[Telemetry], bool], max_s: float = ANSWER_MAX_S
    ) -> tuple[float, Telemetry]:
        """Wait for a new telemetry of this session that fits, and return it with its time."""
        mark, last = self.mark, self.newest

        def fits() -> tuple[float, Telemetry] | None:
            heard = ((at_s, m) for at_s, f, m in self.since(mark, Telemetry)
                     if f.session == self.session and holds(m))  # fmt: skip
            return next(heard, None)

        try:
            return await self.until(sentence, fits, max_s)
        except NonconformityError as error:
            said = _said(self.newest) if self.newest is not last else "nothing in this session"
            raise NonconformityError(f"{error}; the unit says {said}") from None

    @property
    def now_s(self) -> float:
        """The loop's time."""
        return self._loop.time()

    @property
    def newest_tick(self) -> int:
        """The tick of the newest TELEMETRY of this session; 0 before the first."""
        return 0 if self.newest is None else self.newest.tick_ms

    def tick_heard(self, ago_s: float) -> int:
        """Return the tick of the newest TELEMETRY that came ``ago_s`` ago or longer."""
        since_s = self._loop.time() - ago_s
        said = [m.tick_ms for at_s, f, m in self.since(0, Telemetry)
                if at_s <= since_s and f.session == self.session]  # fmt: skip
        if not said:
            raise NonconformityError(f"no TELEMETRY of this session is {ago_s:g} s old")
        return said[-1]

    # -- sessions and one-shots --------------------------------------------------------------------
    def hello_wire(self, *, schema: int = SCHEMA_HASH, major: int = PROTOCOL_MAJOR) -> bytes:
        """Return a new HELLO with a nonce that was not used before."""
        self._nonce += 1
        return self.greeting(greeting(self.nonce, major=major)._replace(schema=schema))

    @property
    def nonce(self) -> int:
        """The nonce of the newest HELLO: any number that was not used before, and repeatable."""
        return (0x5EED_0000 + self._nonce) % 2**32

    def greeting(self, hello: Hello) -> bytes:
        """Return the wire bytes of a HELLO under the next sequence."""
        self._hello_seq = next_seq(self._hello_seq)
        return DELIMITER + encode(hello, 0, self._hello_seq)

    async def ident(self, wire: bytes) -> Ident:
        """Write a greeting, repeat it until it is answered, and return the IDENT."""
        seq, mark = self._hello_seq, self.mark

        def answer() -> Ident | None:
            found = (m for _, f, m in self.since(mark, Ident) if f.seq == m.request_seq == seq)
            return next(found, None)

        return await self._repeated("HELLO", wire, answer)

    def begin(self, ident: Ident, host_nonce: int) -> None:
        """Go on in the session that an IDENT opened."""
        self.session = session_number(host_nonce, ident.device_nonce)
        self.request_seq = self.sent_seq = self.loop_counter = 0
        self.newest = None

    async def hello(self) -> Ident:
        """Open a new session."""
        ident = await self.ident(self.hello_wire())
        if ident.refusal:
            raise NonconformityError(f"HELLO was refused: {ident}")
        self.begin(ident, self.nonce)
        return ident

    def request_wire(self, message: Message, seq: int, flags: int = 0) -> bytes:
        """Return the wire bytes of a request of this session."""
        return DELIMITER + encode(message, self.session, seq, flags)

    async def ask(self, message: Message, seq: int | None = None) -> Message:
        """Send a one-shot, repeat it until it is answered, and return the answer."""
        if seq is None:
            seq = self.request_seq = next_seq(self.request_seq)
        mark, name = self.mark, type(message).__name__.upper()
        wire = self.request_wire(message, seq)
        retry = self.request_wire(message, seq, RETRY)
        return await self._repeated(name, wire, lambda: self.answer_to(seq, mark), retry)

    def answer_to(self, seq: int, mark: int) -> Message | None:
        """Return the answer to a request that came after ``mark``, or None."""
        answers: list[tuple[float, Frame, Result | LogRecord | WitnessHead]] = []
        answers += [*self.since(mark, Result), *self.since(mark, LogRecord)]
        answers += self.since(mark, WitnessHead)
        fits = (m for _, f, m in answers if (f.seq, f.session) == (seq, self.session))
        return next(fits, None)

    async def _repeated(
        self, name: str, wire: bytes, answer: Callable[[], T | None], retry: bytes = b""
    ) -> T:
        for number in range(TRIES):
            self.write(retry if number and retry else wire)
            try:
                return await self.until("", answer, RETRY_FIRST_S * 2**number)
            except NonconformityError:
                continue
        raise NonconformityError(f"{name} was not answered in {TRIES} tries")

    # -- setpoints ---------------------------------------------------------------------------------
    def setpoint(self, *, echo: int | None = None, step: int = 1) -> Setpoint:
        """Return the next setpoint of the wishes; it echoes the newest tick, or another one."""
        self.loop_counter = (self.loop_counter + step) % 2**16
        told = self.newest_tick if echo is None else echo
        return self.wishes.setpoint(self.loop_counter, told % TICK_SPAN)

    def send(self, setpoint: Setpoint) -> None:
        """Write a setpoint under the next sequence."""
        self.sent_seq = next_seq(self.sent_seq)
        self.write(encode(setpoint, self.session, self.sent_seq))

    def start_stream(self) -> None:
        """Send a setpoint every 50 ms from now on."""
        self.stop_stream()
        self._stream_due(self._loop.time())

    def stop_stream(self) -> None:
        """Fall silent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stream_due(self, due_s: float) -> None:
        next_s = due_s + SETPOINT_PERIOD_S
        self._timer = self._loop.call_at(next_s, self._stream_due, next_s)
        if self._lost is None and self._stream is not None:
            self.send(self.setpoint())
            self.setpoint_at_s = self._loop.time()


def _said(seen: Telemetry | None) -> str:
    """Return what matters of a telemetry in a few words."""
    if seen is None:
        return "nothing in this session"
    return (
        f"{Mode(seen.mode).name}, cause {Cause(seen.cause).name}, {Permit(seen.permits)!r}, "
        f"valve {seen.valve_percent} %, lease {seen.lease_left_ms} ms"
    )
