"""Three resets of one cause in ten minutes lock the unit: what comes back is not mended by a reset.

Pure: whoever keeps the resets says when they were. The rule outlives the process that counts, so
resets of earlier processes are placed on the clock of this one: between two moments of one boot of
the computer the monotonic clock tells the time; across boots nothing but the wall clock can, and
wherever it was set in between, the resets count as closer together, never as further apart.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

RESETS_MAX: Final = 3  # the same as the device's own rule, written twice on purpose
RESETS_SPAN_S: Final = 600.0


class PastReset(NamedTuple):
    """A trip that was reset: its cause in the words of the record, and when."""

    cause: str
    at_s: float


class Moment(NamedTuple):
    """When something was, on every clock there is."""

    boot: str
    """The boot of the computer; empty where it is not known."""
    mono_s: float
    wall_s: float
    ahead_s: float
    """By how much the wall clock was set forward up to here, all steps together."""


def locked_by(resets: Sequence[PastReset]) -> str | None:
    """Return the cause that was reset ``RESETS_MAX`` times within ``RESETS_SPAN_S``, or None.

    ``resets`` are in the order in which they were made. A lock stays for as long as its resets are
    remembered: service takes it off.
    """
    for cause in dict.fromkeys(reset.cause for reset in resets):
        times_s = [reset.at_s for reset in resets if reset.cause == cause]
        for first_s, last_s in zip(times_s, times_s[RESETS_MAX - 1 :], strict=False):
            if not last_s - first_s > RESETS_SPAN_S:
                return cause
    return None


def elapsed_s(earlier: Moment, later: Moment) -> float:
    """Return how long it was at the least from one moment to a later one; never below 0.

    A wall clock that was set back, or says nothing usable, makes no time pass.
    """
    if earlier.boot and earlier.boot == later.boot:
        passed_s = later.mono_s - earlier.mono_s
    else:
        passed_s = (later.wall_s - earlier.wall_s) - (later.ahead_s - earlier.ahead_s)
    return passed_s if 0.0 < passed_s < math.inf else 0.0


def placed(resets: Sequence[tuple[str, Moment]], now: Moment) -> tuple[PastReset, ...]:
    """Return the resets, oldest first as they came, with times on the monotonic clock of ``now``.

    The times follow from the gaps between neighbours, so that no two resets come out further apart
    than they were.
    """
    moments = [*(moment for _, moment in resets), now]
    at_s = now.mono_s
    times_s = []
    for earlier, later in zip(reversed(moments[:-1]), reversed(moments[1:]), strict=True):
        at_s -= elapsed_s(earlier, later)
        times_s.append(at_s)
    causes = [cause for cause, _ in resets]
    return tuple(map(PastReset, causes, reversed(times_s)))
