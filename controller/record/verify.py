"""The check of a whole chain: every row, the head, and that indexes and lists fit to the rows.

It reads in pieces, so that it holds no old state of a file that a kernel writes. It goes on after a
break, so that each row that is wrong is named. It belongs to a process of its own (`verifier.py`).
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from controller.record import words
from controller.record.chain import FIELDS, GENESIS, Chained
from controller.record.head_note import newest
from controller.treatment.kinds import Kind

PIECE_ROWS: Final = 2000
"""Rows in one read transaction: about 40 ms."""

BREAKS_MAX: Final = 100
"""Breaks that are named; a file with more is put back from a backup, not decided row by row."""

_PIECE: Final = f"SELECT {FIELDS} FROM journal WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"  # noqa: S608

_BEYOND: Final = "SELECT id FROM journal WHERE id > (SELECT id FROM head) ORDER BY id LIMIT 1"


class Break(NamedTuple):
    """One place where the chain does not hold."""

    row: int
    what: str


@dataclass(slots=True)
class CheckResult:
    """What the check of a chain found."""

    path: Path
    rows: int = 0
    """Rows up to the first break, or all of them."""
    breaks: list[Break] = field(default_factory=list)
    unreadable: str | None = None
    """Why the file cannot be checked, as one sentence."""
    lists: str | None = None
    """What does not fit in indexes or lists though the rows are whole."""

    @property
    def ok(self) -> bool:
        """True when every row up to the head is as it was written, and every list fits."""
        return self.unreadable is None and self.lists is None and not self.breaks

    @property
    def first_bad_id(self) -> int | None:
        """The first row that is wrong; 0 where it is none in particular; None where all is well."""
        if self.ok:
            return None
        return self.breaks[0].row if self.breaks else 0

    @property
    def sentence(self) -> str:
        """What was found, as one sentence."""
        if self.unreadable is not None:
            return self.unreadable
        if self.breaks:
            first, more = self.breaks[0], len(self.breaks) - 1
            others = f" ({more} more rows, too)" if more else ""
            return f"The record {self.path} was changed at row {first.row}: {first.what}{others}."
        if self.lists is not None:
            return f"The rows of the record {self.path} are whole, its indexes not ({self.lists})."
        return f"The record {self.path} is whole: {self.rows} rows."


def verify(path: Path, told: Callable[[int, int], None] = lambda _row, _rows: None) -> CheckResult:
    """Walk the chain of the record at ``path`` without writing, and name the rows that are wrong.

    ``told`` hears now and then how many rows of how many are read.
    """
    result = CheckResult(path)
    try:
        # `mode=ro` still needs the -shm file of a journal that is in use.
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
        )
    except sqlite3.Error as error:
        result.unreadable = words.sentence(error, path)
        return result
    # A byte that is no text any more makes a row that is not what was written, and no end of this.
    connection.text_factory = lambda data: data.decode(errors="replace")
    with contextlib.closing(connection):
        try:
            _walk(connection, result, told)
        except sqlite3.Error as error:
            result.unreadable = words.sentence(error, path)
    return result


def _walk(
    connection: sqlite3.Connection, result: CheckResult, told: Callable[[int, int], None]
) -> None:
    head = newest(connection)
    trail = Trail()
    while trail.row < head[0] and len(trail.breaks) < BREAKS_MAX:
        piece = _piece(connection, trail.row, head[0])
        if piece is None:  # a page is damaged: the rows on it are found one by one
            piece = _one_by_one(connection, trail.row, head[0])
        if not piece:
            break
        trail.follow(piece)
        told(trail.row, head[0])
    trail.end(*head)
    beyond = connection.execute(_BEYOND).fetchone()
    if beyond is not None and not trail.breaks:
        trail.breaks.append(Break(beyond[0], "it stands behind the one that was written last"))
    result.breaks = trail.breaks
    result.rows = trail.breaks[0].row - 1 if trail.breaks else trail.row
    if not trail.breaks:
        result.lists = _misfit(connection)


class Trail:
    """Follows a chain row by row, and goes on behind a break."""

    def __init__(self) -> None:
        self.row = 0
        """The newest row that was looked at."""
        self.breaks: list[Break] = []
        self._hash: str | None = GENESIS
        """The hash that the next row must follow; None where a row is missing before it."""

    def follow(self, rows: Iterable[Chained]) -> None:
        """Look at the next rows."""
        for row in rows:
            if len(self.breaks) >= BREAKS_MAX:
                return
            if row.id != self.row + 1:
                self._missing(self.row + 1, row.id)
            if not row.holds:
                self._broken(row.id, "its content is not what was written")
            elif self._hash not in (None, row.prev_hash):
                self._broken(row.id, "it does not follow the row before it")
            self.row = row.id
            self._hash = row.hash if row.holds else None

    def end(self, head_row: int, head_hash: str) -> None:
        """Compare with the head when all rows were looked at."""
        if len(self.breaks) >= BREAKS_MAX:
            return
        if self.row < head_row:
            self._broken(
                self.row + 1, f"it and all rows after it are missing: {head_row} rows were written"
            )
        elif (self.row, self._hash) != (head_row, head_hash) and self._hash is not None:
            self._broken(self.row, "it is not the one that was written last")

    def _missing(self, first: int, found: int) -> None:
        self._broken(first, f"it is missing, row {found} stands in its place")
        self._hash = None

    def _broken(self, row: int, what: str) -> None:
        self.breaks.append(Break(row, what))


def _piece(connection: sqlite3.Connection, after: int, last: int) -> list[Chained] | None:
    try:
        return [Chained(*row) for row in connection.execute(_PIECE, (after, last, PIECE_ROWS))]
    except sqlite3.DatabaseError as error:
        if not words.is_damage(error):
            raise
        return None


def _one_by_one(connection: sqlite3.Connection, after: int, last: int) -> list[Chained]:
    """Return the next rows that can be read, up to `PIECE_ROWS` numbers further."""
    found: list[Chained] = []
    for row_id in range(after + 1, last + 1):
        with contextlib.suppress(sqlite3.DatabaseError):
            rows = connection.execute(
                f"SELECT {FIELDS} FROM journal WHERE id = ?",  # noqa: S608
                (row_id,),
            ).fetchall()
            found += [Chained(*row) for row in rows]
        if len(found) >= PIECE_ROWS:
            break
    return found


_LISTED: Final = (
    "SELECT count(*) FROM (SELECT treatment, id FROM journal NOT INDEXED"  # noqa: S608
    f" WHERE kind = '{Kind.TREATMENT}'"
    " EXCEPT SELECT treatment, begun_id FROM treatments)",
    "SELECT count(*) FROM (SELECT j.treatment, max(j.id) FROM journal j NOT INDEXED"  # noqa: S608
    f" WHERE j.kind IN ('{Kind.ENDED}', '{Kind.INTERRUPTED}')"
    " AND j.treatment IN (SELECT treatment FROM treatments) GROUP BY j.treatment"
    " EXCEPT SELECT treatment, closed_id FROM treatments)",
    "SELECT count(*) FROM treatments t JOIN journal j ON j.id = t.begun_id"
    " WHERE json_extract(j.body, '$.client') IS NOT nullif(t.client, '')",
    "SELECT count(*) FROM (SELECT client, treatments FROM clients"
    " EXCEPT SELECT client, max(of_client) FROM treatments GROUP BY client)",
    "SELECT count(*) FROM (SELECT id FROM journal NOT INDEXED"  # noqa: S608
    f" WHERE kind IN ('{Kind.TIP}', '{Kind.TIP_STERILISED}') EXCEPT SELECT id FROM tips)",
)
"""Each counts entries that do not fit: treatments, ends, clients, their numbers, tips."""


def _misfit(connection: sqlite3.Connection) -> str | None:
    """Say what indexes or lists lack: questions go through them, and a lost entry hides a row."""
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        return str(found)
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        return None  # a file of November, which has no lists yet
    wrong = sum(int(connection.execute(each).fetchone()[0]) for each in _LISTED)
    return f"{wrong} entries of its lists do not fit to its rows" if wrong else None
