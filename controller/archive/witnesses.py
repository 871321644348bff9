"""The notes about a record: where they lie, what they say of it, and how a newer one is put there.

A note lies by the name of its journal in the user's own folder and in each folder on another disk.
It is replaced in one step, and only where the journal still has the row that it tells of: a note
that speaks against the record may be the only proof of what was there.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from controller.archive.head_text import Witnessed, read_note
from controller.archive.one_step import replace_text
from controller.archive.signed_note import NOTE_MAX_BYTES, NoteError, PublicKey
from controller.config.witnesses import witness_folders

OWN_FOLDER: Final = "notes"
SUFFIX: Final = ".note"
NOTES_MAX: Final = 1000
"""Notes that are read in one folder; a clinic has one journal, or a few."""


class Said(StrEnum):
    """How a witness stands to the record."""

    AGREES = "agrees"
    DIFFERS = "differs"
    DECIDED = "decided"
    """It differs, and a technician has decided that the record goes on."""
    NOTHING = "says nothing"
    """There is no note about this record."""
    UNBELIEVED = "cannot be asked"
    """The folder or the note cannot be read, or no known key signed it."""


class Opinion(NamedTuple):
    """What one witness says of the record."""

    place: str
    """The file of the note, or what it was read from."""
    said: Said
    of: Witnessed | None = None
    why: str = ""
    weak: bool = False
    """True where the owner of the record writes this place, too."""


class Place(NamedTuple):
    """One folder with notes."""

    folder: Path
    own: bool
    """True for the folder of the user, which is made when it is needed."""
    weak: bool

    def note(self, journal: str) -> Path:
        """Return the file of the note about a journal."""
        return self.folder / f"{journal}{SUFFIX}"


Has = Callable[[Witnessed], bool]
"""Asks the journal whether it has that row with that hash."""


def places(own: Path, state: Path) -> tuple[Place, ...]:
    """Return the folders with notes, the user's own first.

    Raises:
        ConfigError: the list of the others cannot be used.
    """
    others = (Place(each, own=False, weak=_same_disk(each, state)) for each in witness_folders(own))
    return (Place(own / OWN_FOLDER, own=True, weak=True), *others)


def opinions(
    place: Place, path: Path, journal: str, known: Sequence[PublicKey], has: Has
) -> tuple[Opinion, ...]:
    """Return what the notes in a folder say of the record at ``path``, at least one opinion.

    A note about another journal that lay at this path says that the record was replaced.
    """
    name = str(place.note(journal))
    try:
        files = sorted(each.name for each in os.scandir(place.folder) if each.name.endswith(SUFFIX))
    except FileNotFoundError:
        if place.own:
            return (Opinion(name, Said.NOTHING, weak=True),)
        return (Opinion(name, Said.UNBELIEVED, why="the folder is not there", weak=place.weak),)
    except OSError as error:
        return (Opinion(name, Said.UNBELIEVED, why=error.strerror or "", weak=place.weak),)
    found = [
        each
        for file in files[:NOTES_MAX]
        for each in _of_file(place.folder / file, path, journal, known, has)
    ]
    if not any(each.place == name for each in found):
        found.append(Opinion(name, Said.NOTHING))
    return tuple(each._replace(weak=place.weak) for each in found)


def judged(
    name: str, note: str, path: Path, journal: str, known: Sequence[PublicKey], has: Has
) -> Opinion:
    """Return what one note says of the record at ``path``, whatever it was read from."""
    try:
        said = read_note(note, known)
    except NoteError as error:
        return Opinion(name, Said.UNBELIEVED, why=str(error))
    if said.journal == journal:
        return Opinion(name, Said.AGREES if has(said) else Said.DIFFERS, said)
    if said.file == path.absolute().as_uri():
        return Opinion(name, Said.DIFFERS, said, "another journal lay at this place")
    return Opinion(name, Said.NOTHING, said, "it tells of another journal")


def put(place: Place, journal: str, note: str) -> None:
    """Put a note in its folder in one step.

    Raises:
        OSError: it cannot be written; what lay there still does.
    """
    if place.own:
        place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_text(place.note(journal), note)


def _of_file(
    file: Path, path: Path, journal: str, known: Sequence[PublicKey], has: Has
) -> Iterator[Opinion]:
    """Yield the opinion of one file; none where it tells of a record elsewhere."""
    ours = file.stem == journal
    try:
        note = _read(file)
    except (OSError, ValueError) as error:
        if ours:
            why = getattr(error, "strerror", None) or "it is no text"
            yield Opinion(str(file), Said.UNBELIEVED, why=why)
        return
    said = judged(str(file), note, path, journal, known, has)
    if ours or said.said is Said.DIFFERS:
        yield said


def _same_disk(folder: Path, state: Path) -> bool:
    try:
        return folder.stat().st_dev == state.stat().st_dev
    except OSError:  # one that is not there weakens nothing
        return False


def _read(path: Path) -> str:
    # Without waiting: a pipe that lies there would wait for its other end, for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, NOTE_MAX_BYTES + 1).decode()
    finally:
        os.close(descriptor)
