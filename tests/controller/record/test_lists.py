"""The lists that are derived from rows, entry by entry, and what they answer."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any, Final

import pytest

from controller.record import listing, lists, schema
from controller.record.chain import Stamped
from controller.record.store import BrokenRowError, RecordError, Store
from controller.record.verify import verify
from controller.treatment.kinds import Kind
from tests.controller.record import damage

WALL_S: Final = 1.9e9
Written = tuple[int, str, dict[str, Any]]


def record(*rows: Written, path: Path | None = None) -> Store:
    store = Store(path)
    store.append(
        [
            Stamped(float(number), WALL_S + number, treatment, kind, json.dumps(body))
            for number, (treatment, kind, body) in enumerate(rows, start=1)
        ]
    )
    return store


def begun(treatment: int, client: str, resumes: int | None = None) -> Written:
    body = {"client": client, "resumes": resumes}
    return treatment, Kind.TREATMENT, body


def ended(treatment: int, outcome: str) -> Written:
    return treatment, Kind.ENDED, {"outcome": outcome}


def interrupted(treatment: int) -> Written:
    return treatment, Kind.INTERRUPTED, {}


def dismissed(treatment: int) -> Written:
    return treatment, Kind.DISMISSED, {}


SERIES: Final[tuple[Written, ...]] = (
    (0, Kind.KERNEL, {"boot": "a"}),  # 1
    begun(1, "c-1"),
    (1, Kind.TIP, {"label": "A-1", "simulated": True, "unit": 4711}),
    ended(1, "stopped"),
    begun(2, "c-2"),  # 5
    interrupted(2),
    begun(3, "c-1", resumes=1),
    (0, Kind.TIP_STERILISED, {"label": "A-1", "simulated": False}),
    begun(4, "c-2"),
    dismissed(2),  # 10
    (5, Kind.TREATMENT, {}),
    (5, Kind.ENDED, {}),
)


def every(store: Store, table: str) -> list[tuple[Any, ...]]:
    return store.ask(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608


EXPECTED: Final = {
    "listed": [(1, 12)],
    "treatments": [
        (1, "c-1", 1, None, 2, 4, "stopped", None),
        (2, "c-2", 1, None, 5, 6, "interrupted", 10),
        (3, "c-1", 2, 1, 7, None, None, None),
        (4, "c-2", 2, None, 9, None, None, None),
        (5, "", 1, None, 11, 12, "ended", None),
    ],
    "clients": [("", 1), ("c-1", 2), ("c-2", 2)],
    "tips": [
        (3, "tip", "A-1", 1, 4711, 1),
        (8, "tip_sterilised", "A-1", 0, None, 0),
    ],
}


def test_each_row_stands_in_the_lists_as_it_was_written() -> None:
    store = record(*SERIES)
    assert {table: every(store, table) for table in lists.NAMES} == EXPECTED
    store.close()


def test_lists_that_are_made_anew_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    store = record(*SERIES, path=path)
    connection = store.connection()
    connection.execute("DELETE FROM treatments")
    connection.execute("DROP TABLE clients")
    connection.execute("DROP INDEX journal_kind")
    assert store.recover()
    assert {table: every(store, table) for table in lists.NAMES} == EXPECTED
    indexes = [name for (name,) in store.ask(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'journal'"
        " ORDER BY name"
    )]  # fmt: skip
    assert indexes == ["journal_begins", "journal_kind"]
    assert store.ask("PRAGMA freelist_count") == [(0,)]  # what nobody names is given back
    store.close()
    assert verify(path).ok


def test_rows_that_an_older_build_has_added_are_listed_from_where_the_lists_end() -> None:
    store = record(*SERIES)
    store.connection().execute("UPDATE listed SET id = 6")
    for table in ("treatments", "tips"):
        column = "begun_id" if table == "treatments" else "id"
        store.connection().execute(f"DELETE FROM {table} WHERE {column} > 6")  # noqa: S608
    store.connection().execute("UPDATE treatments SET dismissed_id = NULL")
    store.connection().execute("DELETE FROM clients WHERE client = ''")
    store.connection().execute("UPDATE clients SET treatments = 1")
    assert not schema.is_current(store.connection())
    schema.prepare(store.connection())
    assert schema.is_current(store.connection())
    assert {table: every(store, table) for table in lists.NAMES} == EXPECTED
    store.close()


@pytest.mark.parametrize("body", ["no json", "[1, 2]", "null", '"text"'])
def test_a_row_whose_body_is_none_counts_for_everybody(body: str) -> None:
    store = Store(None)
    store.append([Stamped(1.0, WALL_S, 1, kind, body) for kind in (Kind.TREATMENT, Kind.TIP)])
    assert every(store, "treatments") == [(1, "", 1, None, 1, None, None, None)]
    assert every(store, "tips") == [(2, "tip", "", 0, None, 1)]
    store.close()


@pytest.mark.parametrize(
    ("ends", "closed"),
    [
        ((interrupted(1), ended(1, "stopped")), (3, "stopped")),
        ((ended(1, "stopped"), interrupted(1)), (2, "stopped")),
        ((interrupted(1), interrupted(1)), (2, "interrupted")),
        ((ended(1, "stopped"), ended(1, "tripped")), (3, "tripped")),
        ((ended(2, "stopped"),), (None, None)),
    ],
)
def test_what_a_dead_kernel_wrote_after_all_is_the_end_and_no_mark_takes_its_place(
    ends: tuple[Written, ...], closed: tuple[int | None, str | None]
) -> None:
    store = record(begun(1, "c-1"), *ends)
    assert store.ask("SELECT closed_id, closed FROM treatments") == [closed]
    store.close()


def test_a_file_without_the_head_of_its_chain_is_not_made_current() -> None:
    store = record(*SERIES)
    store.connection().execute("DELETE FROM head")
    with pytest.raises(sqlite3.IntegrityError) as caught:
        schema.is_current(store.connection())
    assert str(caught.value) == "the head of its chain is gone"
    with pytest.raises(RecordError, match="the head of its chain is gone"):
        store.probe()
    store.close()


def test_what_cannot_be_made_anew_is_left_as_it_was() -> None:
    store = record(*SERIES)
    store.connection().execute("DROP TABLE head")
    assert schema.rebuild(store.connection()) is False
    assert len(every(store, "treatments")) == 5
    assert not store.connection().in_transaction
    with pytest.raises(sqlite3.OperationalError):  # the schema is not to be written any more
        store.connection().execute("DELETE FROM sqlite_master")
    store.close()


def test_a_file_that_cannot_be_made_whole_keeps_nothing_of_the_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(_connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("so")

    monkeypatch.setattr(lists, "catch_up", fails)
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError, match=r"^so$"):
            schema.prepare(connection)
        assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


# -- questions -------------------------------------------------------------------------------------
def numbers(rows: list[Any]) -> list[int]:
    return [row.treatment for row in rows]


def test_the_treatments_of_a_client_are_those_behind_a_row_oldest_first() -> None:
    store = record(begun(1, "c-1"), begun(2, "c-2"), begun(3, "c-1"), begun(4, "c-1"))
    assert numbers(listing.of_client(store, "c-1", 0)) == [1, 3, 4]
    assert numbers(listing.of_client(store, "c-1", 1)) == [3, 4]
    assert numbers(listing.of_client(store, "c-3", 0)) == []
    store.close()


def test_what_is_open_interrupted_or_waits_is_told_newest_first_and_no_more_than_asked() -> None:
    store = record(
        begun(1, "c-1"), interrupted(1),
        begun(2, "c-2"), interrupted(2), dismissed(2),
        begun(3, "c-1"), interrupted(3),
        begun(4, "c-2", resumes=3),
        begun(5, "c-3"), ended(5, "completed"),
        begun(6, "c-3"), interrupted(6),
        begun(7, "c-3", resumes=6), ended(7, "refused"),
    )  # fmt: skip
    assert numbers(listing.open_now(store)) == [4]
    assert numbers(listing.interrupted(store, 9)) == [6, 1]
    assert numbers(listing.interrupted(store, 1)) == [6]
    assert numbers(listing.cut_off(store, 9)) == [6, 4, 1]
    assert numbers(listing.cut_off(store, 2)) == [6, 4]
    assert listing.newest(store) == 7
    store.close()
    assert listing.newest(record()) == 0


@pytest.mark.parametrize(
    ("end", "waits"),
    [
        (interrupted(1), True), (ended(1, "stopped"), True), (ended(1, "tripped"), True),
        (ended(1, "completed"), False), (ended(1, "refused"), False),
    ],
)  # fmt: skip
def test_what_ended_early_may_be_gone_on_with(end: Written, *, waits: bool) -> None:
    store = record(begun(1, "c-1"), end, begun(2, "c-1"), (2, *end[1:]))
    assert numbers(listing.resumable(store, "c-1", 0, 9)) == ([2, 1] if waits else [])
    assert numbers(listing.resumable(store, "c-1", 0, 1)) == ([2] if waits else [])
    assert numbers(listing.resumable(store, "c-1", 2, 9)) == ([2] if waits else [])
    assert numbers(listing.resumable(store, "c-2", 0, 9)) == []
    store.close()


@pytest.mark.parametrize("row", [1, 2])
def test_a_treatment_with_a_broken_row_waits_for_nobody_and_hides_no_other(
    tmp_path: Path, row: int
) -> None:
    path = tmp_path / "journal.sqlite3"
    ends = (begun(1, "c-1"), interrupted(1), begun(2, "c-1"), interrupted(2), begun(3, "c-1"))
    record(*ends, path=path).close()
    damage.no_json(path, row)
    store = Store(path)
    assert numbers(listing.resumable(store, "c-1", 0, 9)) == [2]
    if row == 1:
        assert numbers(listing.interrupted(store, 9)) == [2]
        assert numbers(listing.cut_off(store, 9)) == [3, 2]
        with pytest.raises(BrokenRowError):
            listing.begun(store, 1)
        with pytest.raises(BrokenRowError):
            listing.of_client(store, "c-1", 0)
    damage.no_json(path, 5)
    assert numbers(listing.open_now(store)) == []
    store.close()


def test_who_was_treated_when_a_row_was_written_is_known() -> None:
    store = record(begun(1, "c-1"), begun(2, "c-2"), ended(1, "stopped"), (0, "state", {}))
    assert [listing.treated_at(store, row) for row in (0, 1, 2, 3, 4)] == [
        set(), {"c-1"}, {"c-1", "c-2"}, {"c-1", "c-2"}, {"c-2"},
    ]  # fmt: skip
    store.close()


def test_the_beginning_of_a_treatment_is_found_by_its_number() -> None:
    store = record(begun(1, "c-1"), begun(7, "c-2"))
    found = listing.begun(store, 7)
    assert found is not None
    assert (found.id, found.body["client"]) == (2, "c-2")
    assert listing.begun(store, 2) is None
    store.close()


def exposed(treatment: int, zone: str) -> Written:
    return treatment, Kind.EXPOSURE, {"zone": zone}


def told(store: Store, treatment: int = 1) -> list[int]:
    return [row.id for row in listing.closing(store, treatment)]


def test_the_row_that_closed_a_treatment_tells_and_what_came_behind_it() -> None:
    still: tuple[Written, ...] = (
        begun(1, "c-1"), exposed(1, "nose"), exposed(2, "nose"), (1, Kind.ZONE, {}),
        exposed(1, "chin"),
    )  # fmt: skip
    store = record(*still)
    assert told(store) == [2, 5]
    store.close()
    store = record(*still, ended(1, "stopped"), exposed(1, "chin"), interrupted(1))
    assert told(store) == [6, 7, 8]
    assert told(store, 2) == [3]
    store.close()


def test_a_row_that_is_gone_from_a_treatment_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    store = record(begun(1, "c-1"), exposed(1, "nose"), exposed(1, "chin"), ended(1, "stopped"),
                   begun(2, "c-1"), path=path)  # fmt: skip
    store.close()
    damage.no_row(path, 3)
    store = Store(path)
    with pytest.raises(BrokenRowError) as caught:
        listing.closing(store, 1)
    assert (caught.value.row, caught.value.what) == (3, "it is missing or unreadable")
    decided = '{"row":3,"subject":"row"}'
    store.append([Stamped(9.0, WALL_S, 0, Kind.DECISION, decided)])
    assert told(store) == [4]
    store.close()


def test_where_the_closing_row_was_decided_on_the_rows_before_it_tell(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    record(begun(1, "c-1"), exposed(1, "nose"), ended(1, "stopped"), (0, "state", {}),
           path=path).close()  # fmt: skip
    damage.no_json(path, 3)
    store = Store(path)
    with pytest.raises(BrokenRowError):
        listing.closing(store, 1)
    store.append([Stamped(9.0, WALL_S, 0, Kind.DECISION, '{"row":3,"subject":"row"}')])
    assert told(store) == [2]
    store.close()


def test_a_client_of_whom_only_the_rows_know_is_found_among_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Store(None)
    text = '{"client":"c-\\"ä\\""}'
    store.append([Stamped(1.0, WALL_S, 1, Kind.TREATMENT, text)])
    store.append([Stamped(1.0, WALL_S, n, Kind.TREATMENT, '{"client":"x"}') for n in range(2, 6)])
    store.connection().execute("UPDATE treatments SET client = 'x' WHERE treatment = 1")
    store.connection().execute("DELETE FROM clients WHERE client <> 'x'")
    monkeypatch.setattr(listing, "LOOKED_THROUGH", 5)
    with pytest.raises(RecordError, match=r'row 1 began a treatment of c-"ä"'):
        listing.check_count(store, 'c-"ä"')
    monkeypatch.setattr(listing, "LOOKED_THROUGH", 4)
    listing.check_count(store, 'c-"ä"')  # that is longer ago than a dose counts
    store.close()
