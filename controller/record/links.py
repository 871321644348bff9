"""What the chain needs of each row, row by row, and as far as the pages of a file can be read."""

import contextlib
import sqlite3
from typing import Any, Final, NamedTuple

from controller.record import earlier, words
from controller.record.chain import BEGINS, text_hash


class Link(NamedTuple):
    """A row as a link of the chain."""

    id: int
    prev_hash: str
    hash: str
    holds: bool
    """True when its hash is that of its text."""


_NEW: Final = (
    "SELECT id, CASE typeof(text) WHEN 'text' THEN text END,"
    " CASE typeof(hash) WHEN 'text' THEN hash END FROM journal WHERE "
)
_OLD: Final = f"SELECT {earlier.FIELDS} FROM journal WHERE "  # noqa: S608


def links(connection: sqlite3.Connection, first: int, last: int, *, old: bool) -> list[Link]:
    """Return the rows with these ids that are there; those on damaged pages are left out.

    ``old`` says that the file is of an earlier build, whose rows were stored as columns.
    """
    rows = _OLD if old else _NEW
    factory, connection.text_factory = connection.text_factory, earlier.lenient
    try:
        return [_link(row, old=old) for row in _rows(connection, rows, first, last)]
    finally:
        connection.text_factory = factory


def _rows(
    connection: sqlite3.Connection, rows: str, first: int, last: int
) -> list[tuple[Any, ...]]:
    try:
        return connection.execute(
            f"{rows} id BETWEEN ? AND ? ORDER BY id", (first, last)
        ).fetchall()
    except sqlite3.DatabaseError as error:
        if not words.is_damage(error):
            raise
    found: list[tuple[Any, ...]] = []
    for row_id in range(first, last + 1):  # a page is damaged: those on others are found one by one
        with contextlib.suppress(sqlite3.DatabaseError):
            found += connection.execute(f"{rows} id = ?", (row_id,)).fetchall()
    return found


def _link(row: tuple[Any, ...], *, old: bool) -> Link:
    text = earlier.lenient(earlier.text_of(row)) if old else str(row[1] or "")
    own = str(row[-1])
    try:
        holds = text[BEGINS - 1 : BEGINS] == "\n" and text_hash(text) == own
    except ValueError:  # a byte of it is no text any more
        holds = False
    return Link(row[0], text[: BEGINS - 1], own, holds)
