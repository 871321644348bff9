"""What a minor version may add, and how a sender keeps it from a peer that is older.

The seed of the CRC covers what minor 0 has (`schema`), so that peers of one major version always
understand each other. HELLO and IDENT name each end's minor; both speak the smaller one. A minor
only adds: messages, and words of the enums in `GROWING`, each with the older words that a peer of
an older minor is sent instead. Layouts, ranges, modes, stop kinds and wishes are those of minor 0.
"""

from collections.abc import Iterable, Sequence
from enum import Enum, IntEnum, IntFlag
from typing import Final

from firmware_protocol.catalogue import CATALOGUE, PROTOCOL_MINOR, Kind, Seed, Spec
from firmware_protocol.fields import largest
from firmware_protocol.messages import Message
from firmware_protocol.schema import fields_of
from firmware_protocol.vocabulary import (
    ADDED,
    Added,
    Cause,
    Input,
    LogCode,
    Permit,
    Refusal,
)

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
