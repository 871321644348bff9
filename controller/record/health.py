"""What is known about the rows of a record, and what is refused because of it.

Each row that a plan rests on is verified when it is read. Beyond that two things can be known: rows
that were written and are not there any more, which may be anybody's, and rows that the check of the
whole chain has found broken, which concern the clients who were treated when they were written.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controller.api.snapshot import RecordView
from controller.record import listing, words
from controller.record.store import BrokenRowError, RecordError, Store
from controller.record.verify import Break

SHOWN_MAX: Final = 5
"""Rows that are named in a sentence; `corneum records verify` names all."""


@dataclass(slots=True)
class RecordHealth:
    """What the process of this record has found out so far."""

    lacking: str | None = None
    """Which row was written here and is not in the record, and the way out."""
    verified_to: int | None = None
    """The row up to which the whole chain was read; None before the first check is over."""
    breaks: tuple[Break, ...] = ()
    """What that check has found, and no technician has decided on."""
    unchecked: str | None = None
    """Why the check could not be made."""

    witness: str | None = None
    """Which row a unit keeps that is not in this record, and nobody has decided on."""
    unit_ahead: str | None = None
    """Which treatment the unit was armed for that is not in this record."""

    def compare_with_unit(self, serial: int, treatment: int, newest: int) -> None:
        """Take from the log of a unit that it was armed for a treatment."""
        if treatment > newest:
            self.unit_ahead = (
                f"Unit {serial} was armed for treatment {treatment}, and the newest on record is "
                f"{newest}: the unit was used with another record, or this one lacks treatments. "
                "Look whether another state folder or a newer backup has them."
            )

    @property
    def is_broken(self) -> bool:
        """True while something is known to be wrong with the record."""
        found = (self.lacking, self.unchecked, self.witness, self.unit_ahead)
        return bool(self.breaks) or any(each is not None for each in found)

    def view(self, path: str, rows: int, failure: str | None) -> RecordView:
        """Return what the snapshot shows; ``failure`` is why the record cannot be written."""
        return RecordView(path, rows, self.verified_to, failure or self.sentence(Path(path)))

    def sentence(self, path: Path | None) -> str | None:
        """Say what is wrong with the record as a whole; None while nothing is known to be."""
        if self.lacking is not None:
            return self.lacking
        if not self.breaks:
            return self.unchecked or self.witness or self.unit_ahead
        rows = ", ".join(str(each.row) for each in self.breaks[:SHOWN_MAX])
        more = "" if len(self.breaks) <= SHOWN_MAX else f" and {len(self.breaks) - SHOWN_MAX} more"
        return (
            f"The record {path or 'in memory'} is broken at row {rows}{more}. Clients who were "
            f"treated when these were written are not treated: {words.RESTORE}, or let a "
            "technician decide on each row with `corneum records accept row N --reason TEXT`."
        )


class LackingError(RecordError):
    """Rows that were written at this place are not in the record."""


def believe(store: Store, client: str, breaks: Iterable[Break]) -> None:
    """Make sure that the record may be believed about one client.

    Raises:
        LackingError: rows are gone that may be this client's.
        BrokenRowError: a broken row was written while this client was treated.
        RecordError: a list has lost an entry of this client.
    """
    lacking = store.lacking_sentence
    if lacking is not None:
        raise LackingError(lacking)
    listing.check_count(store, client)
    undecided = list(breaks)
    if not undecided:
        return
    accepted = store.accepted_rows()
    for each in undecided:
        # A break lies between two rows: either may be the one that was changed.
        concerned = {*listing.treated_at(store, each.row), *listing.treated_at(store, each.row - 1)}
        if each.row not in accepted and concerned & {client, listing.UNKNOWN}:
            raise BrokenRowError(store.path, each.row, each.what)
