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
OLD = (0, 2)  # versions of a file that store what is hashed as columns
TEXTS = 3  # the version that stores it as text

TEXT = "SELECT id, text, hash, typeof(text)||typeof(hash), kind, treatment FROM journal ORDER BY id"
COLUMNS = (
    "SELECT id, mono_s, wall_s, treatment, kind, body, prev_hash, hash FROM journal ORDER BY id"
)

Row = tuple[int, str, str, str]  # number, hash before it, its own, what is wrong with itself
Bad = list[tuple[int, str]]


class CannotReadError(Exception):
    """The file is no record, or not one that this program knows."""


def check(path: Path, heads: Sequence[tuple[int, str]] = ()) -> tuple[int, list[tuple[int, str]]]:
    """Return how many rows a journal has, and each place where it is not what was written.

    ``heads`` are pairs of a row and its hash. A place is a row and words; row 0 is none of them.

    Raises:
        CannotReadError: it cannot be read at all.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with contextlib.closing(connection):
            connection.execute("PRAGMA trusted_schema = OFF")
            old = _is_old(connection)
            head = connection.execute("SELECT id, hash FROM head").fetchone()
            if head is None or list(map(type, head)) != [int, str]:
                raise CannotReadError("the head of the chain is gone")
            hashes, bad = _walk(_old(connection) if old else _new(connection), *head)
            lost = [row for row, own in heads if hashes.get(row) != own]
            bad += [(row, "was witnessed, and is missing or another one") for row in lost]
            connection.text_factory = str
            ((found,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:  # an error of it may quote damaged text
        raise CannotReadError(f"{path}: {error}") from error
    if not bad and found != "ok":
        bad.append((0, f"the file contradicts itself: {found}"))
    return len(hashes) - 1, sorted(bad)


def _is_old(connection: sqlite3.Connection) -> bool:
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    names = connection.execute("SELECT name FROM pragma_table_xinfo('journal') WHERE hidden = 0")
    stored = {name for (name,) in names}
    if version in OLD and "body" in stored:
        return True
    if (version, stored) != (TEXTS, {"id", "text", "hash"}):
        raise CannotReadError(f"version {version} with the columns {sorted(stored)} is not known")
    return False


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
        return hashes, bad
    if row < last:
        bad.append((row + 1, f"is missing, and all after it: {last} rows were written"))
    elif previous and previous != last_hash.lower():
        bad.append((row, "is not the one that was written last"))
    return hashes, bad


def _new(connection: sqlite3.Connection) -> Iterator[Row]:
    connection.text_factory = bytes
    for number, text, own, types, kind, treatment in connection.execute(TEXT):
        if types == b"texttext":
            yield _row(number, text, own, _misfit(text, kind, treatment))
        else:
            yield _row(number, b"", b"", "is stored as another type than text")


def _old(connection: sqlite3.Connection) -> Iterator[Row]:
    connection.text_factory = lambda data: data.decode(errors="surrogateescape")
    for *values, previous, own in connection.execute(COLUMNS):
        array = json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=repr)
        text = f"{previous}\n{array}".encode(errors="surrogateescape")
        yield _row(values[0], text, str(own).encode(errors="surrogateescape"), "")


def _row(number: int, text: bytes, own: bytes, what: str) -> Row:
    holds = text[64:65] == b"\n" and hashlib.sha256(text).hexdigest().encode() == own
    said = what or ("" if holds else "is not what was written: its hash is another one")
    return number, text[:64].decode(errors="replace"), own.decode(errors="replace"), said


def _misfit(text: bytes, kind: Any, treatment: Any) -> str:  # noqa: ANN401 - of any file
    try:
        said = json.loads(text[65:])
        fits = (said[3], said[4].encode()) == (treatment, kind)
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""  # its hash will tell
    return "" if fits else "has columns that say something else than its text"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the one journal that is named, and say what was found."""
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
