"""What is wrong with a record's file is said by cause, and no sentence advises what loses data."""

import errno
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.record import words
from controller.record.chain import Stamped
from controller.record.read_only import ask_record
from controller.record.store import RecordError, Store

ROW = Stamped(1.0, 1.9e9, 0, "state", "{}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "journal.sqlite3"
    store = Store(made)
    store.append([ROW])
    store.close()
    return made


def test_a_backup_tool_that_holds_the_file_is_called_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.record.store.BUSY_MAX_MS", 10)
    holder = sqlite3.connect(path, isolation_level=None)
    store = Store(path)
    store.probe()
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordError, match=r"held by another program, .* let that program finish"):
        store.append([ROW])
    holder.close()
    assert store.append([ROW]) == 2
    store.close()


def test_a_reader_names_whoever_holds_the_file_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.record.read_only.BUSY_MAX_S", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("CREATE TABLE backup (page)")
        with pytest.raises(RecordError, match=r"held by another program, .* let that program"):
            ask_record(path, lambda store: store.rows("1"))


def test_a_full_disk_is_called_so(path: Path) -> None:
    store = Store(path)
    store.connection().execute("PRAGMA max_page_count = 1")
    with pytest.raises(RecordError, match=r"its disk is full .*free space on that disk"):
        store.append([ROW._replace(body="x" * 100_000)])
    store.close()


def test_a_file_that_is_no_database_is_called_so(path: Path) -> None:
    path.write_text("this was a shopping list " * 100)
    with pytest.raises(RecordError, match=r"is damaged, or is no record .*leave it where it is"):
        Store(path).probe()


def test_a_folder_in_the_place_of_the_file_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").mkdir()
    with pytest.raises(RecordError, match="cannot be used"):
        Store(tmp_path / "journal.sqlite3").probe()


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "mount it writable|mount the disk writable"),
        (errno.EACCES, "mend the rights"),
        (errno.EIO, "disk reports an error"),
    ],
)
def test_what_the_system_says_is_told_by_cause(path: Path, number: int, says: str) -> None:
    assert re.search(says, words.sentence(OSError(number, "no"), path))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "held by another program"),
        (sqlite3.SQLITE_PROTOCOL, "held by another program"),
        (sqlite3.SQLITE_FULL, "its disk is full"),
        (sqlite3.SQLITE_IOERR_WRITE, "quota"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "mount the disk writable"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "put it back"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "is damaged"),
        (sqlite3.SQLITE_IOERR_NOMEM, "close other programs"),
        (sqlite3.SQLITE_IOERR_READ, "look at the disk"),
    ],
)
def test_what_sqlite_says_is_told_by_cause_each_with_its_own_way_out(
    path: Path, code: int, says: str
) -> None:
    error = sqlite3.OperationalError("so")
    error.sqlite_errorcode = code
    said = words.sentence(error, path)
    assert says in said
    others = {"held by another", "disk is full", "quota", "mount the disk", "is damaged"} - {says}
    assert not any(other in said for other in others if other not in says)


@pytest.mark.parametrize(
    "code",
    [getattr(sqlite3, name) for name in dir(sqlite3) if name.startswith("SQLITE_IOERR")]
    + [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB]
    + [sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CANTOPEN_ISDIR, 0],
)
def test_no_sentence_proposes_to_remove_the_record_or_to_begin_another(
    path: Path, code: int
) -> None:
    error = sqlite3.OperationalError("so")
    error.sqlite_errorcode = code
    said = words.sentence(error, path)
    assert str(path) in said
    assert not any(word in said for word in ("delete", "remove", "move it", "new one", "rename"))
