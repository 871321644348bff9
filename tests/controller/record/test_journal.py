"""The journal: durable when it says so, and never silent about what it could not write."""

import asyncio
import errno
import json
import math
import os
import re
import sqlite3
from pathlib import Path

import pytest

from controller.record.journal import (
    LAG_MAX_S,
    NOTE_DELAY_S,
    NOTES_MAX,
    OPEN_MAX_S,
    Row,
    canonical,
    check_folder,
)
from controller.record.store import RecordError, Store
from controller.record.verify import verify
from controller.record.writer import InlineWriter
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from tests.controller.record.books import CrowdedStore, SilentWriter, journal_in, rows, rows_of
from tests.controller.record.edits import bodies, meant


def test_a_committed_row_is_there_for_another_reader_when_commit_returns(tmp_path: Path) -> None:
    async def scenario() -> list[tuple[int, str, str]]:
        journal = journal_in(tmp_path)
        await journal.commit([Row(Kind.ARM, {"who": "anna"}, 7)])
        seen = rows_of(tmp_path / "journal.sqlite3")
        await journal.close()
        return seen

    assert run_virtual(scenario()) == [(1, "arm", '{"who":"anna"}')]


def test_notes_are_written_together_after_a_short_while(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, int]:
        journal = journal_in(tmp_path)
        await journal.commit(rows(1, Kind.BEGIN))
        for row in rows(5):
            journal.note(row)
        before = len(rows_of(tmp_path / "journal.sqlite3"))
        await asyncio.sleep(NOTE_DELAY_S + 0.01)
        after = len(rows_of(tmp_path / "journal.sqlite3"))
        await journal.close()
        return before, after

    assert run_virtual(scenario()) == (1, 6)


def test_notes_come_before_the_commit_that_followed_them(tmp_path: Path) -> None:
    async def scenario() -> None:
        journal = journal_in(tmp_path)
        journal.note(Row(Kind.EXPOSURE, {}))
        await journal.commit([Row(Kind.TRIP, {})])
        await journal.close()

    run_virtual(scenario())
    assert [kind for _, kind, _ in rows_of(tmp_path / "journal.sqlite3")] == ["exposure", "trip"]


def test_rows_carry_the_loops_time_and_the_wall_time_of_the_moment_they_were_said() -> None:
    async def scenario() -> tuple[float, float]:
        journal = journal_in()
        await asyncio.sleep(12.5)
        journal.note(Row(Kind.STATE, {}))
        await asyncio.sleep(1.0)
        row: tuple[float, float] = await journal.read(
            lambda store: (
                store.connection()
                .execute(f"SELECT {meant('mono_s, wall_s')} FROM journal")  # noqa: S608
                .fetchone()
            )
        )
        await journal.close()
        return row

    assert run_virtual(scenario()) == (12.5, 1.9e9)


def test_what_is_no_number_is_written_as_unknown() -> None:
    body = {"b": math.nan, "a": [math.inf, 1.5], "c": {"d": -math.inf}}
    assert canonical(body) == '{"a":[null,1.5],"b":null,"c":{"d":null}}'


@pytest.mark.hazard("H56")
def test_the_chain_goes_on_across_restarts(tmp_path: Path) -> None:
    async def scenario() -> None:
        for _ in range(3):
            journal = journal_in(tmp_path)
            await journal.commit(rows(4))
            await journal.close()

    run_virtual(scenario())
    verdict = verify(tmp_path / "journal.sqlite3")
    assert (verdict.ok, verdict.rows) == (True, 12)


def test_two_kernels_on_one_journal_keep_one_chain(tmp_path: Path) -> None:
    async def scenario() -> None:
        one, other = journal_in(tmp_path), journal_in(tmp_path)
        for _ in range(5):
            await one.commit(rows(2, treatment=1))
            await other.commit(rows(3, treatment=2))
        await one.close()
        await other.close()

    run_virtual(scenario())
    verdict = verify(tmp_path / "journal.sqlite3")
    assert (verdict.ok, verdict.rows) == (True, 25)


@pytest.mark.hazard("H40")
def test_a_full_disk_fails_the_commit_and_blocks_until_proved_again(tmp_path: Path) -> None:
    async def scenario() -> tuple[str | None, str | None]:
        store = CrowdedStore(tmp_path / "journal.sqlite3")
        journal = journal_in(tmp_path, InlineWriter(store))
        await journal.commit(rows(1))
        store.full = True
        with pytest.raises(RecordError, match=r"journal\.sqlite3 .* disk is full .* free space"):
            await journal.commit([Row(Kind.ARM, {"padding": "x" * 20_000})])
        failed = journal.failure
        store.full = False
        await journal.preflight()
        await journal.commit(rows(1))
        proved = journal.failure
        await journal.close()
        return failed, proved

    failed, proved = run_virtual(scenario())
    assert failed is not None
    assert "free space" in failed
    assert proved is None
    kinds = [kind for _, kind, _ in rows_of(tmp_path / "journal.sqlite3")]
    assert kinds == ["exposure", "gap", "exposure"]
    assert verify(tmp_path / "journal.sqlite3").ok


@pytest.mark.hazard("H40")
def test_a_note_that_cannot_be_written_is_told_by_failure_without_anybody_waiting() -> None:
    async def scenario() -> tuple[str | None, str | None]:
        store = CrowdedStore(None)
        journal = journal_in(None, InlineWriter(store))
        await journal.commit(rows(1))
        store.full = True
        journal.note(Row(Kind.EXPOSURE, {"padding": "x" * 20_000}))
        before = journal.failure
        await asyncio.sleep(NOTE_DELAY_S + 0.01)
        after = journal.failure
        await journal.close()
        return before, after

    before, after = run_virtual(scenario())
    assert before is None
    assert after is not None


