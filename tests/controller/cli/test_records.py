"""`corneum records`: what it says about the record, and its exit codes."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from controller.cli import main as command
from controller.config.paths import journal_path, port_lock
from controller.record.chain import Chained
from controller.record.locks import Lock
from controller.record.store import Store
from tests.controller.record import damage, years
from tests.controller.record.edits import bodies
from tests.controller.record.years import Years

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Path) -> Run:
    monkeypatch.setenv("CORNEUM_STATE", str(state))
    monkeypatch.setenv("CORNEUM_ROLE", "technician")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)

    def _run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum", "records", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return _run


@pytest.fixture
def record(state: Path) -> Path:
    years.write(journal_path(state), Years(treatments=4, clients=2)).close()
    return journal_path(state)


def test_a_whole_record_is_called_so(run: Run, record: Path) -> None:
    unproved = (
        "Its end is unproved: no witness has ever been told of it; `corneum records witness` tells "
        "them.\n"
    )
    assert run("verify") == (0, f"The record {record} is whole: 28 rows.\n{unproved}", "")


def test_each_broken_row_is_named_with_the_way_out(run: Run, record: Path) -> None:
    damage.other_json(record, 7)
    damage.no_json(record, 9)
    code, out, _ = run("verify")
    assert code == 1
    assert "  row 7: its content is not what was written\n  row 9: " in out
    assert "corneum records accept row N" in out


def test_where_no_record_is_one_is_not_made(run: Run, state: Path) -> None:
    code, _, err = run("verify")
    assert code == 1
    assert f"There is no record {journal_path(state)}" in err
    assert not state.exists()


def test_a_decision_is_a_row_that_names_who_and_why(run: Run, record: Path) -> None:
    damage.other_json(record, 7)
    code, out, err = run("accept", "row", "7", "--reason", "the paper sheet was read", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["row"] == 7
    with damage.editor(record) as connection:
        (text,) = bodies(connection, "decision")
    assert json.loads(text)["reason"] == "the paper sheet was read"
    assert json.loads(text)["who"]["role"] == "technician"


def test_a_break_that_was_accepted_is_told_and_fails_no_check(run: Run, record: Path) -> None:
    damage.other_json(record, 7)
    damage.no_json(record, 9)
    run("accept", "row", "7", "--reason", "the paper sheet was read")
    code, out, _ = run("verify", "--json")
    said = json.loads(out)
    assert (code, said["ok"], [each["row"] for each in said["breaks"]]) == (1, False, [9])
    run("accept", "row", "9", "--reason", "a power cut")
    code, out, _ = run("verify")
    assert code == 0
    assert f"The record {record} is whole but for 2 accepted breaks: 30 rows.\n" in out
    assert "  row 7: its content is not what was written; accepted by " in out
    assert out.count("(technician) at ") == 2
    assert ": the paper sheet was read\n" in out
    said = json.loads(run("verify", "--json")[1])
    assert (said["ok"], said["breaks"]) == (True, [])
    assert [each["reason"] for each in said["accepted"]] == [
        "the paper sheet was read",
        "a power cut",
    ]


def test_a_check_changes_no_file(run: Run, record: Path) -> None:
    before = {path.name: path.read_bytes() for path in record.parent.glob("[!r]*")}
    assert run("verify")[0] == 0
    after = {path.name: path.read_bytes() for path in record.parent.glob("[!r]*")}
    assert {name: after.get(name) for name in before} == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("row", "7", "--reason", "so"), "Row 7 of the record is as it was written"),
        (("row", "--reason", "so"), "There is nothing like row to decide on"),
        (("head", "3", "--reason", "so"), "There is nothing like head 3 to decide on"),
        (("tail", "--reason", "so"), "Name one of: row N, head, witness, clock"),
        (("head",), "needs a reason"),
    ],
)
def test_what_cannot_be_decided_is_said_in_a_sentence(
    run: Run, record: Path, words: tuple[str, ...], sentence: str
) -> None:
    code, _, err = run("accept", *words)
    assert code == 1
    assert sentence in err
    assert record.exists()


def test_lists_are_made_anew_from_the_rows(run: Run, record: Path) -> None:
    damage.lost_entry(record, 1)
    assert "corneum records recover" in run("verify")[1]
    assert run("recover")[0] == 0
    assert run("verify")[0] == 0


def test_no_list_is_made_anew_under_a_kernel_that_runs(run: Run, record: Path, state: Path) -> None:
    lock = Lock(port_lock(state, "/dev/null"))
    lock.take()
    code, _, err = run("recover")
    lock.release()
    assert code == 1
    assert "A kernel of this record runs" in err
    assert os.fspath(record)


def test_a_long_record_is_listed_page_by_page_each_treatment_once(run: Run, state: Path) -> None:
    years.write(journal_path(state), Years(treatments=53, clients=2)).close()
    for whose, numbers in (((), range(53, 0, -1)), (("--client", "c-1"), range(53, 0, -2))):
        found: list[int] = []
        page = ["--last", "10", "--json", *whose]
        while treatments := json.loads(run("list", *page)[1])["treatments"]:
            assert len(treatments) <= 10
            found += [each["treatment"] for each in treatments]
            page = ["--last", "10", "--json", *whose, "--before", str(found[-1])]
        assert found == list(numbers)
    assert "Older ones: the same with `--before 44`." in run("list", "--last", "10")[1]
    assert "Older ones" not in run("list", "--last", "10", "--before", "10")[1]
    assert "before no. 1 is on record" in run("list", "--before", "1")[1]


def test_a_page_reads_only_the_rows_of_its_treatments(
    run: Run, record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, rows = Store.read, list[int]()

    def counted(store: Store, ids: Iterable[int], *, skip_broken: bool = False) -> list[Chained]:
        wanted = list(ids)
        rows.extend(wanted)
        return read(store, wanted, skip_broken=skip_broken)

    monkeypatch.setattr(Store, "read", counted)
    run("list", "--last", "1", "--before", "3")
    two = Store(record)
    ids = {each for (each,) in two.ask("SELECT id FROM journal WHERE treatment = 2")}
    two.close()
    assert rows
    assert set(rows) <= ids
