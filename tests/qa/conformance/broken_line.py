"""Devices that break a rule of the line: sessions, frames, sequences, one-shots."""

from firmware_protocol.catalogue import Direction, Seed
from firmware_protocol.codec import decode
from firmware_protocol.errors import BadFrameError, Reject
from firmware_protocol.frame import RESIDUE, RETRY, SEEDS, Frame, FrameDecoder, cobs_decode, crc32
from firmware_protocol.link import Link
from firmware_protocol.messages import Hello, Ident, Stop
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.session import Answerer, Event
from simulator.firmware.channel_a import ChannelA
from simulator.firmware.firmware import Firmware
from simulator.firmware.memory import EventLog
from simulator.firmware.requests import Requests, _done
from simulator.firmware.setpoints import Envelope
from tests.qa.conformance.broken import (
    Agreeable,
    Broken,
    Patch,
    cutting,
    decoding,
    plain,
    sealed,
)

broken = Broken()


# -- HELLO and IDENT -------------------------------------------------------------------------------
@broken("IDENT has no serial number", "C01")
def _(patch: Patch) -> None:
    def nobody(**fields: int) -> Ident:
        return Ident(**{**fields, "serial": 0})

    patch.setattr("simulator.firmware.requests.Ident", nobody)


@broken("any schema is good enough", "C02")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.requests.SCHEMA_HASH", Agreeable(SCHEMA_HASH))


@broken("any major version is good enough", "C03")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.requests.PROTOCOL_MAJOR", Agreeable(2))


@broken("every HELLO begins a session", "C04")
def _(patch: Patch) -> None:
    patch.setattr("firmware_protocol.session.Answerer._is_new_hello", lambda self, frame: True)


@broken("the configuration outlives its session", "C05")
def _(patch: Patch) -> None:
    patch.setattr(ChannelA, "open_session", lambda self: None)


@broken("the session is the sum of the nonces", "C06")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.requests.session_number", lambda a, b: (a + b) % 2**32 or 1)


@broken("STOP is also understood with the seed of the schema", "C07")
def _(patch: Patch) -> None:
    def change(run: bytes, seen: BadFrameError | Frame) -> Frame:
        if isinstance(seen, BadFrameError) and seen.reason is Reject.CRC:
            raw = cobs_decode(run)
            if crc32(raw, SEEDS[Direction.TO_DEVICE, Seed.SCHEMA]) == RESIDUE:
                return sealed(run, SEEDS[Direction.TO_DEVICE, Seed.FIXED])
        return plain(seen)

    decoding(patch, change)


@broken("HELLO may travel in a session", "C08")
def _(patch: Patch) -> None:
    def change(_: bytes, seen: BadFrameError | Frame) -> Frame:
        frame = plain(seen)
        return frame._replace(session=0) if isinstance(frame.message, Hello) else frame

    decoding(patch, change)


@broken("telemetry comes 25 times a second", "C09")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.firmware.TELEMETRY_MS", 40)


# -- bytes -----------------------------------------------------------------------------------------
@broken("a frame must come in one piece", "C10")
def _(patch: Patch) -> None:
    def feed(self: FrameDecoder, data: bytes) -> list[bytes]:
        self._tail = b""
        return FrameDecoder.feed(self, data)

    cutting(patch, feed)


@broken("one frame per piece", "C11")
def _(patch: Patch) -> None:
    cutting(patch, lambda self, data: FrameDecoder.feed(self, data)[:1])


@broken("idle fill is an error", "C12")
def _(patch: Patch) -> None:
    def feed(self: FrameDecoder, data: bytes) -> list[bytes]:
        return FrameDecoder.feed(self, data) + [b""] * data.count(b"\0\0")

    cutting(patch, feed)


@broken("bad frames are not counted", "C13")
def _(patch: Patch) -> None:
    patch.setattr("firmware_protocol.link.CORRUPT", frozenset())


@broken("a long run is cut into many", "C14")
def _(patch: Patch) -> None:
    def feed(self: FrameDecoder, data: bytes) -> list[bytes]:
        runs = [run for run in data.split(b"\0") if run]
        return [run[at : at + 40] for run in runs for at in range(0, len(run), 40)]

    cutting(patch, feed)


