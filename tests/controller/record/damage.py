"""Ways in which a record gets damaged, done to the bytes of its file."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from tests.controller.record.edits import changing

PAGE_BYTES: Final = 4096

Damage = Callable[[Path, int], None]


@contextmanager
def editor(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as somebody with an editor has it: nothing forbids to change a row."""
    with closing(sqlite3.connect(path)) as connection:
        for trigger in ("journal_is_never_edited", "journal_is_never_shortened"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        yield connection
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def no_json(path: Path, row: int) -> None:
    """One flipped bit in the first brace of a body."""
    with editor(path) as connection:
        connection.execute(changing("body", "'y' || substr(body, 2)"), (row,))


def no_text(path: Path, row: int) -> None:
    """A byte of a body that is no UTF-8."""
    with editor(path) as connection:
        ((text,),) = connection.execute(
            "SELECT CAST(text AS BLOB) FROM journal WHERE id = ?", (row,)
        )
        spoilt = text.replace(b'"{', b'"\xff', 1)
        connection.execute("UPDATE journal SET text = CAST(? AS TEXT) WHERE id = ?", (spoilt, row))


def other_json(path: Path, row: int) -> None:
    """A body that is JSON, and not what was written."""
    with editor(path) as connection:
        connection.execute(changing("body", "replace(body, '2.0', '0.1')"), (row,))


def other_client(path: Path, row: int) -> None:
    """A body that speaks of another client."""
    with editor(path) as connection:
        connection.execute(changing("body", "replace(body, 'c-1', 'c-9')"), (row,))


def no_row(path: Path, row: int) -> None:
    """A row is gone."""
    with editor(path) as connection:
        connection.execute("DELETE FROM journal WHERE id = ?", (row,))


def no_page(path: Path, row: int) -> None:
    """The page of the table on which a row lies is zero."""
    _zero(path, _leaf_of(path, row))


def no_index(path: Path, _row: int) -> None:
    """A leaf of the index by kind is zero."""
    _zero(path, _first_leaf(path, "journal_kind"))


def no_list(path: Path, _row: int) -> None:
    """A leaf of the list of treatments is zero."""
    _zero(path, _first_leaf(path, "treatments"))


def lost_entry(path: Path, row: int) -> None:
    """The list of treatments has lost the entry of a row."""
    with editor(path) as connection:
        connection.execute("DELETE FROM treatments WHERE begun_id = ?", (row,))


def _first_leaf(path: Path, name: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute(
            "SELECT min(pageno) FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (name,)
        ).fetchone()
    return int(page)


def _leaf_of(path: Path, row: int) -> int:
    """The leaf that holds a row: leaves hold the rows in their order."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        leaves = connection.execute(
            "SELECT pageno, ncell FROM dbstat WHERE name = 'journal' AND pagetype = 'leaf'"
            " ORDER BY path"
        ).fetchall()
    seen = 0
    for page, rows in leaves:
        seen += rows
        if seen >= row:
            return int(page)
    raise LookupError(row)


def _zero(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(bytes(PAGE_BYTES))
