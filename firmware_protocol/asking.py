"""The asking side of one-shots: one at a time, repeated with the same sequence, three outcomes.

Done and failed come with the answer. Unknown is the third: every try went unanswered, and the
request may have been executed. The next one waits until the peer's telemetry resolves it, because
afterwards "the last executed sequence" would no longer tell about this one.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from firmware_protocol.codec import encode
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.events import Event, RequestDone, RequestResolved, RequestUnknown
from firmware_protocol.frame import DELIMITER, RETRY
from firmware_protocol.messages import Hello, Message, Result
from firmware_protocol.ticks import newer, next_seq
from firmware_protocol.vocabulary import Outcome

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


def was_executed(reply: Message) -> bool:
    """True unless the reply says that the request failed."""
    return not (isinstance(reply, Result) and reply.outcome == Outcome.FAILED)
