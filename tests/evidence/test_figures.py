import json
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

from tests.mutants.mutation import PARTS
from tests.mutants.run import ROOT
from tools.evidence import anomalies, collected
from tools.evidence.results import Outcome
from tools.evidence.versions import Commit, commit_of, differs_from_lock, versions
from tools.evidence.workshop import Workshop
from tools.register import load

HERE: Final = Commit("a" * 40, "2030-03-17T00:00:00+00:00", ())
DIRTY: Final = Commit("a" * 40, "2030-03-17T00:00:00+00:00", (" M docs/QA.md",))


def part(**more: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    usual = {"tried": 200, "killed": 196, "left": 0, "enough": True, "commit": HERE.id,
             "clean": True, "measured_at": "2030-03-16T20:00:00+00:00"}  # fmt: skip
    return usual | more


def shop_with(folder: Path, commit: Commit, parts: dict[str, dict[str, Any]] | None) -> Workshop:
    if parts is not None:
        (folder / ".mutation").mkdir()
        (folder / ".mutation" / "figures.json").write_text(json.dumps({"parts": parts}))
    return Workshop(folder, folder / "bundle", commit, lambda _: None)


def test_mutation_figures_of_this_commit_are_shown(tmp_path: Path) -> None:
    result = collected.mutation(shop_with(tmp_path, HERE, {name: part() for name in PARTS}))
    assert result.outcome is Outcome.PASSED
    assert "784 of 800" in result.says
    assert result.figures[0][1] == "196 of 200 (98.0%), measured 2030-03-16T20:00:00+00:00"


@pytest.mark.parametrize(
    ("commit", "more"),
    [(HERE, {"commit": "b" * 40}), (HERE, {"clean": False}), (DIRTY, {})],
    ids=["another commit", "measured with changes", "bundle with changes"],
)
def test_mutation_figures_of_anything_else_are_older_and_count_as_not_measured(
    tmp_path: Path, commit: Commit, more: dict[str, Any]
) -> None:
    parts = {name: part(**more) for name in PARTS}
    result = collected.mutation(shop_with(tmp_path, commit, parts))
    assert result.outcome is Outcome.NOT_MEASURED
    assert "not measured for this commit" in result.says
    assert all(figure.startswith("older: ") for _, figure in result.figures)


def test_a_part_that_is_missing_makes_the_whole_not_measured(tmp_path: Path) -> None:
    result = collected.mutation(shop_with(tmp_path, HERE, {"safety": part()}))
    assert result.outcome is Outcome.NOT_MEASURED
    assert "treatment" in result.says


def test_without_figures_nothing_is_invented(tmp_path: Path) -> None:
    result = collected.mutation(shop_with(tmp_path, HERE, None))
    assert (result.outcome, result.figures, result.files) == (Outcome.NOT_MEASURED, (), ())


def test_too_many_survivors_fail(tmp_path: Path) -> None:
    parts = {name: part() for name in PARTS} | {"safety": part(killed=100, enough=False)}
    result = collected.mutation(shop_with(tmp_path, HERE, parts))
    assert result.outcome is Outcome.FAILED
    assert result.failures[0].startswith("safety: 100 of 200")


def test_versions_tell_commit_changes_python_and_packages() -> None:
    commit = commit_of(ROOT)
    told = versions(ROOT, commit)
    assert told["commit"] == commit.id
    assert told["python"].startswith("CPython 3.")
    assert told["packages"]["pytest"]


def test_a_folder_that_is_no_checkout_has_no_commit(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == Commit("", "", ())
    assert not commit_of(tmp_path).is_clean


def test_a_package_that_is_not_as_locked_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "one-thing==1.0 \\\n    --hash=sha256:00\n"
        "other==2.0 ; python_version > '3' \\\nother==1.0 ; python_version < '3' \\\n"
    )
    assert differs_from_lock(lock, {"one-thing": "1.1", "other": "2.0", "third": "3"}) == [
        "one-thing 1.1 instead of 1.0"
    ]
    assert differs_from_lock(tmp_path / "none", {}) == ["none is missing"]


def test_the_anomalies_have_ids_of_their_own_and_known_hazards() -> None:
    found = anomalies.load()
    assert len({one.id for one in found}) == len(found)
    assert {hazard for one in found for hazard in one.hazards} <= set(load().by_id())


def test_the_page_of_anomalies_holds_what_the_register_leaves_open() -> None:
    page = anomalies.render(anomalies.load(), load())
    assert all(f"| {row.id} " in page for row in anomalies.left_open(load()))
    assert all(f"## {one.id} " in page for one in anomalies.load())


def test_an_anomaly_says_what_it_means_for_the_skin() -> None:
    row = {"id": "A01", "title": "t", "what": "w", "until": "u"}
    with pytest.raises(ValidationError, match="safety"):
        anomalies.Anomaly.model_validate(row)
