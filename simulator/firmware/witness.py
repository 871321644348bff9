"""What the unit keeps of the records of its hosts: the end of each, by number and hash.

A chain of hashes cannot see its own end cut off, nor its whole replacement. So the host tells the
unit at each disarm which row is the newest, and asks at each arming. It is memory and nothing else:
no guard, no permissive and no mode looks at it.
"""

from typing import Final, NamedTuple

from firmware_protocol.messages import WITNESSED_MAX

DECIDED_MAX: Final = 0xFF
"""Where the count of decisions saturates: it travels as 8 bits."""

Journal = tuple[int, int]
"""Name of a journal, as it travels."""


class Kept(NamedTuple):
    """The newest row of one journal that the unit was told of."""

    journal: Journal
    row: int
    hash: tuple[int, int, int]
    decided: int = 0
    """How often a technician's decision has put it back."""


class Witness:
    """Keeps the end of at most ``WITNESSED_MAX`` journals, the newest first."""

    __slots__ = ("kept",)

    def __init__(self, kept: tuple[Kept, ...] = ()) -> None:
        self.kept = kept[:WITNESSED_MAX]

    def of(self, journal: Journal) -> Kept | None:
        """Return what is kept of a journal."""
        return next((each for each in self.kept if each.journal == journal), None)

    def keep(
        self, journal: Journal, row: int, row_hash: tuple[int, int, int], *, decided: bool
    ) -> bool:
        """Keep a row in place of the older one of its journal, or of the journal kept longest ago.

        False, and nothing has changed, where the record would go back: a lower row, or another hash
        of the same one. ``decided`` lets it, and is counted.
        """
        before, count = self.of(journal), 0
        if before is not None:
            count = before.decided
            if row < before.row or (row == before.row and row_hash != before.hash):
                if not decided:
                    return False
                count = min(count + 1, DECIDED_MAX)
        others = tuple(each for each in self.kept if each.journal != journal)
        self.kept = (Kept(journal, row, row_hash, count), *others)[:WITNESSED_MAX]
        return True
