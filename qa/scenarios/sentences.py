"""Conditions, moments and expectations in words."""

from collections.abc import Callable, Mapping
from typing import Any, Final

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
from qa.scenarios.moments import Condition, Moment
from qa.scenarios.words import ANY

_SAID: Final[Mapping[str, tuple[str, str]]] = {
    # Of one value, and of any.
    "valve": ("the valve is {}", ""),
    "tip": ("the tip is {}", ""),
    "switch": ("the hand switch is {}", ""),
    "lease": ("the lease is {}", ""),
    "mode": ("the device is in {}", ""),
    "trip": ("the trip {} is latched", "a trip is latched"),
    "fault": ("the fault {} is active", "a fault is active"),
    "stop": ("a {} STOP reaches the device", "a STOP reaches the device"),
    "restart": ("the device restarts by {}", "the device restarts"),
    "state": ("the treatment is {}", ""),
    "zone": ("the zone is {}", ""),
    "outcome": ("the outcome is {}", ""),
    "alarm": ("the alarm {} stands", "an alarm stands"),
    "link": ("the link is {}", ""),
    "kernel": ("the kernel is {}", ""),
    "line": ("the line is {}", ""),
    "done": ("the step {} is done", ""),
    "refused": ("a request is refused with {}", "a request is refused"),
}


def condition_words(condition: Condition) -> str:
    """Return a condition in words."""
    one, of_any = _SAID[condition.subject]
    return of_any if condition.value == ANY else one.format(condition.value)


def moment_words(moment: Moment) -> str:
    """Return a moment in words."""
    later = f"{_time(moment.after_s)} after " if moment.after_s else ""
    number = "" if moment.number is None else f", time {moment.number}"
    return f"{later}{condition_words(moment)}{number}"


def expectation_words(expected: Expectation) -> str:
    """Return an expectation in words."""
    return _WORDS[type(expected)](expected)


def _within(expected: Within) -> str:
    of, holds = moment_words(expected.of), condition_words(expected.holds)
    return f"{holds} within {_time(expected.within_s)} of '{of}'"


def _eventually(expected: Eventually) -> str:
    by = "" if expected.by_s is None else f" by {expected.by_s:g} s"
    return f"{condition_words(expected.holds)}, some time{by}"


def _journal(expected: JournalRows) -> str:
    where = "".join(f", {name} {value}" for name, value in expected.where.items())
    of = "" if expected.treatment is None else f" of treatment {expected.treatment}"
    return f"the record has {expected.words} rows '{expected.row}'{of}{where}"


def _ends(expected: Ends) -> str:
    number = expected.treatment
    which = "the last treatment" if number is None else f"treatment {number}"
    return f"the record says that {which} is {expected.outcome}"


def _span_words(expected: Never) -> str:
    since = "" if expected.since is None else f" from '{moment_words(expected.since)}' on"
    until = "" if expected.until is None else f" up to '{moment_words(expected.until)}'"
    return since + until


def _ranges(expected: Exposure) -> str:
    said = expected.model_dump(exclude_none=True, exclude={"check", "zone", "treatment"})
    return "".join(f"{name} {value:g}, " for name, value in said.items())


def _time(seconds: float) -> str:
    return f"{seconds * 1000:g} ms" if seconds < 1.0 else f"{seconds:g} s"


_WORDS: Final[Mapping[type, Callable[[Any], str]]] = {
    Within: _within,
    Eventually: _eventually,
    At: lambda expected: f"{condition_words(expected.holds)} at {expected.at_s:g} s",
    Finally: lambda expected: f"{condition_words(expected.holds)} at the end",
    Never: lambda expected: f"never: {condition_words(expected.holds)}{_span_words(expected)}",
    Happens: lambda expected: f"'{moment_words(expected.what)}' happens {expected.words} times",
    JournalRows: _journal,
    Exposure: lambda expected: (
        f"the exposure of {expected.zone} is {_ranges(expected)}within its cap"
    ),
    Ends: _ends,
    PromiseKept: lambda _: "the promise holds in every tick",
}
