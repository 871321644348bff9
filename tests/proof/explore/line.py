"""A line that loses, delays, overtakes and repeats; at most one beat's frames are held each way."""

from collections.abc import Hashable
from enum import Enum, unique
from typing import Final

from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import BadFrameError, decode
from firmware_protocol.link import Link
from firmware_protocol.messages import Message, Setpoint, Status, Stop, Stopped, Telemetry
from firmware_protocol.session import newer
from firmware_protocol.vocabulary import Permit


@unique
class Fate(Enum):
    """What becomes of the frames that one end has written in one beat."""

    WELL = "arrive"
    LOST = "are lost"
    LATE = "arrive a beat late"
    OVERTAKING = "arrive before those that were late"
    TWICE = "arrive now and once more a beat later"


def carry(held: bytes, new: bytes, fate: Fate) -> tuple[bytes, bytes]:
    """Return what arrives, in its order, and what is held until the next beat."""
    if fate is Fate.LOST:
        return held, b""
    if fate is Fate.LATE:
        return held, new
    if fate is Fate.OVERTAKING:
        return new + held, b""
    return held + new, new if fate is Fate.TWICE else b""


def named(held: bytes, towards: Direction, receiver: Link) -> Hashable:
    """Name the frames that are held by what they could still do."""
    frames = [_named(run, towards, receiver) for run in held.split(b"\0") if run]
    return tuple(frame for frame in frames if frame is not None)


def _named(run: bytes, towards: Direction, receiver: Link) -> Hashable:
    try:
        frame = decode(run, towards)
    except BadFrameError as error:
        return str(error)
    message = frame.message
    if isinstance(message, Status):
        return None
    periodic = isinstance(message, (Setpoint, Telemetry))
    seen = receiver._seen_seq if periodic else receiver._answerer._seen_seq
    fresh = isinstance(message, (Stop, Stopped)) or newer(frame.seq, seen)
    return type(message).__name__, fresh, *_content(message)


def _content(message: Message) -> tuple[Hashable, ...]:
    if isinstance(message, Setpoint):
        return message.wish, message.flow_mg_per_min, message.exposure_left_mg > 0
    if isinstance(message, Telemetry):
        every = message.permits == Permit.ALL
        lease = message.permits & Permit.LEASE
        coarse = message.suction_pa // _COARSE, message.flow_mg_per_min // _COARSE
        set_to = message.set_flow_mg_per_min, message.set_suction_pa
        return message.mode, message.cause, every, lease, message.inputs, *coarse, *set_to
    return tuple(value for value in message if value in _SMALL)


_COARSE: Final = 100
_SMALL: Final = range(
    25
)  # modes, causes, kinds, outcomes, refusals; ticks and tokens are not named
