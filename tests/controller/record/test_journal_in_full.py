"""The journal's promises one by one: what is counted, when written, and what ends a failure."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from controller.record.chain import Stamped
from controller.record.health import RecordHealth
from controller.record.journal import (
    LAG_MAX_S,
    NOTE_DELAY_S,
    NOTES_MAX,
    Journal,
    Row,
    canonical,
)
from controller.record.store import RecordError, Store
from controller.record.writer import InlineWriter
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from tests.controller.record.books import (
    CrowdedStore,
    SilentWriter,
    SlowWriter,
    journal_in,
    rows_of,
)

STATE: Final = Row(Kind.STATE, {"at": 1}, 7)


class Full:
    """A queue that takes no job while ``full``, before an inline writer."""

    def __init__(self) -> None:
        self.full = True
        self._inline = InlineWriter(Store(None))

    def submit(self, job: Callable[[Store], Any]) -> "asyncio.Future[Any]":
        if self.full:
            raise RecordError("The queue is full.")
        return self._inline.submit(job)

    def close(self) -> None:
        self._inline.close()


# -- rows ------------------------------------------------------------------------------------------
def test_rows_are_stamped_to_the_microsecond_with_all_that_they_say() -> None:
    async def scenario() -> list[Any]:
        store = Store(None)
        made = Journal(InlineWriter(store), lambda: 1.9e9 + 1 / 3, folder=None)
        await asyncio.sleep(1 / 3)
        await made.commit([STATE])
        found = store.rows("1")
        await made.close()
        return [Stamped(*row[1:6]) for row in found]

    (row,) = run_virtual(scenario())
    assert row[1:] == (1.9e9 + 0.333333, 7, "state", '{"at":1}')
    assert row.mono_s == round(row.mono_s, 6) != round(row.mono_s, 5)


def test_bodies_are_canonical() -> None:
    body = {"ä": [1, (2.5, None)], "a": {"z": True, "b": "é"}}
    assert canonical(body) == '{"a":{"b":"é","z":true},"ä":[1,[2.5,null]]}'
    assert canonical({"a": (float("nan"), [float("-inf"), "x"], 7)}) == '{"a":[null,[null,"x"],7]}'


def test_what_is_known_of_a_new_journal(tmp_path: Path) -> None:
    made = journal_in(tmp_path)
    assert (made.path, made.rows, made.failure, made.check) == (
        tmp_path / "journal.sqlite3", 0, None, None,
    )  # fmt: skip
    assert made.health == RecordHealth()
    assert journal_in().path is None


def test_rows_of_the_file_are_counted_whoever_wrote_them(tmp_path: Path) -> None:
    async def scenario() -> list[int]:
        made, other = journal_in(tmp_path), journal_in(tmp_path)
        counts = []
        await other.commit([STATE] * 3)
        await made.preflight()
        counts.append(made.rows)
        await made.commit([STATE, STATE])
        counts.append(made.rows)
        assert await made.book([Row(Kind.TREATMENT, {"client": "c-1"})]) == 1
        counts.append(made.rows)
        refused: list[str | None] = [None, "no"]
        assert await made.commit_unless(STATE, lambda _store: refused[0]) is None
        counts.append(made.rows)
        assert await made.commit_unless(STATE, lambda _store: refused[1]) == "no"
        counts.append(made.rows)
        made.note(STATE)
        await asyncio.sleep(NOTE_DELAY_S + 0.001)
        counts.append(made.rows)
        await made.close()
        await other.close()
        return counts

    assert run_virtual(scenario()) == [3, 5, 6, 7, 7, 8]
    assert len(rows_of(tmp_path / "journal.sqlite3")) == 8


# -- when ------------------------------------------------------------------------------------------
def test_notes_wait_for_the_first_of_them_and_a_commit_takes_them_along(tmp_path: Path) -> None:
    async def scenario() -> list[int]:
        made, path = journal_in(tmp_path), tmp_path / "journal.sqlite3"
        counts = []
        await made.commit([STATE])
        for _ in range(3):
            made.note(STATE)
            await asyncio.sleep(0.04)
            counts.append(len(rows_of(path)))
        made.note(STATE)
        await asyncio.sleep(0.05)
        made.note(STATE)
        await made.commit([STATE])
        counts.append(len(rows_of(path)))
        made.note(STATE)
        await asyncio.sleep(0.06)  # the timer of the notes that went along is not that of this one
        counts.append(len(rows_of(path)))
        await made.close()
        counts.append(len(rows_of(path)))
        return counts

    assert run_virtual(scenario()) == [1, 1, 4, 7, 7, 8]


def test_nothing_is_written_where_nothing_waits() -> None:
    class Counting(InlineWriter):
        jobs = 0

        def submit(self, job: Callable[[Store], Any]) -> "asyncio.Future[Any]":
            self.jobs += 1
            return super().submit(job)

    async def scenario() -> int:
        writer = Counting(Store(None))
        made = journal_in(None, writer)
        await made.read(Store.probe)
        await made.close()
        return writer.jobs

    assert run_virtual(scenario()) == 1


# -- failures --------------------------------------------------------------------------------------
def test_a_row_that_is_late_is_a_failure_only_beyond_a_second() -> None:
    async def scenario() -> list[bool]:
        made = journal_in(None, SlowWriter(Store(None), 0.9))
        made.note(STATE)
        found = []
        await asyncio.sleep(NOTE_DELAY_S + 0.5)
        made.note(STATE)
        for _ in range(3):
            await asyncio.sleep(0.39)
            found.append(made.failure is None)
        await made.close()
        return found

    assert run_virtual(scenario()) == [True, True, True]  # each of both was in time

    async def exactly() -> list[bool]:
        made = journal_in(None, SilentWriter())
        _ = made._submit([])
        await asyncio.sleep(LAG_MAX_S)
        found = [made.failure is None]
        await asyncio.sleep(0.001)
        return [*found, made.failure is None]

    assert run_virtual(exactly()) == [True, False]


def test_a_failure_stands_until_it_is_proved_again_and_what_was_lost_is_counted(
    tmp_path: Path,
) -> None:
    async def scenario() -> list[Any]:
        store = CrowdedStore(tmp_path / "journal.sqlite3")
        made = journal_in(tmp_path, InlineWriter(store))
        await made.preflight()
        store.full = True
        big = Row(Kind.EXPOSURE, {"padding": "x" * 20_000})
        made.note(big)
        made.note(STATE)
        with pytest.raises(RecordError) as caught:
            await made.commit([STATE])
        seen: list[Any] = [made.failure == str(caught.value)]
        with pytest.raises(RecordError):
            await made.book([Row(Kind.TREATMENT, dict(big.body))])
        seen.append(made.failure == str(caught.value))  # what came first stands
        store.full = False
        await made.preflight()
        seen.append(made.failure)
        await made.preflight()
        await made.close()
        return seen

    assert run_virtual(scenario()) == [True, True, None]
    found = [(kind, body) for _, kind, body in rows_of(tmp_path / "journal.sqlite3")]
    assert found == [("gap", '{"lost_rows":4}')]  # two notes and two commits, told once


def test_notes_beyond_what_is_kept_are_lost_and_counted(tmp_path: Path) -> None:
    async def scenario() -> str | None:
        made = journal_in(tmp_path)
        for _ in range(NOTES_MAX + 5):
            made.note(STATE)
        failure = made.failure
        await made.preflight()
        assert made.failure is None
        await made.close()
        return failure

    said = f"The journal in {tmp_path} does not keep up with what happens."
    assert run_virtual(scenario()) == said
    found = [(kind, body) for _, kind, body in rows_of(tmp_path / "journal.sqlite3")]
    assert found[NOTES_MAX:] == [("gap", '{"lost_rows":5}')]
    assert {kind for kind, _ in found[:NOTES_MAX]} == {"state"}


def test_a_queue_that_is_full_fails_the_commit_and_the_note() -> None:
    async def scenario() -> list[str | None]:
        writer = Full()
        made = journal_in(None, writer)
        with pytest.raises(RecordError, match=r"^The queue is full\.$"):
            await made.commit([STATE])
        writer.full = False
        await made.preflight()
        seen = [made.failure]
        writer.full = True
        made.note(STATE)
        await asyncio.sleep(NOTE_DELAY_S + 0.001)
        seen.append(made.failure)
        writer.full = False
        await made.close()
        return seen

    assert run_virtual(scenario()) == [None, "The queue is full."]


def test_an_error_of_sqlite_in_a_question_is_a_sentence_about_this_record(tmp_path: Path) -> None:
    def fails(_store: Store) -> None:
        raise sqlite3.IntegrityError("so")

    async def scenario() -> str:
        made = journal_in(tmp_path)
        with pytest.raises(RecordError) as caught:
            await made.read(fails)
        await made.close()
        return str(caught.value)

    path = tmp_path / "journal.sqlite3"
    assert run_virtual(scenario()).startswith(f"The record {path} is damaged, or is no record (so)")


def test_lists_that_had_to_be_made_anew_are_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_once = iter([True, False])
    monkeypatch.setattr(Store, "take_mended", lambda _store: next(told_once))

    async def scenario() -> None:
        made = journal_in(tmp_path)
        await made.preflight()
        await made.preflight()
        await made.close()

    run_virtual(scenario())
    found = [(kind, body) for _, kind, body in rows_of(tmp_path / "journal.sqlite3")]
    assert found == [("lists_mended", "{}")]


def test_a_record_that_was_opened_is_proved_within_a_second() -> None:
    async def scenario() -> float:
        writer = InlineWriter(Store(None))
        made = journal_in(None, writer)
        await made.preflight()
        made._writer = SilentWriter()
        began_s = asyncio.get_running_loop().time()
        with pytest.raises(RecordError):
            await made.preflight()
        return asyncio.get_running_loop().time() - began_s

    assert run_virtual(scenario()) == pytest.approx(LAG_MAX_S)
