"""A record that went back, or starts anew beside what was written here, is told."""

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from controller.api.requests import Request
from controller.kernel.service import Place, running
from controller.record import health
from controller.record.asker import plan_alone
from controller.record.chain import Stamped
from controller.record.decisions import accept_here
from controller.record.head_note import heads
from controller.record.health import LackingError
from controller.record.store import Store
from controller.record.verify import verify
from controller.safety.refusal import RefusedError
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, rig, service
from tests.controller.record.books import journal_in

TOM = {"name": "tom", "role": "technician", "origin": "local"}
JOURNAL = "journal.sqlite3"


def write(path: Path, *rows: int) -> None:
    """Write a row at each of these seconds, and close."""
    store = Store(path)
    for at_s in rows:
        store.append([Stamped(float(at_s), 1.9e9 + at_s, 0, "state", f'{{"at":{at_s}}}')])
    store.close()


def lacking(path: Path) -> str | None:
    store = Store(path)
    try:
        return store.lacking_sentence
    finally:
        store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "state" / JOURNAL
    write(made, 1, 2)
    return made


def went_back(path: Path) -> None:
    """An older copy is put in the place of the record."""
    older = path.parent.parent / "older"
    shutil.copy(path, older)
    write(path, 3, 4)
    _gone(path)
    shutil.copy(older, path)


def _gone(path: Path) -> None:
    for each in path.parent.glob(f"{JOURNAL}*"):
        each.unlink()


def without_log(path: Path) -> None:
    """Only the database file of a running record is put back, without its log."""
    store = Store(path)
    store.append([Stamped(3.0, 1.9e9, 0, "state", "{}")])
    copy = path.read_bytes()
    store.close()
    _gone(path)
    path.write_bytes(copy)


def empty(path: Path) -> None:
    """The copy is an empty file: all of the record was in its log."""
    _gone(path)
    path.write_bytes(b"")


def gone(path: Path) -> None:
    """The record is deleted."""
    _gone(path)


BACK = [went_back, without_log, empty, gone]


def test_a_record_that_only_grows_lacks_nothing(path: Path) -> None:
    for at_s in range(3, 9):
        write(path, at_s)
        assert lacking(path) is None
    assert [head.row for head in heads(path)] == [8]


@pytest.mark.hazard("H25", "H56", shows="works")
@pytest.mark.parametrize("back", BACK)
def test_what_went_back_or_starts_anew_is_told_with_row_and_way_out(path: Path, back) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    known = heads(path)[0]
    back(path)
    for _ in range(2):  # rows that come now hide nothing
        said = lacking(path)
        assert said is not None
        assert f"of journal {known.journal}" in said
        assert "together with its -wal and -shm" in said
        write(path, 100)
    store = Store(path)
    with pytest.raises(LackingError):
        health.believe(store, "c-1", ())
    store.close()


@pytest.mark.parametrize("back", BACK)
def test_after_a_decision_it_is_the_record(path: Path, back) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    back(path)
    accept_here({"subject": "head", "reason": "the card died"}, TOM, path.parent)
    assert lacking(path) is None
    write(path, 101)
    assert lacking(path) is None


def test_a_record_that_lacks_nothing_needs_no_decision(path: Path) -> None:
    with pytest.raises(RefusedError, match="lacks no row"):
        accept_here({"subject": "head", "reason": "to be sure"}, TOM, path.parent)


@pytest.mark.parametrize("role", ["practitioner", "supervisor", "viewer", "qa"])
def test_only_a_technician_decides_on_a_record(path: Path, role: str) -> None:
    gone(path)
    with pytest.raises(RefusedError, match=f"The role {role} may not"):
        accept_here({"subject": "head", "reason": "so"}, {**TOM, "role": role}, path.parent)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"file": "journal.sqlite3"}', "\x00" * 40])
def test_a_note_that_cannot_be_read_is_none_and_is_renewed(path: Path, text: str) -> None:
    (note,) = path.parent.glob("head-*.json")
    note.write_text(text)
    write(path, 3)
    assert lacking(path) is None
    assert json.loads(note.read_text())["row"] == 3


def test_a_note_with_any_damaged_byte_speaks_against_no_record(path: Path) -> None:
    (note,) = path.parent.glob("head-*.json")
    whole = note.read_bytes()
    for at in range(0, len(whole), 2):
        note.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
        assert lacking(path) is None, whole[at:]
    went_back(path)
    assert lacking(path) is not None


