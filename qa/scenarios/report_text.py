"""Results of scenarios as lines for people and as JSON for machines."""

from collections.abc import Sequence
from typing import Any, Final

from qa.scenarios.runner import Ran
from qa.scenarios.story import Failure, Played

BEFORE: Final = 14  # lines of the timeline before the place where it went wrong
AFTER: Final = 8
NAME_WIDTH: Final = 44


def line(ran: Ran) -> str:
    """Return one line: name, outcome, virtual seconds, wall seconds."""
    played = ran.played
    return (
        f"{played.scenario.name:<{NAME_WIDTH}} {played.outcome:<7} "
        f"{played.virtual_s:8.2f} virtual s {ran.wall_s:7.2f} s"
    )


def complaint(ran: Ran) -> str:
    """Return the first failure: what was expected, what was seen, the timeline, how to replay."""
    played = ran.played
    first, more = played.failures[0], len(played.failures) - 1
    lines = [
        f"  {played.scenario.title}",
        f"  expected: {first.expected}",
        f"  seen:     {first.seen}",
        *timeline(played, first),
    ]
    if more:
        lines.append(f"  and {more} more not as expected")
    lines.append(f"  replay:   {ran.replay}")
    return "\n".join(lines)


def timeline(played: Played, failure: Failure) -> list[str]:
    """Return the timeline around a failure, with a mark where it went wrong."""
    at_s = played.virtual_s if failure.at_s is None else failure.at_s
    entries = played.story.timeline.around(at_s, BEFORE, AFTER)
    return [f"  {'>' if entry.t_s == at_s else ' '} {entry}" for entry in entries]


def as_json(results: Sequence[Ran]) -> dict[str, Any]:
    """Return the object of ``--json``."""
    return {
        "scenarios": [_scenario(ran) for ran in results],
        "failed": sum(not ran.played.passed for ran in results),
    }


def _scenario(ran: Ran) -> dict[str, Any]:
    played = ran.played
    return {
        "name": played.scenario.name,
        "outcome": played.outcome,
        "virtual_s": round(played.virtual_s, 6),
        "wall_s": round(ran.wall_s, 3),
        "trace_sha256": played.trace_sha256,
        "journal_sha256": played.journal_sha256,
        "seed": played.seed,
        "hazards": list(played.scenario.hazards),
        "file": str(ran.path),
        "replay": ran.replay,
        "failures": [
            {"expected": each.expected, "seen": each.seen, "at_s": each.at_s}
            for each in played.failures
        ],
    }
