"""The tables of a journal's file: how they are made, and how what is derived is made anew.

Triggers that keep the lists would be shorter. They cannot: SQLite 3.40 refuses its JSON functions
in a trigger of a file that it does not trust (`trusted_schema`), and ours is not to be trusted.
"""

import contextlib
import sqlite3
from typing import Final

from controller.record import lists

VERSION: Final = 2
"""`user_version` of a file with lists; 0 is one of November, which gets them when opened."""

_ROWS: Final = """
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY,
    mono_s REAL NOT NULL,
    wall_s REAL NOT NULL,
    treatment INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id INTEGER NOT NULL,
    hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    journal TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS journal_is_never_edited BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal rows are never edited'); END;
CREATE TRIGGER IF NOT EXISTS journal_is_never_shortened BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal rows are never deleted'); END;
INSERT OR IGNORE INTO head VALUES (1, 0, hex(zeroblob(32)));
"""
"""The truth."""

_NAME: Final = "INSERT OR IGNORE INTO identity VALUES (1, coalesce(?, lower(hex(randomblob(8)))))"
"""The name of this journal: a copy keeps it, a new journal gets another."""

_NAMES: Final = ", ".join(repr(name) for name in lists.NAMES)
_FORGET: Final = (
    "DELETE FROM sqlite_master WHERE tbl_name IN "  # noqa: S608
    f"({_NAMES}) OR (type = 'index' AND tbl_name = 'journal' AND sql IS NOT NULL)"
)
"""DROP and REINDEX walk through the pages that they free, and fail on a damaged one."""


def prepare(connection: sqlite3.Connection, name: str | None = None) -> None:
    """Make what is missing, in one transaction: a kill -9 leaves an empty file or a whole one.

    A journal that is new gets ``name``, or one by chance.
    """
    if is_current(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection) < VERSION:  # or another process was faster
            _run(connection, _ROWS + lists.TABLES)
            connection.execute(_NAME, (name,))
            connection.execute(f"PRAGMA user_version = {VERSION}")
        lists.catch_up(connection)
        connection.execute("COMMIT")
    except sqlite3.Error:
        _roll_back(connection)
        raise
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # the file alone is a journal by now


def rebuild(connection: sqlite3.Connection) -> bool:
    """Make indexes and lists anew from the rows; False, and nothing has changed, where it fails.

    Takes about 2 s for 20,000 treatments.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(_FORGET)
        connection.execute("PRAGMA writable_schema = RESET")
        _run(connection, lists.TABLES)
        lists.catch_up(connection)
        connection.execute("COMMIT")
    except sqlite3.Error:
        _roll_back(connection)
        return False
    with contextlib.suppress(sqlite3.Error):  # gives the pages back that nothing names any more
        connection.execute("VACUUM")
    return True


def is_current(connection: sqlite3.Connection) -> bool:
    """Return True where every table is there and every row is listed."""
    return _version(connection) >= VERSION and _is_listed(connection)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _is_listed(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT head.id, listed.id FROM head, listed").fetchone()
    if found is None:
        raise sqlite3.IntegrityError("the head of its chain is gone")
    return bool(found[0] == found[1])


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Run statements inside of a transaction, which `executescript` would end."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def _roll_back(connection: sqlite3.Connection) -> None:
    with contextlib.suppress(sqlite3.Error):
        connection.execute("ROLLBACK")
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA writable_schema = RESET")