@broken("the frame after a bad one is lost", "C15", "C67")
def _(patch: Patch) -> None:
    lost = [False]

    def change(_: bytes, seen: BadFrameError | Frame) -> Frame:
        before, lost[0] = lost[0], isinstance(seen, BadFrameError)
        if before and not lost[0]:
            raise BadFrameError(Reject.UNKNOWN)
        return plain(seen)

    decoding(patch, change)


@broken("the check sum is not looked at", "C16")
def _(patch: Patch) -> None:
    def change(run: bytes, seen: BadFrameError | Frame) -> Frame:
        if isinstance(seen, BadFrameError) and seen.reason is Reject.CRC:
            return sealed(run, SEEDS[Direction.TO_DEVICE, Seed.SCHEMA])
        return plain(seen)

    decoding(patch, change)


@broken("its own frames count as nothing", "C17")
def _(patch: Patch) -> None:
    def change(run: bytes, seen: BadFrameError | Frame) -> Frame:
        if isinstance(seen, BadFrameError):
            decode(run, Direction.TO_HOST)  # raises what it is
            raise BadFrameError(Reject.UNKNOWN)
        return seen

    decoding(patch, change)


@broken("it prints for debugging on the line", "C18")
def _(patch: Patch) -> None:
    speak = Firmware.outgoing

    def outgoing(self: Firmware) -> bytes:
        data = speak(self)
        return data + b"dbg: loop took 3 ms\0" if data else data

    patch.setattr(Firmware, "outgoing", outgoing)


# -- vectors and sequences -------------------------------------------------------------------------
@broken("a retry is a bad frame", "C20")
def _(patch: Patch) -> None:
    def change(_: bytes, seen: BadFrameError | Frame) -> Frame:
        frame = plain(seen)
        if frame.flags & RETRY:
            raise BadFrameError(Reject.FLAGS)
        return frame

    decoding(patch, change)


@broken("a STOP that is marked as a repeat is a bad frame", "C68")
def _(patch: Patch) -> None:
    def change(_: bytes, seen: BadFrameError | Frame) -> Frame:
        frame = plain(seen)
        if isinstance(frame.message, Stop) and frame.flags & RETRY:
            raise BadFrameError(Reject.FLAGS)
        return frame

    decoding(patch, change)


@broken("a field out of range counts as nothing", "C21", "C45")
def _(patch: Patch) -> None:
    def change(_: bytes, seen: BadFrameError | Frame) -> Frame:
        if isinstance(seen, BadFrameError) and seen.reason is Reject.RANGE:
            raise BadFrameError(Reject.UNKNOWN)
        return plain(seen)

    decoding(patch, change)


@broken("sequences do not wrap", "C22")
def _(patch: Patch) -> None:
    patch.setattr("firmware_protocol.link.newer", lambda a, b: a > b)


@broken("the session is not looked at", "C23")
def _(patch: Patch) -> None:
    take = Link._take

    def anyone(self: Link, frame: Frame, now_s: float, events: list[Event]) -> None:
        fixed = isinstance(frame.message, Hello)
        take(self, frame if fixed else frame._replace(session=self.session), now_s, events)

    patch.setattr(Link, "_take", anyone)


@broken("any setpoint is the newest", "C24")
def _(patch: Patch) -> None:
    patch.setattr("firmware_protocol.link.newer", lambda a, b: True)
    patch.setattr("simulator.firmware.setpoints.newer", lambda a, b: True)


# -- one-shots -------------------------------------------------------------------------------------
@broken("a repeat is executed again", "C30")
def _(patch: Patch) -> None:
    is_new = Answerer.is_new
    patch.setattr(Answerer, "is_new", lambda self, frame: is_new(self, frame) is not None)


@broken("an older request is executed", "C31")
def _(patch: Patch) -> None:
    is_new = Answerer.is_new
    patch.setattr(Answerer, "is_new", lambda self, frame: is_new(self, frame) is not False)


@broken("a refused request counts as executed", "C32")
def _(patch: Patch) -> None:
    patch.setattr("firmware_protocol.session.was_executed", lambda reply: True)


@broken("a configuration that is too wide is accepted", "C33")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.requests.narrow", lambda config: Envelope(*config))


@broken("the log is read one record too far", "C34")
def _(patch: Patch) -> None:
    read = EventLog.read
    patch.setattr(EventLog, "read", lambda self, seq: read(self, seq + 1))


@broken("RESET is done in any mode", "C35")
def _(patch: Patch) -> None:
    patch.setattr(Requests, "_reset", lambda self, reset, seq: _done(seq))
