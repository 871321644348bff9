"""From the request TREAT to a treatment that runs, or to the reason why it does not.

With nothing running the kernel plans once itself, from its own files and record and at the instant
of the plan that a person saw, in steps between which its loop turns. It starts only what has the
same fingerprint. Nothing else of a plan from outside is used. A treatment is booked before it
begins: its row is durable before the unit hears of it. RecordError where the record cannot be kept,
ApiError for everything else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from controller.api.ask import PREPARED_MAX_S
from controller.api.requests import ApiError, TreatArgs
from controller.api.snapshot import UnfinishedView
from controller.config.errors import ConfigError
from controller.config.skin import load_skin
from controller.kernel.control import Control, DeclinedError
from controller.planning.fingerprint import Fingerprint, change_in_words
from controller.planning.steps import Steps
from controller.record import treatments
from controller.record.clocks import Here
from controller.record.journal import Journal, Row
from controller.record.locks import LockState
from controller.record.past import Asked, past_of
from controller.record.planner import Handset, Proved, Purpose, proving, reading
from controller.record.recovery import UnitNow, interrupted
from controller.safety.reading import Identity
from controller.safety.timeline import Moment
from controller.treatment import rows
from controller.treatment.conductor import treatment_of
from controller.treatment.events import Who
from controller.treatment.kinds import Kind

T = TypeVar("T")


# -- turns of the loop between the steps of a plan -------------------------------------------------
async def paced(steps: Steps[T]) -> T:
    """Run one step a turn of the loop and return the result; what the work raises is raised here.

    No thread: it would share the interpreter's lock with the control loop, 5 ms at a time.
    """
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
        await asyncio.sleep(0)


# -- the plan that a person saw --------------------------------------------------------------------
PLAN_AGE_MAX_S: Final = 600.0
"""A plan is for the client who sits there now: after ten minutes somebody looks again."""

INSTANT_ROUNDING_S: Final = 0.002
"""The kernel's loop counts whole milliseconds, and rows carry microseconds; on one computer nothing
else blurs an instant."""

STEP_MAX_S: Final = 1.0
"""The wall clock and the time since boot may drift so far apart within the age of a plan; more is a
clock that was set, and the ages that the plan rests on are others now."""

NO_PLAN: Final = ApiError(
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
    """Raise ApiError for a plan that is too old, or of a later time than it is now.

    The asker reads the clocks of the same computer: nothing is tolerated but rounding. An instant
    is one on both clocks, so that a wall clock that was set meanwhile cannot move it.
    """
    for age_s in (now.wall_s - planned.wall_s, now.up_s - planned.up_s):
        _check_age(age_s)
    stepped_s = (now.wall_s - planned.wall_s) - (now.up_s - planned.up_s)
    if not (abs(stepped_s) <= STEP_MAX_S):
        raise ApiError(
            "plan_clock_set",
            f"The clock of this computer was set by {stepped_s:+.1f} s since the plan was made.",
            "Plan again, and start from that.",
        )


def check_newest(planned: Moment, newest_up_s: float | None) -> None:
    """Raise ApiError where the client's newest row of this boot was written after the plan."""
    if newest_up_s is not None and not (newest_up_s <= planned.up_s + INSTANT_ROUNDING_S):
        raise ApiError(
            "plan_overtaken",
            "The record has a row about this client that is newer than the plan.",
            "Plan again: what was given since then counts.",
        )


def _check_age(age_s: float) -> None:
    if not (age_s >= -INSTANT_ROUNDING_S):
        raise ApiError(
            "plan_later",
            f"The plan was made {-age_s:.1f} s later than it is now by the "
            "kernel's clock: the clock was set back, or the plan comes from another computer.",
            "Check the clock, then plan again on this computer.",
        )
    if not (age_s <= PLAN_AGE_MAX_S):
        raise ApiError(
            "plan_old",
            f"The plan was made {age_s / 60.0:.0f} minutes ago and holds for "
            f"{PLAN_AGE_MAX_S / 60.0:.0f}.",
            "Plan again, and start from that.",
        )


