"""A far end under the test's control: the device's half of the link, over a stream in memory."""

import asyncio
from dataclasses import dataclass, field

from controller.device.answers import StreamLostError
from controller.device.transport import ByteStream, OnData, OnLost, Rank
from firmware_protocol.messages import Message, Telemetry
from firmware_protocol.vocabulary import Mode
from tests.unit_end import DEVICE_NONCE, IDENT, SERIAL, UnitEnd

__all__ = ["DEVICE_NONCE", "IDENT", "SERIAL", "FarEnd", "MemoryStream", "talking"]

DELAY_S = 0.003

TELEMETRY = Telemetry(
    tick_ms=5000, mode=Mode.DISARMED, cause=0, permits=32, inputs=2, valve_percent=0,
    suction_pa=120, suction_b_pa=130, flow_mg_per_min=0, lease_left_ms=0, loop_counter=0,
    last_request_seq=0, set_suction_pa=0, set_flow_mg_per_min=0,
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
class FarEnd(UnitEnd):
    """A unit on a stream in memory, which loses, holds back and echoes as it is told."""

    written: list[tuple[float, Rank, bytes]] = field(default_factory=list)
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
            self.put(self.hear(data, asyncio.get_running_loop().time()))

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


async def talking(far: FarEnd, telemetry: Telemetry = TELEMETRY, period_s: float = 0.020) -> None:
    """Send telemetry for ever, as a unit does; run it as a task."""
    tick_ms = telemetry.tick_ms
    while True:
        await asyncio.sleep(period_s)
        tick_ms += round(period_s * 1000)
        if far.link.session and far.stream is not None:
            last = far.link.last_request_seq
            far.say(telemetry._replace(tick_ms=tick_ms, last_request_seq=last))
