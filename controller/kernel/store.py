"""The journal's file: one SQLite table of rows chained by their hashes, and the head of the chain.

Row n carries sha256(hash of row n-1, canonical text of row n). Editing, deleting or reordering a
row breaks the chain at that row; the head, written in the same transaction, shows rows that are
missing at the end. All of this blocks and belongs to the writer (`writer.py`), never to the loop.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

GENESIS: Final = "0" * 64
"""The hash before the first row."""

BUSY_MAX_MS: Final = 1000
"""How long a writer waits for another process's transaction; theirs take about a millisecond."""

CACHE_KIB: Final = 512
"""Page cache of the connection; the kernel has 60 MB in all and reads little."""

SCHEMA: Final = """
BEGIN IMMEDIATE;
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
CREATE INDEX IF NOT EXISTS journal_kind ON journal (kind, treatment);
CREATE UNIQUE INDEX IF NOT EXISTS journal_begins ON journal (treatment) WHERE kind = 'treatment';
CREATE INDEX IF NOT EXISTS journal_tip ON journal (kind, body)
    WHERE kind = 'tip' OR kind = 'tip_sterilised';
CREATE TRIGGER IF NOT EXISTS journal_is_never_edited BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal rows are never edited'); END;
CREATE TRIGGER IF NOT EXISTS journal_is_never_shortened BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal rows are never deleted'); END;
INSERT OR IGNORE INTO head VALUES (1, 0, hex(zeroblob(32)));
COMMIT;
"""
"""One transaction: a kill -9 while a journal is made leaves an empty file or a whole one."""


class RecordError(Exception):
    """The record cannot be kept; the text is one sentence for people with the next step."""


class Stamped(NamedTuple):
    """One row before it has its place in the chain."""

    mono_s: float
    wall_s: float
    treatment: int
    kind: str
    body: str
    """Canonical JSON."""


class Verdict(NamedTuple):
    """What the check of a chain found."""

    rows: int
    """Rows that were read and are good."""
    first_bad_id: int | None
    sentence: str

    @property
    def ok(self) -> bool:
        """True when every row up to the head is as it was written."""
        return self.first_bad_id is None


def chain_hash(previous: str, row_id: int, row: Stamped) -> str:
    """Return the hash of the row with ``row_id`` that follows the hash ``previous``."""
    text = json.dumps([row_id, *row], ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


class Store:
    """One open journal; ``path`` None keeps it in memory (virtual time without a folder).

    A ``connection`` that is given is one that only reads.
    """

    def __init__(self, path: Path | None, connection: sqlite3.Connection | None = None) -> None:
        self.path = path
        self._connection = connection

    def connection(self) -> sqlite3.Connection:
        """Return the open connection; opens it, makes the tables and looks at the last row.

        Raises:
            RecordError: the file cannot be opened, is no journal, or was changed.
        """
        if self._connection is None:
            try:
                self._connection = self._open()
            except (sqlite3.Error, OSError) as error:
                raise RecordError(self._sentence(error)) from error
        return self._connection

    def append(self, rows: Sequence[Stamped]) -> int:
        """Add ``rows`` in one durable transaction and return the id of the last one.

        Raises:
            RecordError: nothing of ``rows`` was written; the connection is opened anew next time.
        """
        return self._transact(rows)

    def probe(self) -> int:
        """Prove that a commit works without adding a row; returns the id of the last row."""
        return self._transact(())

    def close(self) -> None:
        """Fold the write-ahead log into the file and close."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(sqlite3.Error):  # all rows are durable already
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def _open(self) -> sqlite3.Connection:
        if self.path is not None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(
            ":memory:" if self.path is None else self.path,
            timeout=BUSY_MAX_MS / 1000,
            isolation_level=None,
            check_same_thread=False,  # one thread at a time: the writer's
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if self.path is not None and mode != "wal":
            raise sqlite3.OperationalError("this file system cannot hold a write-ahead log")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.executescript(SCHEMA)
        head = connection.execute("SELECT id, hash FROM head").fetchone()
        last = connection.execute(
            "SELECT id, hash FROM journal ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if head != (last or (0, GENESIS)):
            raise sqlite3.IntegrityError("its last row is not the one that was written last")

    def _transact(self, rows: Sequence[Stamped]) -> int:
        connection = self.connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            row_id, last_hash = connection.execute("SELECT id, hash FROM head").fetchone()
            for row in rows:
                row_id += 1
                previous, last_hash = last_hash, chain_hash(last_hash, row_id, row)
                connection.execute(
                    "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (row_id, *row, previous, last_hash),
                )
            connection.execute("UPDATE head SET id = ?, hash = ?", (row_id, last_hash))
            connection.execute("COMMIT")
        except (sqlite3.Error, ValueError) as error:
            # After a failed fsync the file's state is unknown: only a fresh look at it counts.
            self._connection = None
            connection.close()
            raise RecordError(self._sentence(error)) from error
        return int(row_id)

    def _sentence(self, error: Exception) -> str:
        where = f"journal {self.path}" if self.path else "journal in memory"
        step = "free space, mend the folder's rights, or name another folder with CORNEUM_STATE"
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        ):
            step = "keep this file for inspection and move it elsewhere; a new one is then made"
        return f"The {where} cannot be used ({error}): {step}."


def verify(path: Path) -> Verdict:
    """Walk the chain of the journal at ``path`` without writing, and name the first bad row."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        return Verdict(0, 0, f"The journal {path} cannot be opened ({error}).")
    with contextlib.closing(connection):
        try:
            return _walk(connection, path)
        except sqlite3.Error as error:
            return Verdict(0, 0, f"The journal {path} cannot be read ({error}).")


def _walk(connection: sqlite3.Connection, path: Path) -> Verdict:
    connection.execute("BEGIN")  # one snapshot, while a kernel may be writing
    cursor = connection.execute(
        "SELECT id, mono_s, wall_s, treatment, kind, body, prev_hash, hash FROM journal ORDER BY id"
    )
    rows, last_hash, complaint = _follow(cursor)
    if complaint is None:
        head_id, head_hash = connection.execute("SELECT id, hash FROM head").fetchone() or (0, "")
        if (rows, last_hash) == (head_id, head_hash):
            # Questions go through the indexes: one that has lost a row would hide it.
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                return Verdict(
                    rows, 0, f"The rows of the journal {path} are whole, its indexes not ({found})."
                )
            return Verdict(rows, None, f"The journal {path} is whole: {rows} rows.")
        complaint = f"it and all rows after it are missing: {head_id} rows were written"
    return Verdict(
        rows, rows + 1, f"The journal {path} was changed at row {rows + 1}: {complaint}."
    )


def _follow(
    cursor: Iterable[tuple[int, float, float, int, str, str, str, str]],
) -> tuple[int, str, str | None]:
    rows, last_hash = 0, GENESIS
    for row_id, *fields, previous, own_hash in cursor:
        if row_id != rows + 1:
            return rows, last_hash, f"it is missing, row {row_id} stands in its place"
        if previous != last_hash:
            return rows, last_hash, "it does not follow the row before it"
        if _hash_or_none(last_hash, row_id, fields) != own_hash:
            return rows, last_hash, "its content is not what was written"
        rows, last_hash = rows + 1, own_hash
    return rows, last_hash, None


def _hash_or_none(previous: str, row_id: int, fields: Sequence[object]) -> str | None:
    try:
        return chain_hash(previous, row_id, Stamped(*fields))  # type: ignore[arg-type] # may be anything
    except (TypeError, ValueError):
        return None
