"""The journal's file: one SQLite table of rows chained by their hashes, and the head of the chain.

The text of row n begins with the hash of row n-1 and is hashed as it is stored. Editing, deleting
or reordering a row breaks the chain at that row; the head, written in the same transaction, shows
rows that are missing at the end. A decision rests only on rows that were read through `Store.rows`,
which verifies each of them. All of this blocks and belongs to the writer (`writer.py`), never to
the loop.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeVar

from controller.record import chain, lists, schema, words
from controller.record.chain import Chained, Stamped, chain_text, text_hash
from controller.record.head_note import Head, HeadNote, has_row, identity, newest
from controller.safety.refusal import refusing
from controller.treatment.kinds import Kind

NEXT_TREATMENT: Final = -1
"""Stands for the next free number of a treatment, which the transaction of its row gives it."""

BUSY_MAX_MS: Final = 700
"""How long a writer waits for another process's transaction; ours take about a millisecond. Below
`journal.LAG_MAX_S`, so that who holds the file is named before the disk is called slow."""

CACHE_KIB: Final = 512
"""Page cache of the connection; the kernel has 60 MB in all and reads little."""

MEND_MAX_BYTES: Final = 256_000_000
"""Up to this size damaged indexes and lists are made anew when they are met: it takes 2 s."""


T = TypeVar("T")


class RecordError(Exception):
    """The record cannot be kept or read; the text is one sentence for people with the next step."""


class BrokenRowError(RecordError):
    """A row is not what was written, or is gone."""

    def __init__(self, path: Path | None, row: int, what: str) -> None:
        super().__init__(
            f"Row {row} of the record {path or 'in memory'} cannot be believed ({what}): "
            f"{words.RESTORE}, or let a technician decide on it with "
            f"`corneum records accept row {row} --reason TEXT`."
        )
        self.row = row
        self.what = what


@contextlib.contextmanager
def record_refused(
    next_step: str = "Nothing has moved; start again when that is done.",
) -> Iterator[None]:
    """Raise RefusedError for a record that cannot be kept or read."""
    try:
        yield
    except RecordError as error:
        raise refusing("record", str(error), next_step) from error


class Store:
    """One open journal; ``path`` None keeps it in memory (virtual time without a folder).

    A ``connection`` that is given is one that only reads, and ``noted`` what was noted of journals
    before it began to.
    """

    def __init__(
        self,
        path: Path | None,
        connection: sqlite3.Connection | None = None,
        noted: Sequence[Head] | None = None,
        name: str | None = None,
    ) -> None:
        """``name`` is that of a journal that is made anew; by chance where it is None."""
        self.path = path
        self._name = name
        self.booked = 0
        """The number that the newest transaction gave to a treatment."""
        self._mended = False
        """True once indexes and lists had to be made anew from the rows."""
        self._mend_told = False
        self._note = HeadNote(path, noted)
        self._dirty = False
        self._reads_only = connection is not None
        self._connection = connection

    def connection(self) -> sqlite3.Connection:
        """Return the open connection; opens it, makes the tables and looks at the last row.

        Raises:
            RecordError: the file cannot be opened, is no journal, or was changed.
        """
        if self._connection is None:
            try:
                self._connection = self._open()
                self._note.compare(self._connection, self._is_decided)
            except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                self._connection = None
                raise RecordError(words.sentence(error, self.path)) from error
        return self._connection

    # -- writing -----------------------------------------------------------------------------------
    def append(self, rows: Sequence[Stamped]) -> int:
        """Add ``rows`` in one durable transaction and return the id of the last one.

        Raises:
            RecordError: nothing of ``rows`` was written; the connection is opened anew next time.
        """
        last_id = self._transact(rows)
        self._written(rows)
        return last_id

    def append_unless(
        self, rows: Sequence[Stamped], refusal: Callable[["Store"], T | None]
    ) -> T | None:
        """Add ``rows`` unless ``refusal`` says why not, and return what it says.

        Nobody writes between its look and the rows: both are under the writer's lock of the file.

        Raises:
            RecordError: nothing of ``rows`` was written.
        """
        said: list[T] = []

        def refused() -> bool:
            why = refusal(self)
            if why is not None:
                said.append(why)
            return why is not None

        self._transact(rows, refused)
        if said:
            return said[0]
        self._written(rows)
        return None

    def probe(self) -> int:
        """Prove that a commit works without adding a row; returns the id of the last row."""
        return self._transact(())

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file: who copies only that has nearly all of it."""
        if self._connection is None or not self._dirty:
            return
        self._dirty = False
        self._note.renew(self._connection, None)
        with contextlib.suppress(sqlite3.Error):  # all rows are durable already
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    @property
    def lacking(self) -> Head | None:
        """The newest row that is known to have been written and is not in this journal."""
        return max(self.lacking_heads, key=lambda head: head.row, default=None)

    @property
    def lacking_heads(self) -> tuple[Head, ...]:
        """What is known to have been written here and is not in this journal."""
        connection = self.connection()
        if self._note.lacking or self._reads_only:  # somebody may have decided meanwhile
            self._note.compare(connection, self._is_decided, reads_only=self._reads_only)
        return self._note.lacking

    def close(self) -> None:
        """Fold the write-ahead log into the file and close."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(sqlite3.Error):  # all rows are durable already
            if self._dirty:
                self._note.renew(connection, None)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    # -- reading -----------------------------------------------------------------------------------
    def rows(
        self, where: str, parameters: Sequence[object] = (), *, skip_broken: bool = False
    ) -> list[Chained]:
        """Return the rows that ``where`` selects, oldest first, each verified.

        ``where`` must not look into a body: a damaged row of somebody else would fail it. A row on
        which a technician has decided is left out.

        Raises:
            BrokenRowError: one of them cannot be believed.
        """
        ids = self.ask(f"SELECT id FROM journal WHERE {where} ORDER BY id", parameters)  # noqa: S608
        return self.read((row_id for (row_id,) in ids), skip_broken=skip_broken)

    def read(self, ids: Iterable[int], *, skip_broken: bool = False) -> list[Chained]:
        """Return the rows with these ids, each verified; see `rows`."""
        connection, found = self.connection(), []
        for row_id in ids:
            try:
                found.append(self._verified(connection, row_id))
            except BrokenRowError:
                if not skip_broken and row_id not in self.accepted_rows():
                    raise
        return found

    def ask(
        self, question: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> list[tuple[Any, ...]]:
        """Return what the lists and indexes answer; a damaged one is made anew from the rows.

        Raises:
            RecordError: it cannot be read, or the rows are damaged too.
        """
        for last in (False, True):
            try:
                return self.connection().execute(question, parameters).fetchall()
            except sqlite3.Error as error:
                if last or not (words.is_damage(error) and self._mend(self.connection())):
                    raise RecordError(words.sentence(error, self.path)) from error
        return []

    @property
    def lacking_sentence(self) -> str | None:
        """Say what is gone and what to do about it; None where nothing is."""
        head = self.lacking
        if head is None:
            return None
        return (
            f"The record {self.path} lacks row {head.row} of journal {head.journal}, which was "
            "written here: it is an older copy or a new file, and treatments may be missing in it. "
            "Put the right journal.sqlite3 back together with its -wal and -shm, or let a "
            "technician decide with `corneum records accept head --reason TEXT`."
        )

    def fault(self, row_id: int) -> str | None:
        """Say why a row cannot be believed; None where it can, or where that was decided on."""
        try:
            self._verified(self.connection(), row_id)
        except BrokenRowError as error:
            return None if row_id in self.accepted_rows() else error.what
        return None

    def decisions(self) -> list[Chained]:
        """Return what technicians have decided about this record, oldest first."""
        return self.rows("kind = ?", (Kind.DECISION,), skip_broken=True)

    def accepted_rows(self) -> frozenset[int]:
        """Return the rows on which a technician has decided: they are left out, and break no more.

        Read anew each time, which costs some microseconds where there is none.
        """
        said = (each.body for each in self.decisions())
        return frozenset(int(body["row"]) for body in said if body["subject"] == "row")

    def has(self, head: Head) -> bool:
        """Return True where this journal has that row with that hash."""
        connection = self.connection()
        return head.journal == identity(connection) and has_row(connection, head)

    def decided_heads(self) -> frozenset[tuple[str, int, str]]:
        """Return journal, row and hash of each head on which a technician has decided."""
        said = (each.body for each in self.decisions())
        heads = (head for body in said if body["subject"] == "head" for head in body["heads"])
        return frozenset((str(h["journal"]), int(h["row"]), str(h["hash"])) for h in heads)

    # -- inside ------------------------------------------------------------------------------------
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
        try:
            schema.prepare(connection, name=self._name)
        except sqlite3.Error as error:
            if not (words.is_damage(error) and self._mend(connection)):
                raise

    def _verified(self, connection: sqlite3.Connection, row_id: int) -> Chained:
        found = chain.near(connection, row_id)
        head = (0, "")
        if row_id + 1 not in found:
            head = newest(connection)
        what = chain.fault(found, row_id, head)
        if what is not None:
            raise BrokenRowError(self.path, row_id, what)
        return found[row_id]

    def _is_decided(self, head: Head) -> bool:
        """Return True where a technician has decided that this journal goes on without a row."""
        said = (each.body for each in self.decisions())
        return any(asdict(head) in body["heads"] for body in said if body["subject"] == "head")

    def _written(self, rows: Sequence[Stamped]) -> None:
        if any(row.kind == Kind.DECISION for row in rows):
            self._note.compare(self.connection(), self._is_decided)
        if rows:
            self._dirty = True
            self._note.renew(self.connection(), rows[-1].mono_s)

    def _transact(
        self, rows: Sequence[Stamped], refused: Callable[[], bool] = lambda: False
    ) -> int:
        for last in (False, True):
            connection = self.connection()
            try:
                return self._write(connection, rows, refused)
            except (sqlite3.Error, ValueError) as error:
                # After a failed fsync the file's state is unknown: only a fresh look at it counts.
                self._connection = None
                connection.close()
                damaged = isinstance(error, sqlite3.Error) and words.is_damage(error)
                if last or not (damaged and self._mend(self.connection())):
                    raise RecordError(words.sentence(error, self.path)) from error
        return 0

    def _write(
        self, connection: sqlite3.Connection, rows: Sequence[Stamped], refused: Callable[[], bool]
    ) -> int:
        connection.execute("BEGIN IMMEDIATE")
        row_id, last_hash = newest(connection)
        booked = 0
        try:
            if refused():
                rows = ()
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # what failed may have ended it already
                connection.execute("ROLLBACK")
            raise
        for row in rows:
            if row.treatment == NEXT_TREATMENT:
                booked = booked or _next_treatment(connection)
            kept = row._replace(treatment=booked) if row.treatment == NEXT_TREATMENT else row
            row_id += 1
            text = chain_text(last_hash, row_id, kept)
            last_hash = text_hash(text)
            connection.execute("INSERT INTO journal VALUES (?, ?, ?)", (row_id, text, last_hash))
            lists.enter(connection, row_id, kept)
        lists.advance(connection, row_id)
        connection.execute("UPDATE head SET id = ?, hash = ?", (row_id, last_hash))
        connection.execute("COMMIT")
        self.booked = booked
        return int(row_id)

    def take_mended(self) -> bool:
        """Return True once after lists or head had to be made anew: a row tells of it."""
        mended = self._mended or self._note.mended
        told, self._mend_told = self._mend_told, mended
        return mended and not told

    def recover(self) -> bool:
        """Make indexes and lists anew from the rows, however long it takes; see `schema.rebuild`.

        Raises:
            RecordError: the file cannot be opened at all.
        """
        return schema.rebuild(self.connection())

    def _mend(self, connection: sqlite3.Connection) -> bool:
        """Make indexes and lists anew from the rows; False where that cannot be done here."""
        if self._mended or (self.path and self.path.stat().st_size > MEND_MAX_BYTES):
            return False
        self._mended = schema.rebuild(connection)
        return self._mended


def _next_treatment(connection: sqlite3.Connection) -> int:
    """Return the next free number: never 0, which means none on the wire."""
    (newest,) = connection.execute(
        f"SELECT max(treatment) FROM journal WHERE kind = '{Kind.TREATMENT}'"  # noqa: S608
    ).fetchone()
    return int(newest or 0) + 1
