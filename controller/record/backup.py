"""A backup of a record as one file, also while a kernel writes: copied, checked, then named.

A copy by other tools may lack the newest rows, which lie in a log beside the journal. This one is
of one state of the record, needs no file beside it, and has its name only once it was checked.
"""

import contextlib
import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from controller.record import beside, earlier, words
from controller.record.head_note import Head, identity, newest
from controller.record.read_only import ask_record
from controller.record.store import Store, record_refused
from controller.record.whole import check_file
from controller.safety.refusal import RefusedError, refusing

STEP_PAGES: Final = 2_000
"""Pages that are copied between two words on how far it is: 8 MB."""

NOTHING: Final = "No backup was made; the record is as it was."


class BackedUp(NamedTuple):
    """A backup that was made and checked."""

    record: Path
    file: Path
    head: Head
    """The newest row that is in it; its file is that of the backup."""


def backup(state: Path, file: Path, copied: earlier.Told, checked: earlier.Told) -> BackedUp:
    """Copy the record of a state folder to ``file``, which must not be there yet.

    ``copied`` hears how many pages of how many are copied, ``checked`` how many rows are checked.

    Raises:
        RefusedError: there is no record, it is not whole, or ``file`` cannot be written; nothing
            lies at ``file`` then.
    """
    path = beside.check_record(state)
    fresh = file.with_name(f"{file.name}.new")
    _begin(file, fresh)
    try:
        with record_refused(NOTHING):
            head = ask_record(path, lambda store: _copy(store, path, fresh, copied))
            found = check_file(fresh, checked)
        if not found.ok:
            raise refusing(
                "record",
                f"The copy of the record {path} is not whole, and was not kept.",
                "See what is wrong with the record: `corneum records verify`.",
            )
        _name(fresh, file)
    finally:  # it has its name, or it is not wanted
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
    return BackedUp(path, file, replace(head, file=file.name))


def _begin(file: Path, fresh: Path) -> None:
    """Take the name of the copy; whoever else makes a backup there is refused."""
    try:
        _check_free(file)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError as error:
        raise refusing(
            "file_exists",
            f"{fresh} is there already: another backup writes it, or one was cut off.",
            "Name another file; or remove that one when no backup runs.",
        ) from error
    except OSError as error:
        raise _unwritable(file, error) from error


def _copy(store: Store, path: Path, fresh: Path, told: earlier.Told) -> Head:
    """Copy one state of the record; a record that is not as it should be is not copied."""
    source = store.connection()
    if not source.execute("PRAGMA database_list").fetchone()[2]:
        raise refusing(  # what is read is a repaired or converted copy in memory
            "record",
            f"The record {path} is empty, damaged, or of an earlier build.",
            "See which: `corneum records verify`; then `corneum records recover` or `upgrade`.",
        )
    if (lacking := store.lacking_sentence) is not None:
        raise refusing("record", lacking, NOTHING)
    try:
        with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as copy:
            source.backup(
                copy,
                pages=STEP_PAGES,
                progress=lambda _status, left, pages: told(pages - left, pages),
            )
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
            return Head(fresh.name, identity(copy), *newest(copy))
    except sqlite3.Error as error:
        if words.is_damage(error):
            raise
        raise _unwritable(fresh, error) from error


def _name(fresh: Path, file: Path) -> None:
    """Give the copy its name once it is durable."""
    try:
        _sync(fresh)
        _check_free(file)
        fresh.rename(file)
    except OSError as error:
        raise _unwritable(file, error) from error
    with contextlib.suppress(OSError):  # some file systems know no durable folder
        _sync(file.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_free(file: Path) -> None:
    if os.path.lexists(file):
        raise refusing(
            "file_exists",
            f"{file} is there already, and a backup replaces no file.",
            "Name another file, such as one with the date.",
        )


def _unwritable(file: Path, error: Exception) -> RefusedError:
    return refusing(
        "file",
        f"The backup {file} cannot be written ({error}).",
        "Name a file in a folder that is there, that may be written, and that has room for it.",
    )
