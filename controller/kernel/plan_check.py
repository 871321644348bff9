"""Whether the plan that a person saw may still be started: its instant, and its fingerprint."""

from typing import Final

from controller.kernel.api import ApiError, TreatArgs
from controller.treatment.plan_fingerprint import Fingerprint, change_in_words

PLAN_AGE_MAX_S: Final = 600.0
"""A plan is for the client who sits there now: after ten minutes somebody looks again."""

INSTANT_ROUNDING_S: Final = 1e-6
"""Rows carry their time rounded to microseconds; on one computer nothing else blurs an instant."""

NO_PLAN: Final = ApiError(
    "plan_needed",
    "A treatment starts only with a plan that was seen: plan_sha256 and planned_at_s are missing.",
    "Start with `corneum treat`, which plans by itself, or plan first and send what it says.",
)


def check_instant(planned_at_s: float, now_wall_s: float) -> None:
    """Raise ApiError for a plan that is too old, or of a later time than it is now.

    The asker reads the clock of the same computer: nothing is tolerated but rounding.
    """
    if not (planned_at_s <= now_wall_s + INSTANT_ROUNDING_S):
        raise ApiError(
            "plan_later",
            f"The plan was made {planned_at_s - now_wall_s:.1f} s later than it is now by the "
            "kernel's clock: the clock was set back, or the plan comes from another computer.",
            "Check the clock, then plan again on this computer.",
        )
    if not (now_wall_s - planned_at_s <= PLAN_AGE_MAX_S):
        raise ApiError(
            "plan_old",
            f"The plan was made {(now_wall_s - planned_at_s) / 60.0:.0f} minutes ago and holds for "
            f"{PLAN_AGE_MAX_S / 60.0:.0f}.",
            "Plan again, and start from that.",
        )


def check_newest(planned_at_s: float, now_wall_s: float, newest_wall_s: float | None) -> None:
    """Raise ApiError where the client's newest row was written after the plan was made.

    A row of a time that is still to come was written while the clock was wrong: no later plan would
    be newer. What it says counts in the plan, where it cannot be placed in time and so is of today.
    """
    if newest_wall_s is None or newest_wall_s > now_wall_s + INSTANT_ROUNDING_S:
        return
    if not (newest_wall_s <= planned_at_s + INSTANT_ROUNDING_S):
        raise ApiError(
            "plan_overtaken",
            "The record has a row about this client that is newer than the plan.",
            "Plan again: what was given since then counts.",
        )


def check_seen(wish: TreatArgs, own: Fingerprint) -> None:
    """Raise ApiError unless what was seen is what would be started; it says what has changed."""
    if wish.plan_sha256 is None or wish.planned_at_s is None:
        raise NO_PLAN
    if wish.plan_sha256 == own.sha256:
        return
    changed = own.differing(wish.plan_parts or {}) if wish.plan_parts else ()
    raise ApiError(
        "plan_changed",
        change_in_words(changed),
        "Plan again, read what is new, and start from that.",
    )
