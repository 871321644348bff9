"""The trace matrix: hazard, requirement, control, injection, tests, and their results.

A test belongs to a hazard by its mark, `@pytest.mark.hazard("H10", shows="works")`. What it shows
is one of three: "present", the control is there and decides as it must (the default); "works", the
hazard was injected into a running unit or service and the control acted in time; "hook", the
injection itself does what it says (the default below tests/simulator/plant). A hazard without a
test of the first and one of the second kind is an orphan.
"""

import os
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, unique
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tools.register import Hazard, Register, Standing

PLANT_TESTS: Final = "tests/simulator/plant/"


@unique
class Shows(Enum):
    """What a test shows about a hazard."""

    PRESENT = "present"
    WORKS = "works"
    HOOK = "hook"


class Evidence(NamedTuple):
    """One test of one hazard."""

    hazard: str
    shows: Shows
    test: str
    """Path and name, without parameters."""


class Orphan(NamedTuple):
    """A hazard that lacks evidence."""

    hazard: Hazard
    lacks: tuple[Shows, ...]


class _Collector:
    """A pytest plugin that keeps the marks of what was collected."""

    def __init__(self) -> None:
        self.found: dict[Evidence, None] = {}
        self.broken: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for mark in item.iter_markers("hazard"):
                self.found.update(dict.fromkeys(evidence_of(item.nodeid, mark)))


class Collected(NamedTuple):
    """What the tests say: their evidence, and the files that could not be read."""

    evidence: tuple[Evidence, ...]
    broken: tuple[str, ...]


def collect(top: Path) -> Collected:
    """Collect every test below ``top`` without running any, and return what their marks say."""
    collector = _Collector()
    before = Path.cwd()
    os.chdir(top)
    try:
        pytest.main(
            ["--collect-only", "-p", "no:terminal", "-p", "no:cacheprovider", "tests"],
            plugins=[collector],
        )
    finally:
        os.chdir(before)
    return Collected(tuple(sorted(collector.found, key=str)), tuple(collector.broken))


def evidence_of(nodeid: str, mark: pytest.Mark) -> list[Evidence]:
    """Return what one mark of one test says; ValueError where it shows nothing that we know."""
    test = nodeid.partition("[")[0]
    usual = Shows.HOOK if test.startswith(PLANT_TESTS) else Shows.PRESENT
    shows = Shows(mark.kwargs.get("shows", usual.value))
    return [Evidence(str(hazard), shows, test) for hazard in mark.args]


def orphans(register: Register, evidence: Iterable[Evidence]) -> tuple[Orphan, ...]:
    """Return each hazard that no test shows a control of, or none shows at work.

    Hazards outside of what this service can control have no test by nature, and those whose control
    comes later have none yet; the register says why of each.
    """
    had = {(one.hazard, one.shows) for one in evidence}
    needed = (Shows.PRESENT, Shows.WORKS)
    found = (
        Orphan(row, tuple(kind for kind in needed if (row.id, kind) not in had))
        for row in register.hazard
        if row.standing not in (Standing.OUTSIDE, Standing.LATER)
    )
    return tuple(orphan for orphan in found if orphan.lacks)


