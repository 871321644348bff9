"""The command ``corneum-sim run``: lines, exit codes, JSON, JUnit XML and the HTML page."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from qa.scenarios.runner import Ran, Task, run_one
from tests.corneum_sim import app

GOOD = """
title = "A plan is refused"
hazards = ["H53", "H19"]
[[steps]]
do = "treat"
program = "none-such"
[[expect]]
check = "happens"
what = { refused = "config" }
exactly = 1
"""
BAD = GOOD.replace("exactly = 1", "exactly = 2").replace("A plan", "A <plan> & \\u0007 another")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.toml").write_text(f'name = "good"{GOOD}', encoding="utf-8")
    (tmp_path / "bad.toml").write_text(f'name = "bad"{BAD}', encoding="utf-8")
    return tmp_path


def _run(*words: object) -> Result:
    return CliRunner().invoke(app, ["run", *map(str, words)])


def test_each_scenario_has_a_line_and_a_failure_says_how_to_replay_it(folder: Path) -> None:
    result = _run(folder)
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0].split()[:2] == ["bad", "failed"]
    assert "expected: 'a request is refused with config' happens exactly 2 times" in result.stdout
    assert "seen:     1 times" in result.stdout
    assert "treat: refused (config)" in result.stdout
    assert f"replay:   corneum-sim run {folder / 'bad.toml'} --seed 1" in result.stdout
    assert "good" in lines[-2]
    assert lines[-1].startswith("2 scenarios, 1 failed")


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_run_that_a_person_stops_says_how_far_it_came(
    folder: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    def stopped(tasks: Sequence[Task], _workers: int) -> Iterator[Ran]:
        yield run_one(tasks[1])
        raise KeyboardInterrupt

    monkeypatch.setattr("qa.scenarios.runner.run_all", stopped)
    result = _run(folder, *more)
    assert result.exit_code == 5
    assert "stopped; 1 of 2 scenarios had been run" in result.stderr
    if more:
        said = json.loads(result.stdout)
        assert (said["stopped"], len(said["scenarios"])) == (True, 1)


def test_all_as_expected_is_exit_code_0_and_another_seed_gives_another_hash(folder: Path) -> None:
    results = [_run(folder / "good.toml", "--json", *more) for more in ((), (), ("--seed", "9"))]
    first, second, other = (json.loads(result.stdout)["scenarios"][0] for result in results)
    assert [result.exit_code for result in results] == [0, 0, 0]
    assert first["trace_sha256"] == second["trace_sha256"] != other["trace_sha256"]
    assert (first["seed"], other["seed"]) == (1, 9)


def test_json_is_one_object_with_what_is_promised(folder: Path) -> None:
    said = json.loads(_run(folder, "--json").stdout)
    assert said["failed"] == 1
    assert [each["name"] for each in said["scenarios"]] == ["bad", "good"]
    for each in said["scenarios"]:
        assert {"name", "outcome", "virtual_s", "wall_s", "trace_sha256"} <= set(each)


def test_a_mistake_is_exit_code_2_and_nothing_is_run(folder: Path) -> None:
    (folder / "wrong.toml").write_text(f'name = "wrong"\nhnad = "x"{GOOD}', encoding="utf-8")
    result = _run(folder)
    assert result.exit_code == 2
    assert result.stdout == ""
    wrong = folder / "wrong.toml"
    assert f'{wrong}:2: hnad = "x": there is no such field' in result.stderr
    as_json = _run(folder, "--json")
    assert as_json.exit_code == 2
    assert len(json.loads(as_json.stdout)["mistakes"]) == 1


def test_junit_is_well_formed_and_names_the_hazards(folder: Path) -> None:
    path = folder / "junit.xml"
    _run(folder, "--junit", path)
    (suite,) = ET.parse(path).getroot()  # noqa: S314  we have just written it
    bad, good = suite.findall("testcase")
    properties = [(each.get("name"), each.get("value")) for each in good.iter("property")]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert [value for name, value in properties if name == "hazard"] == ["H53", "H19"]
    assert dict(properties)["seed"] == "1"
    assert good.find("failure") is None
    failure = bad.find("failure")
    assert failure is not None
    assert "exactly 2 times" in (failure.get("message") or "")
    assert "replay:" in (failure.text or "")


class _Page(HTMLParser):
    """Collects what a page has, and whether every element that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_has_an_index_and_a_section_with_plots_for_each_and_asks_no_network(
    folder: Path,
) -> None:
    pytest.importorskip("matplotlib")
    report = folder / "report"
    _run(folder, "--report", report)
    page = _Page()
    text = (report / "index.html").read_text(encoding="utf-8")
    page.feed(text.removeprefix("<!DOCTYPE html>").replace('<meta charset="utf-8"/>', ""))
    assert page.open == []
    sections = [attrs["id"] for tag, attrs in page.seen if tag == "section"]
    assert sections == ["bad", "good"]
    links = [attrs["href"] for tag, attrs in page.seen if tag == "a"]
    assert links == ["#bad", "#good"]
    assert sum(tag == "svg" for tag, _ in page.seen) == 2
    assert {tag for tag, _ in page.seen}.isdisjoint({"script", "link", "img", "iframe"})
    references = [value or "" for _, attrs in page.seen for name, value in attrs.items()
                  if name in ("src", "href", "xlink:href")]  # fmt: skip
    assert all(reference.startswith("#") for reference in references)
    words = "".join(page.text)
    for axis in ("suction, kPa", "crystals, g/min", "exposure, µm", "seconds since power-on"):
        assert axis in words
    assert "A <plan> &" in words


def test_without_matplotlib_a_report_is_refused_before_anything_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa.scenarios.report_plots.can_draw", lambda: False)
    result = _run(folder, "--report", folder / "report")
    assert result.exit_code == 2
    assert "corneum-qa[reports]" in result.stderr
    assert result.stdout == ""


def test_a_report_that_cannot_be_written_is_said_in_a_sentence(folder: Path) -> None:
    result = _run(folder / "good.toml", "--junit", folder / "none" / "junit.xml")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_a_disk_that_is_full_is_said_in_a_sentence_that_names_the_file(folder: Path) -> None:
    result = _run(folder / "good.toml", "--junit", "/dev/full")
    assert result.exit_code == 2
    assert "/dev/full cannot be written: No space left on device" in result.stderr


@pytest.mark.realtime
def test_workers_give_the_same_results_in_the_same_order(folder: Path) -> None:
    alone, together = (json.loads(_run(folder, "--json", "-j", n).stdout) for n in (1, 2))
    for said in (alone, together):
        for each in said["scenarios"]:
            del each["wall_s"]
    assert alone == together


@pytest.mark.realtime
def test_the_other_commands_start_without_the_controller_and_the_scenarios() -> None:
    code = (
        "import sys, tests.corneum_sim; "
        "print([name for name in sys.modules if name.split('.')[0] in ('controller', 'matplotlib') "
        "or name.startswith('qa.scenarios')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
