"""What is asked of a whole record beside no kernel: check it, and make its lists anew.

RefusedError says in one sentence why not.
"""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from controller.record import beside, words
from controller.record.chain import Chained
from controller.record.head_note import newest
from controller.record.read_only import ask_record
from controller.record.store import RecordError, Store, record_refused
from controller.record.verify import BREAKS_MAX, Break, CheckResult, verify
from controller.safety.refusal import refusing


class Accepted(NamedTuple):
    """A break on which a technician has decided: it stands, and refuses nobody any more."""

    row: int
    what: str
    who: Mapping[str, Any]
    """Name and role."""
    reason: str
    wall_s: float
    """When it was decided."""


class Checked(NamedTuple):
    """What the check of a record found, and what of it was decided on."""

    found: CheckResult
    """With the breaks on which nobody has decided."""
    accepted: tuple[Accepted, ...] = ()
    lacking: str | None = None
    """What the record lacks as a whole."""

    @property
    def ok(self) -> bool:
        """True when nothing is wrong on which nobody has decided."""
        return self.found.ok and self.lacking is None

    @property
    def sentence(self) -> str:
        """What was found, as one sentence."""
        found = self.found
        if not (self.accepted and found.ok):
            return found.sentence
        many = "s" if len(self.accepted) > 1 else ""
        return (
            f"The record {found.path} is whole but for {len(self.accepted)} accepted break{many}: "
            f"{found.rows} rows."
        )


class _Known(NamedTuple):
    """What the record itself says beside the check."""

    rows: int
    decisions: tuple[Chained, ...]
    lacking: str | None


def check(state: Path, told: Callable[[int, int], None]) -> Checked:
    """Check every row of the record in a state folder, without writing."""
    return check_file(beside.check_record(state), told)


def check_file(path: Path, told: Callable[[int, int], None]) -> Checked:
    """Check every row of the record at ``path``, such as a copy, without writing."""
    found = verify(path, told)
    if found.unreadable is not None:
        return Checked(found)
    try:
        known = ask_record(path, _known)
    except RecordError as error:
        return Checked(found, lacking=str(error))
    if not found.breaks or len(found.breaks) >= BREAKS_MAX:  # the rows behind were not looked at
        return Checked(found, lacking=known.lacking)
    accepted = _accepted(found.breaks, known.decisions)
    found.breaks = [each for each in found.breaks if each.row not in {one.row for one in accepted}]
    found.rows = found.breaks[0].row - 1 if found.breaks else known.rows
    return Checked(found, accepted, known.lacking)


def _known(store: Store) -> _Known:
    rows, _ = newest(store.connection())
    return _Known(rows, tuple(store.decisions()), store.lacking_sentence)


def _accepted(breaks: list[Break], decisions: tuple[Chained, ...]) -> tuple[Accepted, ...]:
    decided = {int(each.body["row"]): each for each in decisions if each.body["subject"] == "row"}
    return tuple(
        Accepted(one.row, one.what, said.get("who", {}), str(said.get("reason", "")), row.wall_s)
        for one in breaks
        if (row := decided.get(one.row)) is not None
        for said in (row.body,)
    )


def recover(state: Path) -> Path:
    """Make indexes and lists of the record anew from its rows, and return its file."""
    path = beside.check_record(state)
    beside.check_no_kernel(state, "It would have to wait for this: end it, then ask again.")
    store = Store(path)
    with record_refused("Nothing was changed."), contextlib.closing(store):
        if store.recover():
            return path
    raise refusing(
        "record",
        f"The rows of the record {path} are damaged too, so nothing was changed.",
        f"To go on, {words.RESTORE}.",
    )
