"""The plan that a person saw: whether it is young enough, and still what would be started.

Each check raises RefusedError with what has changed, or returns.
"""

from typing import Final

from controller.api.requests import TreatArgs
from controller.planning.fingerprint import Fingerprint, change_in_words
from controller.safety.refusal import Refusal, RefusedError, refusing
from controller.safety.timeline import Moment

PLAN_AGE_MAX_S: Final = 600.0
"""A plan is for the client who sits there now: after ten minutes somebody looks again."""

INSTANT_ROUNDING_S: Final = 0.002
"""The kernel's loop counts whole milliseconds, and rows carry microseconds; on one computer nothing
else blurs an instant."""

STEP_MAX_S: Final = 1.0
"""The wall clock and the time since boot may drift so far apart within the age of a plan; more is a
clock that was set, and the ages that the plan rests on are others now."""

NO_PLAN: Final = Refusal(
    "plan_needed",
    "A treatment starts only with a plan that was seen: plan_sha256, planned_at_s or planned_up_s "
    "is missing.",
    "Start with `corneum treat`, which plans by itself, or plan first and send what it says.",
)


def instant_of(wish: TreatArgs, now: Moment) -> Moment:
    """Return the instant of the plan that was seen; without one it is now."""
    if wish.planned_at_s is None or wish.planned_up_s is None:
        return now
    return Moment(now.boot, wish.planned_up_s, wish.planned_at_s)


def check_instant(planned: Moment, now: Moment) -> None:
    """Raise RefusedError for a plan that is too old, or of a later time than it is now.

    The asker reads the clocks of the same computer: nothing is tolerated but rounding. An instant
    is one on both clocks, so that a wall clock that was set meanwhile cannot move it.
    """
    for age_s in (now.wall_s - planned.wall_s, now.up_s - planned.up_s):
        _check_age(age_s)
    stepped_s = (now.wall_s - planned.wall_s) - (now.up_s - planned.up_s)
    if not (abs(stepped_s) <= STEP_MAX_S):
        raise refusing(
            "plan_clock_set",
            f"The clock of this computer was set by {stepped_s:+.1f} s since the plan was made.",
            "Plan again, and start from that.",
        )


def check_newest(planned: Moment, newest_up_s: float | None) -> None:
    """Raise RefusedError where the client's newest row of this boot was written after the plan."""
    if newest_up_s is not None and not (newest_up_s <= planned.up_s + INSTANT_ROUNDING_S):
        raise refusing(
            "plan_overtaken",
            "The record has a row about this client that is newer than the plan.",
            "Plan again: what was given since then counts.",
        )


def _check_age(age_s: float) -> None:
    if not (age_s >= -INSTANT_ROUNDING_S):
        raise refusing(
            "plan_later",
            f"The plan was made {-age_s:.1f} s later than it is now by the "
            "kernel's clock: the clock was set back, or the plan comes from another computer.",
            "Check the clock, then plan again on this computer.",
        )
    if not (age_s <= PLAN_AGE_MAX_S):
        raise refusing(
            "plan_old",
            f"The plan was made {age_s / 60.0:.0f} minutes ago and holds for "
            f"{PLAN_AGE_MAX_S / 60.0:.0f}.",
            "Plan again, and start from that.",
        )


def check_seen(wish: TreatArgs, own: Fingerprint) -> None:
    """Raise RefusedError with what has changed unless what was seen is what would be started."""
    if None in (wish.plan_sha256, wish.planned_at_s, wish.planned_up_s):
        raise RefusedError(NO_PLAN)
    if wish.plan_sha256 == own.sha256:
        return
    changed = own.differing(wish.plan_parts or {}) if wish.plan_parts else ()
    raise refusing(
        "plan_changed",
        change_in_words(changed),
        "Plan again, read what is new, and start from that.",
    )
