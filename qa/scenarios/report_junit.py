"""Results of scenarios as JUnit XML: a test case each, with its hazards as properties."""

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from qa.scenarios.report_text import timeline
from qa.scenarios.runner import Ran

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, however it is written."""


def junit(results: Sequence[Ran]) -> str:
    """Return the text of a JUnit XML file."""
    failed = sum(ran.played.outcome == "failed" for ran in results)
    errors = sum(ran.played.outcome == "error" for ran in results)
    figures = {
        "tests": str(len(results)),
        "failures": str(failed),
        "errors": str(errors),
        "skipped": "0",
        "time": f"{sum(ran.wall_s for ran in results):.3f}",
    }
    suites = ET.Element("testsuites", figures)
    suite = ET.SubElement(suites, "testsuite", {"name": "scenarios", **figures})
    for ran in results:
        _case(suite, ran)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, ran: Ran) -> None:
    played = ran.played
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": "scenarios",
            "name": played.scenario.name,
            "file": _clean(str(ran.path)),
            "time": f"{ran.wall_s:.3f}",
        },
    )
    properties = ET.SubElement(case, "properties")
    for name, value in [
        *(("hazard", hazard) for hazard in played.scenario.hazards),
        ("title", played.scenario.title),
        ("seed", str(played.seed)),
        ("virtual_s", f"{played.virtual_s:.3f}"),
        ("trace_sha256", played.trace_sha256),
        ("journal_sha256", played.journal_sha256),
        ("replay", ran.replay),
    ]:
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    for failure in played.failures:
        kind = "error" if played.outcome == "error" else "failure"
        said = f"expected: {failure.expected}; seen: {failure.seen}"
        element = ET.SubElement(case, kind, {"message": _clean(said), "type": played.outcome})
        text = "\n".join([said, *timeline(played, failure), f"replay: {ran.replay}"])
        element.text = _clean(text)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
