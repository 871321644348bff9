"""What two peers must agree on, as one text and its hash.

The text holds numbers, names, widths, units and ranges of every message, the values of every enum,
and the limits of the envelope, because both ends judge by them; prose is left out, so that a better
sentence does not part two peers. The hash is that of minor 0, which every peer of a major version
has, and goes into the seed of the CRC: a peer with another schema is never understood, and HELLO
says so by name. What minors add is in `minors`.
"""

import hashlib
from collections.abc import Mapping
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Final, get_type_hints

from firmware_protocol import envelope
from firmware_protocol.catalogue import CATALOGUE, PROTOCOL_MAJOR, Spec
from firmware_protocol.fields import Field, largest
from firmware_protocol.messages import Message
from firmware_protocol.vocabulary import (
    ADDED,
    Capability,
    Cause,
    Defect,
    Input,
    LogCode,
    Mode,
    Outcome,
    Permit,
    Refusal,
    StopKind,
    Wish,
)

VOCABULARY: Final[tuple[type[Enum], ...]] = (
    Mode, Cause, Outcome, Refusal, StopKind, Permit, Input, Wish, Capability, Defect, LogCode,
)  # fmt: skip

LIMITS: Final[Mapping[str, float]] = MappingProxyType(
    {name: value for name, value in sorted(vars(envelope).items()) if name.isupper()}
)
"""Every limit and time of the envelope, by its name."""


def fields_of(message: type[Message]) -> tuple[tuple[str, Field], ...]:
    """Return name and field of each integer of a message, in wire order."""
    hints = get_type_hints(message, include_extras=True)
    return tuple((name, hint.__metadata__[0]) for name, hint in hints.items())


def span_of(field: Field) -> str:
    """Return the legal counts of a field in words."""
    unit = f" {field.unit}" if field.unit else ""
    unknown = "" if field.unknown is None else f", or {field.unknown} for unknown"
    return f"{field.low} to {field.top}{unit}{unknown}"


def is_legal(field: Field, count: object) -> bool:
    """True where both ends must accept this count in this field."""
    return isinstance(count, int) and (field.low <= count <= field.top or count == field.unknown)


def complaint(message: Message) -> str:
    """Return one sentence that names the first field that the wire cannot carry."""
    for (name, field), count in zip(fields_of(type(message)), message, strict=True):
        if not is_legal(field, count):
            return f"{type(message).__name__}.{name} {count!r} is not in {span_of(field)}"
    return f"{type(message).__name__} needs a session of 32 bits and a sequence of 16 bits"


def members_of(words: type[Enum]) -> list[tuple[str, int]]:
    """Return name and number of each word of an enum, single bits and combinations alike."""
    return [(name, int(member.value)) for name, member in words.__members__.items()]


def canonical_text(minor: int = 0) -> str:
    """Return the text of a minor version; the schema hash is made of that of minor 0."""
    lines = [f"corneum {PROTOCOL_MAJOR}.{minor}"]
    for spec in (row for row in CATALOGUE if row.since <= minor):
        lines.append(_headline(spec))
        lines += [
            f" {name} {field.code} {field.unit or '-'} {field.low} {_top_at(field, minor)} "
            f"{field.unknown}"
            for name, field in fields_of(spec.message)
        ]
    for words in VOCABULARY:
        lines.append(words.__name__ + (" number" if issubclass(words, IntEnum) else " bits"))
        lines += [f" {name} {value}" for name, value in _members_at(words, minor)]
    lines += ["limits", *(f" {name} {value}" for name, value in LIMITS.items())]
    return "\n".join(lines) + "\n"


def _members_at(words: type[Enum], minor: int) -> list[tuple[str, int]]:
    """Return name and number of each word that ``minor`` has."""
    late = {row.word.name for row in ADDED if isinstance(row.word, words) and row.minor > minor}
    return [(name, value) for name, value in members_of(words) if name not in late]


def _top_at(field: Field, minor: int) -> int:
    """Return the largest count of a field in ``minor``."""
    if field.words is None:
        return field.top
    return largest(field.words, (value for _, value in _members_at(field.words, minor)))


def _headline(spec: Spec) -> str:
    name = spec.message.__name__
    must = "must" if spec.must_understand else "may"
    return " ".join(
        (f"{spec.number:#04x}", name, spec.direction.name, spec.kind.name, spec.seed.name, must)
    )


_DIGEST: Final = hashlib.sha256(canonical_text().encode()).digest()

SCHEMA_HASH: Final = int.from_bytes(_DIGEST[:4], "little")
"""The first four bytes of SHA-256 over the text of minor 0, as a little-endian number."""
