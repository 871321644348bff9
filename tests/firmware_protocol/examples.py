"""Messages and a pair of links that the tests of the wire share."""

from dataclasses import dataclass, field
from typing import Final

from hypothesis import strategies as st

from firmware_protocol.catalogue import CATALOGUE, Direction, Spec
from firmware_protocol.frame import DELIMITER
from firmware_protocol.link import Event, Link, RequestDone, RequestReceived, session_number
from firmware_protocol.messages import (
    Arm,
    Hello,
    Ident,
    Message,
    Result,
    Setpoint,
    Stopped,
    Telemetry,
)
from firmware_protocol.schema import SCHEMA_HASH, fields_of
from firmware_protocol.vectors import examples_of

SPEC_OF: Final = {spec.message: spec for spec in CATALOGUE}
SETPOINT: Final = Setpoint(200, 7, 123_456, 30_000, 8_000, 3, 77, 5_000)
TELEMETRY: Final = Telemetry(123_456, 5, 0, 511, 5, 80, 30_010, 29_990, 7_900, 150, 7, 0, 1, 2)
ARM: Final = Arm(0xCAFE, 77)
SESSION: Final = session_number(1, 2)


def example(spec: Spec, word: str = "typ") -> Message:
    """Return the message of a catalogue row with its example counts."""
    return spec.message(**examples_of(spec)[word])


def run_of(wire: bytes) -> bytes:
    """Return what stands between the delimiters of one frame."""
    return wire.strip(DELIMITER)


def done(seq: int) -> Result:
    """Return the answer that a request was executed."""
    return Result(seq, 0, 0, 99)


def ident(seq: int) -> Ident:
    """Return the answer to a HELLO."""
    return Ident(seq, 0, 2, 0, SCHEMA_HASH, 42, 5, 2, 256, 2)


def hello(nonce: int = 1) -> Hello:
    """Return a HELLO of this schema."""
    return Hello(2, 0, SCHEMA_HASH, nonce)


def stopped() -> Stopped:
    """Return the answer to a STOP."""
    return Stopped(1, 7, 0, 12_000)


def messages_of(spec: Spec) -> st.SearchStrategy[Message]:
    """Return every legal message of one catalogue row."""
    columns = [
        st.integers(field.low, field.top)
        if field.unknown is None
        else st.integers(field.low, field.top) | st.just(field.unknown)
        for _, field in fields_of(spec.message)
    ]
    return st.tuples(*columns).map(lambda counts: spec.message(*counts))


@dataclass(slots=True)
class Pair:
    """A host and a device, wired together in memory: each test drives both ends."""

    host: Link = field(default_factory=lambda: Link(Direction.TO_DEVICE))
    device: Link = field(default_factory=lambda: Link(Direction.TO_HOST))
    executed: list[Message] = field(default_factory=list)

    def open(self, session: int = SESSION, now_s: float = 0.0) -> "Pair":
        """Open a session on both ends without a HELLO."""
        self.host.open_session(session, now_s)
        self.device.open_session(session, now_s)
        return self

    def to_device(self, data: bytes, now_s: float = 0.0) -> list[Event]:
        """Deliver bytes to the device."""
        return self.device.receive(data, now_s)

    def to_host(self, data: bytes, now_s: float = 0.0) -> list[Event]:
        """Deliver bytes to the host."""
        return self.host.receive(data, now_s)

    def serve(self, data: bytes, now_s: float = 0.0) -> bytes:
        """Deliver bytes to the device, which executes each request, and return its answers."""
        wire = b""
        for event in self.device.receive(data, now_s):
            if isinstance(event, RequestReceived):
                self.executed.append(event.message)
                wire += self.device.reply(event.seq, done(event.seq))
        return wire + self.device.outgoing()

    def ask(self, message: Message, now_s: float = 0.0) -> Event:
        """Run one request from end to end over a line that loses nothing."""
        seq = self.host.request(message, now_s)
        events = self.to_host(self.serve(self.host.outgoing(), now_s), now_s)
        assert events == [RequestDone(seq, done(seq))]
        return events[0]
