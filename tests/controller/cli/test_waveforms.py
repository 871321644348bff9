"""`corneum records verify` and `recover` with files of waveforms: words, JSON, exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.cli import main as command
from controller.config.paths import journal_path
from controller.record.chain import Stamped
from controller.record.journal import canonical
from controller.record.store import Store
from controller.treatment.kinds import Kind
from tests.controller.archive.takes import chunks, patch_test, record
from tests.controller.record import years
from tests.controller.record.years import Years

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    years.write(journal_path(tmp_path / "state"), Years(treatments=4, clients=2)).close()
    return tmp_path / "state"


@pytest.fixture
def path(state: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    made = record(state / "waveforms", patch_test())
    capsys.readouterr()
    return made


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Path) -> Run:
    monkeypatch.setenv("CORNEUM_STATE", str(state))
    monkeypatch.setenv("CORNEUM_ROLE", "technician")

    def _run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum", "records", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return _run


def note(state: Path, treatment: int, **body: object) -> None:
    """Write the row about the waveforms of a treatment."""
    store = Store(journal_path(state))
    store.append([Stamped(1.0, 1.9e9, treatment, Kind.WAVEFORM, canonical(body))])
    store.close()


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    _, end = chunks(bytes(data))[20]
    data[end - 40] ^= 0xFF
    path.write_bytes(bytes(data))


def test_what_became_of_each_file_is_told(run: Run, state: Path, path: Path) -> None:
    note(state, 1, file=path.name, sha256="0" * 64)
    note(state, 2, file="treatment-000002.mcap", sha256="0" * 64)
    note(state, 3, file=None, why="The recorder ended again and again.", lost_samples=9)
    path.with_name("treatment-000004.mcap").write_bytes(path.read_bytes()[:9000])
    code, out, _ = run("verify")
    assert code == 1
    assert out.splitlines()[2:] == [  # behind the rows and their end
        "Waveforms: 0 of 4 files are as recorded.",
        "  treatment 1: its file is not what was recorded",
        "  treatment 2: its file is not there",
        "  treatment 3: not recorded, or not to its end (The recorder ended again and again)",
        "  treatment 4: its file is not finished; perhaps its treatment is under way",
        "What is not finished can be: `corneum records recover`.",
    ]
    said = json.loads(run("verify", "--json")[1])
    assert said["ok"] is True
    assert [each["found"] for each in said["waveforms"]["others"]] == [
        "changed", "missing", "not recorded", "unfinished",
    ]  # fmt: skip


def test_a_file_that_is_gone_or_has_no_row_fails_no_check(run: Run, path: Path) -> None:
    code, out, _ = run("verify")
    assert code == 0
    assert "treatment 1: no row of the record names its file" in out
    path.unlink()
    assert "Waveforms" not in run("verify")[1]


def test_a_damaged_file_is_made_anew_and_what_is_missing_is_said_with_its_place(
    run: Run, path: Path
) -> None:
    damage(path)
    code, out, _ = run("recover", "1")
    assert code == 0
    first, gap, kept = out.splitlines()
    assert first.startswith("treatment-000001.mcap was made anew: 10.5 s, of which 0.3 s")
    assert gap.strip().startswith("0.2")
    assert "2030-03-17" in gap
    assert gap.endswith("a damaged part of the file was left out")
    assert kept.endswith("treatment-000001.mcap.damaged.")
    assert run("recover", "1")[1].startswith("treatment-000001.mcap is whole: 10.5 s.")


def test_the_same_is_said_as_json(run: Run, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40_000])
    code, out, _ = run("recover", "1", "--json")
    said = json.loads(out)
    assert code == 0
    assert (said["done"], said["whole"], said["cut"]) == ("recover", False, True)
    assert said["missing"] == []
    assert said["kept"].endswith(".damaged")


def test_without_a_number_every_file_and_the_lists_are_made_anew(
    run: Run, state: Path, path: Path
) -> None:
    path.with_name("treatment-000002.mcap").write_bytes(path.read_bytes()[:40_000])
    path.with_name("treatment-000003.mcap").write_bytes(b"")
    code, out, _ = run("recover")
    assert code == 1
    assert f"The lists of the record {journal_path(state)} were made anew from its rows." in out
    assert "treatment-000002.mcap was made anew" in out
    assert "treatment-000003.mcap does not begin as a file of waveforms (MCAP) does" in out
    assert "treatment-000001" not in out
    said = json.loads(run("recover", "--json")[1])
    assert said["waveforms"] == []
    assert len(said["failed"]) == 1


def test_a_treatment_without_a_file_and_a_number_that_is_none_are_refused(run: Run) -> None:
    code, _, err = run("recover", "16")
    assert code == 1
    assert "Treatment 16 has no file of waveforms" in err
    assert "corneum records verify" in err
    assert run("recover", "0")[0] == 2
