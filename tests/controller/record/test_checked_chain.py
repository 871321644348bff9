"""The check of a whole chain: what each kind of damage is called, and what its process tells."""

import asyncio
import json
import os
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from controller.record import links, verifier, words
from controller.record import verify as module
from controller.record.chain import GENESIS, Chained, Stamped
from controller.record.store import Store
from controller.record.verifier import _result, check_apart
from controller.record.verify import Break, CheckResult, Trail, verify
from controller.treatment.kinds import Kind
from qa.loop import run_virtual
from tests.controller.record import damage
from tests.controller.record.damage import editor
from tests.controller.record.edits import changing
from tests.controller.record.older import to_columns

WRITTEN: Final = "its content is not what was written"
FOLLOWS: Final = "it does not follow the row before it"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of six rows: two treatments of two clients, with their ends and a tip."""
    made = tmp_path / "a folder" / "journal.sqlite3"
    store = Store(made)
    for number, client in ((1, "c-1"), (2, "c-2")):
        bodies = (
            (Kind.TREATMENT, {"client": client}),
            (Kind.TIP, {"label": "A-1", "simulated": True}),
            (Kind.ENDED, {"outcome": "stopped"}),
        )
        store.append([Stamped(1.0, 1.9e9, number, kind, json.dumps(body)) for kind, body in bodies])
    store.close()
    return made


def changed(path: Path, statement: str) -> CheckResult:
    with editor(path) as connection:
        connection.execute(statement)
    return verify(path)


# -- rows ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("statement", "breaks"),
    [
        (changing("body", "'{}'", "id = 1"), [Break(1, WRITTEN)]),
        (changing("mono_s", "2.0", "id = 6"), [Break(6, WRITTEN)]),
        (
            "DELETE FROM journal WHERE id = 3",
            [Break(3, "it is missing, row 4 stands in its place")],
        ),
        (
            "DELETE FROM journal WHERE id < 3",
            [Break(1, "it is missing, row 3 stands in its place")],
        ),
        (
            "DELETE FROM journal WHERE id > 4",
            [Break(5, "it and all rows after it are missing: 6 rows were written")],
        ),
        ("UPDATE head SET hash = 'x'", [Break(6, "it is not the one that was written last")]),
        (
            "UPDATE head SET id = 5, hash = (SELECT hash FROM journal WHERE id = 5)",
            [Break(6, "it stands behind the one that was written last")],
        ),
        ("UPDATE head SET id = 5", [Break(5, "it is not the one that was written last")]),
        ("SELECT 1", []),
    ],
)
def test_each_kind_of_damage_has_its_words(path: Path, statement: str, breaks: list[Break]) -> None:
    found = changed(path, statement)
    assert (found.breaks, found.unreadable) == (breaks, None)
    assert found.rows == (breaks[0].row - 1 if breaks else 6)


def test_a_chain_without_its_head_is_damage_and_no_row_of_it_is_the_wrong_one(path: Path) -> None:
    found = changed(path, "DELETE FROM head")
    assert (found.breaks, found.rows, found.first_bad_id) == ([], 0, 0)
    assert found.sentence == (
        f"The record {path} is damaged, or is no record (the head of its chain is gone): leave it "
        f"where it is; {words.RESTORE}."
    )


def chained(row: int, before: str, own: str, *, holds: bool = True) -> Chained:
    made: Any = SimpleNamespace(id=row, prev_hash=before, hash=own, holds=holds)
    found: Chained = made
    return found


def test_behind_a_row_that_is_missing_or_broken_the_chain_begins_anew() -> None:
    trail = Trail()
    trail.follow([chained(1, GENESIS, "a"), chained(4, "x", "d"), chained(5, "d", "e")])
    trail.follow([chained(6, "other", "f"), chained(7, "f", "g", holds=False)])
    trail.follow([chained(8, "z", "h")])
    trail.end(8, "h")
    assert trail.row == 8
    assert trail.breaks == [
        Break(2, "it is missing, row 4 stands in its place"),
        Break(6, FOLLOWS),
        Break(7, WRITTEN),
    ]


def test_a_last_row_that_is_broken_is_not_told_twice() -> None:
    trail = Trail()
    trail.follow([chained(1, GENESIS, "a", holds=False)])
    trail.end(1, "b")
    assert trail.breaks == [Break(1, WRITTEN)]


@pytest.mark.parametrize("head", [3, 9])
def test_breaks_are_not_named_beyond_a_number(monkeypatch: pytest.MonkeyPatch, head: int) -> None:
    monkeypatch.setattr(module, "BREAKS_MAX", 2)
    trail = Trail()
    trail.follow([chained(row, "", "x", holds=False) for row in (1, 2, 3)])
    trail.end(head, "x")
    assert [each.row for each in trail.breaks] == [1, 2]
    assert trail.row == 2


def test_a_chain_that_begins_otherwise_does_not_follow() -> None:
    trail = Trail()
    trail.follow([chained(1, "x", "a")])
    assert trail.breaks == [Break(1, FOLLOWS)]


# -- pieces ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("damaged", [False, True])
def test_a_record_is_read_in_pieces_and_each_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, damaged: bool
) -> None:
    monkeypatch.setattr(module, "PIECE_ROWS", 2)
    if damaged:  # then each row is asked for by itself
        monkeypatch.setattr(module, "_run_over", lambda _connection, _trail, _last: False)
    told: list[tuple[int, int]] = []
    found = verify(path, lambda row, rows: told.append((row, rows)))
    assert told == [(2, 6), (4, 6), (6, 6)]
    assert found == CheckResult(path, 6)


def test_only_damage_lets_a_piece_be_read_row_by_row() -> None:
    class Broken:
        def __init__(self, code: int) -> None:
            self.code = code
            self.text_factory: object = str

        def execute(self, _question: str, _parameters: object) -> list[Any]:
            error = sqlite3.DatabaseError("so")
            error.sqlite_errorcode = self.code
            raise error

    asked: Any = Broken(sqlite3.SQLITE_CORRUPT)
    assert module._run_over(asked, Trail(), 6) is False
    assert links.links(asked, 1, 6, old=False) == []
    asked = Broken(sqlite3.SQLITE_BUSY)
    for ask in (
        lambda: module._run_over(asked, Trail(), 6),
        lambda: links.links(asked, 1, 6, old=True),
    ):
        with pytest.raises(sqlite3.DatabaseError, match=r"^so$"):
            ask()


def test_the_file_is_opened_to_be_read_by_whatever_name(path: Path) -> None:
    strange = path.parent / "50% ? of#it.sqlite3"
    path.rename(strange)
    assert verify(strange).ok
    missing = path.parent / "none.sqlite3"
    found = verify(missing)
    assert found.unreadable == (
        f"The record {missing} cannot be opened or written: rights or mount do not allow it "
        "(unable to open database file): mend the rights of the folder and of each "
        "journal.sqlite3* in it, or mount the disk writable."
    )
    assert not missing.exists()


# -- lists -----------------------------------------------------------------------------------------
ONE: Final = "1 entries of its lists do not fit to its rows"


@pytest.mark.parametrize(
    ("statement", "lists"),
    [
        ("DELETE FROM tips WHERE id = 2", ONE),
        ("UPDATE treatments SET closed_id = NULL WHERE treatment = 1", ONE),
        (
            "UPDATE treatments SET begun_id = 3 WHERE treatment = 1",
            "2 entries of its lists do not fit to its rows",
        ),
        (
            "UPDATE treatments SET client = 'c-2' WHERE treatment = 1",
            "2 entries of its lists do not fit to its rows",
        ),
        ("UPDATE clients SET treatments = 7 WHERE client = 'c-1'", ONE),
        ("PRAGMA user_version = 2", "its columns are not defined as this build defines them"),
        ("SELECT 1", None),
    ],
)
def test_entries_that_do_not_fit_are_counted(path: Path, statement: str, lists: str | None) -> None:
    found = changed(path, statement)
    assert (found.lists, found.breaks, found.rows) == (lists, [], 6)


def test_a_file_of_november_has_no_lists_that_could_lack_anything(path: Path) -> None:
    to_columns(path, 0)
    assert verify(path).ok


@pytest.mark.parametrize(("table", "what"), [("tips", "id"), ("listed", "listed.id")])
def test_a_list_whose_definition_is_damaged_leaves_the_rows_whole(
    path: Path, table: str, what: str
) -> None:
    with editor(path) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME COLUMN id TO i")
    found = verify(path)
    assert (found.breaks, found.rows, found.unreadable) == ([], 6, None)
    assert found.lists == f"no such column: {what}"


def test_an_index_that_sqlite_itself_finds_wrong_is_told_in_its_words(path: Path) -> None:
    damage.no_index(path, 1)
    found = verify(path)
    assert str(found.lists).startswith("*** in database main ***")
    assert (found.breaks, found.rows) == ([], 6)


# -- a process of its own --------------------------------------------------------------------------
WHOLE: Final = {"rows": 28, "breaks": [[7, "x", True]], "unreadable": None, "lists": "2 entries"}
ENDED_EARLY: Final = "The check of the record {} did not come to its end."


@pytest.mark.parametrize("change", [{}, {"rows": "many"}, {"breaks": None}, {"breaks": [[1, "x"]]}])
def test_what_the_process_says_is_the_verdict_or_it_did_not_come_to_its_end(
    path: Path, change: dict[str, Any]
) -> None:
    said = _result(path, json.dumps(WHOLE | change).encode())
    if change:
        assert said == CheckResult(path, unreadable=ENDED_EARLY.format(path))
    else:
        assert said == CheckResult(path, 28, [Break(7, "x", witnessed=True)], None, "2 entries")


@pytest.mark.parametrize("missing", WHOLE)
def test_what_lacks_a_word_is_no_verdict(path: Path, missing: str) -> None:
    said = {name: each for name, each in WHOLE.items() if name != missing}
    assert _result(path, json.dumps(said).encode()).unreadable == ENDED_EARLY.format(path)
    assert _result(path, b"").unreadable == ENDED_EARLY.format(path)


def test_the_process_says_one_line_and_takes_what_no_other_wants(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(os, "nice", asked.append)
    monkeypatch.setattr(
        os,
        "sched_setscheduler",
        lambda pid, how, which: asked.extend((pid, how, which.sched_priority)),
    )
    damage.no_json(path, 3)
    assert verifier.main([str(path)]) == 0
    assert capsys.readouterr().out == (
        '{"rows": 2, "breaks": [[3, "its content is not what was written", false]], '
        '"unreadable": null, "lists": null}\n'
    )
    assert asked == [0, os.SCHED_IDLE, 0, 19]


@pytest.mark.parametrize("missing", [OSError(1, "no"), AttributeError("no")])
def test_a_system_that_knows_no_priorities_checks_all_the_same(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    missing: Exception,
) -> None:
    def refuses(*_args: object) -> None:
        raise missing

    monkeypatch.setattr(os, "sched_setscheduler", refuses)
    monkeypatch.setattr(os, "nice", refuses if isinstance(missing, OSError) else lambda _by: None)
    assert verifier.main([str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 6


class Process:
    """A process that says something, says nothing for ever, or has ended already."""

    def __init__(self, said: bytes | None, *, ended: bool = False) -> None:
        self.said = said
        self.ended = ended
        self.killed = 0

    async def communicate(self) -> tuple[bytes, None]:
        if self.said is None:
            await asyncio.sleep(10**6)
        return self.said or b"", None

    def kill(self) -> None:
        self.killed += 1
        if self.ended:
            raise ProcessLookupError


@pytest.mark.parametrize(
    ("process", "takes_s", "rows"),
    [
        (Process(json.dumps(WHOLE).encode(), ended=True), 0.0, 28),
        (Process(json.dumps(WHOLE).encode()), 0.0, 28),
        (Process(None), 3000.0, 0),
    ],
)
def test_the_check_is_asked_of_this_python_and_never_outlives_its_time(
    path: Path, monkeypatch: pytest.MonkeyPatch, process: Process, takes_s: float, rows: int
) -> None:
    asked: list[Any] = []

    async def create(*words: str, **pipes: int) -> Process:
        asked.extend((words, pipes))
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", create)
    monkeypatch.setattr(verifier, "CHECK_MAX_S", 3000.0)  # virtual time goes on for an hour

    async def scenario() -> tuple[CheckResult, float]:
        began_s = asyncio.get_running_loop().time()
        found = await check_apart(path)
        return found, asyncio.get_running_loop().time() - began_s

    found, took_s = run_virtual(scenario())
    assert took_s == pytest.approx(takes_s)
    assert (found.rows, found.path, process.killed) == (rows, path, 1)
    null, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    assert asked == [
        (sys.executable, "-m", "controller.record.verifier", str(path)),
        {"stdin": null, "stdout": pipe, "stderr": null},
    ]


def test_a_computer_that_starts_no_process_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def create(*_words: str, **_pipes: int) -> Process:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", create)
    said = f"The record {path} cannot be checked ([Errno 12] Cannot allocate memory)."
    assert run_virtual(check_apart(path)) == CheckResult(path, unreadable=said)
