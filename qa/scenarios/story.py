"""What is left of a run: everything that expectations and reports need, without the run itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from controller.treatment.kinds import Kind
from qa.scenarios.model import Scenario
from qa.scenarios.timeline import Entry, Timeline


class Sample(NamedTuple):
    """What the plant really does at one time."""

    t_s: float
    suction_kpa: float
    flow_g_per_min: float
    valve_percent: float


class Dose(NamedTuple):
    """What the host believes that a zone has had so far."""

    t_s: float
    nominal_um: float
    bound_um: float
    cap_um: float
    contact_s: float
    mass_g: float


class RecordRow(NamedTuple):
    """One row of the journal."""

    row_id: int
    mono_s: float
    treatment: int
    kind: str
    body: Mapping[str, Any]


class Breach(NamedTuple):
    """The promise is broken: which rule, and how."""

    t_s: float
    rule: str
    how: str

    @property
    def words(self) -> str:
        """Return rule and how as a sentence."""
        return " ".join(part for part in (self.rule, self.how) if part)


DoseKey = tuple[int, str]
"""Number of the treatment, and zone."""


@dataclass(slots=True)
class Story:
    """One run."""

    timeline: Timeline = field(default_factory=Timeline)
    samples: list[Sample] = field(default_factory=list)
    doses: dict[DoseKey, list[Dose]] = field(default_factory=dict)
    rows: list[RecordRow] = field(default_factory=list)
    broken: list[Breach] = field(default_factory=list)
    """The first breach of each rule of the promise, where a scenario expects it to hold."""
    record_broken: str = ""
    """What is wrong with the chain of the journal."""

    @property
    def last_treatment(self) -> int:
        """Number of the last treatment that was booked, or 0."""
        return max((row.treatment for row in self.rows if row.kind == Kind.TREATMENT), default=0)


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that was not met, or what kept the run from its end."""

    expected: str
    seen: str
    at_s: float | None = None
    """Where to look in the timeline."""


@dataclass(frozen=True, slots=True)
class Played:
    """The outcome of one run of a scenario."""

    scenario: Scenario
    seed: int
    outcome: str
    """passed, failed, or error where the run did not come to its end."""
    failures: tuple[Failure, ...]
    story: Story
    virtual_s: float
    trace_sha256: str
    journal_sha256: str

    @property
    def passed(self) -> bool:
        """True when everything was as expected."""
        return self.outcome == "passed"

    @property
    def timeline(self) -> list[Entry]:
        """What happened, in order."""
        return self.story.timeline.entries
