"""What a run of the kit tells: a line for each case, JUnit XML, and one JSON object."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qa.conformance.suite import Outcome, Verdict


def line_of(outcome: Outcome) -> str:
    """Return the line of one case."""
    case, why = outcome.case, outcome.why
    head = f"{case.number} {outcome.verdict.value:<7} {outcome.took_s:6.2f} s  {case.rule}"
    if outcome.tries > 1:
        head += f" ({outcome.tries} tries)"
    return f"{head}\n    {why}" if why else head


def count_of(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Return how many passed, failed and were not run."""
    return {
        verdict.name.lower(): sum(one.verdict is verdict for one in outcomes) for verdict in Verdict
    }


def summary_of(outcomes: Sequence[Outcome]) -> str:
    """Return the last line."""
    count = count_of(outcomes)
    return f"{count['passed']} passed, {count['failed']} failed, {count['not_run']} not run"


def json_of(url: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the object of ``--json``."""
    return {
        "handpiece": url,
        **count_of(outcomes),
        "cases": [
            {
                "case": one.case.number, "rule": one.case.rule, "hazards": one.case.hazards,
                "verdict": one.verdict.name.lower(), "why": one.why,
                "took_s": round(one.took_s, 3), "tries": one.tries,
            }
            for one in outcomes
        ],
    }  # fmt: skip


def write_junit(path: Path, url: str, outcomes: Sequence[Outcome]) -> None:
    """Write JUnit XML; OSError where that fails."""
    count = count_of(outcomes)
    suite = ET.Element("testsuite", {
        "name": f"conformance of {url}", "tests": str(len(outcomes)),
        "failures": str(count["failed"]), "skipped": str(count["not_run"]),
        "time": f"{sum(one.took_s for one in outcomes):.3f}",
    })  # fmt: skip
    for one in outcomes:
        name = f"{one.case.number} {one.case.rule}"
        timed = {"classname": "conformance", "name": name, "time": f"{one.took_s:.3f}"}
        element = ET.SubElement(suite, "testcase", timed)
        if one.verdict is Verdict.FAILED:
            ET.SubElement(element, "failure", {"message": one.why})
        elif one.verdict is Verdict.NOT_RUN:
            ET.SubElement(element, "skipped", {"message": one.why})
    ET.indent(suite)
    ET.ElementTree(suite).write(path, encoding="unicode", xml_declaration=True)
