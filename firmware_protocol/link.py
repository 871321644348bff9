"""One end of the line, without I/O and blind to its role: bytes and time in, events and bytes out.

Theory of operation. Three families of frames share the line. Periodic ones carry the sender's whole
state under one rising sequence; the receiver uses a frame only if it is newer than the last one
used, and nothing is ever repeated. One-shots are asked one at a time and repeated with the same
sequence until answered; the answering end executes each once and remembers its answer (`asking`,
`answering`). STOP and its answer stand outside: no session, no sequence, never queued.

Every frame names its session, which both ends compute from their two nonces at HELLO. A frame of
another session is never used, so neither a replay nor a restarted peer can speak in this one.

A session speaks the smaller minor version of its two ends. This is the one place that keeps what a
peer does not know from it: a message that is too new for it is not sent, a word is replaced.
"""

from collections import deque
from typing import Final

from firmware_protocol.catalogue import (
    CATALOGUE,
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    Direction,
    Kind,
    Seed,
)
from firmware_protocol.codec import decode, encode
from firmware_protocol.errors import CORRUPT, BadFrameError, LocalProtocolError, Reject
from firmware_protocol.frame import DELIMITER, Frame, FrameDecoder
from firmware_protocol.messages import Ident, LogRecord, Message, Result, Telemetry, WitnessHead
from firmware_protocol.schema import SINCE, lowered
from firmware_protocol.session import (
    REQUESTS_MAX,
    SEQ_SPAN,
    Answerer,
    Asker,
    ErrorLimiter,
    Event,
    FrameRejected,
    MessageReceived,
    RequestDone,
    RequestReceived,
    RequestResolved,
    RequestUnknown,
    newer,
    next_seq,
    session_number,
)

__all__ = [
    "Event",
    "FrameRejected",
    "Link",
    "MessageReceived",
    "RequestDone",
    "RequestReceived",
    "RequestResolved",
    "RequestUnknown",
    "session_number",
]

_KIND: Final = {spec.message: spec.kind for spec in CATALOGUE}
_SENDER: Final = {spec.message: spec.direction for spec in CATALOGUE}
# Bound once: in Python 3.11 each look-up of a member on its enum costs as much as a CRC.
_STOP: Final = Kind.STOP
_PERIODIC: Final = Kind.PERIODIC
_REQUEST: Final = Kind.REQUEST
_SESSIONLESS: Final = frozenset(
    spec.message for spec in CATALOGUE if spec.seed is Seed.FIXED and spec.kind is not Kind.STOP
)
"""HELLO and IDENT: what makes a session cannot travel in one."""
_REPLIES: Final = (Ident, Result, LogRecord, WitnessHead)
_ABANDONED_MAX: Final = 4 * REQUESTS_MAX  # of four sessions; then nobody polls this link
_COUNT_MAX: Final = SEQ_SPAN - 1  # STATUS carries the count in 16 bits