def strangers(register: Register, evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return the evidence for hazards that the register does not have."""
    known = register.by_id()
    return tuple(one for one in evidence if one.hazard not in known)


def complaints(register: Register, collected: Collected) -> tuple[str, ...]:
    """Return a sentence for each hazard without test, each test without hazard or without sense."""
    found = [f"{name} cannot be collected" for name in collected.broken]
    for one in orphans(register, collected.evidence):
        lacks = " and ".join(kind.value for kind in one.lacks)
        found.append(f"{one.hazard.id} ({one.hazard.title}) lacks a test: {lacks}")
    foreign = strangers(register, collected.evidence)
    return (*found, *(f"{one.test} names {one.hazard}, which is in no row" for one in foreign))


class ResultsError(Exception):
    """The file of results cannot be read; the text says why and what to do."""


def results_of(*junit: Path) -> Mapping[str, str]:
    """Return the worst result of each test of JUnit XML files that pytest wrote, by its name.

    Raises:
        ResultsError: there is no such file, or it is none.
    """
    results: dict[str, str] = {}
    for case in chain.from_iterable(_root(path).iter("testcase") for path in junit):
        name = f"{case.get('classname')}.{case.get('name', '').partition('[')[0]}"
        outcome = next(
            (kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None),
            "passed",
        )
        worst = _RANK.index(outcome) < _RANK.index(results.get(name, "passed"))
        results[name] = outcome if worst else results.get(name, "passed")
    return results


def _root(junit: Path) -> ET.Element:
    try:
        return ET.parse(junit).getroot()  # noqa: S314  our own tests wrote it
    except (OSError, ET.ParseError) as error:
        raise ResultsError(
            f"The results {junit} cannot be read ({error}): write them with pytest --junit-xml."
        ) from error


NOT_RUN: Final = "not run"
"""The result of a test that the JUnit file does not tell of, and of all without such a file."""

_RANK: Final = ("failure", "error", NOT_RUN, "skipped", "passed")


def result_of(test: str, results: Mapping[str, str] | None) -> str:
    """Return what came of one test, by its path and name."""
    return NOT_RUN if results is None else results.get(_dotted(test), NOT_RUN)


def render_trace(
    register: Register, collected: Collected, results: Mapping[str, str] | None = None
) -> str:
    """Return the matrix as Markdown, with the orphans at its end."""
    lines = [
        "# Trace matrix",
        "",
        _cells("hazard", "requirement", "device", "host", "injection", "shows", "test", "result"),
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in register.hazard:
        tests = [one for one in collected.evidence if one.hazard == row.id]
        lines += _rows(row, tests, results)
    lines += ["", *_requirements(register, collected, results)]
    lines += ["", *_tail(register, collected)]
    return "\n".join(lines) + "\n"


def _rows(row: Hazard, tests: Sequence[Evidence], results: Mapping[str, str] | None) -> list[str]:
    control = (
        f"{row.id} {row.title}",
        " ".join(row.requirements),
        "<br>".join(row.device) or "-",
        "<br>".join(row.host) or "-",
        "<br>".join(row.inject) or "-",
    )
    if not tests:
        return [_cells(*control, "", f"none: {row.standing.value}", "")]
    first, *rest = [(one.shows.value, one.test, result_of(one.test, results)) for one in tests]
    return [_cells(*control, *first), *(_cells(row.id, "", "", "", "", *one) for one in rest)]


def _requirements(
    register: Register, collected: Collected, results: Mapping[str, str] | None
) -> list[str]:
    """Each requirement with its hazards, how many tests those have, and the worst result."""
    lines = [
        "## Requirements",
        "",
        _cells("requirement", "text", "hazards", "tests", "worst result"),
        "|---|---|---|---|---|",
    ]
    for one in register.requirement:
        hazards = [row.id for row in register.hazard if one.id in row.requirements]
        tests = {each.test for each in collected.evidence if each.hazard in hazards}
        worst = min((result_of(test, results) for test in tests), key=_RANK.index, default=NOT_RUN)
        lines.append(_cells(one.id, one.text, " ".join(hazards), str(len(tests)), worst))
    return lines


def _cells(*texts: str) -> str:
    return f"| {' | '.join(texts)} |"


def _dotted(test: str) -> str:
    """Return a test's name as JUnit XML has it."""
    path, _, name = test.partition("::")
    return f"{path.removesuffix('.py').replace('/', '.')}.{name.replace('::', '.')}"


def _tail(register: Register, collected: Collected) -> list[str]:
    lost = orphans(register, collected.evidence)
    lines = [f"## Orphans: {len(lost)} of {len(register.hazard)} hazards", ""]
    lines += [
        f"- {one.hazard.id} ({one.hazard.standing.value}) lacks "
        f"{' and '.join(kind.value for kind in one.lacks)}: {one.hazard.title}"
        for one in lost
    ]
    lines += [f"- {one.test} is marked {one.hazard}, which the register does not have"
              for one in strangers(register, collected.evidence)]  # fmt: skip
    lines += [f"- {name} could not be read" for name in collected.broken]
    return lines
