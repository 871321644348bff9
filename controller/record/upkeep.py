"""What a kernel does for its record beside the control: nothing here moves anything.

It recalls what the record says of a unit when it starts, writes down what people report and decide
(an unfinished treatment is dismissed, a tip was sterilised, a lock is taken off), says what is
wrong with the record, and has the whole chain checked from time to time. RecordError where the
record cannot be read or kept.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from controller.api.authority import Do
from controller.api.requests import UnlockArgs, read_args
from controller.record import decisions
from controller.record.booking import Booking
from controller.record.clocks import Here, doubt_of
from controller.record.dismissal import dismiss
from controller.record.journal import Journal, Row
from controller.record.resets import History, ResetLock, Whose
from controller.record.resets import read as read_resets
from controller.record.sterilised import sterilised
from controller.record.store import BrokenRowError, RecordError
from controller.record.verify import Break, CheckResult
from controller.safety.alarm_texts import LOCKED, RECORD_BROKEN
from controller.safety.refusal import refusing
from controller.treatment import rows
from controller.treatment.alarm_system import AlarmSystem
from controller.treatment.events import Who
from controller.treatment.kinds import Kind

if TYPE_CHECKING:
    from controller.api.snapshot import UnfinishedView

FIRST_CHECK_S: Final = 5.0
"""After the start, so that nobody waits for the kernel because of it."""

CHECK_PERIOD_S: Final = 86_400.0
"""A disk that rots does so within years, and each check reads all of the file."""

IDLE_LOOK_S: Final = 5.0
"""How often the end of a treatment is looked for: no check begins beside one."""

NOTE_LOOK_S: Final = 0.5
"""How often the end of a treatment is looked for, for the notes of the witnesses."""


class Upkeep:
    """Keeps the record, with an alarm while something is wrong with it or the unit is locked."""

    def __init__(
        self,
        journal: Journal,
        here: Here,
        booking: Booking,
        alarms: AlarmSystem,
        resets: ResetLock,
    ) -> None:
        self.unfinished: tuple[UnfinishedView, ...] = ()
        """The treatments that wait to be resumed or dismissed."""
        self.clock: str | None = None
        """What is wrong with the wall clock."""
        self._journal = journal
        self._here = here
        self._booking = booking
        self._alarms = alarms
        self._resets = resets
        self._whose: Whose | None = None
        self._noted = 0
        """How many treatments had begun when the end of the record was noted last."""

    @property
    def answers(self) -> dict[Do, Callable[[dict[str, Any], Who], Awaitable[dict[str, Any]]]]:
        """What is only written down, by what is asked for."""
        return {
            Do.DISMISS: self.dismiss,
            Do.STERILISED: self.sterilised,
            Do.UNLOCK: self.unlock,
            Do.ACCEPT: self.accept,
        }

    # -- what is known -----------------------------------------------------------------------------
    async def begin(self, whose: Whose) -> None:
        """Recall what the record says about a unit: unfinished treatments, resets, a lock."""
        self._whose = whose
        mono_s, wall_s = asyncio.get_running_loop().time(), self._here.wall_clock()
        try:
            history = await self._journal.read(
                lambda store: read_resets(store, whose, mono_s, wall_s)
            )
        except BrokenRowError as error:  # resets that nobody knows may be too many
            history = History(str(error), ())
            self._journal.health.breaks = (Break(error.row, error.what),)
        self._resets.begin(whose, history)
        if self._resets.cause is not None:
            self._alarms.put(LOCKED, mono_s)
        await self.look()
        await self.look_unfinished()

    async def look(self) -> None:
        """Show what is wrong with the record and the clock now."""
        self._show_health()
        now = self._here.now()
        self.clock = await self._journal.read(lambda store: doubt_of(store, now))

    async def look_unfinished(self) -> None:
        """Show what is unfinished now."""
        self.unfinished = await self._booking.unfinished()

    def _show_health(self) -> None:
        if self._journal.health.is_broken:
            self._alarms.put(RECORD_BROKEN, asyncio.get_running_loop().time())
        else:
            self._alarms.settle(RECORD_BROKEN.code)

    # -- what people report and decide -------------------------------------------------------------
    async def dismiss(self, args: dict[str, Any], who: Who) -> dict[str, Any]:
        """Note that an unfinished treatment will not be continued."""
        done = await dismiss(self._journal, args, who, self._booking.is_under_way)
        await self.look()
        await self.look_unfinished()
        return done

    async def sterilised(self, args: dict[str, Any], who: Who) -> dict[str, Any]:
        """Note that a tip was sterilised."""
        return await sterilised(self._journal, args, who, self._booking.is_under_way)

    async def accept(self, args: dict[str, Any], who: Who) -> dict[str, Any]:
        """Write a technician's decision down."""
        done = await decisions.accept(self._journal, args, who, self._here)
        await self.look()
        return done

    async def unlock(self, args: dict[str, Any], who: Who) -> dict[str, Any]:
        """Take the lock of too many resets off; its row is durable before it is."""
        said, cause = read_args(UnlockArgs, args), self._resets.cause
        if cause is None or self._whose is None:
            raise refusing(
                "not_locked", "The unit is not locked.", "Read `corneum status` for what stands."
            )
        body = {
            **self._whose.body(),
            "cause": cause,
            "who": rows.who_body(who),
            "reason": said.reason,
        }
        await self._journal.commit([Row(Kind.UNLOCKED, body)])
        self._resets.release()
        self._alarms.settle(LOCKED.code)
        return {"cause": cause}

    # -- the witnesses of its end ------------------------------------------------------------------
    async def keep_noted(self, ended: Callable[[], int | None]) -> None:
        """Have the end of the record noted after each treatment.

        ``ended`` returns how many have begun, or None while one runs.
        """
        while self._journal.witness is not None and self._journal.path is not None:
            await asyncio.sleep(NOTE_LOOK_S)
            if (begun := ended()) is not None:
                await self.note(begun)

    async def note(self, begun: int) -> None:
        """Have the end of the record noted, unless it was since the last treatment began."""
        witness, path = self._journal.witness, self._journal.path
        if witness is None or path is None or begun == self._noted:
            return
        before, self._noted = self._noted, begun  # one that fails is not tried again and again
        try:
            with contextlib.suppress(RecordError):  # `failure` of the journal tells of it
                await self._journal.commit([])  # what is only noted yet belongs to the treatment
                if body := await witness(path.parent):
                    await self._journal.commit([Row(Kind.NOTED, body)])
        except asyncio.CancelledError:
            self._noted = before  # it was asked for, and is not done: a kernel that ends does it
            raise

    # -- the check of the whole record -------------------------------------------------------------
    async def keep_checked(self, is_idle: Callable[[], bool]) -> None:
        """Have the whole chain checked soon after the start, and then once a day while idle."""
        check, path = self._journal.check, self._journal.path
        if check is None or path is None:
            return
        pause_s = FIRST_CHECK_S
        while True:
            await asyncio.sleep(pause_s)
            while not is_idle():
                await asyncio.sleep(IDLE_LOOK_S)
            await self.take(await check(path))
            pause_s = CHECK_PERIOD_S

    async def take(self, found: CheckResult) -> None:
        """Take what a check has found."""
        health = self._journal.health
        health.verified_to, health.breaks = found.rows, tuple(found.breaks)
        health.unchecked = found.unreadable or (found.lists and found.sentence)
        try:
            await decisions.refresh(self._journal)
        except RecordError as error:
            health.unchecked = str(error)
        self._show_health()
