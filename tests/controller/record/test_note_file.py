"""The note beside a journal: what it says, when it is renewed, and which notes count."""

import json
import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from controller.record import head_note
from controller.record.chain import GENESIS, Stamped
from controller.record.head_note import NOTES_MAX, Head, HeadNote, heads, newest, write
from controller.record.store import Store
from tests.controller.record import damage

HEAD: Final = Head("journal.sqlite3", "0a1b", 7, "ff" * 32)
NOTE: Final = {
    "file": "journal.sqlite3",
    "journal": "0a1b",
    "row": 7,
    "hash": "ff" * 32,
    "check": "72b78abc960e1c30aa26160112415835c61c99ec10c7b6ea1dcb3e3f911ba53f",
}


def test_a_note_is_one_file_of_the_own_user_that_says_row_and_journal(tmp_path: Path) -> None:
    write(tmp_path, HEAD)
    (path,) = tmp_path.iterdir()
    assert path.name == "head-0a1b.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_bytes()) == NOTE
    assert heads(tmp_path / "journal.sqlite3") == [HEAD]
    later = replace(HEAD, row=8)
    write(tmp_path, later)
    assert heads(tmp_path / "journal.sqlite3") == [later]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_longer_note_that_was_begun_and_left_leaves_nothing_in_the_next(tmp_path: Path) -> None:
    (tmp_path / f"head-0a1b.{os.getpid()}.new").write_text("x" * 4000)
    write(tmp_path, HEAD)
    assert heads(tmp_path / "journal.sqlite3") == [HEAD]


def test_a_disk_that_refuses_leaves_the_older_note(tmp_path: Path) -> None:
    write(tmp_path, HEAD)
    (tmp_path / f"head-0a1b.{os.getpid()}.new").mkdir()  # no file can be written there
    write(tmp_path, Head("journal.sqlite3", "0a1b", 8, "ee" * 32))
    assert heads(tmp_path / "journal.sqlite3") == [HEAD]


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True),
        ({"check": None}, False),
        ({"check": "0" * 64}, False),
        ({"row": 8}, False),
        ({"row": "7"}, True),
        ({"hash": "00" * 32}, False),
        ({"file": "other.sqlite3"}, False),
    ],
)
def test_a_note_counts_only_as_it_was_written(
    tmp_path: Path, change: dict[str, Any], *, known: bool
) -> None:
    (tmp_path / "head-0a1b.json").write_text(json.dumps(NOTE | change))
    assert heads(tmp_path / "journal.sqlite3") == ([HEAD] if known else [])


@pytest.mark.parametrize("missing", ["file", "journal", "row", "hash"])
def test_a_note_that_lacks_a_word_is_none_and_one_of_an_earlier_build_has_no_check(
    tmp_path: Path, missing: str
) -> None:
    said = {name: value for name, value in NOTE.items() if name != "check"}
    (tmp_path / "head-0a1b.json").write_text(json.dumps(said))
    assert heads(tmp_path / "journal.sqlite3") == [HEAD]
    said.pop(missing)
    (tmp_path / "head-0a1b.json").write_text(json.dumps(said))
    assert heads(tmp_path / "journal.sqlite3") == []


def test_so_many_notes_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number in reversed(range(NOTES_MAX + 3)):
        write(tmp_path, Head("journal.sqlite3", f"{number:04}", 1, "0" * 64))
    (tmp_path / "head-0000.txt").write_text(json.dumps(NOTE))
    (tmp_path / "tail-0000.json").write_text(json.dumps(NOTE))
    found = heads(tmp_path / "journal.sqlite3")
    assert [head.journal for head in found] == [f"{number:04}" for number in range(NOTES_MAX)]
    assert heads(tmp_path / "nowhere" / "journal.sqlite3") == []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "journal.sqlite3"
    store = Store(made)
    store.append([Stamped(1.0, 1.9e9, 0, "state", "{}")] * 3)
    store.close()
    return made


def opened(path: Path) -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(path, isolation_level=None))


def undecided(_head: Head) -> bool:
    return False


