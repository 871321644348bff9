"""`corneum records backup`: one file, of one state, checked; and nothing half where it fails."""

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.cli import main as command
from controller.config import paths
from controller.record import earlier, read
from controller.record.chain import Stamped
from controller.record.store import Store
from controller.record.verify import verify
from tests.controller.record import damage, years
from tests.controller.record.books import rows_of
from tests.controller.record.years import Years

Run = Callable[..., tuple[int, str, str]]
ROWS = 28
"""Rows of the four treatments of `book`."""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def book(state: Path) -> Iterator[Store]:
    """The record as a kernel has it: open, with its rows in the log beside the file."""
    store = years.write(paths.journal_path(state), Years(treatments=4, clients=2))
    yield store
    store.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "usb").mkdir()
    return tmp_path / "usb" / "copy.sqlite3"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def backup(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum", "records", "backup", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return backup


@contextmanager
def no_room(limit_bytes: int) -> Iterator[None]:
    """Let this process write no file beyond a length, as a disk that is full there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def lies_beside(file: Path) -> list[str]:
    return sorted(each.name for each in file.parent.iterdir())


@pytest.mark.usefixtures("book")
def test_while_a_kernel_has_it_open_every_row_is_in_the_one_file(
    run: Run, state: Path, file: Path
) -> None:
    record = paths.journal_path(state)
    code, out, err = run(str(file), "--json")
    said = json.loads(out)
    assert (code, err, said["rows"], said["file"]) == (0, "", ROWS, str(file))
    assert lies_beside(file) == [file.name]
    assert file.stat().st_mode & 0o777 == 0o600
    assert rows_of(file) == rows_of(record)
    assert verify(file).ok


@pytest.mark.usefixtures("book")
def test_it_says_how_many_rows_there_are_and_which_is_the_newest(
    run: Run, state: Path, file: Path
) -> None:
    _, out, _ = run(str(file))
    begin = f"The record {paths.journal_path(state)} is copied to {file}, and the copy is whole: "
    assert out.startswith(f"{begin}{ROWS} rows, the newest with hash ")


def test_beside_no_kernel_nothing_is_left_beside_the_record(
    run: Run, book: Store, state: Path, file: Path
) -> None:
    book.close()
    before = lies_beside(paths.journal_path(state))
    assert run(str(file))[0] == 0
    assert lies_beside(paths.journal_path(state)) == before


def test_rows_that_are_written_meanwhile_are_not_in_it_and_do_not_hold_it_up(
    book: Store, state: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.record.backup.STEP_PAGES", 5)
    written: list[int] = []

    def write(page: int, _pages: int) -> None:
        written.append(page)
        book.append([Stamped(0.0, years.WALL_S, 4, "arm", "{}")])

    done = read.backup(state, file, write, earlier.untold)
    assert len(written) > 2
    assert (done.head.row, len(rows_of(file))) == (ROWS, ROWS)
    assert len(rows_of(paths.journal_path(state))) == ROWS + len(written)


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize("name", ["copy.sqlite3", "copy.sqlite3.new"])
def test_no_file_is_replaced(run: Run, file: Path, name: str) -> None:
    there = file.with_name(name)
    there.write_text("of somebody")
    code, out, err = run(str(file))
    assert (code, out) == (1, "")
    assert f"{there} is there already" in err
    assert (lies_beside(file), there.read_text()) == ([name], "of somebody")


@pytest.mark.usefixtures("book")
def test_a_folder_that_is_not_there_is_one_sentence(run: Run, file: Path) -> None:
    code, _, err = run(str(file.parent / "none" / "copy"))
    assert code == 1
    assert "cannot be written" in err
    assert "Name a file in a folder that is there" in err


@pytest.mark.usefixtures("book")
def test_a_disk_that_gets_full_leaves_nothing_half(run: Run, file: Path) -> None:
    with no_room(20_000):
        code, out, err = run(str(file))
    assert (code, out, lies_beside(file)) == (1, "", [])
    assert f"The backup {file}" in err
    assert "cannot be written" in err


def test_of_a_record_with_a_changed_row_no_backup_is_kept(
    run: Run, book: Store, state: Path, file: Path
) -> None:
    book.close()
    damage.other_json(paths.journal_path(state), 7)
    code, _, err = run(str(file))
    assert (code, lies_beside(file)) == (1, [])
    assert "is not whole, and was not kept" in err


def test_of_a_record_that_lost_its_end_no_backup_is_kept(
    run: Run, book: Store, state: Path, file: Path, tmp_path: Path
) -> None:
    record = paths.journal_path(state)
    early = tmp_path / "early"
    read.backup(state, early, earlier.untold, earlier.untold)
    book.append([Stamped(0.0, years.WALL_S, 4, "arm", "{}")])
    book.close()
    early.rename(record)
    code, _, err = run(str(file))
    assert (code, lies_beside(file)) == (1, [])
    assert str(record) in err


def test_where_there_is_no_record_no_file_is_made(run: Run, state: Path, file: Path) -> None:
    code, _, err = run(str(file))
    assert (code, lies_beside(file)) == (1, [])
    assert f"There is no record {paths.journal_path(state)}" in err
