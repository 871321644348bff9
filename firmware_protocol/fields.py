"""How one field of a message travels: width, unit, range and meaning."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntFlag
from functools import reduce
from operator import or_
from typing import Final, Literal

Code = Literal["B", "H", "I"]

WIDTH_BYTES: Final[dict[Code, int]] = {"B": 1, "H": 2, "I": 4}
WIDTH_MAX: Final[dict[Code, int]] = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFF_FFFF}


@dataclass(frozen=True, slots=True)
class Field:
    """One unsigned little-endian integer of a message.

    ``low`` and ``high`` bound it on both ends, inclusive; ``unknown`` is the one count outside of
    them that is legal and says that there is no valid reading.
    """

    code: Code
    unit: str
    about: str
    low: int = 0
    high: int = -1
    unknown: int | None = None
    words: type[Enum] | None = None
    """The enum that names the counts; its words bound them."""

    @property
    def top(self) -> int:
        """The largest value: of its words, ``high``, or what the width holds beside unknown."""
        if self.words is not None:
            return largest(self.words, (int(member.value) for member in self.words))
        if self.high >= 0:
            return self.high
        return WIDTH_MAX[self.code] - (self.unknown == WIDTH_MAX[self.code])

    @property
    def fills_its_width(self) -> bool:
        """True where no count above ``low`` is illegal, so that there is nothing to check."""
        legal_max = max(self.top, self.unknown or 0)
        return legal_max == WIDTH_MAX[self.code] and self.top >= legal_max - 1


def largest(words: type[Enum], values: Iterable[int]) -> int:
    """Return the largest of some values of an enum: of bits, all together."""
    return reduce(or_, values, 0) if issubclass(words, IntFlag) else max(values)


def u8(
    unit: str, about: str, *, low: int = 0, high: int = -1, words: type[Enum] | None = None
) -> Field:
    """Return an 8-bit field."""
    return Field("B", unit, about, low, high, words=words)


def u16(
    unit: str,
    about: str,
    *,
    low: int = 0,
    high: int = -1,
    unknown: int | None = None,
    words: type[Enum] | None = None,
) -> Field:
    """Return a 16-bit field."""
    return Field("H", unit, about, low, high, unknown, words)


def u32(unit: str, about: str, *, low: int = 0, high: int = -1) -> Field:
    """Return a 32-bit field."""
    return Field("I", unit, about, low, high)
