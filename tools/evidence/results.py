"""What came of one part of a bundle, and how JUnit XML tells it."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path
from typing import Any, Final

FAILURES_MAX: Final = 50
"""So many failures are named on the front page; all of them stand in the JUnit file."""


@unique
class Outcome(Enum):
    """What a part may come to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Result:
    """One part of the bundle."""

    outcome: Outcome
    says: str
    """One sentence for the front page."""
    figures: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    """Paths in the bundle."""
    failures: tuple[str, ...] = ()
    command: str = ""
    """What a person types to get the same."""
    took_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "outcome": self.outcome.value,
            "says": self.says,
            "figures": dict(self.figures),
            "files": list(self.files),
            "failures": list(self.failures),
            "command": self.command,
            "took_s": round(self.took_s, 1),
        }


@dataclass(frozen=True, slots=True)
class Cases:
    """The test cases of JUnit XML files."""

    total: int
    skipped: int
    failures: tuple[str, ...]

    @property
    def passed(self) -> int:
        """How many passed."""
        return self.total - self.skipped - len(self.failures)


def cases_of(files: Iterable[Path]) -> Cases:
    """Count the cases of JUnit files; ValueError where one is missing or is no XML."""
    total = skipped = 0
    failures: list[str] = []
    for path in files:
        for case in _root(path).iter("testcase"):
            total += 1
            skipped += case.find("skipped") is not None
            for kind in ("failure", "error"):
                if case.find(kind) is not None:
                    failures.append(f"{case.get('classname')}.{case.get('name')}")
                    break
    return Cases(total, skipped, tuple(failures))


def _root(path: Path) -> ET.Element:
    try:
        return ET.parse(path).getroot()  # noqa: S314  our own tests wrote it
    except (OSError, ET.ParseError) as error:
        raise ValueError(f"{path.name} was not written, or is no XML: {error}") from error


def covered(path: Path) -> tuple[float, float]:
    """Return lines and branches covered, in percent; ValueError where the file is none."""
    root = _root(path)
    try:
        return 100 * float(root.attrib["line-rate"]), 100 * float(root.attrib["branch-rate"])
    except KeyError as error:
        raise ValueError(f"{path.name} is no report of coverage") from error
