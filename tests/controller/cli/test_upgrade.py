"""`corneum records upgrade`: what it says, and when it refuses."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.cli import main as command
from controller.config import paths
from controller.record.locks import Lock
from tests.controller.record import damage

MUSEUM = Path(__file__).parents[2] / "museum"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path))
    path = paths.journal_path(tmp_path)
    path.write_bytes(gzip.decompress((MUSEUM / "2026-11-29.sqlite3.gz").read_bytes()))
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def upgrade(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum", "records", "upgrade", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return upgrade


def test_it_says_which_form_the_record_has_now(run: Run, record: Path) -> None:
    said = f"The record {record} is in the form of this build (it was 2).\n"
    assert run() == (0, said, "")
    code, out, _ = run("--json")
    assert (code, json.loads(out)) == (
        0,
        {"done": "upgrade", "record": str(record), "was": 3, "kept": None},
    )


def test_where_rows_cannot_be_read_it_names_the_copy_and_how_to_see_which(
    run: Run, record: Path
) -> None:
    damage.no_page(record, 40)
    code, out, err = run()
    kept = record.with_name("journal.sqlite3.version-2.0")
    assert (code, err, kept.exists(), kept.stat().st_mode & 0o777) == (0, "", True, 0o600)
    assert f"the file as it was is {kept}. See which: `corneum records verify`." in out


def test_beside_a_kernel_nothing_is_converted(run: Run, record: Path) -> None:
    before = record.read_bytes()
    lock = Lock(paths.port_lock(record.parent, "/dev/ttyUSB0"))
    lock.take()
    try:
        code, out, err = run()
    finally:
        lock.release()
    assert code != 0
    assert out == ""
    assert "A kernel of this record runs" in err
    assert record.read_bytes() == before


def test_where_there_is_no_record_none_is_made(run: Run, record: Path) -> None:
    record.unlink()
    code, _, err = run()
    assert code != 0
    assert "There is no record" in err
    assert not record.exists()
