import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from tools.evidence.__main__ import TOP, main, make, write
from tools.evidence.page import Front
from tools.evidence.parts import COVERED_TESTS, DOCUMENTS, PARTS, Make, documents
from tools.evidence.results import Outcome, Result, cases_of, covered
from tools.evidence.versions import Commit
from tools.evidence.workshop import LATE, Workshop

NOW: Final = datetime(2030, 3, 17, 9, 30, tzinfo=UTC)


def shop_of(folder: Path, commit: Commit | None = None) -> Workshop:
    told = commit or Commit("", "", ())
    top = TOP if commit is None else folder  # no git there: the tree cannot change meanwhile
    return Workshop(top, folder, told, lambda _: None, quick=True)


def giving(result: Result) -> Make:
    return lambda _: result


def made(folder: Path, *results: Result) -> Front:
    parts: list[tuple[str, str, Make]] = [
        (f"part{n}", f"Part {n}", giving(result)) for n, result in enumerate(results)
    ]
    return make(shop_of(folder, Commit("", "", ())), NOW, parts)


def test_a_part_that_failed_stands_as_failed_on_the_page_with_what_failed(tmp_path: Path) -> None:
    bad = Result(Outcome.FAILED, "1 of 2 passed", failures=("tests.x.test_<b>",), command="make it")
    front = made(tmp_path, Result(Outcome.PASSED, "well"), bad)
    told = write(front, tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert front.failed == ("Part 1",)
    assert "Failed: Part 1" in page
    assert "tests.x.test_&lt;b&gt;" in page
    assert told["passed"] is False


def test_a_part_that_breaks_down_has_failed_and_the_others_are_made(tmp_path: Path) -> None:
    def broken(_: Workshop) -> Result:
        raise KeyError("gone")

    parts: list[tuple[str, str, Make]] = [
        ("a", "Broken", broken),
        ("b", "Whole", lambda _: Result(Outcome.PASSED, "well")),
    ]
    front = make(shop_of(tmp_path, Commit("", "", ())), NOW, parts)
    assert front.failed == ("Broken",)
    assert front.results["a"][1].says == "KeyError: 'gone'"
    assert front.results["b"][1].outcome is Outcome.PASSED


def test_what_was_not_measured_is_said_and_is_no_failure(tmp_path: Path) -> None:
    front = made(tmp_path, Result(Outcome.NOT_MEASURED, "not measured for this commit"))
    write(front, tmp_path)
    assert not front.failed
    assert "Not measured: Part 0." in (tmp_path / "index.html").read_text()


def test_a_tree_that_changed_meanwhile_is_a_failure(tmp_path: Path) -> None:
    other = Commit("0" * 40, "2030-03-17T00:00:00+00:00", ())
    front = make(shop_of(tmp_path, other), NOW, [])
    assert front.failed == ("Working tree",)


def test_the_page_needs_no_network_and_no_script(tmp_path: Path) -> None:
    front = made(tmp_path, Result(Outcome.PASSED, "well", files=("trace.md",)))
    write(front, tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert not re.search(r"https?:|<script|<img|<link|@import|url\(", page)
    assert 'href="trace.md"' in page
    assert json.loads((tmp_path / "evidence.json").read_text())["parts"]["part0"]["says"] == "well"


def test_the_documents_are_copied_and_the_anomalies_counted(tmp_path: Path) -> None:
    result = documents(shop_of(tmp_path))
    assert result.outcome is Outcome.PASSED
    assert {path.name for path in (tmp_path / "docs").iterdir()} == set(DOCUMENTS)


def test_every_part_of_the_issue_is_made() -> None:
    names = [name for name, _, _ in PARTS]
    assert len(set(names)) == len(names)
    assert {"tests", "scenarios", "matrix", "storm", "treatments", "posterior", "trace",
            "coverage", "exposure", "fuzz", "mutants", "mutation", "sbom", "versions",
            "anomalies"} <= set(names)  # fmt: skip


def test_coverage_is_measured_with_the_tests_of_make_coverage() -> None:
    recipe = (TOP / "Makefile").read_text().partition("\ncoverage:")[2].partition("\n\n")[0]
    assert set(re.findall(r"tests/\S+", recipe)) == set(COVERED_TESTS)


def test_a_folder_with_something_in_it_is_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept").write_text("")
    assert main(["--quick", "--out", str(tmp_path)]) == 2
    assert "--out" in capsys.readouterr().err


def test_junit_cases_are_counted_over_files_and_failures_named(tmp_path: Path) -> None:
    one, two = tmp_path / "one.xml", tmp_path / "two.xml"
    one.write_text(
        "<testsuites><testsuite><testcase classname='a' name='x'/>"
        "<testcase classname='a' name='y'><failure/><error/></testcase></testsuite></testsuites>"
    )
    two.write_text("<testsuite><testcase classname='b' name='z'><skipped/></testcase></testsuite>")
    cases = cases_of([one, two])
    assert (cases.total, cases.passed, cases.skipped, cases.failures) == (3, 1, 1, ("a.y",))
    with pytest.raises(ValueError, match=r"gone\.xml"):
        cases_of([tmp_path / "gone.xml"])


def test_coverage_is_read_in_percent_and_never_guessed(tmp_path: Path) -> None:
    report = tmp_path / "coverage.xml"
    report.write_text('<coverage line-rate="1" branch-rate="0.995"/>')
    assert covered(report) == (100.0, 99.5)
    report.write_text("<coverage/>")
    with pytest.raises(ValueError, match="no report"):
        covered(report)


def test_a_command_is_kept_as_a_log_and_one_that_hangs_is_ended(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    done = shop.python("version", ["platform"], 60.0)
    assert (done.code, done.log) == (0, "logs/version.txt")
    assert "exit 0" in (tmp_path / done.log).read_text()
    late = shop.python("late", ["timeit", "-n", "1000000000"], 0.2)
    assert late.code == LATE
    assert "no end within" in (tmp_path / late.log).read_text()