def check_seen(wish: TreatArgs, own: Fingerprint) -> None:
    """Raise ApiError unless what was seen is what would be started; it says what has changed."""
    if None in (wish.plan_sha256, wish.planned_at_s, wish.planned_up_s):
        raise NO_PLAN
    if wish.plan_sha256 == own.sha256:
        return
    changed = own.differing(wish.plan_parts or {}) if wish.plan_parts else ()
    raise ApiError(
        "plan_changed",
        change_in_words(changed),
        "Plan again, read what is new, and start from that.",
    )


# -- the row of a treatment ------------------------------------------------------------------------
class Booking:
    """Prepares the record, and writes the rows of treatments that begin, end early or are left."""

    def __init__(
        self,
        journal: Journal,
        here: Here,
        configs: Path,
        corneum: str,
        lock: str,
        alive: Callable[[str], LockState],
    ) -> None:
        self._journal = journal
        self._here = here
        self._configs = configs
        self._corneum = corneum
        self._lock = lock
        self._alive = alive
        self._unseen: set[str] = set()
        """Locks that could not be looked at: what they may guard stays as it is."""

    async def ready(self, look: Callable[[], Awaitable[UnitNow | None]]) -> None:
        """Prove that a treatment can be recorded; mark what a crash has left open.

        No treatment of this kernel is under way. ``look`` asks the unit what nobody saw.
        """
        await self._journal.preflight()
        found = await self._journal.read(lambda store: interrupted(store, self._is_alive))
        if found:
            unit = await look()
            found = await self._journal.read(lambda store: interrupted(store, self._is_alive, unit))
        unseen = [Row(Kind.LOCK_UNKNOWN, {"lock": lock}) for lock in sorted(self._unseen)]
        self._unseen.clear()
        if found or unseen:
            await self._journal.commit([*unseen, *(each.row(self._here) for each in found)])

    async def check_record(self) -> None:
        """Prove that a treatment can be recorded, before anything is asked of the unit."""
        await self._journal.preflight()

    async def check_tables(self) -> None:
        """Prove that limits can be computed: without usable skin data nothing starts at all."""
        try:
            await asyncio.to_thread(load_skin, self._configs)
        except ConfigError as error:
            raise ApiError(
                "config", error.sentence, "The kernel does not start without it."
            ) from error

    async def unfinished(self) -> tuple[UnfinishedView, ...]:
        """Return the treatments that wait to be resumed or dismissed."""
        found = await self._journal.read(treatments.unfinished)
        return tuple(UnfinishedView(each.treatment, each.client, each.program) for each in found)

    async def book(self, proved: Proved, wish: TreatArgs, who: Who) -> int:
        """Write the row of the treatment and return its number."""
        body: dict[str, Any] = treatments.beginning_body(
            proved.plan, self._lock, practice=proved.practice, resumes=proved.resumes
        )
        body |= {
            "who": rows.who_body(who),
            "reason": wish.reason,
            "corneum": self._corneum,
            "plan_sha256": proved.mark.sha256,
            "planned_at_s": proved.mark.planned_at_wall_s,
            "plan": proved.as_dict(),
        }
        begun, plan = [Row(Kind.TREATMENT, body)], proved.plan
        if proved.tip is not None:
            fitted = proved.tip.body(plan.unit_serial, plan.client_ref, simulated=plan.simulated)
            begun.append(Row(Kind.TIP, fitted))
        return await self._journal.book(begun)

    async def withdraw(self, treatment: int, why: str) -> None:
        """Close a treatment that was booked and never began."""
        body = {"outcome": "refused", "why": why, "zones": []}
        await self._journal.commit([Row(Kind.ENDED, body, treatment)])

    def is_under_way(self, lock: str) -> bool:
        """Return True unless surely no kernel holds ``lock``: neither this one nor another."""
        return lock == self._lock or self._alive(lock) is not LockState.FREE

    def _is_alive(self, lock: str) -> bool:
        """Return True unless ``lock`` is surely free, or this kernel's own from an earlier life."""
        if lock == self._lock:
            return False
        holding = self._alive(lock)
        if holding is LockState.UNKNOWN:
            self._unseen.add(lock)
        return holding is not LockState.FREE