class Link:
    """One end of the line. ``sends`` is the way its own frames travel."""

    def __init__(self, sends: Direction) -> None:
        self.session = 0
        self.minor = 0
        """The minor version that this session speaks."""
        self.bad_frames = 0
        self._older = False
        self._sends = sends
        self._receives = Direction.TO_HOST if sends is Direction.TO_DEVICE else Direction.TO_DEVICE
        self._decoder = FrameDecoder()
        self._limiter = ErrorLimiter()
        self._asker = Asker()
        self._answerer = Answerer()
        self._abandoned: deque[Event] = deque(maxlen=_ABANDONED_MAX)
        self._sent_seq = 0
        self._seen_seq = 0

    @property
    def last_request_seq(self) -> int:
        """The newest one-shot of this session that was executed here; 0 before the first."""
        return self._answerer.last_request_seq

    def open_session(self, session: int, now_s: float, minor: int = 0) -> None:
        """Begin a session: sequences, counters and one-shots start afresh.

        ``minor`` is the peer's, from its HELLO or IDENT; the oldest where nobody says. The outcome
        of one-shots that wait is unknown; the next `poll` says so.
        """
        if not 0 < session < 2**32:
            raise LocalProtocolError(f"session {session} is not in 1 to {2**32 - 1}")
        self._begin(session)
        self.minor = min(minor, PROTOCOL_MINOR)
        self._older = self.minor < PROTOCOL_MINOR

    def close_session(self) -> None:
        """End the session: only HELLO, IDENT, STOP and STOPPED are understood from now on."""
        self._begin(0)

    def receive(self, data: bytes, now_s: float) -> list[Event]:
        """Take bytes in any split and return what they mean; never raises for what a peer sends."""
        events: list[Event] = []
        for run in self._decoder.feed(data):
            try:
                frame = decode(run, self._receives)
                self._take(frame, now_s, events)
            except BadFrameError as error:
                self._reject(error.reason, now_s, events)
        return events

    def send(self, message: Message) -> bytes:
        """Return the wire bytes of a periodic message of this session, or of a STOP.

        Nothing for a periodic message that the peer's minor version does not have. A STOP begins
        with a delimiter, so that neither noise nor a half-sent frame swallows it.
        """
        kind = self._kind_to_send(message)
        if kind is _STOP:
            return DELIMITER + encode(message, self.session, 0)
        if kind is not _PERIODIC:
            raise LocalProtocolError(f"{type(message).__name__} is {kind.value}")
        if self.session == 0:
            raise LocalProtocolError(f"{type(message).__name__} needs an open session")
        if self._older:
            if SINCE[type(message)] > self.minor:
                return b""
            message = lowered(message, self.minor)
        self._sent_seq = next_seq(self._sent_seq)
        return encode(message, self.session, self._sent_seq)

    def request(self, message: Message, now_s: float) -> int:
        """Queue a one-shot and return its sequence; its bytes come out of `outgoing`."""
        if self._kind_to_send(message) is not _REQUEST:
            raise LocalProtocolError(f"{type(message).__name__} is not a one-shot")
        if self.session == 0 and type(message) not in _SESSIONLESS:
            raise LocalProtocolError(f"{type(message).__name__} needs an open session")
        return self._asker.ask(self._spoken(message), self.session, now_s)

    def reply(self, request_seq: int, message: Message) -> bytes:
        """Return the wire bytes of an answer, and remember it for repeats of the request."""
        self._kind_to_send(message)
        if not isinstance(message, _REPLIES):
            raise LocalProtocolError(f"{type(message).__name__} is not an answer")
        if message.request_seq != request_seq:
            raise LocalProtocolError(f"the answer is to {message.request_seq}, not {request_seq}")
        return self._answerer.reply(request_seq, self._spoken(message), self.session)

    def poll(self, now_s: float) -> list[Event]:
        """Do what is due by now: retries, and outcomes that have become unknown."""
        events = [*self._abandoned, *self._asker.poll(now_s)]
        self._abandoned.clear()
        return events

    def outgoing(self) -> bytes:
        """Return the bytes of requests, retries and repeated answers that wait to be written."""
        return self._answerer.outgoing() + self._asker.outgoing()

    def deadline_s(self) -> float | None:
        """When to poll next, if nothing happens before; 0.0 is at once."""
        return 0.0 if self._abandoned else self._asker.deadline_s()

    def limit_exceeded(self, now_s: float) -> bool:
        """True while more corrupt frames came than a trusted line may have."""
        return self._limiter.exceeded(now_s)

    def _begin(self, session: int) -> None:
        self._abandoned += self._asker.abandon()
        self._answerer.new_session()
        self._limiter = ErrorLimiter()
        self.session = session
        self.minor, self._older = 0, PROTOCOL_MINOR > 0
        self.bad_frames = self._sent_seq = self._seen_seq = 0

    def _kind_to_send(self, message: Message) -> Kind:
        if _SENDER[type(message)] is not self._sends:
            raise LocalProtocolError(f"{type(message).__name__} travels the other way")
        return _KIND[type(message)]

    def _spoken(self, message: Message) -> Message:
        """Return a one-shot or an answer in the words of the minor version of this session."""
        if not self._older:
            return message
        if SINCE[type(message)] > self.minor:
            raise LocalProtocolError(
                f"{type(message).__name__} needs minor version {SINCE[type(message)]}, and this "
                f"session speaks {PROTOCOL_MAJOR}.{self.minor}"
            )
        return lowered(message, self.minor)

    def _take(self, frame: Frame, now_s: float, events: list[Event]) -> None:
        kind = _KIND[type(frame.message)]
        if kind is _STOP:
            events.append(MessageReceived(frame.message))
            return
        if type(frame.message) in _SESSIONLESS:
            if frame.session != 0:
                raise BadFrameError(Reject.SESSION)
        elif frame.session != self.session or frame.session == 0:
            raise BadFrameError(Reject.SESSION)
        if self._older and SINCE[type(frame.message)] > self.minor:
            raise BadFrameError(Reject.UNKNOWN)  # the peer said that it does not have this message
        if kind is _PERIODIC:
            self._take_periodic(frame, now_s, events)
        elif kind is _REQUEST:
            self._take_request(frame, events)
        else:
            self._take_reply(frame, now_s, events)

    def _take_periodic(self, frame: Frame, now_s: float, events: list[Event]) -> None:
        if not newer(frame.seq, self._seen_seq):
            raise BadFrameError(Reject.STALE)
        self._seen_seq = frame.seq
        message = frame.message
        events.append(MessageReceived(message))
        if isinstance(message, Telemetry):
            resolved = self._asker.executed_until(message.last_request_seq, now_s)
            if resolved is not None:
                events.append(resolved)

    def _take_request(self, frame: Frame, events: list[Event]) -> None:
        is_new = self._answerer.is_new(frame)
        if is_new is None:
            raise BadFrameError(Reject.STALE)
        if is_new:
            events.append(RequestReceived(frame.message, frame.seq))

    def _take_reply(self, frame: Frame, now_s: float, events: list[Event]) -> None:
        message = frame.message
        if not isinstance(message, _REPLIES) or message.request_seq != frame.seq:
            raise BadFrameError(Reject.UNSOLICITED)
        event = self._asker.answered(frame.seq, message, frame.session, now_s)
        if event is None:
            raise BadFrameError(Reject.UNSOLICITED)
        events.append(event)

    def _reject(self, reason: Reject, now_s: float, events: list[Event]) -> None:
        if reason in CORRUPT:
            self.bad_frames = min(self.bad_frames + 1, _COUNT_MAX)
            self._limiter.note(now_s)
        events.append(FrameRejected(reason))
