"""From the request TREAT to a treatment that runs, or to the reason why it does not.

With nothing running the kernel plans once itself, from its own files and record and at the instant
of the plan that a person saw, in steps between which its loop turns. It starts only what has the
same fingerprint. Nothing else of a plan from outside is used. A treatment is booked before it
begins: its row is durable before the unit hears of it. RecordError where the record cannot be kept,
RefusedError for everything else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from controller.api.ask import PREPARED_MAX_S
from controller.api.requests import TreatArgs
from controller.kernel.control import Control
from controller.planning.steps import Steps
from controller.record.booking import Booking
from controller.record.clocks import Here
from controller.record.journal import Journal, Row
from controller.record.past import Asked, past_of
from controller.record.planner import Handset, Proved, Purpose, proving, reading
from controller.record.recovery import UnitNow
from controller.record.seen_plan import check_instant, check_newest, check_seen, instant_of
from controller.record.waveform_feed import NOT_FED, WaveformFeed
from controller.record.witness import Unit, UnitWitness
from controller.safety.reading import Identity
from controller.safety.refusal import Refusal, RefusedError, refusing
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


# -- the treatment ---------------------------------------------------------------------------------
TOO_SLOW: Final = Refusal(
    "slow",
    f"The plan was not ready within {PREPARED_MAX_S:g} s, so nothing has begun.",
    "Close other programs on this computer, then start anew.",
)


class Room(NamedTuple):
    """What planning reads: the record, the clocks and the folder of files; and who records."""

    journal: Journal
    here: Here
    configs: Path
    waves: WaveformFeed = NOT_FED


class Treating:
    """Begins treatments, one at a time; a stop voids what was asked for before it."""

    def __init__(
        self, room: Room, booking: Booking, control: Control, unit: Callable[[], Unit | None]
    ) -> None:
        self.starting = False
        """A treatment was asked for and neither runs nor was refused."""
        self.treatment = 0
        """Number of the treatment that was begun last, until somebody sets it to 0."""
        self.begun = 0
        """How many treatments were begun."""
        self.witness = UnitWitness(room.journal, unit, lambda: control.idle)
        self._room = room
        self._booking = booking
        self._control = control
        self._stops = 0

    def ended(self) -> int | None:
        """Return how many treatments were begun; None while one runs or is about to."""
        return self.begun if self._control.idle and not self.starting else None

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
        """Begin the treatment; RefusedError or RefusedError says why it does not begin.

        ``look`` asks the unit what it delivered while nobody saw it.
        """
        if self.starting or not self._control.idle:
            raise refusing(
                "busy", "A treatment is under way on this unit.", "Wait for its end, or stop it."
            )
        self.starting, stops = True, self._stops
        try:
            try:
                async with asyncio.timeout(PREPARED_MAX_S):
                    await self._booking.ready(look)
                    proved = await self._proved(wish, who, identify)
            except TimeoutError as error:
                raise RefusedError(TOO_SLOW) from error
            return await self._begin(proved, wish, who, stops)
        finally:
            self.starting = False

    async def _begin(self, proved: Proved, wish: TreatArgs, who: Who, stops: int) -> dict[str, Any]:
        assignment = self._room.waves.beside(treatment_of(proved.plan))
        declined = self._control.may_begin(assignment, who)
        if declined is not None:
            raise RefusedError(declined)
        treatment = await self._booking.book(proved, wish, who)
        if stops != self._stops:
            await self._booking.withdraw(treatment, "stopped before it began")
            raise refusing("stopped", "The treatment was stopped before it began.", "Start anew.")
        try:
            await self._control.begin(assignment, who, treatment)
        except RefusedError as error:
            if self._control.idle:
                await self._booking.withdraw(treatment, error.sentence)
            raise
        self._room.waves.begin(treatment, lambda: self._control.alarms.board.standing)
        self.begun += 1
        self.treatment = treatment
        self.witness.begun(treatment)
        return {"treatment": treatment, "plan": proved.as_dict()}

    async def _proved(self, wish: TreatArgs, who: Who, identify: Callable[[], Identity]) -> Proved:
        """Return the plan that may be started; a refusal leaves a row with its chain of limits."""
        try:
            handset = Handset.of(identify())
            await self.witness.ask()
            return await self._checked(wish, handset)
        except RefusedError as error:
            body = {
                "who": rows.who_body(who),
                "program": wish.program,
                "client": wish.client,
                "code": error.code,
                "sentence": error.sentence,
                "receipt": error.refusal.receipt_body,
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
