"""Plays one storm, and shrinks one that breaks something: the jobs of the campaign.

Both are functions of plain values that return plain values, so that any process can run them, and
their results survive a file.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypedDict

from qa.campaigns.shrink import Tries, fewest
from qa.campaigns.storm.draw import draw
from qa.scenarios.dump import dump_scenario
from qa.scenarios.model import Scenario
from qa.scenarios.play import play
from qa.scenarios.steps import Step
from qa.scenarios.story import Played

AFTER_S: Final = 0.5  # how long a shrunk storm goes on after what it breaks
TENTH: Final = 1
TITLE_MAX: Final = 160


class Storm(NamedTuple):
    """Which storm."""

    seed: int
    number: int


class Breakage(TypedDict):
    """What a storm broke first."""

    rule: str
    seen: str
    at_s: float


class Blown(TypedDict):
    """What a storm came to."""

    virtual_s: float
    opened: bool
    """The valve was open at some time."""
    trips: dict[str, int]
    done: dict[str, int]
    faults: list[str]
    trace_sha256: str
    broken: Breakage | None


class Shrunk(TypedDict):
    """A storm with nothing left out that it needs."""

    scenario: str
    steps: int
    of_steps: int
    seen: str


def blow(storm: Storm) -> Blown:
    """Play one storm."""
    played = play(draw(*storm))
    values = played.story.timeline.values
    return {
        "virtual_s": round(played.virtual_s, 3),
        "opened": any(value == "open" for _, value in values["valve"]),
        "trips": dict(Counter(str(value) for _, value in values["trip"] if value)),
        "done": dict(Counter(str(value) for _, value in values["done"] if value)),
        "faults": sorted({name for _, names in values["fault"] for name in names}),
        "trace_sha256": played.trace_sha256,
        "broken": broken_by(played),
    }


def broken_by(played: Played) -> Breakage | None:
    """Return what a run broke first, or None."""
    if not played.failures:
        return None
    failure = played.failures[0]
    at_s = played.virtual_s if failure.at_s is None else failure.at_s
    rules = [each.rule for each in played.story.broken]
    if played.outcome == "failed" and rules:
        return {"rule": rules[0], "seen": failure.seen, "at_s": at_s}
    rule = failure.seen.split(":")[0] if played.outcome == "error" else failure.expected
    return {"rule": rule, "seen": failure.seen, "at_s": at_s}


def shrink(storm: Storm) -> Shrunk:
    """Return the least of a storm that breaks the same rule."""
    whole = draw(*storm)
    broken = broken_by(play(whole))
    if broken is None:
        raise ValueError(f"storm {storm.number} of seed {storm.seed} breaks nothing")
    least = _Shrinking(broken["rule"]).least(whole, broken["at_s"])
    seen = broken_by(play(least)) or broken
    title = f"Found by storm {storm.number} of seed {storm.seed}: {seen['seen']}"[:TITLE_MAX]
    text = dump_scenario(_with(least, title=title))
    of_steps = len(whole.steps)
    return {"scenario": text, "steps": len(least.steps), "of_steps": of_steps, "seen": seen["seen"]}


class _Shrinking:
    """Tries smaller and plainer storms as long as they break the same rule."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._tries = Tries()

    def least(self, whole: Scenario, at_s: float) -> Scenario:
        kept = self._or(whole, _cut(whole, at_s))
        kept = _with(
            kept, steps=fewest(kept.steps, lambda steps: self._steps(kept, steps), self._tries)
        )
        for plainer in ({"hand": "average"}, {"zones": ["nose"]}, {"seed": 1}):
            kept = self._or(kept, _with(kept, **plainer))
        return self._or(kept, _with(kept, steps=[_rounded(step) for step in kept.steps]))

    def _steps(self, of: Scenario, steps: Sequence[Step]) -> bool:
        return bool(steps) and self._breaks(_with(of, steps=list(steps)))

    def _or(self, kept: Scenario, other: Scenario) -> Scenario:
        return other if self._tries.take() and self._breaks(other) else kept

    def _breaks(self, scenario: Scenario) -> bool:
        broken = broken_by(play(scenario))
        return broken is not None and broken["rule"] == self._rule


def _cut(whole: Scenario, at_s: float) -> Scenario:
    """Return a storm without what comes after the damage is done."""
    steps = [step for step in whole.steps if step.at_s is None or step.at_s <= at_s]
    return _with(whole, steps=steps or whole.steps, ends_at_s=round(at_s + AFTER_S, TENTH))


def _rounded(step: Step) -> Step:
    return step if step.at_s is None else step.model_copy(update={"at_s": round(step.at_s, TENTH)})


def _with(scenario: Scenario, **changes: Any) -> Scenario:  # noqa: ANN401 - fields of a scenario
    return scenario.model_copy(update=changes)
