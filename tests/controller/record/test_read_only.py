"""Whoever plans reads the record beside its writer: no lock, no new file, no half-written row."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from controller.record import read_only
from controller.record.asker import plan_alone
from controller.record.chain import Stamped
from controller.record.read_only import ask_record
from controller.record.store import RecordError, Store

NAME = "journal.sqlite3"


def row(number: int) -> Stamped:
    return Stamped(float(number), 1.9e9, 0, "link", "{}")


def count(store: Store) -> int:
    (rows,) = store.connection().execute("SELECT count(*) FROM journal").fetchone()
    return int(rows)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Store]:
    """A kernel's store, open and with three rows that stand in the write-ahead log only."""
    store = Store(tmp_path / NAME)
    store.append([row(1), row(2), row(3)])
    yield store
    store.close()


def test_no_record_is_an_empty_one_and_none_is_made(tmp_path: Path) -> None:
    assert ask_record(tmp_path / NAME, count) == 0
    plan_alone({"program": "refresh", "client": "demo"}, tmp_path / NAME)
    assert not names(tmp_path)


def test_rows_in_the_log_of_a_living_writer_are_read_and_it_goes_on_writing(
    tmp_path: Path, writer: Store
) -> None:
    def while_it_writes(store: Store) -> tuple[int, int, int]:
        before = count(store)
        written = writer.append([row(4)])
        return before, written, count(store)

    files = names(tmp_path)
    assert ask_record(tmp_path / NAME, while_it_writes) == (3, 4, 3)  # one state for one question
    assert ask_record(tmp_path / NAME, count) == 4
    assert names(tmp_path) == files


def test_a_writer_that_goes_on_meanwhile_is_not_ahead_of_its_record(
    tmp_path: Path, writer: Store
) -> None:
    def while_it_writes(store: Store) -> str | None:
        count(store)  # from here on the reader sees one state
        writer.append([row(4)._replace(mono_s=100.0)])  # and the note of it is renewed
        return store.lacking_sentence

    assert ask_record(tmp_path / NAME, while_it_writes) is None


def test_a_record_that_nobody_writes_is_read_without_a_trace(tmp_path: Path, writer: Store) -> None:
    writer.close()
    path = tmp_path / NAME
    before, files = (path.read_bytes(), path.stat().st_mtime_ns), names(tmp_path)
    assert not {f"{NAME}-wal", f"{NAME}-shm"} & files
    path.chmod(0o400)
    assert ask_record(path, count) == 3
    assert names(tmp_path) == files
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_what_is_written_while_it_is_read_alone_is_asked_again(
    tmp_path: Path, writer: Store
) -> None:
    writer.close()
    tries = 0

    def somebody_starts(store: Store) -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            writer.append([row(4)])
            writer.close()
        return count(store)

    assert ask_record(tmp_path / NAME, somebody_starts) == 4
    assert tries == 2


def test_a_record_that_never_holds_still_is_told_within_a_bound(
    tmp_path: Path, writer: Store
) -> None:
    writer.close()
    tries = 0

    def again_and_again(store: Store) -> int:
        nonlocal tries
        tries += 1
        writer.append([row(3 + tries)])
        writer.close()
        return count(store)

    with pytest.raises(RecordError, match="again and again"):
        ask_record(tmp_path / NAME, again_and_again)
    assert tries == read_only.TRIES_MAX


def test_nothing_can_be_written_through_it(tmp_path: Path, writer: Store) -> None:
    for open_writer in (True, False):
        if not open_writer:
            writer.close()
        with pytest.raises(RecordError):
            ask_record(tmp_path / NAME, lambda store: store.append([row(9)]))
    assert ask_record(tmp_path / NAME, count) == 3


def test_a_file_without_a_byte_is_a_record_that_was_never_begun(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    assert ask_record(tmp_path / NAME, count) == 0


def test_a_file_that_is_no_journal_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"not a journal at all" * 100)
    with pytest.raises(RecordError) as caught:
        ask_record(path, count)
    assert str(path) in str(caught.value)
    assert "leave it where it is" in str(caught.value)


def test_it_takes_no_lock_that_a_writer_would_wait_for(tmp_path: Path, writer: Store) -> None:
    def while_somebody_asks(_store: Store) -> int:
        with closing(sqlite3.connect(tmp_path / NAME, timeout=0.0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        return writer.append([row(4)])

    assert ask_record(tmp_path / NAME, while_somebody_asks) == 4
