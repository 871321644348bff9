"""Vectors of what a device makes of what it is told: leases, echoes, configurations, closings.

The rows are literals that no code of ours computes, so that they are a witness against it. Only the
check value of a configuration is worked out, because it is made of nothing but the frame.
"""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from firmware_protocol.catalogue import (
    CATALOGUE,
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    Direction,
    Kind,
    Seed,
    Spec,
)
from firmware_protocol.errors import Reject
from firmware_protocol.frame import (
    CRC_BYTES,
    DELIMITER,
    FLAGS_KNOWN,
    HEADER_BYTES,
    MUST_UNDERSTAND,
    RESIDUE,
    RETRY,
    RUN_MAX_BYTES,
    SEEDS,
    cobs_encode,
    crc32,
    flags_of,
    free_flags_of,
    seed_for,
)
from firmware_protocol.messages import Config, Field, check_value
from firmware_protocol.schema import LIMITS, SCHEMA_HASH, fields_of, is_legal
from firmware_protocol.session import SEQ_SPAN, TICK_SPAN, age_ms, newer, session_number

LEASES: Final = (
    (0, 100), (1, 100), (99, 100), (100, 100), (150, 150), (199, 199), (200, 200), (201, 200),
    (500, 200), (65_535, 200),
)  # fmt: skip
"""What a SETPOINT asks for and what is granted, in milliseconds."""

_SENT: Final = (1000, 1020, 1045, 1060, 1085)
_WRAP: Final = (4_294_967_256, 4_294_967_276, 5)
ECHOES: Final = (
    (_SENT, 1090, 1085, True),
    (_SENT, 1090, 1045, True),
    (_SENT, 1100, 1000, True),
    (_SENT, 1101, 1000, False),
    (_SENT, 1090, 1084, False),
    (_SENT, 1090, 1086, False),
    (_SENT, 1090, 1080, False),
    (_SENT, 1090, 1090, False),
    (_SENT, 1090, 1105, False),
    (_SENT, 1300, 1085, False),
    ((), 1090, 1090, False),
    (_WRAP, 20, 4_294_967_276, True),
    (_WRAP, 20, 5, True),
    (_WRAP, 20, 0, False),
    (_WRAP, 61, 4_294_967_256, False),
)
"""Ticks of the TELEMETRY of this session, the tick now, the echo, and whether it is fresh."""

CONFIGS: Final = (
    (Config(77, 40_000, 10_000, 10_000, 1), True),
    (Config(1, 50_000, 12_000, 0, 255), True),
    (Config(1, 8_000, 500, 8_000, 1), True),
    (Config(4_294_967_295, 8_000, 500, 0, 1), True),
    (Config(0, 40_000, 10_000, 10_000, 1), False),
    (Config(77, 50_001, 10_000, 10_000, 1), False),
    (Config(77, 40_000, 12_001, 10_000, 1), False),
    (Config(77, 20_000, 10_000, 20_001, 1), False),
    (Config(77, 7_999, 10_000, 0, 1), False),
    (Config(77, 0, 10_000, 0, 1), False),
    (Config(77, 40_000, 499, 10_000, 1), False),
    (Config(77, 40_000, 0, 10_000, 1), False),
    (Config(77, 40_000, 10_000, 10_000, 0), False),
)
"""A configuration and whether a unit takes it."""

CLOSINGS: Final = ((5, False), (295, False), (300, True), (1_000, True))
"""Milliseconds since the valve was shut, and whether it may open."""


def rule_vectors() -> dict[str, object]:
    """Return the rows as they stand in the vectors."""
    return {
        "limits": dict(LIMITS),
        "lease": [{"asked_ms": asked, "granted_ms": granted} for asked, granted in LEASES],
        "echo": [
            {"sent": list(sent), "now": now, "echo": echo, "fresh": fresh}
            for sent, now, echo, fresh in ECHOES
        ],
        "config": [
            {"fields": config._asdict(), "check": check_value(config), "accepted": accepted}
            for config, accepted in CONFIGS
        ],
        "closing": [{"shut_ms": shut_ms, "may_open": may} for shut_ms, may in CLOSINGS],
    }


_TYPE_UNKNOWN: Final = 0x6F
_SESSION: Final = 0xC0FFEE01
_SEQ: Final = 0x0102
_CHECK_INPUT: Final = b"123456789"

