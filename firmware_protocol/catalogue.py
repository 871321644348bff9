"""The catalogue: every message with its number, direction, class and seed."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from firmware_protocol import messages as m

PROTOCOL_MAJOR: Final = 2
PROTOCOL_MINOR: Final = 1
"""The newest minor version; what one may add is in `schema`."""


class Direction(Enum):
    """Which way a message travels."""

    TO_DEVICE = "host to device"
    TO_HOST = "device to host"


class Kind(Enum):
    """How a message is delivered."""

    PERIODIC = "periodic: never repeated, newest wins"
    REQUEST = "one-shot: acknowledged, repeated with the same sequence, applied once"
    REPLY = "answer to a one-shot, matched by its sequence"
    STOP = "stop: any state, any session, no sequence, repeated until confirmed"


class Seed(Enum):
    """What the CRC of a message is seeded with."""

    SCHEMA = "schema hash and direction"
    FIXED = "direction only, so that strangers can be told apart and STOP always works"


@dataclass(frozen=True, slots=True)
class Spec:
    """One row of the catalogue."""

    message: type[m.Message]
    number: int
    direction: Direction
    kind: Kind
    seed: Seed = Seed.SCHEMA
    must_understand: bool = True
    since: int = 0
    """The minor version that has brought it; an older peer is never sent it."""


CATALOGUE: Final = (
    Spec(m.Hello, 0x01, Direction.TO_DEVICE, Kind.REQUEST, Seed.FIXED),
    Spec(m.Ident, 0x02, Direction.TO_HOST, Kind.REPLY, Seed.FIXED),
    Spec(m.Result, 0x03, Direction.TO_HOST, Kind.REPLY),
    Spec(m.Config, 0x10, Direction.TO_DEVICE, Kind.REQUEST),
    Spec(m.SelfTest, 0x11, Direction.TO_DEVICE, Kind.REQUEST),
    Spec(m.Arm, 0x12, Direction.TO_DEVICE, Kind.REQUEST),
    Spec(m.Reset, 0x14, Direction.TO_DEVICE, Kind.REQUEST),
    Spec(m.LogRead, 0x18, Direction.TO_DEVICE, Kind.REQUEST, must_understand=False),
    Spec(m.LogRecord, 0x19, Direction.TO_HOST, Kind.REPLY, must_understand=False),
    Spec(m.WitnessKeep, 0x1A, Direction.TO_DEVICE, Kind.REQUEST, must_understand=False, since=1),
    Spec(m.WitnessAsk, 0x1B, Direction.TO_DEVICE, Kind.REQUEST, must_understand=False, since=1),
    Spec(m.WitnessHead, 0x1C, Direction.TO_HOST, Kind.REPLY, must_understand=False, since=1),
    Spec(m.Setpoint, 0x30, Direction.TO_DEVICE, Kind.PERIODIC),
    Spec(m.Telemetry, 0x40, Direction.TO_HOST, Kind.PERIODIC),
    Spec(m.Status, 0x41, Direction.TO_HOST, Kind.PERIODIC, must_understand=False),
    Spec(m.Stopped, 0x7E, Direction.TO_HOST, Kind.STOP, Seed.FIXED),
    Spec(m.Stop, 0x7F, Direction.TO_DEVICE, Kind.STOP, Seed.FIXED),
)
