"""A question to the record from a process that does not write it: no lock, no new file, no wait.

A kernel that runs keeps the newest rows in a write-ahead log beside the journal, and SQLite reads
both. Where there is no such log the journal is opened as a file that nobody changes, because SQLite
would create the log's files otherwise; if somebody began to write meanwhile, it is asked again.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from controller.record import schema, words
from controller.record.head_note import heads
from controller.record.store import RecordError, Store

T = TypeVar("T")

TRIES_MAX: Final = 5
"""A kernel starts or ends once while somebody plans; five times is another trouble."""

BUSY_MAX_S: Final = 1.0
"""A reader waits only for a kernel that starts or ends in this very moment."""


def ask_record(path: Path, question: Callable[[Store], T]) -> T:
    """Return the answer from the journal at ``path``; where there is none yet, from an empty one.

    Raises:
        RecordError: the journal cannot be read.
    """
    for _ in range(TRIES_MAX):
        before = _seen(path)
        alone = not _log_of(path).exists()
        if before is None or (alone and before.length_bytes == 0):
            # A kernel that was killed while it made one leaves a file without a byte.
            return _ask_empty(path, question)
        try:
            answer = _ask(path, question, alone=alone)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if _seen(path) == before and alone is not _log_of(path).exists():
                raise RecordError(words.sentence(error, path)) from error
            continue
        if not alone or (_seen(path) == before and not _log_of(path).exists()):
            return answer
    raise RecordError(
        f"The record {path} is opened and closed again and again: let the program that does it "
        "finish, then try again."
    )


def _ask(path: Path, question: Callable[[Store], T], *, alone: bool) -> T:
    mode = "mode=ro&immutable=1" if alone else "mode=ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY_MAX_S, isolation_level=None
    )
    with contextlib.closing(connection):
        connection.execute("PRAGMA trusted_schema = OFF")
        noted = heads(path)
        connection.execute("BEGIN")  # one state of the record for everything that is asked
        if schema.is_current(connection):
            try:
                return question(Store(path, connection, noted))
            except RecordError as error:
                cause = error.__cause__
                if not (isinstance(cause, sqlite3.Error) and words.is_damage(cause)):
                    raise
        with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            connection.backup(copy)  # an earlier build's, or a damaged one, gets lists in a copy
            if schema.is_current(copy) and not schema.rebuild(copy):
                raise sqlite3.IntegrityError("its rows are damaged too")
            schema.prepare(copy, source=connection)
            return question(Store(path, copy, noted))


def _ask_empty(path: Path, question: Callable[[Store], T]) -> T:
    if heads(path):
        raise RecordError(f"The record {path} is gone: {words.RESTORE}.")
    store = Store(None)
    try:
        return question(store)
    finally:
        store.close()


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


class _Seen(NamedTuple):
    """What would differ if the file was written."""

    inode: int
    length_bytes: int
    written_ns: int


def _seen(path: Path) -> _Seen | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(words.sentence(error, path)) from error
    return _Seen(found.st_ino, found.st_size, found.st_mtime_ns)
