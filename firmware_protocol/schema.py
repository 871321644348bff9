"""What two peers must agree on, as one text and its hash, and what a minor version may add.

The text holds numbers, names, widths, units and ranges of every message, the values of every enum,
and the limits of the envelope, because both ends judge by them; prose is left out, so that a better
sentence does not part two peers. The hash is that of minor 0, which every peer of a major version
has, and goes into the seed of the CRC: a peer with another schema is never understood, and HELLO
says so by name.

HELLO and IDENT name each end's minor; both speak the smaller one. A minor only adds: messages, and
words of the enums in `GROWING`, each with the older words that a peer of an older minor is sent
instead. Layouts, ranges, modes, stop kinds and wishes are those of minor 0.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, IntEnum, IntFlag
from types import MappingProxyType
from typing import Final, get_type_hints

from firmware_protocol import envelope
from firmware_protocol.catalogue import CATALOGUE, PROTOCOL_MAJOR, PROTOCOL_MINOR, Kind, Seed, Spec
from firmware_protocol.messages import Field, Message, largest
from firmware_protocol.vocabulary import (
    ADDED,
    Added,
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


# -- minor versions --------------------------------------------------------------------------------
GROWING: Final[frozenset[type[Enum]]] = frozenset({Cause, Refusal, LogCode, Permit, Input})
"""Mode, StopKind, Outcome and Wish decide what both ends do, and are complete in minor 0, as is
Defect, whose bits are used up. A new Capability needs no minor: whoever does not know a bit of it
ignores it."""

SINCE: Final = {spec.message: spec.since for spec in CATALOGUE}
"""The minor that has brought each message."""

_WORD_FIELDS: Final = {
    spec.message: tuple(
        (at, field.words)
        for at, (_, field) in enumerate(fields_of(spec.message))
        if field.words is not None
    )
    for spec in CATALOGUE
}


def lowered(message: Message, minor: int, added: Sequence[Added] = ADDED) -> Message:
    """Return a message with each word that ``minor`` does not know as the older words for it."""
    counts: list[int] = list(message)
    for row in reversed(added):  # newest first: what stands for it may be new to this peer as well
        for at, words in _WORD_FIELDS[type(message)] if row.minor > minor else ():
            if isinstance(row.word, words):
                counts[at] = _without(counts[at], row)
    return type(message)(*counts)


def told(word: IntEnum, minor: int, added: Sequence[Added] = ADDED) -> int:
    """Return the number that a peer of ``minor`` is sent for a word, and will name it by."""
    count = int(word)
    for row in reversed(added):
        if isinstance(row.word, type(word)) and row.minor > minor:
            count = _without(count, row)
    return count


def _without(count: int, row: Added) -> int:
    """Return a count in which the added word has given way to its older words."""
    word = int(row.word)
    if not isinstance(row.word, IntFlag):
        return int(row.older) if count == word else count
    if isinstance(row.word, Permit):  # a permit that is missing takes the older ones with it
        return count & ~word if count & word else count & ~int(row.older)
    return count & ~word | (int(row.older) if count & word else 0)


def since_of(words: type[Enum], name: str) -> int:
    """Return the minor that has brought a word."""
    rows = (row for row in ADDED if isinstance(row.word, words) and row.word.name == name)
    return next((row.minor for row in rows), 0)


def complaints(
    added: Iterable[Added] = ADDED,
    catalogue: Iterable[Spec] = CATALOGUE,
    newest: int = PROTOCOL_MINOR,
) -> list[str]:
    """Return one sentence for each row that breaks a rule of minor versions."""
    rows = list(added)
    found = []
    if [row.minor for row in rows] != sorted(row.minor for row in rows):
        found.append("the rows of ADDED do not stand in the order of their minors")
    later: dict[object, int] = {row.word: row.minor for row in rows}
    found += [problem for row in rows for problem in _word_problems(row, later, newest)]
    for spec in catalogue:
        name = spec.message.__name__
        if not 0 <= spec.since <= newest:
            found.append(f"{name} is of minor {spec.since}, and the newest is {newest}")
        if spec.since > 0 and (spec.seed is not Seed.SCHEMA or spec.kind is Kind.STOP):
            found.append(f"{name}: stops and what has a fixed seed belong to minor 0")
    return found


def _word_problems(row: Added, later: dict[object, int], newest: int) -> list[str]:
    words, name = type(row.word), f"{type(row.word).__name__}.{row.word.name}"
    known = [int(word) for word in words if later.get(word, 0) < max(row.minor, 1)]
    newest_known = largest(words, known)
    if isinstance(row.word, IntFlag):
        stands = int(row.older) & ~newest_known == 0
        free = int(row.word).bit_count() == 1 and not int(row.word) & newest_known
    else:
        stands = int(row.older) in known
        free = int(row.word) > newest_known
    checks = (
        (words in GROWING, f"{name}: no minor may add to {words.__name__}"),
        (0 < row.minor <= newest, f"{name} is of minor {row.minor}, and the newest is {newest}"),
        (stands, f"{name}: what stands for it must be known before minor {row.minor}"),
        (free, f"{name} takes a number or bit that is not above those of older minors"),
    )
    return [sentence for holds, sentence in checks if not holds]
