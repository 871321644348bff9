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


class DamagedRowsError(words.KnownError):
    """Rows lie on pages that cannot be read, and would be lost."""


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


def convert(
    connection: sqlite3.Connection, table: str, told: Told, source: sqlite3.Connection | None
) -> None:
    """Put the old rows as text into a new table, in the transaction that is open.

    ``table`` is what makes the new table. ``source`` has the same rows where some of them lie on
    damaged pages, and these are left out: a transaction that has met such a page writes no more.

    Raises:
        DamagedRowsError: a page with rows is damaged, and no ``source`` is given.
    """
    ((rows,),) = connection.execute("SELECT id FROM head").fetchall()
    for (trigger,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal'"
    ).fetchall():
        connection.execute(f'DROP TRIGGER "{trigger}"')
    connection.execute(f"ALTER TABLE journal RENAME TO {_LEFT}")
    connection.execute(table)
    for piece in _pieces(connection) if source is None else _readable(source, rows):
        connection.executemany(
            "INSERT INTO journal VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT))",
            ((row[0], text_of(row), _hash_of(row)) for row in piece),
        )
        told(piece[-1][0], rows)
    if source is None:
        connection.execute(f"DROP TABLE {_LEFT}")
    else:  # DROP walks through its pages, and fails on a damaged one
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE tbl_name = ?", (_LEFT,))
        connection.execute("PRAGMA writable_schema = RESET")


def _hash_of(row: tuple[Any, ...]) -> bytes:
    return str(row[-1]).encode(errors="surrogateescape")


def _pieces(connection: sqlite3.Connection) -> Iterator[list[tuple[Any, ...]]]:
    question = f"SELECT {FIELDS} FROM {_LEFT} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
    after = _BEFORE_ALL
    try:
        while piece := _read(connection, question, (after, PIECE_ROWS)):
            yield piece
            after = piece[-1][0]
    except sqlite3.DatabaseError as error:
        if not words.is_damage(error):
            raise
        raise DamagedRowsError(
            "is of an earlier build, and pages of it are damaged", words.UPGRADE
        ) from error


def _readable(source: sqlite3.Connection, rows: int) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows one by one, each as a piece, without those that cannot be read."""
    question = f"SELECT {FIELDS} FROM journal WHERE id = ?"  # noqa: S608
    for row_id in range(1, rows + 1):
        found: list[tuple[Any, ...]] = []
        with contextlib.suppress(sqlite3.DatabaseError):
            found = _read(source, question, (row_id,))
        if found:
            yield found


def _read(
    connection: sqlite3.Connection, question: str, parameters: tuple[int, ...]
) -> list[tuple[Any, ...]]:
    factory, connection.text_factory = connection.text_factory, lenient
    try:
        return connection.execute(question, parameters).fetchall()
    finally:
        connection.text_factory = factory