Counts = Mapping[str, int]
_Pick = Callable[[Field], int]


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame as numbers, legal or not."""

    number: int
    flags: int
    session: int
    seq: int
    payload: bytes
    seed: int

    def raw(self) -> bytes:
        """Return the frame before COBS, with its CRC."""
        head = struct.pack("<BBIH", self.number, self.flags, self.session, self.seq)
        body = head + self.payload
        return body + struct.pack("<I", crc32(body, self.seed))

    def wire(self) -> bytes:
        """Return the bytes on the line, with the closing delimiter."""
        return cobs_encode(self.raw()) + DELIMITER


def frame_of(spec: Spec, counts: Counts, session: int = _SESSION, seq: int = _SEQ) -> RawFrame:
    """Return the frame of a message whose fields hold ``counts``, whether legal or not."""
    codes = "".join(field.code for _, field in fields_of(spec.message))
    payload = struct.pack("<" + codes, *(counts[name] for name, _ in fields_of(spec.message)))
    seed = SEEDS[spec.direction, spec.seed]
    return RawFrame(spec.number, flags_of(spec), session, seq, payload, seed)


def examples_of(spec: Spec) -> dict[str, Counts]:
    """Return the counts of a message at its minimum, somewhere inside, at its maximum, unknown."""
    picks: dict[str, _Pick] = {
        "min": lambda field: field.low,
        "typ": lambda field: field.low + (field.top - field.low) * 2 // 5,
        "max": lambda field: field.top,
    }
    fields = fields_of(spec.message)
    if any(field.unknown is not None for _, field in fields):
        picks["unknown"] = lambda field: field.low if field.unknown is None else field.unknown
    return {word: {name: pick(field) for name, field in fields} for word, pick in picks.items()}


def out_of_range(spec: Spec) -> dict[str, Counts]:
    """Return, by field, the counts of a message in which that field is one above its maximum."""
    typical = examples_of(spec)["typ"]
    return {
        name: {**typical, name: field.top + 1}
        for name, field in fields_of(spec.message)
        if not field.fills_its_width and not is_legal(field, field.top + 1)
    }


def render_vectors() -> str:
    """Return the conformance vectors as JSON text."""
    document = {
        "protocol": f"{PROTOCOL_MAJOR}.{PROTOCOL_MINOR}",
        "schema_hash": SCHEMA_HASH,
        "crc": {
            "name": "CRC-32/AUTOSAR",
            "polynomial": "0xf4acfb13",
            "check_input": _CHECK_INPUT.decode(),
            "check": f"{crc32(_CHECK_INPUT):#010x}",
            "residue": f"{RESIDUE:#010x}",
            "seeds": {
                f"{way.name.lower()} {seed.name.lower()}": f"{value:#010x}"
                for (way, seed), value in SEEDS.items()
            },
        },
        "accepted": _accepted(),
        "tolerated": _tolerated(),
        "refused": [
            {"name": name, "direction": way.name.lower(), "reason": why.name, "wire": wire.hex()}
            for name, way, why, wire in refused()
        ],
        "newer": [{"a": a, "b": b, "newer": newer(a, b)} for a, b in _SEQUENCES],
        "age": [{"now": now, "old": old, "age_ms": age_ms(now, old)} for now, old in _TICKS],
        "session": [
            {"host_nonce": host, "device_nonce": device, "session": session_number(host, device)}
            for host, device in _NONCES
        ],
        **rule_vectors(),
    }  # fmt: skip
    return json.dumps(document, indent=1) + "\n"


_SEQUENCES: Final = (
    (1, 0), (0, 0), (1, 1), (2, 1), (1, 2), (1, SEQ_SPAN - 1), (SEQ_SPAN - 1, 1),
    (SEQ_SPAN // 2, 1), (SEQ_SPAN // 2 + 1, 1), (SEQ_SPAN // 2 + 2, 1),
)  # fmt: skip
_TICKS: Final = (
    (100, 0), (0, 0), (50, TICK_SPAN - 50), (101, TICK_SPAN - 1), (0, 1), (TICK_SPAN - 1, 0),
)  # fmt: skip
_NONCES: Final = ((0, 0), (1, 2), (2, 1), (0xFFFFFFFF, 0xFFFFFFFF))


def _accepted() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for spec in CATALOGUE:
        examples = examples_of(spec)
        for word, counts in examples.items():
            rows.append(_accepted_row(spec, word, counts, frame_of(spec, counts)))
        wrap = frame_of(spec, examples["typ"], session=0xFFFFFFFF, seq=SEQ_SPAN - 1)
        rows.append(_accepted_row(spec, "last sequence", examples["typ"], wrap))
        if free_flags_of(spec) & RETRY:
            retry = replace(frame_of(spec, examples["typ"]), flags=flags_of(spec) | RETRY)
            rows.append(_accepted_row(spec, "retry", examples["typ"], retry))
    return rows


def _tolerated() -> list[dict[str, object]]:
    """Return frames that a receiver must understand though no sender should send them."""
    return [
        _accepted_row(spec, f"flags {flags}", counts, replace(frame_of(spec, counts), flags=flags))
        for spec in CATALOGUE
        if spec.kind is Kind.STOP
        for flags in range(FLAGS_KNOWN + 1)
        if flags not in (flags_of(spec), flags_of(spec) | RETRY)
        for counts in (examples_of(spec)["typ"],)
    ]


def _accepted_row(spec: Spec, word: str, counts: Counts, frame: RawFrame) -> dict[str, object]:
    return {
        "name": f"{spec.message.__name__} {word}",
        "direction": spec.direction.name.lower(),
        "flags": frame.flags,
        "session": frame.session,
        "seq": frame.seq,
        "fields": dict(counts),
        "raw": frame.raw().hex(),
        "wire": frame.wire().hex(),
    }


def refused() -> list[tuple[str, Direction, Reject, bytes]]:
    """Return name, direction, reason and wire bytes of frames that nobody may accept."""
    rows = [
        (f"{spec.message.__name__} {field} one too high", spec.direction, Reject.RANGE,
         frame_of(spec, counts).wire())
        for spec in CATALOGUE
        for field, counts in out_of_range(spec).items()
    ]  # fmt: skip
    for spec in CATALOGUE:
        rows += _damaged(spec)
    for way in Direction:
        seed = SEEDS[way, Seed.SCHEMA]
        for flags, why in ((0, Reject.UNKNOWN), (MUST_UNDERSTAND, Reject.TYPE), (8, Reject.FLAGS)):
            frame = RawFrame(_TYPE_UNKNOWN, flags, _SESSION, _SEQ, b"\x01", seed)
            rows.append((f"unknown type, flags {flags}", way, why, frame.wire()))
        rows += _odd_lengths(way) + _other_ways(way)
    return rows


def _odd_lengths(way: Direction) -> list[tuple[str, Direction, Reject, bytes]]:
    """Return runs without a type, too short for a frame and too long, of zeros after the type."""
    known = next(spec for spec in CATALOGUE if (spec.kind, spec.direction) == (Kind.PERIODIC, way))
    name, number = known.message.__name__, known.number
    frame = frame_of(known, examples_of(known)["typ"])
    body = frame.raw()[: HEADER_BYTES - 1]
    short = body + struct.pack("<I", crc32(body, frame.seed))
    runs = [
        ("no type", Reject.LENGTH, b""),
        (f"{name} type alone", Reject.CRC, bytes([number])),
        (f"{name} of {len(short)} bytes with its CRC", Reject.LENGTH, short),
        (f"{name} of {len(short)} bytes without its CRC", Reject.CRC, short[:-1] + b"\x01"),
        (f"{name} run of {RUN_MAX_BYTES + 2} bytes", Reject.CRC, _zeros(number, RUN_MAX_BYTES + 2)),
        ("unknown type alone", Reject.LENGTH, bytes([_TYPE_UNKNOWN])),
        *(
            (f"unknown type, run of {size} bytes", why, _zeros(_TYPE_UNKNOWN, size))
            for size, why in (
                (HEADER_BYTES + CRC_BYTES, Reject.LENGTH),
                (HEADER_BYTES + CRC_BYTES + 1, Reject.CRC),
                (RUN_MAX_BYTES, Reject.CRC),
                (RUN_MAX_BYTES + 1, Reject.LENGTH),
                (RUN_MAX_BYTES + 2, Reject.LENGTH),
            )
        ),
    ]
    return [(word, way, why, cobs_encode(raw) + DELIMITER) for word, why, raw in runs]


def _zeros(number: int, run_bytes: int) -> bytes:
    """Return what makes a run of so many bytes, and is a COBS run wherever it is cut."""
    return bytes([number]).ljust(run_bytes - 1, b"\0")


def _other_ways(way: Direction) -> list[tuple[str, Direction, Reject, bytes]]:
    """Return fixed-seed types that only the other end knows, with the right seed and the wrong."""
    rows = []
    for spec in CATALOGUE:
        if spec.seed is Seed.FIXED and spec.direction is not way:
            frame = frame_of(spec, examples_of(spec)["typ"])
            for seed, why in ((Seed.SCHEMA, Reject.TYPE), (Seed.FIXED, Reject.CRC)):
                wire = replace(frame, seed=SEEDS[way, seed]).wire()
                word = f"{spec.message.__name__} the other way, {seed.name.lower()} seed"
                rows.append((word, way, why, wire))
    return rows


def _damaged(spec: Spec) -> list[tuple[str, Direction, Reject, bytes]]:
    name, way = spec.message.__name__, spec.direction
    other = next(direction for direction in Direction if direction is not way)
    frame = frame_of(spec, examples_of(spec)["typ"])
    flags = frame.flags
    rows = [
        ("one byte too long", way, Reject.LENGTH, replace(frame, payload=frame.payload + b"\x01")),
        ("a reserved flag", way, Reject.FLAGS, replace(frame, flags=flags | 0x80)),
        ("seeded for the other way", way, Reject.CRC, replace(frame, seed=SEEDS[other, spec.seed])),
    ]
    if spec.kind is not Kind.STOP:
        turned = replace(frame, flags=flags ^ MUST_UNDERSTAND)
        rows.append(("must-understand turned", way, Reject.FLAGS, turned))
    if spec.seed is Seed.SCHEMA:
        stranger = seed_for(way, SCHEMA_HASH ^ 1)
        rows.append(("another schema", way, Reject.CRC, replace(frame, seed=stranger)))
    wires = [(f"{name} {word}", way_, why, made.wire()) for word, way_, why, made in rows]
    whole = frame.wire()
    return [*wires, (f"{name} cut short", way, Reject.COBS, whole[:-2] + DELIMITER)]
