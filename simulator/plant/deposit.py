"""Where the crystals went: what a treatment did to the skin, place by place.

A plant keeps no such record unless it is given one. Rows are kept per 5 ms with crystals at the tip
on sealed skin; marks say which zone they belong to. A zone begins, as for the hand, when the tip
has left the skin: what still leaves the line after the host went on belongs to the zone before.
"""

from typing import Final, NamedTuple

ROWS_MAX: Final = 720_000
"""One hour of unbroken flow at one row per 5 ms: more than any treatment may last."""


class DepositRow(NamedTuple):
    """What one place had for a moment; the place is the middle of the tip."""

    x_mm: float
    y_mm: float
    flow_g_per_min: float
    """Crystals that leave the tip."""
    suction_kpa: float
    """At the tip, below ambient."""
    seconds: float
    stroke: int = 0
    """Rows of one stroke, from one lift to the next, have the same number."""


class DepositFullError(Exception):
    """Rows were lost because the log was full, so that no question has a true answer."""


class DepositLog:
    """The rows of some treatments, in order, and the zones they belong to."""

    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self.rows: list[DepositRow] = []
        self.dropped = 0
        """Rows that found no room."""
        self.stroke = 0
        """The number of the stroke under way, or of the next one."""
        self._rows_max = rows_max
        self._marks: list[tuple[str, int]] = [("", 0)]
        self._next_zone: str | None = None

    def begin_zone(self, zone: str) -> None:
        """Let the rows from the next lift on belong to ``zone``; before any row, from now on."""
        self._next_zone = zone
        if not self.rows:
            self.lift()

    def lift(self) -> None:
        """Note that the tip is off the skin."""
        if self.rows and self.rows[-1].stroke == self.stroke:
            self.stroke += 1
        if self._next_zone is not None:
            self._marks.append((self._next_zone, len(self.rows)))
            self._next_zone = None

    def add(self, row: DepositRow) -> None:
        """Note what one place had; beyond the bound it is counted as dropped."""
        if len(self.rows) < self._rows_max:
            self.rows.append(row)
        else:
            self.dropped += 1

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones that have rows, in the order of their first; "" stands for none told."""
        ends = [*(first for _, first in self._marks[1:]), len(self.rows)]
        begun = [zone for (zone, first), end in zip(self._marks, ends, strict=True) if end > first]
        return tuple(dict.fromkeys(begun))

    def of_zone(self, zone: str) -> list[DepositRow]:
        """Return the rows of a zone, of all times it was treated. Raises DepositFullError."""
        if self.dropped:
            raise DepositFullError(f"{self.dropped} rows beyond {self._rows_max} were dropped")
        ends = [*(first for _, first in self._marks[1:]), len(self.rows)]
        found: list[DepositRow] = []
        for (name, first), end in zip(self._marks, ends, strict=True):
            if name == zone:
                found += self.rows[first:end]
        return found
