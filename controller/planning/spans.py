"""Spans of days in words: how long ago, and how long still, so that both add up."""

import math
from typing import Final

TENTHS: Final = 10.0
SLACK: Final = 1e-6
"""Tenths of a day that are arithmetic and no time."""

HOURS_PER_DAY: Final = 24.0
MINUTES_PER_HOUR: Final = 60.0
HOURS_MAX: Final = 48.0
"""Up to here hours say more than tenths of a day."""


def ago(days: float) -> str:
    """Return how long ago something was, rounded down: rest that was not had is not told."""
    hours = days * HOURS_PER_DAY
    if hours < 1.0:
        minutes = int(max(0.0, hours) * MINUTES_PER_HOUR + SLACK)
        return "just now" if minutes < 1 else f"{minutes} {_plural('minute', minutes)} ago"
    if hours < HOURS_MAX:
        whole = int(hours + SLACK)
        return f"{whole} {_plural('hour', whole)} ago"
    return f"{math.floor(days * TENTHS + SLACK) / TENTHS:.1f} days ago"


def ahead(days: float) -> str:
    """Return how long something still takes, rounded up."""
    hours = days * HOURS_PER_DAY
    if hours < HOURS_MAX:
        whole = max(1, math.ceil(hours - SLACK))
        return f"{whole} {_plural('hour', whole)}"
    return f"{math.ceil(days * TENTHS - SLACK) / TENTHS:.1f} days"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
