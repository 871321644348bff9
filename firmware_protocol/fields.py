"""How one field of a message travels: width, unit, range and meaning."""

from dataclasses import dataclass
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

    @property
    def top(self) -> int:
        """The largest value: ``high``, or what the width holds beside the unknown count."""
        if self.high >= 0:
            return self.high
        return WIDTH_MAX[self.code] - (self.unknown == WIDTH_MAX[self.code])

    @property
    def fills_its_width(self) -> bool:
        """True where no count above ``low`` is illegal, so that there is nothing to check."""
        legal_max = max(self.top, self.unknown or 0)
        return legal_max == WIDTH_MAX[self.code] and self.top >= legal_max - 1


def u8(unit: str, about: str, *, low: int = 0, high: int = -1) -> Field:
    """Return an 8-bit field."""
    return Field("B", unit, about, low, high)


def u16(
    unit: str, about: str, *, low: int = 0, high: int = -1, unknown: int | None = None
) -> Field:
    """Return a 16-bit field."""
    return Field("H", unit, about, low, high, unknown)


def u32(unit: str, about: str, *, low: int = 0, high: int = -1) -> Field:
    """Return a 32-bit field."""
    return Field("I", unit, about, low, high)
