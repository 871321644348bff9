"""A record as an earlier build has it: rows as columns, with the very hashes that they have now."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from controller.record import lists
from controller.record.chain import FIELDS, chained

_COLUMNS: Final = """
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    mono_s REAL NOT NULL,
    wall_s REAL NOT NULL,
    treatment INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
"""
_AROUND: Final = """
CREATE INDEX journal_kind ON journal (kind, treatment);
CREATE UNIQUE INDEX journal_begins ON journal (treatment) WHERE kind = 'treatment';
CREATE TRIGGER journal_is_never_edited BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal rows are never edited'); END;
CREATE TRIGGER journal_is_never_shortened BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal rows are never deleted'); END;
"""
_TIP: Final = "CREATE INDEX journal_tip ON journal (kind, body) WHERE kind = 'tip'"


def to_columns(path: Path, version: int) -> None:
    """Make a record one of version 0, which has neither lists nor a name, or of version 2."""
    with closing(sqlite3.connect(path)) as connection, connection:
        stored = connection.execute(f"SELECT {FIELDS} FROM journal ORDER BY id").fetchall()  # noqa: S608
        for kept in () if version else (*lists.NAMES, "identity"):
            connection.execute(f"DROP TABLE {kept}")
        connection.execute("DROP TABLE journal")
        connection.execute(_COLUMNS)
        connection.executemany(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (chained(*each) for each in stored),
        )
        connection.executescript(_AROUND + ("" if version else _TIP))
        connection.execute(f"PRAGMA user_version = {version}")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
