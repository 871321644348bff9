"""After years of treatments each question of a start is still answered at once."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from controller.record.store import Store
from controller.record.verify import verify
from tests.controller.record import years
from tests.controller.record.older import to_columns
from tests.controller.record.years import Years

QUESTION_MAX_S = 0.050
LONGER_MAX = 1.1
"""What is the last of all costs a few steps less to find."""

LATELY = Years(treatments=600, one_interrupted_in=5, clients=30)
"""120 are interrupted and wait, as after 12,000 treatments of which one in 100 is."""


def steps(clinic: Years) -> dict[str, int]:
    """Return how many steps of the database's machine each question of a start takes."""
    store, taken = years.write(None, clinic), Counter[str]()
    for name, question in years.questions(clinic).items():

        def step(name: str = name) -> int:
            taken[name] += 1
            return 0

        store.connection().set_progress_handler(step, 1)
        question(store)
        store.connection().set_progress_handler(None, 1)
    store.close()
    return dict(taken)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("years") / "journal.sqlite3"
    years.write(path, LATELY).close()
    return path


@pytest.mark.parametrize("name", years.questions(LATELY))
def test_a_question_of_a_start_takes_less_than_50_ms(record: Path, name: str) -> None:
    store = Store(record)
    store.probe()
    assert years.took_s(store, years.questions(LATELY)[name]) < QUESTION_MAX_S
    store.close()


def test_no_question_reads_through_all_treatments(record: Path) -> None:
    asked: list[str] = []
    store = Store(record)
    store.connection().set_trace_callback(asked.append)
    for question in years.questions(LATELY).values():
        question(store)
    store.connection().set_trace_callback(None)
    plans = {
        (statement, line[3])
        for statement in set(asked)
        for line in store.connection().execute(f"EXPLAIN QUERY PLAN {statement}")
    }
    store.close()
    assert asked
    short = ("head", "USING INDEX treatments_open")  # the head is one row, open ones are a few
    assert not [
        plan
        for plan in plans
        if "SCAN" in plan[1] and not any(each in " ".join(plan) for each in short)
    ]


def test_no_question_takes_longer_because_others_were_treated_for_years() -> None:
    few = steps(Years(treatments=60, one_interrupted_in=6, clients=3, tips=5))
    many = steps(Years(treatments=600, one_interrupted_in=60, clients=30, tips=50))
    assert few
    assert not {
        name: (few[name], many[name]) for name in few if not many[name] <= LONGER_MAX * few[name]
    }


def test_a_record_of_november_gets_its_lists_and_keeps_its_chain(record: Path) -> None:
    with closing(sqlite3.connect(record)) as now:
        head = now.execute("SELECT id, hash FROM head").fetchone()
        listed = now.execute("SELECT * FROM treatments").fetchall()
    old = record.with_name("november.sqlite3")
    with closing(sqlite3.connect(record)) as now:
        now.execute("VACUUM INTO ?", (str(old),))
    to_columns(old, 0)
    store = Store(old)
    assert store.ask("SELECT * FROM treatments") == listed
    assert store.ask("SELECT id, hash FROM head") == [head]
    store.close()
    assert verify(old).ok


def test_rows_that_a_build_of_november_adds_are_listed_when_the_record_is_opened(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.sqlite3"
    store = years.write(path, Years(treatments=3, clients=1))
    whole = store.ask("SELECT * FROM treatments")
    store.close()
    with closing(sqlite3.connect(path)) as behind:  # that build knows of no lists
        behind.execute("DELETE FROM treatments WHERE treatment = 3")
        behind.execute("UPDATE clients SET treatments = 2")
        behind.execute("DELETE FROM tips WHERE treatment = 3")
        behind.execute("UPDATE listed SET id = (SELECT max(id) FROM journal WHERE treatment = 2)")
        behind.commit()
    store = Store(path)
    assert store.ask("SELECT * FROM treatments") == whole
    store.close()
    assert verify(path).ok