# -- the treatment ---------------------------------------------------------------------------------
TOO_SLOW: Final = ApiError(
    "slow",
    f"The plan was not ready within {PREPARED_MAX_S:g} s, so nothing has begun.",
    "Close other programs on this computer, then start anew.",
)


class Room(NamedTuple):
    """What planning reads: the record, the clocks, and the folder of files."""

    journal: Journal
    here: Here
    configs: Path


class Treating:
    """Begins treatments, one at a time; a stop voids what was asked for before it."""

    def __init__(self, room: Room, booking: Booking, control: Control) -> None:
        self.starting = False
        """A treatment was asked for and neither runs nor was refused."""
        self.treatment = 0
        """Number of the treatment that was begun last, until somebody sets it to 0."""
        self.begun = 0
        """How many treatments were begun."""
        self._room = room
        self._booking = booking
        self._control = control
        self._stops = 0

    def void(self) -> None:
        """Let nothing begin that was asked for before now."""
        self._stops += 1

    async def treat(
        self,
        wish: TreatArgs,
        who: Who,
        identify: Callable[[], Identity],
        look: Callable[[], Awaitable[UnitNow | None]],
    ) -> dict[str, Any]:
        """Begin the treatment; ApiError or DeclinedError says why it does not begin.

        ``look`` asks the unit what it delivered while nobody saw it.
        """
        if self.starting or not self._control.idle:
            raise ApiError(
                "busy", "A treatment is under way on this unit.", "Wait for its end, or stop it."
            )
        self.starting, stops = True, self._stops
        try:
            try:
                async with asyncio.timeout(PREPARED_MAX_S):
                    await self._booking.ready(look)
                    proved = await self._proved(wish, who, identify)
            except TimeoutError as error:
                raise TOO_SLOW from error
            return await self._begin(proved, wish, who, stops)
        finally:
            self.starting = False

    async def _begin(self, proved: Proved, wish: TreatArgs, who: Who, stops: int) -> dict[str, Any]:
        assignment = treatment_of(proved.plan)
        declined = self._control.may_begin(assignment, who)
        if declined is not None:
            raise DeclinedError(declined)
        treatment = await self._booking.book(proved, wish, who)
        if stops != self._stops:
            await self._booking.withdraw(treatment, "stopped before it began")
            raise ApiError("stopped", "The treatment was stopped before it began.", "Start anew.")
        try:
            await self._control.begin(assignment, who, treatment)
        except DeclinedError as error:
            if self._control.idle:
                await self._booking.withdraw(treatment, error.sentence)
            raise
        self.begun += 1
        self.treatment = treatment
        self._control.unfinished = await self._booking.unfinished()
        return {"treatment": treatment, "plan": proved.as_dict()}

    async def _proved(self, wish: TreatArgs, who: Who, identify: Callable[[], Identity]) -> Proved:
        """Return the plan that may be started; a refusal leaves a row with its chain of limits."""
        try:
            return await self._checked(wish, Handset.of(identify()))
        except ApiError as error:
            body = {
                "who": rows.who_body(who),
                "program": wish.program,
                "client": wish.client,
                "code": error.code,
                "sentence": error.sentence,
                "receipt": error.receipt,
            }
            self._room.journal.note(Row(Kind.REFUSED, body))
            raise

    async def _checked(self, wish: TreatArgs, handset: Handset) -> Proved:
        room = self._room
        # Without a seen plan nothing starts, yet what speaks against the wish itself is said first.
        at = instant_of(wish, room.here.now())
        check_instant(at, room.here.now())
        asked = Asked(wish, handset.serial, handset.simulated, at)
        given = await paced(reading(room.configs, wish, handset))
        past = await room.journal.read(
            lambda store: past_of(store, asked, given, room.journal.health.breaks)
        )
        proved = await paced(proving(given, past, asked, Purpose.CHECK))
        check_newest(at, past.newest_up_s)
        check_seen(wish, proved.mark)
        return proved
