"""Hostile edits of a record, by somebody who owns its file: with sqlite3, or in its bytes.

Each takes the file and a source of chance and changes the file. Whoever edits knows the form of the
rows, so the chain may be hashed anew to its end: only a witness elsewhere finds that.
"""

import json
import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from controller.record.chain import BEGINS, FIELDS, GENESIS, text_hash

Edit = Callable[[Path, random.Random], None]

FILE_HEAD_BYTES: Final = 100
CUT_MAX: Final = 5
TRIGGERS: Final = ("journal_is_never_edited", "journal_is_never_shortened")
VALUES: Final[tuple[tuple[int, Callable[[Any], Any]], ...]] = (
    (1, lambda mono_s: mono_s + 0.001),
    (2, lambda wall_s: wall_s - 86400.0),
    (3, lambda treatment: treatment + 1),
    (4, lambda _kind: "note"),
    (5, lambda body: "{}" if body != "{}" else '{"a":1}'),
)
"""Places in the array of a row, each with what somebody may want there."""
REDEFINED: Final = (
    ("AS INTEGER)) VIRTUAL", "AS INTEGER) + 1) VIRTUAL"),
    (" - 1)) VIRTUAL", " - 2)) VIRTUAL"),
)
"""Definitions of columns, each with one that says something else."""


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        with connection:
            yield connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _last(connection: sqlite3.Connection) -> int:
    ((last,),) = connection.execute("SELECT max(id) FROM journal").fetchall()
    return int(last)


def _text(connection: sqlite3.Connection, row: int) -> str:
    ((text,),) = connection.execute("SELECT text FROM journal WHERE id = ?", (row,)).fetchall()
    return str(text)


def _put(connection: sqlite3.Connection, row: int, text: str) -> None:
    connection.execute("UPDATE journal SET text = ? WHERE id = ?", (text, row))


def _edited(text: str, chance: random.Random) -> str:
    values = json.loads(text[BEGINS:])
    at, change = chance.choice(VALUES)
    values[at] = change(values[at])
    return text[:BEGINS] + json.dumps(values, ensure_ascii=False, separators=(",", ":"))


# -- with sqlite3 ----------------------------------------------------------------------------------
def edit(path: Path, chance: random.Random) -> None:
    """Change one value of one row."""
    with _opened(path) as connection:
        row = chance.randint(1, _last(connection))
        _put(connection, row, _edited(_text(connection, row), chance))


def edit_a_character(path: Path, chance: random.Random) -> None:
    """Change one character of the text of one row."""
    with _opened(path) as connection:
        row = chance.randint(1, _last(connection))
        text = _text(connection, row)
        at = chance.randrange(len(text))
        _put(connection, row, text[:at] + chance.choice("0123456789aX\u00e4") + text[at + 1 :])


def edit_and_hash(path: Path, chance: random.Random) -> None:
    """Change one value of one row and give the row its new hash."""
    with _opened(path) as connection:
        row = chance.randint(1, _last(connection) - 1)
        text = _edited(_text(connection, row), chance)
        _put(connection, row, text)
        connection.execute("UPDATE journal SET hash = ? WHERE id = ?", (text_hash(text), row))


def edit_a_hash(path: Path, chance: random.Random) -> None:
    """Change one row's hash."""
    with _opened(path) as connection:
        row = chance.randint(1, _last(connection))
        connection.execute(
            "UPDATE journal SET hash = substr(hash, 2) || substr('0123456789abcdef', ?, 1)"
            " WHERE id = ?",
            (chance.randint(1, 16), row),
        )


def retype(path: Path, chance: random.Random) -> None:
    """Store one row's text as another type, byte for byte the same."""
    with _opened(path) as connection:
        row = chance.randint(1, _last(connection))
        connection.execute("UPDATE journal SET text = CAST(text AS BLOB) WHERE id = ?", (row,))


def redefine(path: Path, chance: random.Random) -> None:
    """Let a column say something else than the text that it is made from."""
    with _opened(path) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = 'journal'",
            chance.choice(
                (
                    ("AS INTEGER)) VIRTUAL", "AS INTEGER) + 1) VIRTUAL"),
                    (" - 1)) VIRTUAL", " - 2)) VIRTUAL"),
                )
            ),
        )
        connection.execute("PRAGMA writable_schema = RESET")
        connection.execute("REINDEX")


def cut(path: Path, chance: random.Random) -> None:
    """Cut rows out of the middle."""
    with _opened(path) as connection:
        first, many = _middle(connection, chance)
        connection.execute(
            "DELETE FROM journal WHERE id BETWEEN ? AND ?", (first, first + many - 1)
        )


def cut_and_close(path: Path, chance: random.Random) -> None:
    """Cut rows out of the middle, and let those behind move up."""
    with _opened(path) as connection:
        first, many = _middle(connection, chance)
        connection.execute(
            "DELETE FROM journal WHERE id BETWEEN ? AND ?", (first, first + many - 1)
        )
        connection.execute("UPDATE journal SET id = -id WHERE id > ?", (first,))
        connection.execute("UPDATE journal SET id = -id - ? WHERE id < 0", (many,))
        connection.execute("UPDATE head SET id = id - ?", (many,))


def _delete(connection: sqlite3.Connection, first: int, many: int) -> None:
    connection.execute("DELETE FROM journal WHERE id >= ? AND id < ?", (first, first + many))


