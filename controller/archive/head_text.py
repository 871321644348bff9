"""The body of a note about a record: row n of journal J has hash h."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from controller.archive.signed_note import NoteError, PublicKey, SigningKey, opened

TITLE: Final = "corneum journal head v1"
_FORM: Final = re.compile(
    rf"{TITLE}\njournal (?P<journal>[0-9a-f]{{1,64}})\nrow (?P<row>[0-9]{{1,18}})\n"
    r"hash (?P<hash>[0-9a-f]{64})\nat (?P<at>[0-9T:Z-]{20})\nfile (?P<file>file://\S+)\n"
)


class Witnessed(NamedTuple):
    """What a witness says of a journal."""

    journal: str
    row: int
    hash: str
    """Of that row, 64 hexadecimal digits."""
    at: str
    """When it was written down, by the clock of the computer that wrote: UTC, RFC 3339."""
    file: str
    """Where the journal lay, as an address: another journal in its place is a replaced one."""

    @property
    def text(self) -> str:
        """What is signed."""
        said = (("journal", self.journal), ("row", self.row), ("hash", self.hash), ("at", self.at))
        return f"{TITLE}\n" + "".join(f"{k} {v}\n" for k, v in (*said, ("file", self.file)))


def witnessed(journal: str, row: int, row_hash: str, wall_s: float, path: Path) -> Witnessed:
    """Return what a witness of the newest row of a journal says at a moment."""
    at = datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Witnessed(journal, row, row_hash, at, path.absolute().as_uri())


def note_of(said: Witnessed, key: SigningKey) -> str:
    """Return what a witness says as a signed note."""
    return key.signed(said.text)


def read_note(note: str, known: Sequence[PublicKey]) -> Witnessed:
    """Return what a note says.

    Raises:
        NoteError: no key that is known signed it, or it says something else.
    """
    text, _ = opened(note, known)
    found = _FORM.fullmatch(text)
    if found is None:
        raise NoteError("it says nothing about a record")
    said = found.groupdict()
    return Witnessed(said["journal"], int(said["row"]), said["hash"], said["at"], said["file"])
