"""The campaigns: samples of both, and a broken device that they catch, shrink and save."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from qa.campaigns.storm.draw import draw
from qa.campaigns.storm.run import Storm, blow
from qa.campaigns.sweep.run import PAIRS, all_cells, cell_of, key_of, sample
from qa.matrix.cells import Stage
from qa.matrix.rows import ROWS
from qa.scenarios.load import load_scenario
from tests.corneum_sim import app
from tests.qa.campaigns.broken import wear_out_the_lease

SEEDS = range(int(os.environ.get("STORM_SEEDS", "2")))
HANDFUL = 5
CELL = "line:silent active 0.5 own"


def _campaign(*words: object) -> Result:
    return CliRunner().invoke(app, ["campaign", *map(str, words), "--workers", "1"])


def _json(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _replays(result: Result) -> list[Path]:
    return [Path(command.split()[-1]) for command in _json(result)["replay"].values()]


# -- the matrix ------------------------------------------------------------------------------------
def test_the_full_matrix_has_every_row_state_phase_and_duration() -> None:
    cells = all_cells(1)
    assert len(cells) > 10_000
    assert {(cell.row, cell.stage) for cell in cells} == {(row, at) for row in ROWS for at in Stage}
    assert len({key_of(cell) for cell in cells}) == len(cells)
    assert len({cell.lasts_s for cell in cells}) >= 4
    assert len({cell.phase for cell in cells}) >= 8


def test_a_sample_takes_each_row_in_each_state_before_one_twice() -> None:
    assert len({(cell.row, cell.stage) for cell in sample(3, PAIRS)}) == PAIRS
    assert sample(3, 50) == sample(3, 50) != sample(4, 50)
    assert sorted(map(key_of, sample(3, 10**9))) == sorted(map(key_of, all_cells(3)))


def test_a_cell_is_found_again_by_its_words() -> None:
    assert all(cell_of(key_of(cell), 2) == cell for cell in sample(2, 100))
    for words in ("valve-slow", "none active 0 own", "valve-slow active 2 own"):
        with pytest.raises(ValueError, match="is n"):
            cell_of(words, 1)


@pytest.mark.hazard("H05", "H10", "H12", shows="works")
def test_a_sample_of_the_matrix_is_safe_in_time_and_has_its_map(tmp_path: Path) -> None:
    result = _campaign("matrix", "--n", 15, "--seed", 5, "--json", "--report", tmp_path)
    found = _json(result)
    assert (result.exit_code, found["runs"], found["violations"], found["seed"]) == (0, 15, 0, 5)
    assert found["of"] == len(all_cells(5))
    assert 0.0 < found["worst_share_of_budget"] <= 1.0
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("<rect") == 15
    assert json.loads((tmp_path / "matrix.json").read_text(encoding="utf-8")) == found


def test_one_cell_can_be_run_alone_and_the_table_is_for_people() -> None:
    result = _campaign("matrix", "--only", CELL)
    assert result.exit_code == 0
    assert "line:silent" in result.stdout
    assert "1 of" in result.stdout.splitlines()[-1]
    assert _campaign("matrix", "--only", "nothing").exit_code == 2


def test_a_device_that_outlives_its_lease_is_caught_by_the_matrix_and_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("matrix", "--only", CELL, "--seed", 77, "--report", tmp_path, "--json")
    with monkeypatch.context() as patch:
        wear_out_the_lease(patch)
        patch.setattr("tests.qa.campaigns.broken.WornLease.proven", True)
        caught = _campaign(*words)
        (path,) = _replays(caught)
        replayed = CliRunner().invoke(app, ["run", str(path)])
    assert (caught.exit_code, _json(caught)["violations"]) == (1, 1)
    (step,) = load_scenario(path).steps
    assert step.do == "bench-cell"
    assert step.lasts_s is not None
    assert step.lasts_s < ROWS["line:silent"].lasts_s
    assert replayed.exit_code == 1
    assert "to safety" in replayed.stdout


def test_a_disk_that_fills_up_under_a_campaign_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "index.html").symlink_to("/dev/full")
    result = _campaign("matrix", "--only", CELL, "--report", tmp_path)
    assert result.exit_code == 2
    assert "No space left on device; make room there or name another path" in result.stderr
    assert "None" not in result.stderr


# -- storms ----------------------------------------------------------------------------------------
@pytest.mark.hazard("H10", "H12", "H14", "H22", "H44", shows="works")
@pytest.mark.parametrize("number", SEEDS)
def test_in_a_storm_the_promise_holds_in_every_tick(number: int) -> None:
    blown = blow(Storm(11, number))
    replay = f"corneum-sim campaign storm --seed 11 --only {number}"
    assert blown["broken"] is None, f"{blown['broken']}; replay: {replay}"


def test_a_storm_follows_from_its_number_alone_and_never_has_two_faults_at_once() -> None:
    assert draw(1, 7) == draw(1, 7) != draw(1, 8)
    for number in range(50):
        until_s = 0.0
        for step in draw(2, number).steps:
            if step.do == "fault":
                assert step.at_s is not None
                assert step.lasts_s is not None
                assert step.at_s >= until_s
                until_s = step.at_s + step.lasts_s


@pytest.mark.hazard("H10", shows="works")
def test_a_device_that_outlives_its_lease_is_caught_in_a_storm_and_shrunk_to_a_handful(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("storm", "--only", 296, "--report", tmp_path, "--resume", tmp_path / "kept", "--json")
    with monkeypatch.context() as patch:
        wear_out_the_lease(patch)
        caught = _campaign(*words)
        (path,) = _replays(caught)
        replayed = CliRunner().invoke(app, ["run", str(path)])
    found = _json(caught)
    assert (caught.exit_code, found["runs"], found["violations"]) == (1, 1, 1)
    assert "only with a live lease" in found["broken"][0]["rule"]
    assert len(load_scenario(path).steps) <= HANDFUL
    assert replayed.exit_code == 1
    assert "a live lease" in replayed.stdout
    assert CliRunner().invoke(app, ["run", str(path)]).exit_code == 0  # a sound device
    again = _campaign(*words)  # everything is kept: nothing runs
    assert _json(again)["results_sha256"] == found["results_sha256"]
    assert _json(again)["replay"] == found["replay"]


def test_results_of_another_campaign_are_not_gone_on_with(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_text('{"campaign": "storm --seed 1", "sources": ""}\n', encoding="utf-8")
    result = _campaign("storm", "--only", 0, "--seed", 2, "--resume", kept)
    assert result.exit_code == 2
    assert "name another file" in result.stderr


def test_two_places_to_run_are_refused() -> None:
    result = _campaign("storm", "--dask", "tcp://127.0.0.1:1")
    assert result.exit_code == 2
    assert "give one of them" in result.stderr
