"""A frame and its parts before COBS, how a stream is cut into frames, and the check sum of each.

CRC-32/AUTOSAR: polynomial 0xF4ACFB13, reflected, initial value and final XOR 0xFFFFFFFF, check
value 0x1697D06A over "123456789" (AUTOSAR E2E profile 4; OPC UA Safety, part 15). Hamming distance
8 up to 34 bytes and 6 up to 4092 bytes. A CRC-16 is not enough under byte stuffing: three flipped
bits on the encoded line can pass it.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from cobs import cobs
from fastcrc.crc32 import autosar

from firmware_protocol.catalogue import Direction, Kind, Seed, Spec
from firmware_protocol.messages import Message
from firmware_protocol.schema import SCHEMA_HASH

RELIABLE: Final = 0x01
"""The message belongs to a one-shot: it is answered, or is an answer."""
RETRY: Final = 0x02
"""The same frame was sent before with the same sequence."""
MUST_UNDERSTAND: Final = 0x04
"""A receiver that does not know this message must count it as an error."""
FLAGS_KNOWN: Final = RELIABLE | RETRY | MUST_UNDERSTAND

cobs_encode: Callable[[bytes], bytes] = cobs.encode
cobs_decode: Callable[[bytes], bytes] = cobs.decode

DELIMITER: Final = b"\0"
HEADER_BYTES: Final = 8
CRC_BYTES: Final = 4
BODY_MAX_BYTES: Final = 34  # header and payload: the span of Hamming distance 8
RUN_MAX_BYTES: Final = BODY_MAX_BYTES + CRC_BYTES + 1
"""The longest run between two delimiters: COBS adds one byte to fewer than 254."""


class Frame(NamedTuple):
    """One frame that passed every check of the codec."""

    message: Message
    session: int
    seq: int
    flags: int


def flags_of(spec: Spec) -> int:
    """Return the flags that a sender sets in the first frame of a message."""
    reliable = RELIABLE if spec.kind in (Kind.REQUEST, Kind.REPLY) else 0
    return reliable | (MUST_UNDERSTAND if spec.must_understand else 0)


def free_flags_of(spec: Spec) -> int:
    """Return the flags that a receiver ignores in this message.

    RETRY in whatever may be repeated. In STOP and STOPPED every known flag: the check sum has shown
    that the frame is whole, and a stop is not refused for how it is labelled. Reserved flags are
    refused everywhere: no sender of this major version sets one, so that the next major version may
    give them a meaning, even "this is not for you".
    """
    if spec.kind is Kind.STOP:
        return FLAGS_KNOWN
    return RETRY if spec.kind in (Kind.REQUEST, Kind.REPLY) else 0


# -- the stream ------------------------------------------------------------------------------------
RUN_KEPT_BYTES: Final = RUN_MAX_BYTES + 1
"""A longer run is cut to this length, which no codec accepts: it is still reported once."""


class FrameDecoder:
    """Remembers the bytes since the last delimiter; empty runs are idle fill and are dropped."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b""

    @property
    def held_bytes(self) -> int:
        """How many bytes wait for their delimiter; never more than RUN_KEPT_BYTES."""
        return len(self._tail)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the runs that ``data`` completes."""
        runs = data.split(DELIMITER)
        if self._tail:
            runs[0] = self._tail + runs[0]
        self._tail = runs.pop()[:RUN_KEPT_BYTES]
        return [run[:RUN_KEPT_BYTES] for run in runs if run]


# -- the check sum ---------------------------------------------------------------------------------
crc32 = autosar

DIRECTION_BYTE: Final = {Direction.TO_DEVICE: b"\x01", Direction.TO_HOST: b"\x02"}
"""Part of every seed, so that an echo of our own frames is never taken for the peer's."""


def seed_for(direction: Direction, schema: int | None) -> int:
    """Return the seed of a direction; without a schema hash it is the fixed one."""
    prefix = b"" if schema is None else schema.to_bytes(4, "little")
    return crc32(prefix + DIRECTION_BYTE[direction])


SEEDS: Final = {
    (direction, seed): seed_for(direction, SCHEMA_HASH if seed is Seed.SCHEMA else None)
    for direction in Direction
    for seed in Seed
}

RESIDUE: Final = crc32(crc32(b"").to_bytes(4, "little"))
"""The CRC over any data followed by its own CRC, whatever the seed: one compare checks a frame."""
