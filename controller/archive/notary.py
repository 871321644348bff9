"""Writes notes about the newest row of a record, in a process of its own that may hang and die.

One line of JSON tells which row was noted and where. A place whose note speaks against the record
keeps it.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from controller.archive import witnesses
from controller.archive.head_text import Witnessed, note_of, witnessed
from controller.archive.own_key import KeyFileError, known_keys, own_key
from controller.archive.proof import hear
from controller.archive.witnesses import Opinion, Place, Said
from controller.config.errors import ConfigError
from controller.config.paths import NoStateFolderError, own_dir
from controller.record import beside
from controller.record.head_note import identity, newest
from controller.record.read_only import ask_record
from controller.record.store import Store, record_refused
from controller.safety.refusal import RefusedError

NICE: Final = 10


class Noted(NamedTuple):
    """What became of the notes about one row."""

    said: Witnessed
    places: tuple[str, ...]
    """The files that have the note now."""
    kept: tuple[Opinion, ...]
    """Those that do not, and why."""


def note(state: Path, own: Path, wall_s: float) -> Noted:
    """Write the notes about the newest row of the record in a state folder.

    Raises:
        RefusedError: there is no record, or it cannot be read.
        KeyFileError, ConfigError: no key, or the list of folders cannot be used.
    """
    path = beside.check_record(state)
    key, found = own_key(own), witnesses.places(own, state)
    known = known_keys(own)

    def question(store: Store) -> tuple[Witnessed, list[tuple[Place, tuple[Opinion, ...]]]]:
        connection = store.connection()
        head = witnessed(identity(connection), *newest(connection), wall_s, path)
        return head, hear(store, path, found, known)

    with record_refused("No note was written."):
        head, heard = ask_record(path, question)
    written, kept = [], []
    for place, said in heard:
        bad = [each for each in said if each.said is Said.DIFFERS]
        if bad:
            kept += bad
            continue
        try:
            witnesses.put(place, head.journal, note_of(head, key))
            written.append(str(place.note(head.journal)))
        except OSError as error:
            why = error.strerror or "it cannot be written"
            kept.append(Opinion(str(place.note(head.journal)), Said.UNBELIEVED, why=why))
    return Noted(head, tuple(written), tuple(kept))


def main(arguments: Sequence[str]) -> int:
    """Write the notes of the state folder that is named, and say where they are."""
    os.nice(NICE)
    try:
        noted = note(Path(arguments[0]), own_dir(), time.time())
    except (RefusedError, KeyFileError, ConfigError, NoStateFolderError) as error:
        sys.stdout.write(json.dumps({"sentence": str(error)}) + "\n")
        return 1
    said = {"row": noted.said.row, "hash": noted.said.hash, "places": noted.places}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
