"""Every shipped scenario: it reads well, it says the same when it is written anew, it holds."""

import tomllib
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from qa.scenarios.dump import dump_scenario
from qa.scenarios.load import load_scenario, parse_scenario
from qa.scenarios.play import play
from qa.scenarios.report_text import timeline

TOP = Path(__file__).resolve().parents[3]
FILES = sorted((TOP / "configs" / "scenarios").glob("*.toml"))
REGISTER = tomllib.loads((TOP / "docs" / "hazards.toml").read_text(encoding="utf-8"))
ORDINARY = ("day-", "refused-")
"""Scenarios in which nothing is broken: they show that a control is there."""


def _cases() -> list[ParameterSet]:
    cases = []
    for path in FILES:
        hazards = tomllib.loads(path.read_text(encoding="utf-8")).get("hazards", [])
        ordinary = path.stem.startswith(ORDINARY)
        mark = (
            pytest.mark.hazard(*hazards, shows="present")
            if ordinary
            else pytest.mark.hazard(*hazards, shows="works")
        )
        cases.append(pytest.param(path, id=path.stem, marks=mark))
    return cases


@pytest.mark.parametrize("path", _cases())
def test_the_scenario_holds(path: Path) -> None:
    played = play(load_scenario(path))
    assert played.passed, "\n".join(
        line
        for failure in played.failures
        for line in (
            f"expected: {failure.expected}",
            f"seen: {failure.seen}",
            *timeline(played, failure),
            f"replay: corneum-sim run {path} --seed {played.seed}",
        )
    )


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in FILES])
def test_a_scenario_that_is_written_anew_is_the_same(path: Path) -> None:
    scenario = load_scenario(path)
    assert parse_scenario(dump_scenario(scenario)) == scenario


def test_there_are_scenarios_for_the_register_and_for_the_day() -> None:
    assert len(FILES) >= 40
    assert sum(path.stem.startswith("day-") for path in FILES) >= 10


def test_every_scenario_names_hazards_of_the_register() -> None:
    known = {row["id"] for row in REGISTER["hazard"]}
    for path in FILES:
        scenario = load_scenario(path)
        assert scenario.hazards, path.name
        assert set(scenario.hazards) <= known, path.name


def test_no_two_scenarios_say_that_they_show_the_same() -> None:
    titles = [load_scenario(path).title for path in FILES]
    assert len(set(titles)) == len(titles)
