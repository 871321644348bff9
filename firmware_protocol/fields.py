"""How one field of a message travels: width, unit, range and meaning."""

from dataclasses import dataclass
from typing import Final, Literal

Code = Literal["B", "H", "I", "Q"]

WIDTH_MAX: Final[dict[Code, int]] = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFF_FFFF, "Q": 2**64 - 1}


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
        """The largest legal value: ``high``, or the whole width where none is given."""
        return self.high if self.high >= 0 else WIDTH_MAX[self.code]


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