def test_the_newest_row_is_what_the_head_says(path: Path) -> None:
    with opened(path) as connection:
        (row_hash,) = connection.execute("SELECT hash FROM journal WHERE id = 3").fetchone()
        assert newest(connection) == (3, row_hash)
        connection.execute("DELETE FROM head")
        with pytest.raises(sqlite3.IntegrityError) as caught:
            newest(connection)
        assert str(caught.value) == "the head of its chain is gone"


def test_the_note_is_renewed_once_a_second_and_at_once_where_no_time_is_said(path: Path) -> None:
    (name,) = path.parent.glob("head-*")
    with opened(path) as connection:
        note = HeadNote(path)
        note.compare(connection, undecided)

        def renewed(at_s: float | None) -> bool:
            name.unlink(missing_ok=True)
            note.renew(connection, at_s)
            return name.exists()

        times: list[float | None] = [10.0, 10.999, 11.0, None, 11.5, 12.0, 11.9, 11.95]
        assert [renewed(at_s) for at_s in times] == [
            True, False, True, True, False, True, True, False,
        ]  # fmt: skip


def test_an_empty_journal_and_one_in_memory_are_not_noted(tmp_path: Path) -> None:
    store = Store(tmp_path / "journal.sqlite3")
    store.probe()
    store.close()
    assert not list(tmp_path.glob("head-*"))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE identity (journal)")
        connection.execute("INSERT INTO identity VALUES ('x')")
        note = HeadNote(None)
        note.compare(connection, undecided)  # there is not even a head
        note.renew(connection, None)
        assert note.lacking == ()


def test_what_is_lacking_is_asked_of_whoever_decides_and_stays_noted_until_then(
    path: Path,
) -> None:
    lost = Head(path.name, "other", 9, "11" * 32)
    write(path.parent, lost)
    asked: list[Head] = []

    def decided(head: Head, answer: bool) -> bool:  # noqa: FBT001 - as it is called
        asked.append(head)
        return answer

    with opened(path) as connection:
        note = HeadNote(path)
        note.compare(connection, lambda head: decided(head, False))  # noqa: FBT003
        assert (note.lacking, asked) == ((lost,), [lost])
        (own,) = path.parent.glob("head-[!o]*")
        own.unlink()
        note.renew(connection, None)
        assert not own.exists()
        note.compare(connection, lambda head: decided(head, True))  # noqa: FBT003
        assert (note.lacking, own.exists()) == ((), True)


def test_a_reader_compares_with_what_was_noted_before_it_read_and_writes_nothing(
    path: Path,
) -> None:
    with opened(path) as connection:
        row, row_hash = newest(connection)
        (journal,) = connection.execute("SELECT journal FROM identity").fetchone()
        own = Head(path.name, journal, row, row_hash)
        later = Head(path.name, journal, 4, "22" * 32)
        (name,) = path.parent.glob("head-*")
        name.unlink()
        for noted, lacking in (((own,), ()), ((later,), (later,)), ((), ())):
            note = HeadNote(path, noted)
            note.compare(connection, undecided, reads_only=True)
            assert note.lacking == lacking
        assert not name.exists()


@pytest.mark.parametrize("reads_only", [True, False])
def test_a_damaged_head_is_written_anew_by_a_writer_only(path: Path, *, reads_only: bool) -> None:
    with opened(path) as connection:
        right = newest(connection)
        connection.execute("UPDATE head SET id = 2, hash = ?", ("0" * 64,))
        note = HeadNote(path)
        note.compare(connection, undecided, reads_only=reads_only)
        assert (note.mended, note.lacking) == (True, ())
        assert newest(connection) == ((2, "0" * 64) if reads_only else right)


def test_where_the_last_row_is_damaged_too_no_head_is_made_of_it(path: Path) -> None:
    damage.no_json(path, 3)
    with opened(path) as connection:
        connection.execute("UPDATE head SET hash = ?", ("0" * 64,))
        note = HeadNote(path)
        (own,) = heads(path)
        note.compare(connection, undecided)
        assert not note.mended
        assert own not in note.lacking  # the row has still the hash that was noted
        assert [head.hash for head in note.lacking] == ["0" * 64]


def test_the_hash_before_the_first_row_is_known_to_the_head_of_an_empty_journal() -> None:
    store = Store(None)
    assert newest(store.connection()) == (0, GENESIS)
    assert head_note.NOTE_PERIOD_S == 1.0
    store.close()
