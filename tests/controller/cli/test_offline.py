"""What `corneum` says and does about the record where no kernel runs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.cli import main as command
from controller.cli.outcome import ExitCode
from controller.config.paths import journal_path
from tests.controller.record.crashed import crashed

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Path) -> Run:
    monkeypatch.setenv("CORNEUM_STATE", str(state))
    monkeypatch.delenv("SSH_CONNECTION", raising=False)

    def _run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return _run


@pytest.mark.hazard("H12")
def test_status_without_a_kernel_names_who_where_since_when_the_charge_and_the_next_step(
    run: Run, state: Path
) -> None:
    crashed(journal_path(state))
    code, out, err = run("status")
    assert code == ExitCode.PORT
    assert err.startswith("No kernel runs")
    assert "cut off: treatment 1, Refresh for c-0042 on unit 4711, begun by anna" in out
    assert "; its last word is of 20" in out
    assert "Nose: 1.85 s that nobody saw will be charged at the worst case, 0.19 µm" in out
    assert "exposure bound 1.19 of 3.00 µm" in out
    assert "`corneum treat refresh --client c-0042 --port PORT --resume`" in out
    assert "`corneum dismiss 1 --reason WHY`" in out


def test_status_without_a_kernel_is_one_object_with_json(run: Run, state: Path) -> None:
    crashed(journal_path(state), marked=True)
    code, out, _ = run("status", "--json")
    said = json.loads(out)
    assert code == ExitCode.PORT
    assert said["error"]["code"] == "no_kernel"
    assert [each["treatment"] for each in said["cut_off"]] == [1]
    assert said["cut_off"][0]["zones"][0]["zone"] == "nose"
    assert said["cut_off"][0]["marked"] is True


def test_status_without_a_record_says_that_no_kernel_runs_and_makes_none(
    run: Run, state: Path
) -> None:
    assert run("status")[:2] == (ExitCode.PORT, "")
    assert not state.exists()


def test_a_record_that_cannot_be_read_is_told_beside_it(run: Run, state: Path) -> None:
    state.mkdir()
    journal_path(state).write_bytes(b"no database" * 100)
    code, out, err = run("status")
    assert code == ExitCode.PORT
    assert "is damaged" in out
    assert err.startswith("No kernel runs")


def test_a_dismissal_without_a_kernel_is_noted_and_told(run: Run, state: Path) -> None:
    crashed(journal_path(state))
    code, out, err = run("dismiss", "1", "--reason", "went home", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"done": "dismiss", "port": None, "treatment": 1}
    assert run("status")[1] == ""
    code, _, err = run("dismiss", "1", "--reason", "went home")
    assert code == ExitCode.REFUSED
    assert err == "Treatment 1 is not unfinished. There is none.\n"


def test_past_treatments_are_listed_without_a_kernel(run: Run, state: Path) -> None:
    crashed(journal_path(state), marked=True)
    code, out, _ = run("records", "list")
    assert code == 0
    assert "c-0042" in out
    assert "cut off" in out
    code, out, _ = run("records", "list", "--client", "c-9")
    assert (code, out) == (0, f"No treatment of c-9 is on record in {state}.\n")
    said = json.loads(run("records", "list", "--json")[1])
    assert [each["outcome"] for each in said["treatments"]] == ["cut off"]
