"""Whether the end of a record is proved: what its witnesses say, and which of them cannot be asked.

A chain cannot see its own end cut off, nor its whole replacement. What the owner of the file does
not write, sees both.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from controller.archive import witnesses
from controller.archive.head_text import Witnessed
from controller.archive.own_key import known_keys
from controller.archive.signed_note import PublicKey
from controller.archive.witnesses import Opinion, Place, Said
from controller.record import beside
from controller.record.head_note import Head, identity, newest
from controller.record.read_only import ask_record
from controller.record.store import Store, record_refused
from controller.record.witnessed import Named, named

_ASKED: Final = (Said.AGREES, Said.DIFFERS, Said.DECIDED)


class Proof(NamedTuple):
    """What the witnesses of a record say."""

    journal: str
    row: int
    """The newest row of the journal."""
    opinions: tuple[Opinion, ...]
    missing: tuple[Named, ...]
    """Witnesses that the record names, that cannot be asked, and than which none newer agrees."""

    @property
    def ok(self) -> bool:
        """True where no witness speaks against the record, and none that matters is missing."""
        return not (self.against or self.missing)

    @property
    def against(self) -> tuple[Opinion, ...]:
        """The witnesses that speak against the record."""
        return tuple(each for each in self.opinions if each.said is Said.DIFFERS)

    @property
    def newest(self) -> Opinion | None:
        """The witness that agrees and has the newest row."""
        agreeing = [each for each in self.opinions if each.said is Said.AGREES]
        return max(agreeing, key=_row, default=None)

    @property
    def sentence(self) -> str:
        """What the witnesses say, as one sentence."""
        if self.against:
            return against(self.against[0], self.row)
        if self.missing:
            one = self.missing[0]
            return (
                f"Its end is unproved: row {one.row} was witnessed by {one.place}, which cannot be "
                "asked here, and no newer witness agrees; mount its disk, or give its note with "
                "--note FILE; a unit is asked at the beginning of its next treatment."
            )
        best = self.newest
        if best is None:
            return (
                "Its end is unproved: no witness has ever been told of it; "
                "`corneum records witness` tells them."
            )
        weak = ", a weak witness, since the owner of the record writes it, too" if best.weak else ""
        return f"Row {_row(best)} of {self.row} is witnessed by {best.place}{weak}."


def against(one: Opinion, row: int) -> str:
    """Say what one witness has against a record that ends at ``row``."""
    said = one.of
    if said is None:
        return f"The witness {one.place} speaks against this record."
    if one.why:
        return (
            f"The witness {one.place} has row {said.row} of journal {said.journal}, which lay at "
            f"this place at {said.at} and does no more: the record was replaced."
        )
    what = "is gone" if said.row > row else "was another one"
    return f"The witness {one.place} has row {said.row} as of {said.at}, which {what}."


def prove(
    state: Path, own: Path, notes: Sequence[tuple[str, str]] = (), keys: Sequence[PublicKey] = ()
) -> Proof:
    """Ask every witness of the record in a state folder that can be asked without a unit.

    Args:
        state: The state folder.
        own: The user's configuration folder.
        notes: Further notes, each by its name and text; of a printed report, for example.
        keys: Keys that are believed beside those of this computer.

    Raises:
        RefusedError: there is no record, or it cannot be read.
        ConfigError: the list of witnesses cannot be used.
    """
    path = beside.check_record(state)
    found = witnesses.places(own, state)
    known = (*known_keys(own), *keys)

    def question(store: Store) -> Proof:
        connection = store.connection()
        journal = identity(connection)
        heard = [one for _, said in hear(store, path, found, known) for one in said]
        judge = judge_of(store)
        heard += [
            judge(witnesses.judged(name, text, path, journal, known, _has(store)))
            for name, text in notes
        ]
        row, _ = newest(connection)
        return Proof(journal, row, tuple(heard), _missing(named(store), heard))

    with record_refused("Nothing was changed."):
        return ask_record(path, question)


def hear(
    store: Store, path: Path, found: Sequence[Place], known: Sequence[PublicKey]
) -> list[tuple[Place, tuple[Opinion, ...]]]:
    """Return what the notes in each folder say of the record at ``path``."""
    journal, judge = identity(store.connection()), judge_of(store)
    return [
        (each, tuple(map(judge, witnesses.opinions(each, path, journal, known, _has(store)))))
        for each in found
    ]


def judge_of(store: Store) -> Callable[[Opinion], Opinion]:
    """Return what takes from an opinion what a technician has decided on."""
    decided = store.decided_heads()

    def judged(one: Opinion) -> Opinion:
        settled = one.said is Said.DIFFERS and one.of is not None and one.of[:3] in decided
        return one._replace(said=Said.DECIDED) if settled else one

    return judged


def _has(store: Store) -> Callable[[Witnessed], bool]:
    return lambda one: store.has(Head("", one.journal, one.row, one.hash))


def _missing(known: Sequence[Named], heard: Sequence[Opinion]) -> tuple[Named, ...]:
    best = max((_row(each) for each in heard if each.said is Said.AGREES), default=0)
    asked = {each.place for each in heard if each.said in _ASKED}
    return tuple(each for each in known if each.place not in asked and best < each.row)


def _row(one: Opinion) -> int:
    return 0 if one.of is None else one.of.row
