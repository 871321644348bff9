"""A far end under the test's control: the device's half of the link, over a stream in memory."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from controller.device.answers import StreamLostError
from controller.device.transport import ByteStream, OnData, OnLost, Rank
from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR, Direction
from firmware_protocol.link import Link, MessageReceived, RequestReceived, session_number
from firmware_protocol.messages import Hello, Ident, Message, Result, Stop, Stopped, Telemetry
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vocabulary import Capability, Mode, Refusal

SERIAL = 1001
DEVICE_NONCE = 99
DELAY_S = 0.003

TELEMETRY = Telemetry(
    tick_ms=5000, mode=Mode.DISARMED, cause=0, permits=32, inputs=2, valve_percent=0,
    suction_pa=120, suction_b_pa=130, flow_mg_per_min=0, lease_left_ms=0, loop_counter=0,
    last_request_seq=0, set_suction_pa=0, set_flow_mg_per_min=0,
)  # fmt: skip
IDENT = Ident(
    request_seq=1, refusal=Refusal.NONE, major=PROTOCOL_MAJOR, minor=PROTOCOL_MINOR,
    schema=SCHEMA_HASH, serial=SERIAL, boot_id=7, device_nonce=DEVICE_NONCE, firmware=0x0102,
    capabilities=Capability.SIMULATED,
)  # fmt: skip


class MemoryStream:
    """The host's end: keeps what was written, with its rank and its time."""

    def __init__(self, far: "FarEnd", on_data: OnData, on_lost: OnLost) -> None:
        self.far = far
        self.on_data = on_data
        self.on_lost = on_lost
        self.closed = False

    def write(self, data: bytes, rank: Rank = Rank.ORDERLY) -> None:
        if self.closed:
            raise StreamLostError("closed", "reconnect")
        loop = asyncio.get_running_loop()
        self.far.written.append((loop.time(), rank, data))
        loop.call_later(DELAY_S, self.far.take, data)

    def close(self) -> None:
        self.closed = True


@dataclass
class FarEnd:
    """Answers HELLO with ``ident``, other one-shots by ``answer``, STOP by ``stopped``."""

    ident: Ident | None = IDENT
    answer: Callable[[Message, int], Message | None] = lambda _, seq: Result(seq, 0, 0, 42)
    stopped: Stopped | None = None
    link: Link = field(default_factory=lambda: Link(Direction.TO_HOST))
    written: list[tuple[float, Rank, bytes]] = field(default_factory=list)
    heard: list[Message] = field(default_factory=list)
    opened: int = 0
    stream: MemoryStream | None = None
    open_error: Exception | None = None
    deaf: bool = False
    loops_back: bool = False
    echoes: bool = False
    """Whatever is written comes back, and the unit hears it as well."""

    async def open(self, on_data: OnData, on_lost: OnLost) -> ByteStream:
        await asyncio.sleep(0)
        self.opened += 1
        if self.open_error is not None:
            raise self.open_error
        self.stream = MemoryStream(self, on_data, on_lost)
        return self.stream

    def take(self, data: bytes) -> None:
        """Take bytes off the line."""
        if self.loops_back or self.echoes:
            self.put(data)
        if self.loops_back:
            return
        if not self.deaf:
            self._understand(data)

    def _understand(self, data: bytes) -> None:
        now_s = asyncio.get_running_loop().time()
        for event in self.link.receive(data, now_s):
            if isinstance(event, RequestReceived):
                self.heard.append(event.message)
                self._reply(event.message, event.seq)
            elif isinstance(event, MessageReceived):
                self.heard.append(event.message)
                if self.stopped is not None and isinstance(event.message, Stop):
                    self.put(self.link.send(self.stopped))
        self.put(self.link.outgoing())

    def say(self, message: Message) -> None:
        """Send a periodic message or a STOPPED now."""
        self.put(self.link.send(message))

    def put(self, data: bytes) -> None:
        """Put bytes on the line to the host, which get there at once."""
        stream = self.stream
        if data and stream is not None and not stream.closed:
            stream.on_data(data)

    def lose(self, why: str = "unplugged") -> None:
        """Take the line away."""
        stream, self.stream = self.stream, None
        if stream is not None and not stream.closed:
            stream.closed = True
            stream.on_lost(why)

    def _reply(self, message: Message, seq: int) -> None:
        if isinstance(message, Hello):
            if self.ident is not None:
                ident = self.ident._replace(request_seq=seq)
                self.put(self.link.reply(seq, ident))
                nonces = (message.host_nonce, ident.device_nonce)
                self.link.open_session(session_number(*nonces), asyncio.get_running_loop().time())
            return
        reply = self.answer(message, seq)
        if reply is not None:
            self.put(self.link.reply(seq, reply))


async def talking(far: FarEnd, telemetry: Telemetry = TELEMETRY, period_s: float = 0.020) -> None:
    """Send telemetry for ever, as a unit does; run it as a task."""
    tick_ms = telemetry.tick_ms
    while True:
        await asyncio.sleep(period_s)
        tick_ms += round(period_s * 1000)
        if far.link.session and far.stream is not None:
            last = far.link.last_request_seq
            far.say(telemetry._replace(tick_ms=tick_ms, last_request_seq=last))
