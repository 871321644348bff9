"""The tables of a journal's file: how they are made, and how what is derived is made anew.

A row is its text and the hash of that text. Its other columns are generated when they are read, so
that they cannot say anything else. SQLite 3.40 refuses its JSON functions in the schema of a file
that it does not trust (`trusted_schema`), and ours is not to be trusted: so kind and treatment are
cut out of the text by place, and triggers cannot keep the lists.
"""

import contextlib
import sqlite3
from typing import Final

from controller.record import earlier, lists, words
from controller.record.chain import BEGINS

VERSION: Final = 3
"""`user_version` of a file whose rows are text. Those of November say 0 (rows alone), those of the
last days of November 2 (with lists); both are converted when they are opened (`earlier`)."""

CONVERT_MAX_BYTES: Final = 260_000_000
"""Up to this size a file of an earlier build is converted when it is opened: 20,000 treatments have
250 MB and take 5 to 8 s. A larger one waits for `corneum records upgrade`."""

ANY_BYTES: Final = 2**63
"""No limit: a command may take its time, and says how far it is."""

_NUMBERS: Final = f"substr(text, {BEGINS + 1}, instr(text, '\"') - {BEGINS + 2})"
"""The array up to its fourth value: numbers have no quotation mark, the kind begins with one."""

KIND_MAX: Final = 64
"""A kind has up to so many letters, and no quotation mark."""

JOURNAL: Final = f"""CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    hash TEXT NOT NULL,
    prev_hash TEXT GENERATED ALWAYS AS (substr(text, 1, {BEGINS - 1})) VIRTUAL,
    treatment INTEGER GENERATED ALWAYS AS
        (CAST(substr({_NUMBERS}, length(rtrim({_NUMBERS}, '0123456789')) + 1) AS INTEGER)) VIRTUAL,
    kind TEXT GENERATED ALWAYS AS (substr(text, instr(text, '"') + 1,
        instr(substr(text, instr(text, '"') + 1, {KIND_MAX + 1}), '"') - 1)) VIRTUAL,
    CHECK (typeof(text) = 'text' AND typeof(hash) = 'text')
)"""
"""The table of the rows, letter by letter as its file has it: `verify` compares."""

_AROUND: Final = """
CREATE TRIGGER IF NOT EXISTS journal_is_never_edited BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal rows are never edited'); END;
CREATE TRIGGER IF NOT EXISTS journal_is_never_shortened BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal rows are never deleted'); END;
CREATE TABLE IF NOT EXISTS head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id INTEGER NOT NULL,
    hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    journal TEXT NOT NULL
);
INSERT OR IGNORE INTO head VALUES (1, 0, hex(zeroblob(32)));
"""
"""The end of the chain, and the name of this journal: a copy keeps it, a new one gets another."""

_NAME: Final = "INSERT OR IGNORE INTO identity VALUES (1, coalesce(?, lower(hex(randomblob(8)))))"

_NAMES: Final = ", ".join(repr(name) for name in lists.NAMES)
_FORGET: Final = (
    "DELETE FROM sqlite_master WHERE tbl_name IN "  # noqa: S608
    f"({_NAMES}) OR (type = 'index' AND tbl_name = 'journal' AND sql IS NOT NULL)"
)
"""DROP and REINDEX walk through the pages that they free, and fail on a damaged one."""

_DEFINE: Final = "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = 'journal'"


def prepare(
    connection: sqlite3.Connection,
    told: earlier.Told = earlier.untold,
    *,
    name: str | None = None,
    max_bytes: int | None = None,
    source: sqlite3.Connection | None = None,
) -> None:
    """Make what is missing, in one transaction: a kill -9 leaves the file as it was or whole.

    A journal that is new gets ``name``, or one by chance.
    A file of an earlier build up to ``max_bytes`` (`CONVERT_MAX_BYTES`) is converted, and ``told``
    hears how many rows of how many are. Rows on damaged pages are left out where ``source`` is
    given: a connection to the same rows, which nobody writes meanwhile.

    Raises:
        words.KnownError: it is of a newer build; or of an earlier one and too large, or damaged.
        sqlite3.Error: it cannot be read or written.
    """
    if is_current(connection):
        return
    with earlier.alone(connection) if earlier.lies_in(connection) else contextlib.nullcontext():
        _prepare(connection, told, name, max_bytes, source)
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # the file alone is a journal by now


def _prepare(
    connection: sqlite3.Connection,
    told: earlier.Told,
    name: str | None,
    max_bytes: int | None,
    source: sqlite3.Connection | None,
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if version(connection) < VERSION:  # or another process was faster
            _make(connection, told, max_bytes, source)
            connection.execute(_NAME, (name,))
        lists.catch_up(connection)
        connection.execute("COMMIT")
    except sqlite3.Error:
        _roll_back(connection)
        raise


def _make(
    connection: sqlite3.Connection,
    told: earlier.Told,
    max_bytes: int | None,
    source: sqlite3.Connection | None,
) -> None:
    has_lists = version(connection) >= earlier.LISTS
    if earlier.lies_in(connection):
        earlier.check(connection, CONVERT_MAX_BYTES if max_bytes is None else max_bytes)
        earlier.convert(connection, JOURNAL, told, source)
    elif not _has_rows(connection):
        connection.execute(JOURNAL)
    _run(connection, _AROUND + lists.INDEXES + ("" if has_lists else lists.TABLES))
    connection.execute(f"PRAGMA user_version = {VERSION}")


def rebuild(connection: sqlite3.Connection) -> bool:
    """Make indexes and lists anew from the rows; False, and nothing has changed, where it fails.

    Takes about 2 s for 20,000 treatments.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(_FORGET)
        connection.execute(_DEFINE, (JOURNAL,))
        connection.execute("PRAGMA writable_schema = RESET")
        _run(connection, lists.INDEXES + lists.TABLES)
        lists.catch_up(connection)
        connection.execute("COMMIT")
    except sqlite3.Error:
        _roll_back(connection)
        return False
    with contextlib.suppress(sqlite3.Error):  # gives the pages back that nothing names any more
        connection.execute("VACUUM")
    return True


def is_current(connection: sqlite3.Connection) -> bool:
    """Return True where every table is there and every row is listed.

    Raises:
        words.KnownError: a newer build has made the file.
    """
    check_version(connection)
    return version(connection) == VERSION and _is_listed(connection)


def check_version(connection: sqlite3.Connection) -> None:
    """Make sure that this build knows the form of a file.

    Raises:
        words.KnownError: a newer build has made it.
    """
    found = version(connection)
    if found > VERSION:
        raise words.KnownError(
            f"is of a newer build (version {found} of its file; this build reads up to {VERSION})",
            "use that build, or update this one",
        )


def is_defined(connection: sqlite3.Connection) -> bool:
    """Return True where the columns of the rows are made from their text, as `JOURNAL` says."""
    found = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'journal'"
    ).fetchone()
    return found is not None and found[0] in {JOURNAL, JOURNAL.encode()}


def version(connection: sqlite3.Connection) -> int:
    """Return which form a file says that it has; 0 where it is new, or of November."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _has_rows(connection: sqlite3.Connection) -> bool:
    """Return True where the table is there though the version, a damaged one, denies it."""
    return bool(connection.execute("SELECT 1 FROM pragma_table_info('journal')").fetchall())


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
