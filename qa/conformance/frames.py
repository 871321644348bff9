"""Frames for cases: any message as counts, and the vectors brought into a session that is open."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from cobs.cobs import DecodeError

import firmware_protocol
from firmware_protocol.catalogue import CATALOGUE, Direction, Spec
from firmware_protocol.codec import BadFrameError, decode
from firmware_protocol.errors import CORRUPT, Reject
from firmware_protocol.frame import (
    CRC_BYTES,
    DELIMITER,
    SEEDS,
    cobs_decode,
    cobs_encode,
    crc32,
    seed_for,
)
from firmware_protocol.messages import Message
from firmware_protocol.schema import SCHEMA_HASH

SPECS: Final[Mapping[type[Message], Spec]] = {spec.message: spec for spec in CATALOGUE}
BY_NUMBER: Final[Mapping[int, Spec]] = {spec.number: spec for spec in CATALOGUE}
_SEEDS: Final = (
    *SEEDS.values(),
    *(seed_for(way, SCHEMA_HASH ^ 1) for way in Direction),  # the stranger of the vectors
)
_SESSION: Final = slice(2, 6)
_SEQ: Final = slice(6, 8)
SESSIONLESS: Final = frozenset({"Hello", "Ident"})


class Vector(NamedTuple):
    """One frame of the vectors."""

    name: str
    wire: bytes
    reason: Reject | None
    """None: it must be accepted."""

    @property
    def counts(self) -> bool:
        """True where the unit counts it among its bad frames."""
        return self.reason in CORRUPT

    @property
    def message(self) -> str:
        """The name of its message."""
        return self.name.partition(" ")[0]


def counts_of(message: Message) -> dict[str, int]:
    """Return the fields of a message as counts."""
    return {name: int(count) for name, count in message._asdict().items()}


def vectors() -> dict[str, Any]:
    """Return the conformance vectors that are shipped with the protocol."""
    folder = Path(str(firmware_protocol.__file__)).parent
    found: dict[str, Any] = json.loads((folder / "vectors.json").read_text(encoding="utf-8"))
    return found


def accepted_vectors() -> Iterator[Vector]:
    """Yield what a unit must understand."""
    for row in vectors()["accepted"]:
        if row["direction"] == "to_device":
            yield Vector(row["name"], bytes.fromhex(row["wire"]), None)


def refused_vectors() -> Iterator[Vector]:
    """Yield what a unit must refuse, and everything that is made for the other direction."""
    document = vectors()
    for row in document["refused"]:
        if row["direction"] == "to_device":
            yield Vector(row["name"], bytes.fromhex(row["wire"]), Reject[row["reason"]])
    for row in (*document["refused"], *document["accepted"]):
        if row["direction"] == "to_host":
            wire = bytes.fromhex(row["wire"])
            yield Vector(row["name"], wire, _reason_at_device(wire))


def _reason_at_device(wire: bytes) -> Reject:
    """Return why a unit refuses what was made for the host."""
    try:
        decode(wire.removesuffix(DELIMITER), Direction.TO_DEVICE)
    except BadFrameError as error:
        return error.reason
    raise ValueError(f"a unit would understand {wire.hex()}, which is made for the host")


def in_session(wire: bytes, session: int, seq: int) -> bytes | None:
    """Return a frame as it was, but of this session and sequence; None for what is no frame.

    Its check sum continues the seed that it had, right or wrong: what was wrong with it remains.
    """
    try:
        raw = bytearray(cobs_decode(wire.removesuffix(DELIMITER)))
    except DecodeError:
        return None
    body, crc = bytes(raw[:-CRC_BYTES]), int.from_bytes(raw[-CRC_BYTES:], "little")
    seed = next((seed for seed in _SEEDS if crc32(body, seed) == crc), None)
    if seed is None or len(body) < _SEQ.stop:
        return None
    raw = bytearray(body)
    raw[_SESSION] = session.to_bytes(4, "little")
    raw[_SEQ] = seq.to_bytes(2, "little")
    return cobs_encode(bytes(raw) + crc32(bytes(raw), seed).to_bytes(4, "little")) + DELIMITER
