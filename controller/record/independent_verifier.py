"""An independent verifier of a record, in one file with nothing of ours: it can be copied anywhere.

`python independent_verifier.py journal.sqlite3 [--head ROW:HASH]...` only reads. A head was
witnessed elsewhere, on a printed report say. Written from docs/RECORD.md, "What is hashed".
Exit status: 0 each row is as it was written; 1 those that are not are named; 2 it cannot be read.
"""

import argparse
import contextlib
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

FIRST = "0" * 64
OLD, TEXTS = (0, 2), 3  # versions of a file that store what is hashed as columns, or as text
TEXT = "SELECT id, text, hash, typeof(text)||typeof(hash), kind, treatment FROM journal"
COLUMNS = "SELECT id, mono_s, wall_s, treatment, kind, body, prev_hash, hash FROM journal"

Row = tuple[int, str, str, str]  # number, hash before it, its own, what is wrong with itself
Bad = list[tuple[int, str]]


class CannotReadError(Exception):
    """The file is no record, or not one that this program knows."""


def check(path: Path, heads: Sequence[tuple[int, str]] = ()) -> tuple[int, Bad]:
    """Return how many rows there are, and which are not as written (0: none in particular)."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with contextlib.closing(connection):
            connection.execute("PRAGMA trusted_schema = OFF")
            rows = _old(connection) if _is_old(connection) else _new(connection)
            head = connection.execute("SELECT id, hash FROM head").fetchone()
            if head is None or list(map(type, head)) != [int, str]:
                raise CannotReadError("the head of the chain is gone")
            hashes, bad = _walk(rows, *head)
            lost = [row for row, own in heads if hashes.get(row) != own]
            bad += [(row, "was witnessed, and is missing or another one") for row in lost]
            if not bad:
                connection.text_factory = str
                ((found,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
                bad += [] if found == "ok" else [(0, f"the file contradicts itself: {found}")]
    except (sqlite3.Error, UnicodeDecodeError) as error:  # an error of it may quote damaged text
        raise CannotReadError(f"{path}: {error}") from error
    return len(hashes) - 1, sorted(bad)


def _is_old(connection: sqlite3.Connection) -> bool:
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    names = "SELECT name FROM pragma_table_xinfo('journal') WHERE hidden = 0"
    stored = {name for (name,) in connection.execute(names)}
    old = version in OLD and "body" in stored
    if not old and (version, stored) != (TEXTS, {"id", "text", "hash"}):
        raise CannotReadError(f"version {version} with the columns {sorted(stored)} is not known")
    return old


def _walk(rows: Iterable[Row], last: int, last_hash: str) -> tuple[dict[int, str], Bad]:
    hashes, bad, row, previous = {0: FIRST}, Bad(), 0, FIRST
    try:
        for number, before, own, what in rows:
            if number != row + 1:
                bad.append((row + 1, f"is missing, row {number} stands in its place"))
                previous = before
            said = what or (before != (previous or before) and "does not follow the row before it")
            if said or number > last:
                bad.append((number, said or "stands behind the row that was written last"))
            row, previous, hashes[number] = number, "" if what else own, own
    except sqlite3.DatabaseError as error:
        bad.append((row + 1, f"cannot be read ({error})"))
        row = last + 1
    if row < last:
        bad.append((row + 1, f"is missing, and all after it: {last} rows were written"))
    elif row == last and previous not in ("", last_hash.lower()):
        bad.append((row, "is not the one that was written last"))
    return hashes, bad


def _each(connection: sqlite3.Connection, question: str) -> Iterator[Any]:
    row = 0
    try:
        for found in connection.execute(f"{question} ORDER BY id"):
            row = found[0]
            yield found
    except sqlite3.DatabaseError:  # Python has looked one row ahead
        yield from connection.execute(f"{question} WHERE id = ?", (row + 1,))
        raise


def _new(connection: sqlite3.Connection) -> Iterator[Row]:
    connection.text_factory = bytes
    for number, text, own, types, kind, treatment in _each(connection, TEXT):
        if types == b"texttext":
            yield _row(number, text, own, _misfit(text, kind, treatment))
        else:
            yield _row(number, b"", b"", "is stored as another type than text")


def _old(connection: sqlite3.Connection) -> Iterator[Row]:
    connection.text_factory = lambda data: data.decode(errors="surrogateescape")
    for *values, previous, own in _each(connection, COLUMNS):
        array = json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=repr)
        text = f"{previous}\n{array}".encode(errors="surrogateescape")
        yield _row(values[0], text, str(own).encode(errors="surrogateescape"), "")


def _row(number: int, text: bytes, own: bytes, what: str) -> Row:
    if not what and (text[64:65] != b"\n" or hashlib.sha256(text).hexdigest().encode() != own):
        what = "is not what was written: its hash is another one"
    return number, text[:64].decode(errors="replace"), own.decode(errors="replace"), what


def _misfit(text: bytes, kind: Any, treatment: Any) -> str:  # noqa: ANN401 - of any file
    try:
        said = json.loads(text[65:])
        fits = (said[3], said[4].encode()) == (treatment, kind)
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""  # its hash will tell
    return "" if fits else "has columns that say something else than its text"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the journal that is named, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("journal", type=Path)
    parser.add_argument("--head", action="append", default=[], metavar="ROW:HASH")
    asked = parser.parse_args(arguments)
    try:
        heads = [(int(row), own) for row, own in (head.split(":") for head in asked.head)]
        rows, bad = check(asked.journal, heads)
    except ValueError:
        parser.error("--head is ROW:HASH")
    except CannotReadError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for row, what in bad:
        sys.stdout.write(f"row {row} {what}\n" if row else f"{what}\n")
    sys.stdout.write(f"{'broken' if bad else 'whole'}: {rows} rows\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
