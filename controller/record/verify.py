"""The check of a whole chain: every row, the head, and that indexes and lists fit to the rows.

It reads in pieces, so that it holds no old state of a file that a kernel writes. A piece is hashed
as it is stored; only where something does not fit is it looked at row by row, so that each row that
is wrong is named. It belongs to a process of its own (`verifier.py`).
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from controller.record import earlier, schema, words
from controller.record.chain import BODY, GENESIS, Chained
from controller.record.head_note import Head, newest
from controller.record.links import Link, links
from controller.treatment.kinds import Kind

PIECE_ROWS: Final = 10_000
"""Rows in one read transaction: about 15 ms."""

BREAKS_MAX: Final = 100
"""Breaks that are named; a file with more is put back from a backup, not decided row by row."""

_STORED: Final = "SELECT text, hash FROM journal WHERE id BETWEEN ? AND ? ORDER BY id"

_MISTYPED: Final = (
    "SELECT id FROM journal NOT INDEXED"
    " WHERE typeof(text) IS NOT 'text' OR typeof(hash) IS NOT 'text' ORDER BY id LIMIT ?"
)
"""Rows that read as another value than text, though their bytes are the same. `integrity_check`
does not look at a CHECK of a file that is opened to be read only."""

_BEYOND: Final = "SELECT id FROM journal WHERE id > (SELECT id FROM head) ORDER BY id LIMIT 1"


NOT_WRITTEN: Final = "its content is not what was written"
WITNESSED_OTHER: Final = "it was witnessed with another hash"
WITNESSED_GONE: Final = "it was witnessed, and is missing"


class Break(NamedTuple):
    """One place where the chain does not hold."""

    row: int
    what: str
    witnessed: bool = False
    """True where it is a witness that contradicts, and not the file itself."""


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


def verify(
    path: Path,
    told: Callable[[int, int], None] = earlier.untold,
    heads: Sequence[Head] = (),
) -> CheckResult:
    """Walk the chain of the record at ``path`` without writing, and name the rows that are wrong.

    ``told`` hears now and then how many rows of how many are read. ``heads`` are rows that are
    known to have been written into this record: a chain cannot see that its end was cut off, nor
    that it was hashed anew to the end, so one that the file does not have is a break.
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
    with contextlib.closing(connection):
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            schema.check_version(connection)
            _walk(connection, result, told, heads)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            result.unreadable = words.sentence(error, path)
    return result


def _walk(
    connection: sqlite3.Connection,
    result: CheckResult,
    told: Callable[[int, int], None],
    heads: Sequence[Head],
) -> None:
    head = newest(connection)
    old = earlier.lies_in(connection)
    trail = Trail()
    while trail.row < head[0] and len(trail.breaks) < BREAKS_MAX:
        last = min(trail.row + PIECE_ROWS, head[0])
        if old or not _run_over(connection, trail, last):
            found = links(connection, trail.row + 1, last, old=old)
            if not found and last == head[0]:
                break
            trail.follow(found)
        told(trail.row, head[0])
    trail.end(*head)
    beyond = None if trail.breaks else connection.execute(_BEYOND).fetchone()
    if beyond is not None:
        trail.breaks.append(Break(beyond[0], "it stands behind the one that was written last"))
    named = {each.row for each in trail.breaks}
    trail.breaks += [each for each in _denied(connection, heads) if each.row not in named]
    if not (trail.breaks or old):
        mistyped = connection.execute(_MISTYPED, (BREAKS_MAX,)).fetchall()
        trail.breaks += [Break(row, NOT_WRITTEN) for (row,) in mistyped]
    if not trail.breaks:
        result.lists = _misfit(connection)
    result.breaks = sorted(trail.breaks)
    result.rows = result.breaks[0].row - 1 if result.breaks else trail.row


def _run_over(connection: sqlite3.Connection, trail: "Trail", last: int) -> bool:
    """Look at the rows up to ``last`` as a whole; False, and nothing is said, where one fails."""
    if trail.hash is None:
        return False
    factory, connection.text_factory = connection.text_factory, bytes
    try:
        newest_hash = _hashed(connection, trail.row, last, trail.hash.encode())
    except AttributeError:  # a text is a number, or nothing
        return False
    except sqlite3.DatabaseError as error:
        if not words.is_damage(error):
            raise
        return False
    finally:
        connection.text_factory = factory
    if newest_hash is None:
        return False
    trail.row, trail.hash = last, newest_hash.decode()
    return True


def _hashed(connection: sqlite3.Connection, row: int, last: int, before: bytes) -> bytes | None:
    """Return the hash of the row ``last``; None where one up to it is not what was written.

    This is the loop in which a check of years spends its time.
    """
    for text, stored in connection.execute(_STORED, (row + 1, last)):
        if not text.startswith(before):
            return None
        before = sha256(text).hexdigest().encode()
        if before != stored:
            return None
        row += 1
    return before if row == last else None


