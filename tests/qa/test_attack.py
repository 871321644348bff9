"""`corneum-sim attack record`: a sample of hostile edits, each found, and how it behaves."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from typer.testing import CliRunner

from qa.app import add_attack
from qa.attacks import edits, record

SAMPLE: Final = 200


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record.make(tmp_path_factory.mktemp("record"), 1)


def command(*words: str) -> Any:  # noqa: ANN401 - of typer
    app = typer.Typer()
    add_attack(app)
    app.command()(lambda: None)
    return CliRunner().invoke(app, ["attack", "record", *words])


@pytest.mark.hazard("H56", shows="works")
def test_every_edit_that_changes_what_is_read_back_is_found_by_both_verifiers(base: Path) -> None:
    said = record.run(SAMPLE, 1, base, None)
    assert (said["violations"], said["not_found"], said["disagreements"]) == (0, [], [])
    assert said["attacks"] + said["without_effect"] == said["runs"] == SAMPLE
    assert said["found"] == said["found_by_independent"] == said["attacks"] > 0.8 * SAMPLE
    assert set(said["by_edit"]) == set(edits.ALL)
    # A chain that is hashed anew may still not fit to the lists beside it.
    assert 0 < said["only_by_witness"] <= sum(said["by_edit"][name] for name in edits.BY_WITNESS)


def test_an_edit_that_is_not_found_and_verifiers_that_differ_are_violations() -> None:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"ours": None, "ours_alone": None},
        {"independent": None},
        {"changed": False, "ours": None, "ours_alone": None, "independent": None},
        {"ours": 0, "independent": None, "lists_only": True},
    )
    whole = {"changed": True, "ours": 3, "ours_alone": 3, "independent": 3, "lists_only": False}
    results: dict[int, dict[str, Any]] = {
        n: {"number": n, "edit": "edit", **whole, **change} for n, change in enumerate(changes)
    }
    said = record.figures(results, 1)
    assert (said["violations"], said["not_found"], said["disagreements"]) == (2, [1, 2], [1, 2])
    assert (said["attacks"], said["without_effect"]) == (4, 1)
    assert "not found: 1, 2" in record.text(said)
    assert "the verifiers disagree: 1, 2" in record.text(said)


def test_what_was_kept_is_not_done_again_and_gives_the_same_figures(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = str(tmp_path / "attack.jsonl")
    words = ("--n", "10", "--seed", "5", "--journal", str(base), "--resume", kept, "--json")
    first = command(*words)
    assert (first.exit_code, json.loads(first.stdout)["runs"]) == (0, 10)
    monkeypatch.setattr(record, "attack", None)
    again = command(*words)
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    other = command("--n", "10", "--seed", "6", "--journal", str(base), "--resume", kept)
    assert other.exit_code != 0


def test_a_record_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    done = command("--journal", str(tmp_path / "none.sqlite3"))
    assert done.exit_code == 2
    assert "is no file; name a journal.sqlite3" in done.output
