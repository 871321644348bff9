"""What happened in a run: entries in their order, and the value of each subject over time."""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from qa.scenarios.moments import SUBJECTS, Condition, Kind, Moment
from qa.scenarios.words import ANY
from simulator.handpiece import VALVE_SHUT_PERCENT, Happening

Value = str | frozenset[str]
Span = tuple[float, float]
"""From when until when; the end is not part of it, unless it is an instant."""

SLACK_S: Final = 1e-6  # times are written down to the microsecond
NOTHING: Final = ""
AT_POWER_ON: Final[Mapping[str, Value]] = {
    **{name: frozenset() if kind is Kind.SET else NOTHING for name, kind in SUBJECTS.items()},
    "valve": "shut", "tip": "lifted", "switch": "released", "mode": "BOOT", "state": "idle",
    "link": "disconnected", "line": "whole",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    t_s: float
    who: str
    """device, host or scenario."""
    words: str

    def __str__(self) -> str:
        """Return the line for people."""
        return f"{self.t_s:10.3f} s  {self.who:<8}  {self.words}"


@dataclass(slots=True)
class Timeline:
    """Entries and values, as they come; `settle` puts them in the order of their times."""

    entries: list[Entry] = field(default_factory=list)
    values: dict[str, list[tuple[float, Value]]] = field(
        default_factory=lambda: {name: [(0.0, value)] for name, value in AT_POWER_ON.items()}
    )
    end_s: float = 0.0
    listener: Callable[[str], None] | None = None
    """Told the subject of everything new."""

    def add(self, t_s: float, who: str, words: str) -> None:
        """Add a line that no condition asks for."""
        self.entries.append(Entry(t_s, who, words))
        self.end_s = max(self.end_s, t_s)

    def put(self, t_s: float, who: str, subject: str, value: Value, words: str = "") -> None:
        """Let ``subject`` have ``value`` from ``t_s`` on."""
        if SUBJECTS[subject] is not Kind.INSTANT and self.values[subject][-1][1] == value:
            return
        self.values[subject].append((t_s, value))
        self.add(t_s, who, words or f"{subject} {_shown(value)}")
        if self.listener is not None:
            self.listener(subject)

    def forget(self, t_s: float, *subjects: str) -> None:
        """Let subjects have no value from ``t_s`` on: nobody is there who could say it."""
        for subject in subjects:
            self.values[subject].append((t_s, NOTHING))

    def now(self, subject: str) -> Value:
        """Return the newest value."""
        return self.values[subject][-1][1]

    def settle(self, end_s: float) -> None:
        """Put everything in order of time: the device tells late what it did exactly then."""
        self.end_s = end_s
        self.entries.sort(key=lambda entry: entry.t_s)
        for pairs in self.values.values():
            pairs.sort(key=lambda pair: pair[0])

    def is_so(self, condition: Condition, t_s: float) -> bool:
        """Return True when ``condition`` holds at ``t_s``."""
        return bool(self.overlaps(condition, (t_s, t_s)))

    def overlaps(self, condition: Condition, within: Span) -> list[Span]:
        """Return when a condition holds within a span of time."""
        since_s, until_s = within[0] - SLACK_S, within[1] + SLACK_S
        return [
            (begin_s, end_s)
            for begin_s, end_s in self.spans(condition)
            if begin_s <= until_s and (end_s > within[0] + SLACK_S or begin_s == end_s >= since_s)
        ]

    def spans(self, condition: Condition) -> list[Span]:
        """Return when a condition holds."""
        pairs, wanted = self.values[condition.subject], condition.value
        if SUBJECTS[condition.subject] is Kind.INSTANT:
            return [(t_s, t_s) for t_s, value in pairs[1:] if fits(value, wanted)]
        spans: list[Span] = []
        since_s: float | None = None
        for t_s, value in pairs:
            holds = fits(value, wanted)
            if holds and since_s is None:
                since_s = t_s
            elif not holds and since_s is not None:
                spans.append((since_s, t_s))
                since_s = None
        return spans if since_s is None else [*spans, (since_s, math.inf)]

    def moments(self, moment: Moment, since: int = 0) -> list[float]:
        """Return when a condition becomes true, from the value number ``since`` of its subject on.

        What is so at power-on has not become so.
        """
        pairs, wanted = self.values[moment.subject], moment.value
        instant = SUBJECTS[moment.subject] is Kind.INSTANT
        times, before = [], fits(pairs[since][1], wanted)
        for t_s, value in pairs[since + 1 :]:
            holds = fits(value, wanted)
            if holds and (instant or not before):
                times.append(t_s)
            before = holds
        if moment.number is not None:
            times = times[moment.number - 1 : moment.number]
        return [t_s + moment.after_s for t_s in times]

    def around(self, t_s: float, before: int, after: int) -> list[Entry]:
        """Return the entries next to a time."""
        at = bisect_right(self.entries, t_s + SLACK_S, key=lambda entry: entry.t_s)
        return self.entries[max(0, at - before) : at + after]


def fits(value: Value, wanted: str) -> bool:
    """Return True when a subject that has ``value`` is what a condition wants."""
    if isinstance(value, frozenset):
        return bool(value) if wanted == ANY else wanted in value
    return value not in ("", "NONE") if wanted == ANY else value == wanted


def _shown(value: Value) -> str:
    return value if isinstance(value, str) else ", ".join(sorted(value)) or "none"


_WORD_OF_CONTACT: Final = {True: "on-skin", False: "lifted"}
_WORD_OF_SWITCH: Final = {True: "pressed", False: "released"}


def note_device(timeline: Timeline, event: Happening) -> None:
    """Take one event of the device's own record."""
    t_s, kind = float(str(event["t_s"])), str(event["kind"])
    taken = _SUBJECT_OF.get(kind)
    if taken is not None:
        subject, value = taken(event)
        timeline.put(t_s, "device", subject, value)
    elif kind == "fault":
        active = timeline.now("fault")
        names = frozenset({str(event["name"])})
        left = frozenset(active) | names if event["active"] else frozenset(active) - names
        verb = "begins" if event["active"] else "ends"
        timeline.put(t_s, "device", "fault", left, f"fault {event['name']} {verb}")
    elif kind == "reset":
        timeline.put(t_s, "device", "trip", NOTHING, f"reset of {event['cause']}")
    elif kind == "restart":
        timeline.put(t_s, "device", "restart", str(event["why"]), f"restart by {event['why']}")
        timeline.put(t_s, "device", "mode", "BOOT")
        timeline.put(t_s, "device", "trip", NOTHING, "the latched cause is in its memory")
    else:
        rest = " ".join(f"{k} {v}" for k, v in event.items() if k not in ("t_s", "kind"))
        timeline.add(t_s, "device", f"{kind} {rest}".rstrip())


_SUBJECT_OF: Final[Mapping[str, Callable[[Happening], tuple[str, str]]]] = {
    "mode": lambda event: ("mode", str(event["mode"])),
    "lease": lambda event: ("lease", str(event["state"])),
    "switch": lambda event: ("switch", _WORD_OF_SWITCH[bool(event["pressed"])]),
    "contact": lambda event: ("tip", _WORD_OF_CONTACT[bool(event["on"])]),
    "trip": lambda event: ("trip", str(event["cause"])),
    "stop": lambda event: ("stop", str(event["stop_kind"]).lower()),
    "valve": lambda event: (
        "valve",
        "open" if float(str(event["open_percent"])) > VALVE_SHUT_PERCENT else "shut",
    ),
}