def _middle(connection: sqlite3.Connection, chance: random.Random) -> tuple[int, int]:
    many = chance.randint(1, CUT_MAX)
    return chance.randint(1, _last(connection) - many - 1), many


def insert(path: Path, chance: random.Random) -> None:
    """Put a row between two others that hangs on the first of them, with a hash of its own."""
    with _opened(path) as connection:
        last = _last(connection)
        row = chance.randint(2, last)
        connection.execute("UPDATE journal SET id = -id WHERE id >= ?", (row,))
        connection.execute("UPDATE journal SET id = 1 - id WHERE id < 0")
        ((before,),) = connection.execute("SELECT hash FROM journal WHERE id = ?", (row - 1,))
        array = f'[{row},{float(row)},1900000000.0,0,"note","{{}}"]'
        text = f"{before}\n{array}"
        connection.execute("INSERT INTO journal VALUES (?, ?, ?)", (row, text, text_hash(text)))
        connection.execute("UPDATE head SET id = id + 1")


def swap(path: Path, chance: random.Random) -> None:
    """Change the places of two rows."""
    with _opened(path) as connection:
        one, other = chance.sample(range(1, _last(connection) + 1), 2)
        for now, then in ((one, -1), (other, one), (-1, other)):
            connection.execute("UPDATE journal SET id = ? WHERE id = ?", (then, now))


# -- in the bytes of the file ----------------------------------------------------------------------
def write_bytes(path: Path, chance: random.Random) -> None:
    """Write another byte somewhere into the file."""
    data = bytearray(path.read_bytes())
    data[chance.randrange(FILE_HEAD_BYTES, len(data))] ^= chance.randint(1, 255)
    path.write_bytes(data)


def write_bytes_into_a_row(path: Path, chance: random.Random) -> None:
    """Write another byte into the text of a row, or right before it where its type stands."""
    with closing(sqlite3.connect(path)) as connection:
        row = chance.randint(1, _last(connection))
        needle = _text(connection, row)[:BEGINS].encode() + f"[{row},".encode()
        length = len(_text(connection, row).encode())
    data = bytearray(path.read_bytes())
    begins = data.find(needle)
    data[begins + chance.randrange(-8, min(length, 1000))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


# -- what no chain can see by itself ---------------------------------------------------------------
def cut_the_tail(path: Path, chance: random.Random) -> None:
    """Cut the newest rows off, and let the head say so."""
    with _opened(path) as connection:
        last = _last(connection)
        kept = last - chance.randint(1, min(20, last - 1))
        connection.execute("DELETE FROM journal WHERE id > ?", (kept,))
        _set_head(connection)


def hash_anew(path: Path, chance: random.Random) -> None:
    """Change one value of one row, and hash the chain anew from there to its end."""
    with _opened(path) as connection:
        row = chance.randint(1, _last(connection))
        _put(connection, row, _edited(_text(connection, row), chance))
        _hash_from(connection, row)


def cut_and_hash_anew(path: Path, chance: random.Random) -> None:
    """Cut rows out of the middle, number those behind anew, and hash the chain to its end."""
    with _opened(path) as connection:
        first, many = _middle(connection, chance)
        rows = connection.execute(
            f"SELECT {FIELDS} FROM journal WHERE id >= ? ORDER BY id",  # noqa: S608
            (first + many,),
        ).fetchall()
        connection.execute("DELETE FROM journal WHERE id >= ?", (first,))
        for number, (_, text, own) in enumerate(rows, first):
            values = json.loads(text[BEGINS:])
            values[0] = number
            array = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
            connection.execute(
                "INSERT INTO journal VALUES (?, ?, ?)", (number, text[:BEGINS] + array, own)
            )
        _hash_from(connection, first)


def _hash_from(connection: sqlite3.Connection, first: int) -> None:
    found = connection.execute("SELECT hash FROM journal WHERE id = ?", (first - 1,)).fetchone()
    before = GENESIS if found is None else str(found[0])
    for row in range(first, _last(connection) + 1):
        text = before + _text(connection, row)[BEGINS - 1 :]
        before = text_hash(text)
        connection.execute(
            "UPDATE journal SET text = ?, hash = ? WHERE id = ?", (text, before, row)
        )
    _set_head(connection)


def _set_head(connection: sqlite3.Connection) -> None:
    connection.execute(
        "UPDATE head SET id = (SELECT max(id) FROM journal),"
        " hash = (SELECT hash FROM journal ORDER BY id DESC LIMIT 1)"
    )


BY_CHAIN: Final[Mapping[str, Edit]] = MappingProxyType(
    {
        "edit": edit,
        "character": edit_a_character,
        "edit and hash": edit_and_hash,
        "hash": edit_a_hash,
        "type": retype,
        "columns": redefine,
        "cut": cut,
        "cut and close": cut_and_close,
        "insertion": insert,
        "swap": swap,
        "byte": write_bytes,
        "byte of a row": write_bytes_into_a_row,
    }
)
"""What the file itself shows."""

BY_WITNESS: Final[Mapping[str, Edit]] = MappingProxyType(
    {
        "tail cut": cut_the_tail,
        "hashed anew": hash_anew,
        "cut and hashed anew": cut_and_hash_anew,
    }
)
"""What only a witness elsewhere shows."""

ALL: Final[Mapping[str, Edit]] = MappingProxyType({**BY_CHAIN, **BY_WITNESS})
