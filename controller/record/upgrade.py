"""The conversion of a record of an earlier build by a command: of any size, and with damage.

What is small and whole is converted when it is opened; see `schema.prepare`.
"""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final, NamedTuple

from controller.record import beside, earlier, schema, words
from controller.safety.refusal import refusing

NOTHING: Final = "Nothing was changed."


class Upgraded(NamedTuple):
    """What became of a record."""

    path: Path
    was: int
    """The version of its file before."""
    kept: Path | None = None
    """A copy of the file as it was, where rows of it could not be read."""


def upgrade(state: Path, told: earlier.Told) -> Upgraded:
    """Convert the record of a state folder; ``told`` hears how many rows of how many are done.

    Rows on damaged pages cannot be converted: then the file is copied as it is beforehand.

    Raises:
        RefusedError: there is none, a kernel runs, or the file cannot be used; nothing has changed.
    """
    path = beside.check_record(state)
    beside.check_no_kernel(state, "The file is converted while nobody else uses it: end it first.")
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA trusted_schema = OFF")
            was, kept = schema.version(connection), None
            try:
                _convert(connection, told)
            except earlier.DamagedRowsError:
                kept = _keep(connection, path, was)
                with contextlib.closing(sqlite3.connect(kept, isolation_level=None)) as source:
                    _convert(connection, told, source)
            return Upgraded(path, was, kept)
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        raise refusing("record", words.sentence(error, path), NOTHING) from error


def _convert(
    connection: sqlite3.Connection, told: earlier.Told, source: sqlite3.Connection | None = None
) -> None:
    old = earlier.lies_in(connection)
    schema.prepare(connection, told, max_bytes=schema.ANY_BYTES, source=source)
    if old:
        with contextlib.suppress(sqlite3.Error):  # gives back the pages of the old rows
            connection.execute("VACUUM")


def _keep(connection: sqlite3.Connection, path: Path, was: int) -> Path:
    """Copy the file, page by page and as damaged as it is, under a name that is free."""
    stem = f"{path.name}.version-{was}"
    taken = {each.name for each in path.parent.iterdir()}
    name = next(name for n in range(len(taken) + 1) if (name := f"{stem}.{n}") not in taken)
    kept = path.with_name(name)
    os.close(os.open(kept, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    with contextlib.closing(sqlite3.connect(kept)) as copy:
        connection.backup(copy)
    return kept