def _denied(connection: sqlite3.Connection, heads: Sequence[Head]) -> list[Break]:
    """Return what witnesses say of rows that the file has not, or has otherwise."""
    return [
        Break(head.row, what, witnessed=True)
        for head in heads
        if (what := _contradiction(connection, head)) is not None
    ]


def _contradiction(connection: sqlite3.Connection, head: Head) -> str | None:
    ((name,),) = connection.execute("SELECT journal FROM identity").fetchall()
    if name != head.journal:
        return f"it was witnessed in journal {head.journal}, and this is journal {name}"
    try:
        found = connection.execute("SELECT hash FROM journal WHERE id = ?", (head.row,)).fetchone()
    except sqlite3.DatabaseError as error:
        if not words.is_damage(error):
            raise
        found = None
    if found is None:
        return WITNESSED_GONE
    return None if found[0] == head.hash else WITNESSED_OTHER


class Trail:
    """Follows a chain row by row, and goes on behind a break."""

    def __init__(self) -> None:
        self.row = 0
        """The newest row that was looked at."""
        self.breaks: list[Break] = []
        self.hash: str | None = GENESIS
        """The hash that the next row must follow; None where a row is missing before it."""

    def follow(self, rows: Iterable[Link | Chained]) -> None:
        """Look at the next rows."""
        for row in rows:
            if len(self.breaks) >= BREAKS_MAX:
                return
            if row.id != self.row + 1:
                self._missing(self.row + 1, row.id)
            if not row.holds:
                self._broken(row.id, NOT_WRITTEN)
            elif self.hash not in (None, row.prev_hash):
                self._broken(row.id, "it does not follow the row before it")
            self.row = row.id
            self.hash = row.hash if row.holds else None

    def end(self, head_row: int, head_hash: str) -> None:
        """Compare with the head when all rows were looked at."""
        if len(self.breaks) >= BREAKS_MAX:
            return
        if self.row < head_row:
            self._broken(
                self.row + 1, f"it and all rows after it are missing: {head_row} rows were written"
            )
        elif (self.row, self.hash) != (head_row, head_hash) and self.hash is not None:
            self._broken(self.row, "it is not the one that was written last")

    def _missing(self, first: int, found: int) -> None:
        self._broken(first, f"it is missing, row {found} stands in its place")
        self.hash = None

    def _broken(self, row: int, what: str) -> None:
        self.breaks.append(Break(row, what))


_LISTED: Final = (
    "SELECT count(*) FROM (SELECT treatment, id FROM journal"  # noqa: S608
    f" WHERE kind = '{Kind.TREATMENT}'"
    " EXCEPT SELECT treatment, begun_id FROM treatments)",
    "SELECT count(*) FROM (SELECT j.treatment, max(j.id) FROM journal j"  # noqa: S608
    f" WHERE j.kind IN ('{Kind.ENDED}', '{Kind.INTERRUPTED}')"
    " AND j.treatment IN (SELECT treatment FROM treatments) GROUP BY j.treatment"
    " EXCEPT SELECT treatment, closed_id FROM treatments)",
    "SELECT count(*) FROM treatments t JOIN journal j ON j.id = t.begun_id"
    " WHERE json_extract({}, '$.client') IS NOT nullif(t.client, '')",
    "SELECT count(*) FROM (SELECT client, treatments FROM clients"
    " EXCEPT SELECT client, max(of_client) FROM treatments GROUP BY client)",
    "SELECT count(*) FROM (SELECT id FROM journal"  # noqa: S608
    f" WHERE kind IN ('{Kind.TIP}', '{Kind.TIP_STERILISED}') EXCEPT SELECT id FROM tips)",
)
"""Each counts entries that do not fit: treatments, ends, clients, their numbers, tips.

They go through the index of kinds, which SQLite has compared with the rows by then.
"""


def _misfit(connection: sqlite3.Connection) -> str | None:
    """Say what indexes or lists lack: questions go through them, and a lost entry hides a row."""
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        return str(found)
    version, old = schema.version(connection), earlier.lies_in(connection)
    if not old and not (version == schema.VERSION and schema.is_defined(connection)):
        return "its columns are not defined as this build defines them"
    if version < earlier.LISTS:
        return None  # a file of November, which has no lists yet
    body = "j.body" if old else BODY
    try:
        schema.is_current(connection)
        wrong = sum(int(connection.execute(each.format(body)).fetchone()[0]) for each in _LISTED)
    except sqlite3.OperationalError as error:  # a list is defined otherwise
        return str(error)
    return f"{wrong} entries of its lists do not fit to its rows" if wrong else None
