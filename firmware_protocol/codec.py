"""Messages to wire bytes and back: one frame in, one frame out, every check in between."""

from struct import Struct
from struct import error as StructError  # noqa: N812 (it is an exception, and reads like one)
from typing import Final

from cobs.cobs import DecodeError

from firmware_protocol import codec_to_device, codec_to_host
from firmware_protocol.catalogue import CATALOGUE, Direction, Seed
from firmware_protocol.errors import BadFrameError, LocalProtocolError, Reject
from firmware_protocol.frame import (
    CRC_BYTES,
    FLAGS_KNOWN,
    HEADER_BYTES,
    MUST_UNDERSTAND,
    RESIDUE,
    RETRY,
    RUN_MAX_BYTES,
    SEEDS,
    Frame,
    cobs_decode,
    crc32,
    free_flags_of,
)
from firmware_protocol.messages import Message
from firmware_protocol.schema import complaint

__all__ = ["BadFrameError", "Frame", "Reject", "decode", "encode"]

_PACK: Final = codec_to_device.PACK | codec_to_host.PACK
_AT_DEVICE: Final = codec_to_device.UNPACK
_AT_HOST: Final = codec_to_host.UNPACK
_TO_DEVICE: Final = Direction.TO_DEVICE
_REPEATED: Final = {spec.message for spec in CATALOGUE if free_flags_of(spec) & RETRY}
_type_and_flags = Struct("<BB").unpack_from


def encode(message: Message, session: int, seq: int, flags: int = 0) -> bytes:
    """Return the wire bytes of one frame, with its closing delimiter.

    ``flags`` is 0 or RETRY; the others belong to the message. LocalProtocolError where the wire
    cannot carry a field, or where RETRY is asked of a message that is never repeated.
    """
    if flags and not (flags == RETRY and type(message) in _REPEATED):
        raise LocalProtocolError(f"flags {flags:#x} do not fit {type(message).__name__}")
    try:
        return _PACK[type(message)](message, session, seq, flags)
    except StructError as error:
        raise LocalProtocolError(complaint(message)) from error


def decode(run: bytes, direction: Direction) -> Frame:
    """Return the frame of a run of bytes between two delimiters.

    ``direction`` is the way the bytes travelled. BadFrameError, with its reason, for everything
    that is not exactly one legal frame.
    """
    try:
        raw = cobs_decode(run)
        return (_AT_DEVICE if direction is _TO_DEVICE else _AT_HOST)[raw[0]](raw)
    except DecodeError:
        raise BadFrameError(Reject.COBS) from None
    except StructError:
        raise BadFrameError(Reject.LENGTH) from None
    except LookupError:
        raise BadFrameError(_unknown(run, direction)) from None


def _unknown(run: bytes, direction: Direction) -> Reject:
    """Say why a frame whose type is not in the table is not used."""
    raw = cobs_decode(run)
    if not HEADER_BYTES + CRC_BYTES <= len(raw) < RUN_MAX_BYTES:
        return Reject.LENGTH
    if crc32(raw, SEEDS[direction, Seed.SCHEMA]) != RESIDUE:
        return Reject.CRC
    _, flags = _type_and_flags(raw)
    if flags & ~FLAGS_KNOWN:
        return Reject.FLAGS
    return Reject.TYPE if flags & MUST_UNDERSTAND else Reject.UNKNOWN
