"""How a record is asked by whoever does not write it: as which file, and what becomes of a copy."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from controller.record import read_only, schema, words
from controller.record.chain import Stamped
from controller.record.head_note import heads
from controller.record.read_only import ask_record
from controller.record.store import RecordError, Store
from tests.controller.record import damage
from tests.controller.record.older import to_columns

ROW: Final = Stamped(1.0, 1.9e9, 1, "treatment", '{"client":"c-1"}')


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of one treatment, which nobody writes, under a name that needs care."""
    made = tmp_path / "50% of #a ? folder" / "journal.sqlite3"
    store = Store(made)
    store.append([ROW])
    store.close()
    return made


def listed(store: Store) -> list[tuple[Any, ...]]:
    return store.ask("SELECT treatment, client FROM treatments NOT INDEXED")


@pytest.mark.parametrize("writes", [False, True])
def test_a_record_is_asked_with_its_path_in_one_state_and_without_any_right(
    path: Path, *, writes: bool
) -> None:
    writer = Store(path)
    if writes:
        writer.append([ROW._replace(treatment=2)])

    def question(store: Store) -> list[tuple[Any, ...]]:
        assert store.path == path
        connection = store.connection()
        assert connection.in_transaction
        assert store.ask("PRAGMA trusted_schema") == [(0,)]
        assert store.ask("PRAGMA busy_timeout") == [(1000,)]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM treatments")
        assert store.lacking_heads == ()
        return listed(store)

    assert ask_record(path, question) == [(1, "c-1"), (2, "c-1")][: 1 + writes]
    writer.close()


def test_damaged_lists_are_made_anew_in_a_copy_and_the_file_stays_as_it_is(path: Path) -> None:
    damage.no_list(path, 1)
    before = path.read_bytes()
    seen: list[Path | None] = []

    def question(store: Store) -> list[tuple[Any, ...]]:
        seen.append(store.path)
        return listed(store)

    assert ask_record(path, question) == [(1, "c-1")]
    assert (seen, path.read_bytes()) == ([path, path], before)


def test_a_record_of_an_older_build_gets_its_lists_in_a_copy(path: Path) -> None:
    to_columns(path, 0)
    before = path.read_bytes()
    assert ask_record(path, listed) == [(1, "c-1")]
    assert path.read_bytes() == before


def test_rows_that_are_damaged_too_are_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage.no_list(path, 1)
    monkeypatch.setattr(schema, "rebuild", lambda _connection: False)
    with pytest.raises(RecordError) as caught:
        ask_record(path, listed)
    assert str(caught.value) == (
        f"The record {path} is damaged, or is no record (its rows are damaged too): leave it where "
        f"it is; {words.RESTORE}."
    )


def test_another_error_of_the_record_is_told_as_it_is(path: Path) -> None:
    def question(_store: Store) -> None:
        raise RecordError("It is busy.")

    with pytest.raises(RecordError, match=r"^It is busy\.$"):
        ask_record(path, question)


def test_an_error_while_somebody_writes_is_asked_again(path: Path) -> None:
    tries = 0

    def question(store: Store) -> list[tuple[Any, ...]]:
        nonlocal tries
        tries += 1
        if tries == 1:
            writer = Store(path)
            writer.append([ROW._replace(treatment=2)])
            writer.close()
            raise sqlite3.OperationalError("disk I/O error")
        return listed(store)

    assert ask_record(path, question) == [(1, "c-1"), (2, "c-1")]
    assert tries == 2


def test_an_error_while_nobody_writes_is_told_at_once(path: Path) -> None:
    tries = 0

    def question(_store: Store) -> None:
        nonlocal tries
        tries += 1
        raise sqlite3.OperationalError("so")

    with pytest.raises(RecordError) as caught:
        ask_record(path, question)
    assert str(caught.value) == words.sentence(sqlite3.OperationalError("so"), path)
    assert tries == 1


def test_a_record_that_is_gone_is_told_and_one_that_never_was_is_empty(path: Path) -> None:
    assert ask_record(path.with_name("other.sqlite3"), listed) == []
    assert len(heads(path)) == 1
    path.unlink()
    with pytest.raises(RecordError) as caught:
        ask_record(path, listed)
    assert str(caught.value) == f"The record {path} is gone: {words.RESTORE}."


def test_an_empty_record_is_closed_whatever_comes_of_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Path | None] = []
    monkeypatch.setattr(Store, "close", lambda store: closed.append(store.path))

    def fails(_store: Store) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask_record(tmp_path / "journal.sqlite3", fails)
    assert closed == [None]


def test_a_file_without_a_byte_beside_a_log_is_no_empty_record(path: Path) -> None:
    writer = Store(path)
    writer.append([ROW._replace(treatment=2)])
    log = path.with_name("journal.sqlite3-wal")
    assert log.exists()
    assert read_only._log_of(path) == log
    writer.close()


def test_a_folder_that_cannot_be_looked_into_is_told(path: Path) -> None:
    inside = path / "journal.sqlite3"  # in the place of the folder is a file
    with pytest.raises(RecordError) as caught:
        ask_record(inside, listed)
    assert str(caught.value) == (
        f"The record {inside} cannot be used ([Errno 20] Not a directory: '{inside}'): look at "
        "the file and its folder, then try again."
    )


def test_what_would_differ_if_a_file_was_written_is_seen(path: Path) -> None:
    before = read_only._seen(path)
    found = path.stat()
    assert before == (found.st_ino, found.st_size, found.st_mtime_ns)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert read_only._seen(path) != before
    assert read_only._seen(path.with_name("none")) is None
