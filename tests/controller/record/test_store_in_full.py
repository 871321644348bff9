"""The file of a journal from the inside: how it is opened, what a row carries, what is refused."""

import hashlib
import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from controller.record import schema
from controller.record import store as module
from controller.record.chain import GENESIS, Chained, Stamped, chain_hash, near
from controller.record.head_note import heads
from controller.record.store import NEXT_TREATMENT, RecordError, Store
from controller.record.verify import verify
from controller.treatment.kinds import Kind
from tests.controller.record import damage
from tests.controller.record.books import rows_of

ROW: Final = Stamped(1.5, 1.9e9, 7, "state", '{"at":"Nase ä"}')
BEGUN: Final = Stamped(2.5, 1.9e9 + 1.0, NEXT_TREATMENT, Kind.TREATMENT, '{"client":"c-1"}')


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "deeper" / "journal.sqlite3"


def pragma(store: Store, name: str) -> object:
    return store.connection().execute(f"PRAGMA {name}").fetchone()[0]


# -- opened ----------------------------------------------------------------------------------------
def test_a_new_journal_is_the_own_users_alone_and_every_commit_reaches_the_disk(path: Path) -> None:
    store = Store(path)
    assert store.probe() == 0
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [pragma(store, name) for name in ("journal_mode", "synchronous", "cache_size")] == [
        "wal", 2, -512,
    ]  # fmt: skip
    assert [pragma(store, name) for name in ("trusted_schema", "busy_timeout")] == [0, 700]
    assert pragma(store, "user_version") == schema.VERSION
    store.close()


def test_whoever_writes_may_be_another_thread_than_whoever_opened(path: Path) -> None:
    store = Store(path)
    store.probe()
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(store.append([ROW])))
    thread.start()
    thread.join()
    assert done == [1]
    store.close()


def test_a_file_system_without_a_log_is_told(path: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError) as caught,
    ):
        Store(path)._prepare(connection)
    assert str(caught.value) == "this file system cannot hold a write-ahead log"
    store = Store(None)  # in memory there is none, and none is needed
    assert store.probe() == 0
    store.close()


def test_a_file_that_cannot_be_opened_is_tried_anew_the_next_time(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 100)
    store = Store(path)
    with pytest.raises(RecordError):
        store.probe()
    path.unlink()
    assert store.append([ROW]) == 1
    store.close()