@pytest.mark.hazard("H25", "H56", shows="works")
@pytest.mark.parametrize("wrong", ["id = id - 1", "id = id + 1", "hash = '0' || substr(hash, 2)"])
def test_a_damaged_head_is_made_anew_where_row_and_note_say_the_same(
    path: Path, wrong: str
) -> None:
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute(f"UPDATE head SET {wrong}")  # noqa: S608
        file.commit()
    store = Store(path)
    assert store.lacking_sentence is None
    assert [store.take_mended(), store.take_mended()] == [True, False]
    store.close()
    write(path, 3)
    assert verify(path).ok


def test_a_damaged_head_beside_no_note_is_not_believed(path: Path) -> None:
    (note,) = path.parent.glob("head-*.json")
    note.unlink()
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE head SET hash = '0' || substr(hash, 2)")
        file.commit()
    assert lacking(path) is not None


def test_what_is_no_file_is_no_note_and_holds_up_no_start(path: Path) -> None:
    os.mkfifo(path.with_name("head-0.json"))
    path.with_name("head-1.json").mkdir()
    write(path, 3)
    assert lacking(path) is None
    assert len(heads(path)) == 1


def test_a_note_of_another_file_in_the_folder_counts_for_that_one_only(path: Path) -> None:
    write(path.with_name("another.sqlite3"), 1)
    assert lacking(path) is None
    assert [head.file for head in heads(path)] == [JOURNAL]


def test_the_note_lags_behind_by_a_second_at_most_and_never_runs_ahead(path: Path) -> None:
    store = Store(path)
    store.append([Stamped(10.0, 1.9e9, 0, "state", "{}")])
    store.append([Stamped(10.9, 1.9e9, 0, "state", "{}")])
    assert [head.row for head in heads(path)] == [3]
    store.append([Stamped(11.0, 1.9e9, 0, "state", "{}")])
    assert [head.row for head in heads(path)] == [5]
    store.close()


def test_a_plan_without_a_kernel_does_not_take_a_record_that_is_gone_for_none(path: Path) -> None:
    wish = {"program": "refresh", "client": "demo"}
    assert plan_alone(wish, path)["program"]
    gone(path)
    with pytest.raises(RefusedError, match="is gone"):
        plan_alone(wish, path)


@pytest.mark.hazard("H25", shows="works")
def test_a_kernel_on_a_record_that_went_back_starts_and_refuses_to_plan(path: Path) -> None:
    went_back(path)

    async def scenario() -> tuple[RefusedError, dict[str, object], dict[str, object], bool]:
        async with service(RigSpec(record=path.parent)) as made:
            with pytest.raises(RefusedError) as refused:
                await made.ask("treat", program="refresh", client="demo", zones=["nose"])
            await made.ask("stop")
            before = made.snapshot()
            said = {"subject": "head", "reason": "the backup is of today"}
            asked = Request.model_validate({"do": "accept", "who": TOM, "args": said})
            await made.kernel.handle(asked)
            await made.plan(program="refresh", client="demo", zones=["nose"])
            return refused.value, before, made.snapshot(), made.kernel.idle

    refused, before, after, idle = run_virtual(scenario())
    assert "lacks row" in refused.sentence
    assert "lacks row" in str(before["record"])
    assert [alarm["code"] for alarm in before["alarms"]] == ["R03"]  # type: ignore[attr-defined]
    assert after["record"]["trouble"] is None  # type: ignore[index]
    assert not after["alarms"]
    assert idle


def test_a_unit_that_was_armed_for_a_treatment_that_is_not_on_record_is_told(
    tmp_path: Path,
) -> None:
    async def scenario() -> list[object]:
        troubles: list[object] = []
        async with rig() as made:
            for folder in ("one", "one", "another"):
                outside = replace(made.outside(), journal=journal_in(tmp_path / folder))
                async with running(Place("virtual"), outside) as kernel:
                    person = Service(made, kernel)
                    await asyncio.sleep(20.0)  # every entry of the log is read by then
                    troubles.append(kernel.snapshot()["record"]["trouble"])
                    if not troubles[1:]:
                        await person.ask("treat", program="refresh", client="demo", zones=["nose"])
                        await person.until(lambda: made.flows, 30)
                        await person.ask("stop")
                        await person.until(lambda: kernel.idle)
                        await asyncio.sleep(20.0)
                        troubles.append(kernel.snapshot()["record"]["trouble"])
        return troubles

    before, own, again, elsewhere = run_virtual(scenario())
    assert (before, own, again) == (None, None, None)
    assert "was armed for treatment 1, and the newest on record is 0" in str(elsewhere)
