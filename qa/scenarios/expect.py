"""Judges a run by the expectations of its scenario, from what really happened."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from controller.treatment import kinds
from qa.scenarios.expectations import (
    At,
    Ends,
    Eventually,
    Expectation,
    Exposure,
    Finally,
    Happens,
    JournalRows,
    Never,
    PromiseKept,
    Within,
)
from qa.scenarios.model import Scenario
from qa.scenarios.moments import SUBJECTS, Condition, Kind
from qa.scenarios.sentences import condition_words, expectation_words, moment_words
from qa.scenarios.story import Dose, Failure, Story
from qa.scenarios.timeline import SLACK_S, Timeline

TIMES_SHOWN: Final = 5
BOUND_SLACK: Final = 1.05  # crystals on their way while the valve shuts
Seen = tuple[str, float | None]
"""What was seen instead, and where to look."""


def failures(scenario: Scenario, story: Story) -> list[Failure]:
    """Return what was not as expected, in the order of the file."""
    found = []
    for expected in scenario.expect:
        seen = seen_instead(expected, story)
        if seen is not None:
            found.append(Failure(expectation_words(expected), *seen))
    if story.record_broken:
        found.append(Failure("the chain of the record is whole", story.record_broken))
    return found


def seen_instead(expected: Expectation, story: Story) -> Seen | None:
    """Return what was seen instead of what was expected, or None where it was met."""
    return _JUDGES[type(expected)](expected, story)


def _within(expected: Within, timeline: Timeline) -> Seen | None:
    times = timeline.moments(expected.of)
    if not times:
        return f"'{moment_words(expected.of)}' never came", timeline.end_s
    for t_s in times:
        if timeline.overlaps(expected.holds, (t_s, t_s + expected.within_s)):
            continue
        later = timeline.overlaps(expected.holds, (t_s, math.inf))
        words = f"'{moment_words(expected.of)}' came at {t_s:.3f} s, and "
        if not later:
            return f"{words}it was not so up to the end at {timeline.end_s:.3f} s", t_s
        return f"{words}it was so only {(later[0][0] - t_s) * 1000:.0f} ms later", t_s
    return None


def _eventually(expected: Eventually, timeline: Timeline) -> Seen | None:
    by_s = timeline.end_s if expected.by_s is None else expected.by_s
    if timeline.overlaps(expected.holds, (0.0, by_s)):
        return None
    later = timeline.overlaps(expected.holds, (by_s, math.inf))
    if later:
        return f"it was so only at {later[0][0]:.3f} s", later[0][0]
    return f"it never was; {_values(expected.holds, timeline)}", timeline.end_s


def _at(holds: Condition, at_s: float, timeline: Timeline) -> Seen | None:
    if at_s > timeline.end_s + SLACK_S:
        return f"the run ended at {timeline.end_s:.3f} s", timeline.end_s
    if timeline.is_so(holds, at_s):
        return None
    pairs = [value for t_s, value in timeline.values[holds.subject] if t_s <= at_s + SLACK_S]
    return f"{holds.subject} was {_shown(pairs[-1])}", at_s


def _never(expected: Never, timeline: Timeline) -> Seen | None:
    since_s, until_s = 0.0, timeline.end_s
    if expected.since is not None:
        times = timeline.moments(expected.since)
        if not times:
            return f"'{moment_words(expected.since)}' never came", timeline.end_s
        since_s = times[0]
    if expected.until is not None:
        times = [t_s for t_s in timeline.moments(expected.until) if t_s >= since_s]
        if not times:
            return f"'{moment_words(expected.until)}' never came", timeline.end_s
        until_s = times[0]
    found = timeline.overlaps(expected.holds, (since_s, until_s))
    if not found:
        return None
    t_s = max(found[0][0], since_s)
    return f"{condition_words(expected.holds)} at {t_s:.3f} s", t_s


def _happens(expected: Happens, timeline: Timeline) -> Seen | None:
    times = timeline.moments(expected.what)
    if expected.fits(len(times)):
        return None
    at = "".join(f", at {t_s:.3f} s" for t_s in times[:TIMES_SHOWN])
    return f"{len(times)} times{at}", times[-1] if times else timeline.end_s


def _journal(expected: JournalRows, story: Story) -> Seen | None:
    rows = [
        row
        for row in story.rows
        if row.kind == expected.row
        and (expected.treatment is None or row.treatment == expected.treatment)
        and all(row.body.get(name) == value for name, value in expected.where.items())
    ]
    if expected.fits(len(rows)):
        return None
    like = sum(row.kind == expected.row for row in story.rows)
    kinds = ", ".join(sorted({row.kind for row in story.rows}))
    seen = f"{len(rows)} of {like} rows '{expected.row}'; kinds in the record: {kinds}"
    return seen, rows[-1].mono_s if rows else story.timeline.end_s


def _exposure(expected: Exposure, story: Story) -> Seen | None:
    treatment = story.last_treatment if expected.treatment is None else expected.treatment
    doses = story.doses.get((treatment, expected.zone))
    if not doses:
        zones = sorted({zone for number, zone in story.doses if number == treatment})
        return f"treatment {treatment} has no such zone, only {', '.join(zones) or 'none'}", None
    over = next((dose for dose in doses if not dose.bound_um <= dose.cap_um), None)
    if over is not None:
        return f"the bound of {over.bound_um:.4f} µm was over its cap", over.t_s
    wrong = list(_outside(expected, doses[-1]))
    return ("; ".join(wrong), doses[-1].t_s) if wrong else None


def _outside(expected: Exposure, dose: Dose) -> Iterator[str]:
    for name, unit in (("nominal", "um"), ("bound", "um"), ("contact", "s"), ("mass", "g")):
        value = float(getattr(dose, f"{name}_{unit}"))
        least = getattr(expected, f"{name}_min_{unit}")
        most = getattr(expected, f"{name}_max_{unit}")
        if not ((least is None or value >= least) and (most is None or value <= most)):
            yield f"{name}_{unit} was {value:.4f}"


def _ends(expected: Ends, story: Story) -> Seen | None:
    treatment = story.last_treatment if expected.treatment is None else expected.treatment
    ends = [
        row.kind if row.kind == kinds.Kind.INTERRUPTED else str(row.body.get("outcome"))
        for row in story.rows
        if row.treatment == treatment and row.kind in (kinds.Kind.ENDED, kinds.Kind.INTERRUPTED)
    ]
    if ends and ends[-1] == expected.outcome:
        return None
    seen = f"treatment {treatment} is {ends[-1]}" if ends else f"treatment {treatment} has no end"
    return (seen if treatment else "no treatment was booked"), None


def _promise(story: Story) -> Seen | None:
    over = (
        (f"{zone}: a bound of {dose.bound_um:.4f} µm for a cap of {dose.cap_um:.4f} µm", dose.t_s)
        for (_, zone), doses in story.doses.items()
        for dose in doses
        if not dose.bound_um <= dose.cap_um * BOUND_SLACK
    )
    if story.broken:
        return story.broken[0].words, story.broken[0].t_s
    return next(over, None)


def _values(condition: Condition, timeline: Timeline) -> str:
    pairs = timeline.values[condition.subject]
    if SUBJECTS[condition.subject] is Kind.INSTANT:
        pairs = pairs[1:]
    said = list(dict.fromkeys(_shown(value) for _, value in pairs))
    return f"{condition.subject} was {', '.join(said) or 'not seen'}"


def _shown(value: str | frozenset[str]) -> str:
    words = value if isinstance(value, str) else ", ".join(sorted(value))
    return words or "nothing"


_JUDGES: Final[Mapping[type, Callable[[Any, Story], Seen | None]]] = {
    Within: lambda expected, story: _within(expected, story.timeline),
    Eventually: lambda expected, story: _eventually(expected, story.timeline),
    At: lambda expected, story: _at(expected.holds, expected.at_s, story.timeline),
    Finally: lambda expected, story: _at(expected.holds, story.timeline.end_s, story.timeline),
    Never: lambda expected, story: _never(expected, story.timeline),
    Happens: lambda expected, story: _happens(expected, story.timeline),
    JournalRows: _journal,
    Exposure: _exposure,
    Ends: _ends,
    PromiseKept: lambda _, story: _promise(story),
}