# -- written ---------------------------------------------------------------------------------------
def hash_of(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


FIRST: Final = hash_of(GENESIS, '[1,1.5,1900000000.0,7,"state","{\\"at\\":\\"Nase ä\\"}"]')
SECOND: Final = hash_of(FIRST, '[2,2.5,1900000001.0,1,"treatment","{\\"client\\":\\"c-1\\"}"]')


def test_each_row_carries_the_hash_over_the_row_before_it_and_its_own_text() -> None:
    store = Store(None)
    assert store.append([ROW, BEGUN]) == 2
    assert store.booked == 1
    assert store.rows("1") == [
        Chained(1, 1.5, 1.9e9, 7, "state", '{"at":"Nase ä"}', GENESIS, FIRST),
        Chained(2, 2.5, 1.9e9 + 1.0, 1, "treatment", '{"client":"c-1"}', FIRST, SECOND),
    ]
    assert store.ask("SELECT id, hash FROM head") == [(2, SECOND)]
    assert chain_hash(GENESIS, 1, ROW) == FIRST
    store.close()


def test_a_number_that_is_none_has_no_hash() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        chain_hash(GENESIS, 1, ROW._replace(mono_s=float("nan")))
    wrong = Chained(1, float("inf"), 1.9e9, 7, "state", "{}", GENESIS, FIRST)
    assert not wrong.holds
    assert not wrong._replace(mono_s=b"x").holds  # type: ignore[arg-type]  # as a file may have it
    store = Store(None)
    with pytest.raises(RecordError):
        store.append([ROW._replace(wall_s=float("nan"))])
    store.close()


def test_a_treatment_gets_the_next_number_and_all_rows_of_its_transaction_have_it() -> None:
    store = Store(None)
    tip = BEGUN._replace(kind=Kind.TIP, body='{"label":"A-1"}')
    for number in (1, 2, 3):
        store.append([BEGUN, tip])
        assert store.booked == number
    store.append([ROW])
    assert store.booked == 0
    store.append([BEGUN._replace(treatment=40)])
    store.append([BEGUN])
    assert store.booked == 41
    assert [row.treatment for row in store.rows("1")] == [1, 1, 2, 2, 3, 3, 7, 40, 41]
    store.close()


def test_what_is_refused_is_not_written_and_the_reason_is_returned(path: Path) -> None:
    store, asked = Store(path), list[Store]()

    def refusal(seen: Store) -> str | None:
        asked.append(seen)
        return "not now" if len(asked) > 1 else None

    assert store.append_unless([BEGUN], refusal) is None
    assert store.booked == 1
    assert store.append_unless([BEGUN], refusal) == "not now"
    assert asked == [store, store]
    assert len(rows_of(path)) == 1
    store.close()
    assert [head.row for head in heads(path)] == [1]
    assert verify(path).ok


def test_what_goes_wrong_in_a_look_ends_its_transaction(path: Path) -> None:
    store = Store(path)

    def fails(_store: Store) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.append_unless([ROW], fails)
    assert store.append([ROW]) == 1
    store.close()


def test_a_transaction_that_fails_is_opened_anew_and_leaves_nothing(path: Path) -> None:
    store = Store(path)
    store.append([ROW])
    before = store.connection()
    with pytest.raises(RecordError):
        store.append([ROW, ROW._replace(treatment=NEXT_TREATMENT, kind="treatment")] * 2)
    assert store.connection() is not before
    assert store.append([ROW]) == 2
    store.close()
    assert verify(path).rows == 2


# -- folded ----------------------------------------------------------------------------------------
def rows_in_the_file_alone(path: Path) -> int:
    copy = path.with_name("copy.sqlite3")
    shutil.copy(path, copy)
    count = len(rows_of(copy))
    for each in path.parent.glob("copy.sqlite3*"):
        each.unlink()
    return count


def test_a_pause_folds_the_log_into_the_file_and_renews_the_note_once(path: Path) -> None:
    store = Store(path)
    store.checkpoint()  # nothing is open yet
    assert not path.exists()
    store.append([ROW])
    store.append([ROW._replace(mono_s=1.6)])
    assert (rows_in_the_file_alone(path), [head.row for head in heads(path)]) == (0, [1])
    store.checkpoint()
    assert (rows_in_the_file_alone(path), [head.row for head in heads(path)]) == (2, [2])
    (note,) = path.parent.glob("head-*")
    note.unlink()
    store.checkpoint()  # nothing was written since
    assert heads(path) == []
    store.append([ROW._replace(mono_s=1.7)])
    store.close()
    assert [head.row for head in heads(path)] == [3]
    assert {each.name for each in path.parent.glob("journal*")} == {"journal.sqlite3"}
    store.close()  # which may be done twice


def test_a_journal_that_was_only_read_notes_nothing_when_it_is_closed(path: Path) -> None:
    store = Store(path)
    store.append([ROW])
    store.close()
    store = Store(path)
    store.probe()
    (note,) = path.parent.glob("head-*")
    note.unlink()
    store.close()
    assert heads(path) == []


# -- believed --------------------------------------------------------------------------------------
def test_rows_are_selected_with_their_parameters_and_in_their_order() -> None:
    store = Store(None)
    store.append([ROW, ROW._replace(kind="link"), ROW, ROW._replace(treatment=8)])
    assert [row.id for row in store.rows("kind = ? AND treatment = ?", ("state", 7))] == [1, 3]
    assert [row.id for row in store.read([3, 1])] == [3, 1]
    assert store.rows("kind = 'none'") == []
    store.close()


def test_a_row_that_cannot_be_believed_is_an_error_or_is_left_out(path: Path) -> None:
    store = Store(path)
    store.append([ROW] * 3)
    store.close()
    damage.no_json(path, 2)
    store = Store(path)
    assert [store.fault(row) for row in (1, 2, 3, 4)] == [
        None, "its content is not what was written", None, "it is missing or unreadable",
    ]  # fmt: skip
    assert [row.id for row in store.rows("1", skip_broken=True)] == [1, 3]
    assert [row.id for row in store.read([3, 2, 1], skip_broken=True)] == [3, 1]
    with pytest.raises(RecordError, match="Row 2 of the record"):
        store.rows("1")
    decided = '{"row":2,"subject":"row"}'
    other = '{"heads":[],"subject":"head"}'
    store.append([ROW._replace(kind=Kind.DECISION, body=body) for body in (decided, other)])
    assert store.accepted_rows() == frozenset({2})
    assert [row.id for row in store.decisions()] == [4, 5]
    assert (store.fault(2), [row.id for row in store.rows("id < 4")]) == (None, [1, 3])
    store.close()


def test_a_row_is_told_with_its_neighbours() -> None:
    store = Store(None)
    store.append([ROW] * 4)
    for row, there in ((0, {1}), (1, {1, 2}), (2, {1, 2, 3}), (4, {3, 4}), (6, set())):
        found = near(store.connection(), row)
        assert set(found) == there
        assert all(each.id == number and each.holds for number, each in found.items())
    store.close()


def test_rows_beside_a_damaged_page_are_told_one_by_one(path: Path) -> None:
    store = Store(path)
    store.append([ROW._replace(body='{"at":"' + "x" * 900 + '"}')] * 40)
    store.close()
    damage.no_page(path, 20)
    with closing(sqlite3.connect(path)) as connection:
        rows = [_readable(connection, row) for row in range(1, 41)]
        first = rows.index(False) + 1
        after = first + rows[first:].index(True) + 1
        assert set(near(connection, first)) == {first - 1}
        assert set(near(connection, after)) == {after, after + 1}


def _readable(connection: sqlite3.Connection, row: int) -> bool:
    try:
        return bool(connection.execute("SELECT text FROM journal WHERE id = ?", (row,)).fetchall())
    except sqlite3.DatabaseError:
        return False


# -- mended ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("limit_bytes", "mended"), [(10**9, True), (1000, False)])
def test_damaged_lists_are_made_anew_where_that_takes_a_moment(
    path: Path, monkeypatch: pytest.MonkeyPatch, limit_bytes: int, *, mended: bool
) -> None:
    monkeypatch.setattr(module, "MEND_MAX_BYTES", limit_bytes)
    store = Store(path)
    for number in range(1, 4):
        store.append([BEGUN._replace(treatment=number)])
    store.close()
    damage.no_list(path, 1)
    store = Store(path)
    question = "SELECT count(*) FROM treatments WHERE treatment > ?"
    if mended:
        assert store.ask(question, (0,)) == [(3,)]
        assert [store.take_mended(), store.take_mended()] == [True, False]
    else:
        with pytest.raises(RecordError, match="is damaged"):
            store.ask(question, (0,))
        assert not store.take_mended()
        assert store.recover()  # however long it takes
        assert store.ask(question, (0,)) == [(3,)]
    store.close()


def test_a_question_that_is_none_is_told_as_an_error_of_the_record(path: Path) -> None:
    store = Store(path)
    with pytest.raises(RecordError) as caught:
        store.ask("SELECT what FROM nowhere")
    assert str(caught.value).startswith(f"The record {path} cannot be used (no such table")
    store.close()


def test_a_log_that_cannot_be_folded_now_stays_as_it_is(path: Path) -> None:
    class Busy(sqlite3.Connection):
        def execute(self, sql: str, *given: object) -> sqlite3.Cursor:
            if "wal_checkpoint" in sql:
                raise sqlite3.OperationalError("database table is locked")
            return super().execute(sql, *given)  # type: ignore[arg-type]  # as it was given

    store = Store(path)
    store.append([ROW])
    with closing(sqlite3.connect(path, factory=Busy)) as busy:
        before, store._connection = store._connection, busy
        store.checkpoint()
        store._connection = before
    assert (rows_in_the_file_alone(path), [head.row for head in heads(path)]) == (0, [1])
    store.close()
    assert verify(path).rows == 1
