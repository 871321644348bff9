"""The answering side of one-shots: each is handed up once, and its answer is remembered.

A repeat of a sequence never reaches the application again; it gets the same answer. HELLO counts
outside of sessions: two are the same only if sequence and content (with its nonce) are the same, so
that a host which starts again at sequence 1 is not answered with the past.
"""

from dataclasses import dataclass

from firmware_protocol.asking import was_executed
from firmware_protocol.codec import encode
from firmware_protocol.frame import DELIMITER, RETRY, Frame
from firmware_protocol.messages import Hello, Ident, Message
from firmware_protocol.ticks import newer


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