@pytest.mark.hazard("H40")
def test_a_disk_that_hangs_is_a_failure_after_a_second_though_nobody_waits() -> None:
    async def scenario() -> tuple[str | None, str | None]:
        journal = journal_in(None, SilentWriter())
        journal.note(Row(Kind.EXPOSURE, {}))
        await asyncio.sleep(NOTE_DELAY_S + LAG_MAX_S - 0.01)
        before = journal.failure
        await asyncio.sleep(0.02)
        return before, journal.failure

    before, after = run_virtual(scenario())
    assert before is None
    assert after is not None
    assert "too slow or hangs" in after


@pytest.mark.hazard("H40")
@pytest.mark.parametrize(
    ("question", "waits_s"),
    [("commit", LAG_MAX_S), ("read", LAG_MAX_S), ("preflight", OPEN_MAX_S)],
)
def test_nobody_waits_for_ever_for_a_disk_that_hangs(question: str, waits_s: float) -> None:
    async def scenario() -> float:
        journal = journal_in(None, SilentWriter())
        asked = {
            "commit": lambda: journal.commit(rows(1)),
            "read": lambda: journal.read(Store.probe),
            "preflight": journal.preflight,
        }
        began_s = asyncio.get_running_loop().time()
        with pytest.raises(RecordError, match="has not answered"):
            await asked[question]()
        return asyncio.get_running_loop().time() - began_s

    assert run_virtual(scenario()) == pytest.approx(waits_s)


def test_more_notes_than_any_treatment_makes_are_a_failure_not_growth() -> None:
    async def scenario() -> str | None:
        journal = journal_in()
        for _ in range(NOTES_MAX + 1):
            journal.note(Row(Kind.EXPOSURE, {}))
        failure = journal.failure
        await journal.close()
        return failure

    failure = run_virtual(scenario())
    assert failure is not None
    assert "does not keep up" in failure


def test_a_folder_without_room_is_named_with_what_it_has_and_what_is_needed(tmp_path: Path) -> None:
    async def scenario() -> None:
        await journal_in(tmp_path, free=lambda _folder: 12_300_000).preflight()

    with pytest.raises(RecordError) as caught:
        run_virtual(scenario())
    assert str(caught.value) == (
        f"The record folder {tmp_path} has 12.3 MB free and a treatment needs 100 MB: "
        "free 87.7 MB there or name another folder with CORNEUM_STATE."
    )


def test_a_read_only_folder_is_named_with_the_next_step(tmp_path: Path) -> None:
    folder = Path("/proc/corneum")  # not even root may make it
    if os.geteuid() != 0:
        folder = tmp_path
        folder.chmod(0o500)

    async def scenario() -> None:
        await journal_in(folder).preflight()

    with pytest.raises(RecordError, match=rf"{folder} .* mend its rights or name another folder"):
        run_virtual(scenario())


@pytest.mark.parametrize(
    ("number", "way"),
    [
        (errno.EROFS, "mount it writable"),
        (errno.ENOSPC, "free space there"),
        (errno.EDQUOT, "free space under its quota"),
        (errno.EACCES, "mend its rights"),
    ],
)
def test_a_folder_that_cannot_be_written_is_told_with_the_way_out_of_its_cause(
    tmp_path: Path, number: int, way: str
) -> None:
    def refused(_folder: Path) -> int:
        raise OSError(number, os.strerror(number))

    with pytest.raises(RecordError, match=f"{re.escape(os.strerror(number))}.*: {way} or name"):
        check_folder(tmp_path, refused)


def test_a_file_that_is_no_journal_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_text("this was a shopping list " * 100)

    async def scenario() -> None:
        await journal_in(tmp_path).preflight()

    with pytest.raises(RecordError, match="leave it where it is; put the newest backup back"):
        run_virtual(scenario())


def test_a_journal_whose_last_row_was_taken_says_so_until_that_is_decided(tmp_path: Path) -> None:
    async def write() -> None:
        journal = journal_in(tmp_path)
        await journal.commit(rows(3))
        await journal.close()

    async def again() -> str | None:
        journal = journal_in(tmp_path)
        await journal.preflight()
        await journal.commit(rows(1))
        await journal.close()
        return journal.health.lacking

    run_virtual(write())
    connection = sqlite3.connect(tmp_path / "journal.sqlite3")
    connection.execute("DROP TRIGGER journal_is_never_shortened")
    connection.execute("DELETE FROM journal WHERE id = 3")
    connection.commit()
    connection.close()
    for _ in range(2):  # rows that came meanwhile hide nothing
        lacking = run_virtual(again())
        assert lacking is not None
        assert "lacks row 3 of journal" in lacking


def test_a_cancelled_commit_is_written_all_the_same(tmp_path: Path) -> None:
    async def scenario() -> None:
        journal = journal_in(tmp_path)
        task = asyncio.create_task(journal.commit(rows(1)), name="commit")
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await journal.close()

    run_virtual(scenario())
    assert len(rows_of(tmp_path / "journal.sqlite3")) == 1


def test_what_is_read_sees_the_notes_that_were_said_before() -> None:
    async def scenario() -> str:
        journal = journal_in()
        journal.note(Row(Kind.LOWER, {"suction_kpa": 20.0}))
        (text,) = await journal.read(lambda store: bodies(store.connection(), "lower"))
        await journal.close()
        return str(text)

    assert json.loads(run_virtual(scenario())) == {"suction_kpa": 20.0}
