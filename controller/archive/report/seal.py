"""The end of the record on paper: the note about its newest row, and the same as a QR code."""

import io
from pathlib import Path
from typing import NamedTuple

from controller.archive.head_text import note_of, witnessed
from controller.archive.own_key import KEY_FILE, KeyFileError, own_key
from controller.archive.report.document import NotInstalledError
from controller.record.head_note import Head


class Seal(NamedTuple):
    """What a report says about the newest row of its record."""

    text: str
    """A signed note, or the same text without a signature."""
    unsigned: str | None
    """Why nobody signed it; None where it is signed."""


def seal_of(head: Head, wall_s: float, record: Path, own: Path) -> Seal:
    """Return the note about a row that was written at ``wall_s``, signed if there is a key.

    Its time is that of the row, so that the same record gives the same note. No key is made here.
    """
    said = witnessed(head.journal, head.row, head.hash, wall_s, record)
    try:
        if (own / KEY_FILE).exists():
            return Seal(note_of(said, own_key(own)), None)
        why = "this computer has no key yet; `corneum records witness` makes one"
    except KeyFileError as error:
        why = error.sentence
    except OSError as error:
        why = f"the key of this computer cannot be reached ({error.strerror})"
    return Seal(said.text, why)


def qr_svg(text: str) -> str:
    """Return a text as a QR code that a telephone reads from paper, with its quiet zone.

    Raises:
        NotInstalledError: segno is not installed.
    """
    try:
        import segno  # noqa: PLC0415  an extra
    except ImportError as error:
        raise NotInstalledError("segno") from error

    made = io.BytesIO()
    segno.make(text, error="m", micro=False, boost_error=False).save(
        made, kind="svg", scale=4, border=4, light="#ffffff", xmldecl=False, omitsize=False
    )
    return made.getvalue().decode()
