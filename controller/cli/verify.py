"""`corneum records verify|witness`: is the record whole, and who else knows its end."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from controller.api.requests import HEADS_MAX
from controller.archive import notary, proof
from controller.archive.own_key import KeyFileError, known_keys, renewed_key
from controller.archive.proof import Proof
from controller.archive.signed_note import NoteError, PublicKey
from controller.archive.witnesses import Opinion
from controller.cli import output, waveforms
from controller.cli.outcome import ExitCode, Failure, failure_of
from controller.cli.words import instant
from controller.config.errors import ConfigError
from controller.config.paths import own_dir, state_dir
from controller.config.witnesses import add_witness_folder
from controller.record import read
from controller.record.offline import Accepted
from controller.record.read import Checked
from controller.safety.refusal import RefusedError

QUIET_S: Final = 2.0
"""How long a check says nothing; after that a line on standard error tells how far it is."""

NOTE_FILE_MAX_BYTES: Final = 65_536


class _End(NamedTuple):
    """What the witnesses say of the end of a record, or why they could not be asked."""

    found: Proof | None
    sentence: str

    @property
    def ok(self) -> bool:
        return self.found is not None and self.found.ok


def run(notes: Sequence[Path], keys: Sequence[str], *, as_json: bool) -> ExitCode:
    """Check the whole chain and hear its witnesses; 1 where either says that something is wrong."""
    given = [(str(path), _text(path)) for path in notes]
    believed = [_key(text) for text in keys]
    try:
        checked = read.check(state_dir(), Progress())
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
    end = _end(given, believed)
    files = [] if checked.found.unreadable else waveforms.check(state_dir(), Progress("file"))
    if as_json:
        said = {**_as_json(checked, end), "waveforms": waveforms.check_json(files)}
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        lines = [*_lines(checked, end), *waveforms.check_lines(files)]
        sys.stdout.write("\n".join(map(output.clean, lines)) + "\n")
    wrong = any(each.found in waveforms.WRONG for each in files)
    return ExitCode.DONE if checked.ok and end.ok and not wrong else ExitCode.REFUSED


def against() -> list[dict[str, Any]]:
    """Return the rows that a witness was told of and this record lacks; none where none speaks."""
    found = _end((), ()).found
    said = () if found is None else found.against
    return [
        {"journal": one.of.journal, "row": one.of.row, "hash": one.of.hash}
        for one in said[:HEADS_MAX]
        if one.of is not None
    ]


def tell(folder: Path | None, *, new_key: bool, as_json: bool) -> ExitCode:
    """Write notes about the newest row now; ``folder`` is added to their places, a key renewed."""
    own = own_dir()
    try:
        if folder is not None:
            add_witness_folder(own, folder.absolute())
        if new_key:
            renewed_key(own)
        noted = notary.note(state_dir(), own, time.time())
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
    except (ConfigError, KeyFileError) as error:
        raise Failure(error.sentence, "No note was written.") from error
    keys = known_keys(own)
    if as_json:
        said = {
            "row": noted.said.row,
            "hash": noted.said.hash,
            "journal": noted.said.journal,
            "places": noted.places,
            "kept": [{"place": one.place, "why": _why(one, noted.said.row)} for one in noted.kept],
            "key": keys[-1].text,
        }
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        lines = [f"Row {noted.said.row} of journal {noted.said.journal} is noted:"]
        lines += [f"  {place}" for place in noted.places]
        lines += [f"not in {one.place}: {_why(one, noted.said.row)}" for one in noted.kept]
        lines.append(f"Signed by {keys[-1].text}")
        sys.stdout.write("\n".join(map(output.clean, lines)) + "\n")
    return ExitCode.REFUSED if noted.kept else ExitCode.DONE


def _why(one: Opinion, row: int) -> str:
    return one.why if one.of is None else proof.against(one, row)


def _end(notes: Sequence[tuple[str, str]], keys: Sequence[PublicKey]) -> _End:
    try:
        found = proof.prove(state_dir(), own_dir(), notes, keys)
    except (RefusedError, ConfigError) as error:
        return _End(None, f"Its witnesses cannot be heard: {error.sentence}")
    return _End(found, found.sentence)


def _text(path: Path) -> str:
    try:
        if path == Path("-"):
            return sys.stdin.read(NOTE_FILE_MAX_BYTES)
        with path.open("rb") as file:
            return file.read(NOTE_FILE_MAX_BYTES).decode()
    except OSError as error:
        raise Failure(
            f"The note {path} cannot be read ({error.strerror}).",
            "Name its file, or - to paste it.",
        ) from error
    except ValueError as error:
        raise Failure(
            f"The note {path} is no text.", "A note is the text of the code on a report."
        ) from error


def _key(text: str) -> PublicKey:
    try:
        return PublicKey.of(text)
    except NoteError as error:
        raise Failure(
            f"--key {text[:40]}: {error}.",
            "A key is one word, NAME+ID+KEY; `corneum records witness` on its computer prints it.",
        ) from error


def _as_json(checked: Checked, end: _End) -> dict[str, Any]:
    found, said = checked.found, end.found
    return {
        "ok": checked.ok and end.ok,
        "record": str(found.path),
        "rows": found.rows,
        "breaks": [{"row": each.row, "found": each.what} for each in found.breaks],
        "accepted": [
            {
                "row": each.row,
                "found": each.what,
                "who": dict(each.who),
                "reason": each.reason,
                "at_s": each.wall_s,
            }
            for each in checked.accepted
        ],
        "sentence": checked.sentence,
        "lacking": checked.lacking,
        "end": {
            "ok": end.ok,
            "proved": said is not None and said.ok and said.newest is not None,
            "sentence": end.sentence,
            "witnesses": [_witness(one) for one in (said.opinions if said else ())],
            "missing": [one._asdict() for one in (said.missing if said else ())],
        },
    }


def _witness(one: Opinion) -> dict[str, Any]:
    row = None if one.of is None else one.of.row
    return {
        "place": one.place,
        "says": one.said.value,
        "row": row,
        "why": one.why,
        "weak": one.weak,
    }


def _lines(checked: Checked, end: _End) -> list[str]:
    found, lacking = checked.found, checked.lacking
    said = [checked.sentence]
    said += [f"  row {each.row}: {each.what}" for each in found.breaks]
    said += [f"  row {each.row}: {each.what}; {_decision(each)}" for each in checked.accepted]
    if found.breaks:
        said.append(
            "Put the newest backup back (journal.sqlite3 together with its -wal and -shm), or "
            "decide as a technician: `corneum records accept row N --reason TEXT`."
        )
    if found.lists is not None:
        said.append("Make indexes and lists anew from the rows: `corneum records recover`.")
    said += [] if lacking is None else [lacking]
    said.append(end.sentence)
    others = () if end.found is None else end.found.against[1:]
    said += [f"  {proof.against(one, end.found.row)}" for one in others if end.found is not None]
    if end.found is not None and end.found.against:
        said.append(
            "Put the right journal.sqlite3 back together with its -wal and -shm, or decide as a "
            "technician: `corneum records accept head --reason TEXT`."
        )
    return said


def _decision(accepted: Accepted) -> str:
    name = accepted.who.get("name") or "somebody"
    role = accepted.who.get("role", "")
    return f"accepted by {name} ({role}) at {instant(accepted.wall_s)}: {accepted.reason}"


class Progress:
    """Tells on a terminal how far a check is, once it takes long."""

    def __init__(self, what: str = "row") -> None:
        self._what = what
        self._told_s = time.monotonic()

    def __call__(self, row: int, rows: int) -> None:
        """Tell, at most every 2 s."""
        if time.monotonic() - self._told_s < QUIET_S:
            return
        self._told_s = time.monotonic()
        sys.stderr.write(f"{self._what} {row} of {rows}\n")
