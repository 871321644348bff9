"""The unit's end of the line for whoever tries a host without a unit: bytes in, bytes out."""

from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR, Direction
from firmware_protocol.link import Link, MessageReceived, RequestReceived, session_number
from firmware_protocol.messages import Hello, Ident, Message, Result, Stop, Stopped
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vocabulary import Capability, Refusal

SERIAL = 1001
DEVICE_NONCE = 99

IDENT = Ident(
    request_seq=1, refusal=Refusal.NONE, major=PROTOCOL_MAJOR, minor=PROTOCOL_MINOR,
    schema=SCHEMA_HASH, serial=SERIAL, boot_id=7, device_nonce=DEVICE_NONCE, firmware=0x0102,
    capabilities=Capability.SIMULATED,
)  # fmt: skip


@dataclass
class UnitEnd:
    """Answers HELLO with ``ident``, other one-shots by ``answer``, STOP by ``stopped``."""

    ident: Ident | None = IDENT
    answer: Callable[[Message, int], Message | None] = lambda _, seq: Result(seq, 0, 0, 42)
    stopped: Stopped | None = None
    link: Link = field(default_factory=lambda: Link(Direction.TO_HOST))
    heard: list[Message] = field(default_factory=list)

    def hear(self, data: bytes, now_s: float) -> bytes:
        """Take bytes and return what is said to them."""
        said = b""
        for event in self.link.receive(data, now_s):
            if isinstance(event, RequestReceived):
                self.heard.append(event.message)
                said += self._reply(event.message, event.seq, now_s)
            elif isinstance(event, MessageReceived):
                self.heard.append(event.message)
                if self.stopped is not None and isinstance(event.message, Stop):
                    said += self.link.send(self.stopped)
        return said + self.link.outgoing()

    def _reply(self, message: Message, seq: int, now_s: float) -> bytes:
        if not isinstance(message, Hello):
            reply = self.answer(message, seq)
            return b"" if reply is None else self.link.reply(seq, reply)
        if self.ident is None:
            return b""
        ident = self.ident._replace(request_seq=seq)
        said = self.link.reply(seq, ident)
        self.link.open_session(session_number(message.host_nonce, ident.device_nonce), now_s)
        return said
