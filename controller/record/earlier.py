"""Rows of earlier builds, whose columns were stored: how their text is made, and their conversion.

The text of such a row is the very one that its hash was made over, so every hash stays. A row that
was changed in the file gets the text of what the file says now, and does not hold afterwards
either.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final

from controller.record import words

LISTS: Final = 2
"""The first `user_version` whose file has lists beside its rows."""

FIELDS: Final = "id, mono_s, wall_s, treatment, kind, body, prev_hash, hash"
"""What is stored of a row in a file of an earlier build."""

PIECE_ROWS: Final = 2000
"""Rows that are read at once."""

_LEFT: Final = "journal_earlier"
"""What the table of old rows is called while they are copied."""

_BEFORE_ALL: Final = -(2**63)

Told = Callable[[int, int], None]


def untold(_row: int, _rows: int) -> None:
    """Tell nobody how far it is."""


def lies_in(connection: sqlite3.Connection) -> bool:
    """Return True where the rows are stored as columns, whatever version the file says."""
    names = connection.execute("SELECT name FROM pragma_table_info('journal')").fetchall()
    return ("body",) in names


def text_of(row: tuple[Any, ...]) -> bytes:
    """Return the text that the hash of an old row was made over; bytes, as they may be no UTF-8.

    A value that no build has ever written gives a text that is none: its row does not hold.
    """
    *values, previous, _hash = row
    array = json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=bytes.hex)
    return f"{previous}\n{array}".encode(errors="surrogateescape")


def lenient(data: bytes) -> str:
    """Return a text of the file that may be damaged, so that its bytes come back by `encode`."""
    return data.decode(errors="surrogateescape")


@contextlib.contextmanager
def alone(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the lock of the file against every other process, an older kernel's among them.

    An older build that has the file open could neither read nor write its next row.

    Raises:
        words.KnownError: another process has the file open.
    """
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    try:
        connection.execute("BEGIN IMMEDIATE")  # takes it
        connection.execute("COMMIT")
        yield
    except sqlite3.OperationalError as error:
        if words.primary(error) == sqlite3.SQLITE_BUSY:
            raise words.KnownError(
                "is of an earlier build, and another program uses it", words.UPGRADE
            ) from error
        raise
    finally:
        connection.execute("PRAGMA locking_mode = NORMAL")
        with contextlib.suppress(sqlite3.Error):  # the next read gives it back
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()


def check(connection: sqlite3.Connection, max_bytes: int) -> None:
    """Make sure that a file is not too large to be converted now.

    Raises:
        words.KnownError: it is.
    """
    ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
    ((page_bytes,),) = connection.execute("PRAGMA page_size").fetchall()
    if not pages * page_bytes <= max_bytes:
        raise words.KnownError(
            f"is of an earlier build, and its {pages * page_bytes / 1e6:.0f} MB take too long to "
            "be converted now",
            words.UPGRADE,
        )


def convert(connection: sqlite3.Connection, table: str, told: Told, *, lossy: bool) -> None:
    """Put the old rows as text into a new table, in the transaction that is open.

    ``table`` is what makes the new table. Rows on damaged pages are left out where ``lossy``.

    Raises:
        words.KnownError: a page with rows is damaged, and not ``lossy``.
    """
    last = connection.execute("SELECT id FROM head").fetchone()
    rows = 0 if last is None else int(last[0])
    for (trigger,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal'"
    ).fetchall():
        connection.execute(f'DROP TRIGGER "{trigger}"')
    connection.execute(f"ALTER TABLE journal RENAME TO {_LEFT}")
    connection.execute(table)
    factory, connection.text_factory = connection.text_factory, lenient
    try:
        for piece in _pieces(connection, lossy=lossy):
            connection.executemany(
                "INSERT INTO journal VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT))",
                ((row[0], text_of(row), _hash_of(row)) for row in piece),
            )
            told(piece[-1][0], rows)
    finally:
        connection.text_factory = factory
    if lossy:  # to drop it walks through its pages, and fails on a damaged one
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE tbl_name = ?", (_LEFT,))
        connection.execute("PRAGMA writable_schema = RESET")
    else:
        connection.execute(f"DROP TABLE {_LEFT}")


def _hash_of(row: tuple[Any, ...]) -> bytes:
    return str(row[-1]).encode(errors="surrogateescape")


def _pieces(connection: sqlite3.Connection, *, lossy: bool) -> Iterator[list[tuple[Any, ...]]]:
    after = _BEFORE_ALL
    while True:
        try:
            piece = connection.execute(
                f"SELECT {FIELDS} FROM {_LEFT} WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608
                (after, PIECE_ROWS),
            ).fetchall()
        except sqlite3.DatabaseError as error:
            if not words.is_damage(error):
                raise
            if not lossy:
                raise words.KnownError(
                    "is of an earlier build, and pages of it are damaged", words.UPGRADE
                ) from error
            piece = _one_by_one(connection, after)
        if not piece:
            return
        yield piece
        after = piece[-1][0]


def _one_by_one(connection: sqlite3.Connection, after: int) -> list[tuple[Any, ...]]:
    """Return the next rows that can be read, up to the last one that was written."""
    found: list[tuple[Any, ...]] = []
    ((last,),) = connection.execute("SELECT id FROM head").fetchall()
    for row_id in range(max(after, 0) + 1, int(last) + 1):
        with contextlib.suppress(sqlite3.DatabaseError):
            found += connection.execute(
                f"SELECT {FIELDS} FROM {_LEFT} WHERE id = ?",  # noqa: S608
                (row_id,),
            )
        if len(found) >= PIECE_ROWS:
            break
    return found
