"""What one end of a session keeps: its number, its counters, its one-shots and its error limiter.

The asking side has one one-shot under way at a time and repeats it with the same sequence. It ends
in one of three ways. Done and failed come with the answer. Unknown is the third: every try went
unanswered, and the request may have been executed. The next one waits until the peer's telemetry
resolves it, because afterwards "the last executed sequence" would no longer tell about this one.
The answering side hands each one-shot up once and remembers its answer.

The error limiter ends the trust in a link with too many corrupt frames: the CRC alone does not
bound the rate of undetected errors, this does (OPC UA Safety, part 15).
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from math import floor
from typing import Final, NamedTuple

from fastcrc.crc32 import autosar

from firmware_protocol.codec import encode
from firmware_protocol.envelope import (
    BAD_FRAMES_LONG_MAX,
    BAD_FRAMES_LONG_S,
    BAD_FRAMES_SHORT_MAX,
    BAD_FRAMES_SHORT_S,
)
from firmware_protocol.errors import LocalProtocolError, Reject
from firmware_protocol.frame import DELIMITER, RETRY, Frame
from firmware_protocol.messages import Hello, Ident, Message, Result
from firmware_protocol.vocabulary import Outcome


def session_number(host_nonce: int, device_nonce: int) -> int:
    """Return the session of two nonces of 32 bits; never 0, which means none."""
    nonces = host_nonce.to_bytes(4, "little") + device_nonce.to_bytes(4, "little")
    return autosar(nonces) or 1


# -- counters that wrap ----------------------------------------------------------------------------
TICK_SPAN: Final = 2**32
"""The tick wraps after 49.7 days."""
SEQ_SPAN: Final = 2**16
SEQ_HALF: Final = SEQ_SPAN // 2
_MS_PER_S: Final = 1000
_ROUNDING_MS: Final = 1e-6  # 0.029 s is 28.999999999999996 ms in binary; it is tick 29


def tick_of(now_s: float, boot_offset_ms: int = 0) -> int:
    """Return the tick at ``now_s`` of a device whose tick was ``boot_offset_ms`` at zero."""
    return (floor(now_s * _MS_PER_S + _ROUNDING_MS) + boot_offset_ms) % TICK_SPAN


def age_ms(now_tick: int, old_tick: int) -> int:
    """Return how long ago ``old_tick`` was; a tick of the future counts as 49 days old."""
    return (now_tick - old_tick) % TICK_SPAN


def newer(seq_a: int, seq_b: int) -> bool:
    """True where ``seq_a`` comes strictly after ``seq_b``, less than half a turn ahead."""
    return 0 < (seq_a - seq_b) % SEQ_SPAN < SEQ_HALF


def next_seq(seq: int) -> int:
    """Return the sequence after ``seq``; zero is skipped, because it means none."""
    return seq % (SEQ_SPAN - 1) + 1


# -- what a link reports ---------------------------------------------------------------------------
class MessageReceived(NamedTuple):
    """A periodic message, the newest of its session, or a STOP or its answer."""

    message: Message


class RequestReceived(NamedTuple):
    """A one-shot that was not seen before; it wants exactly one reply."""

    message: Message
    seq: int


class RequestDone(NamedTuple):
    """The answer to our one-shot. It may still say that the request failed."""

    seq: int
    reply: Message


class RequestUnknown(NamedTuple):
    """No answer: our one-shot may or may not have been executed."""

    seq: int


class RequestResolved(NamedTuple):
    """An unknown outcome became known, without the content of the answer."""

    seq: int
    executed: bool


class FrameRejected(NamedTuple):
    """A run of bytes that was not used, and why."""

    reason: Reject


Event = (
    MessageReceived
    | RequestReceived
    | RequestDone
    | RequestUnknown
    | RequestResolved
    | FrameRejected
)


# -- the error limiter -----------------------------------------------------------------------------
_SHORT: Final = BAD_FRAMES_SHORT_MAX + 1
_LONG: Final = BAD_FRAMES_LONG_MAX + 1


class ErrorLimiter:
    """Remembers when the newest corrupt frames came; no more of them than the rules need."""

    __slots__ = ("_newest_s",)

    def __init__(self) -> None:
        self._newest_s: deque[float] = deque(maxlen=_LONG)

    def note(self, now_s: float) -> None:
        """Count one corrupt frame."""
        self._newest_s.appendleft(now_s)

    def exceeded(self, now_s: float) -> bool:
        """True while more corrupt frames than allowed lie in one of the two windows."""
        return self._crowded(_SHORT, now_s - BAD_FRAMES_SHORT_S) or self._crowded(
            _LONG, now_s - BAD_FRAMES_LONG_S
        )

    def _crowded(self, count: int, since_s: float) -> bool:
        oldest_s = next(islice(self._newest_s, count - 1, None), None)
        return oldest_s is not None and not oldest_s < since_s


# -- asking ----------------------------------------------------------------------------------------
REQUESTS_MAX: Final = 4  # under way and queued: a person's clicks, never a stream
TRIES_MAX: Final = 5  # a line that loses five in a row is silent, and silence is the lease's affair
RTO_FIRST_S: Final = 0.025  # a round trip at 115200 baud is 20 ms
RTO_MAX_S: Final = 0.400  # 0.775 s in all, below the time a person takes for a fault
RESOLVE_MAX_S: Final = 1.0  # 50 telemetry frames; without one the outcome stays unknown for good


@dataclass(slots=True)
class _Asked:
    message: Message
    session: int
    seq: int
    tries: int = 0
    due_s: float = 0.0
    unknown: bool = False


@dataclass(slots=True)
class Asker:
    """Our one-shots: the queue, the one under way, its retries and its outcome."""

    _queue: deque[_Asked] = field(default_factory=deque)
    _hello_seq: int = 0
    _seq: int = 0
    _to_write: bool = False

    def ask(self, message: Message, session: int, now_s: float) -> int:
        """Queue a one-shot and return its sequence; LocalProtocolError when the queue is full.

        HELLO travels outside of sessions and counts by itself, for the life of the link.
        """
        if len(self._queue) >= REQUESTS_MAX:
            raise LocalProtocolError(f"{REQUESTS_MAX} one-shots are waiting already")
        seq = next_seq(self._hello_seq if isinstance(message, Hello) else self._seq)
        asked = _Asked(message, 0 if isinstance(message, Hello) else session, seq)
        encode(message, asked.session, seq)  # refuses now what the wire cannot carry
        if isinstance(message, Hello):
            self._hello_seq = seq
        else:
            self._seq = seq
        self._queue.append(asked)
        if len(self._queue) == 1:
            self._try(asked, now_s)
        return seq

    def abandon(self) -> list[Event]:
        """Forget everything that waits; each has an unknown outcome. A new session begins."""
        events: list[Event] = [RequestUnknown(a.seq) for a in self._queue if not a.unknown]
        self._queue.clear()
        self._seq = 0
        self._to_write = False
        return events

    def answered(
        self, request_seq: int, reply: Message, session: int, now_s: float
    ) -> Event | None:
        """Take a reply of ``session``; None where nobody waits for it."""
        asked = self._queue[0] if self._queue else None
        if asked is None or (asked.seq, asked.session) != (request_seq, session):
            return None
        self._finish(now_s)
        return (
            RequestResolved(request_seq, was_executed(reply))
            if asked.unknown
            else (RequestDone(request_seq, reply))
        )

    def executed_until(self, last_request_seq: int, now_s: float) -> Event | None:
        """Resolve an unknown outcome from what the peer says it executed last."""
        asked = self._queue[0] if self._queue else None
        if asked is None or not asked.unknown:
            return None
        self._finish(now_s)
        return RequestResolved(asked.seq, executed=not newer(asked.seq, last_request_seq))

    def poll(self, now_s: float) -> list[Event]:
        """Start a due retry, or report an outcome that is unknown by now."""
        deadline_s = self.deadline_s()
        if deadline_s is None or now_s < deadline_s:
            return []
        asked = self._queue[0]
        if asked.unknown:
            self._finish(now_s)
            return []
        if asked.tries < TRIES_MAX:
            self._try(asked, now_s)
            return []
        asked.unknown = True
        asked.due_s = now_s + RESOLVE_MAX_S
        if asked.session == 0:
            self._finish(now_s)  # HELLO changes nothing and is simply asked again
        return [RequestUnknown(asked.seq)]

    def deadline_s(self) -> float | None:
        """When to poll next."""
        return self._queue[0].due_s if self._queue else None

    def outgoing(self) -> bytes:
        """Return the request that is due, once; its first delimiter cuts off a half-sent frame."""
        if not self._to_write:
            return b""
        self._to_write = False
        asked = self._queue[0]
        flags = RETRY if asked.tries > 1 else 0
        return DELIMITER + encode(asked.message, asked.session, asked.seq, flags)

    def _try(self, asked: _Asked, now_s: float) -> None:
        asked.due_s = now_s + min(RTO_FIRST_S * 2**asked.tries, RTO_MAX_S)
        asked.tries += 1
        self._to_write = True

    def _finish(self, now_s: float) -> None:
        self._queue.popleft()
        self._to_write = False
        if self._queue:
            self._try(self._queue[0], now_s)


# -- answering -------------------------------------------------------------------------------------
def was_executed(reply: Message) -> bool:
    """True unless the reply says that the request failed."""
    return not (isinstance(reply, Result) and reply.outcome == Outcome.FAILED)


@dataclass(slots=True)
class Answerer:
    """The newest request of the session and the newest HELLO, each with its answer."""

    last_request_seq: int = 0
    _seen_seq: int = 0
    _reply: tuple[Message, int] | None = None
    _hello: tuple[int, Message] | None = None
    _ident: Message | None = None
    _reply_due: bool = False
    _ident_due: bool = False

    def new_session(self) -> None:
        """Forget the requests of the old session; the newest HELLO is kept."""
        self.last_request_seq = self._seen_seq = 0
        self._reply = None
        self._reply_due = False

    def is_new(self, frame: Frame) -> bool | None:
        """True for a request to hand up, False for a repeat, None for one from the past."""
        if isinstance(frame.message, Hello):
            return self._is_new_hello(frame)
        if frame.seq == self._seen_seq:
            self._reply_due = self._reply is not None
            return False
        if not newer(frame.seq, self._seen_seq):
            return None
        self._seen_seq = frame.seq
        self._reply = None
        return True

    def reply(self, request_seq: int, message: Message, session: int) -> bytes:
        """Remember the answer to a request and return its wire bytes.

        An IDENT begins with a delimiter: it is the first frame after a line was opened.
        """
        if isinstance(message, Ident):
            self._ident = message
            return DELIMITER + encode(message, 0, request_seq)
        wire = encode(message, session, request_seq)
        if request_seq == self._seen_seq:
            self._reply = (message, session)
        if was_executed(message) and newer(request_seq, self.last_request_seq):
            self.last_request_seq = request_seq
        return wire

    def outgoing(self) -> bytes:
        """Return the answers to repeats, each once however many repeats came."""
        wire = b""
        if self._ident_due and self._hello is not None and self._ident is not None:
            wire += DELIMITER + encode(self._ident, 0, self._hello[0], RETRY)
        if self._reply_due and self._reply is not None:
            wire += encode(self._reply[0], self._reply[1], self._seen_seq, RETRY)
        self._ident_due = self._reply_due = False
        return wire

    def _is_new_hello(self, frame: Frame) -> bool:
        hello = (frame.seq, frame.message)
        if hello == self._hello:
            self._ident_due = self._ident is not None
            return False
        self._hello = hello
        self._ident = None
        return True
