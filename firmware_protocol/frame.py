"""A frame and its parts, before COBS: type, flags, session, sequence, payload, CRC."""

from collections.abc import Callable
from typing import Final, NamedTuple

from cobs import cobs

from firmware_protocol.catalogue import Kind, Spec
from firmware_protocol.messages import Message

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
BODY_MAX_BYTES: Final = 34  # header and payload: the span of Hamming distance 8 [see crc.py]
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
