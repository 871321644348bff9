"""What is only written down: nothing here moves anything, or hears of the line.

An unfinished treatment is dismissed, a tip was sterilised, the lock of a unit is taken off, and
what the record says about its resets is recalled at the start. RecordError where the record cannot
be read or kept.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from controller.api.authority import Do
from controller.api.requests import ApiError, UnlockArgs, read_args
from controller.kernel.booking import Booking
from controller.kernel.control import Control
from controller.kernel.record_desk import RecordDesk
from controller.record.clocks import Here, doubt_of
from controller.record.dismissal import dismiss
from controller.record.journal import Journal, Row
from controller.record.resets import UNLOCKED, History, Whose
from controller.record.resets import read as read_resets
from controller.record.sterilised import sterilised
from controller.record.store import BrokenRowError
from controller.record.verify import Break
from controller.safety.alarm_texts import LOCKED
from controller.treatment import rows
from controller.treatment.events import Who


class Desk:
    """Paper beside the control: reads and writes the record, and tells the control what follows."""

    def __init__(
        self,
        journal: Journal,
        here: Here,
        booking: Booking,
        control: Control,
    ) -> None:
        self._journal = journal
        self._here = here
        self._booking = booking
        self._control = control
        self._record = RecordDesk(journal, here, control)
        self._whose: Whose | None = None

    @property
    def answers(self) -> dict[Do, Callable[[dict[str, Any], Who], Awaitable[dict[str, Any]]]]:
        """What is only written down, by what is asked for."""
        return {
            Do.DISMISS: self.dismiss,
            Do.STERILISED: self.sterilised,
            Do.UNLOCK: self.unlock,
            Do.ACCEPT: self._record.accept,
        }

    async def run(self) -> None:
        """Have the record checked as long as the kernel runs."""
        await self._record.keep_checked()

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
        self._control.resets.begin(whose, history)
        if self._control.resets.cause is not None:
            self._control.alarms.put(LOCKED, mono_s)
        await self.look()

    async def look(self) -> None:
        """Show what is unfinished now, and what is wrong with the record and the clock."""
        self._record.look()
        self._control.unfinished = await self._booking.unfinished()
        now = self._here.now()
        self._control.clock = await self._journal.read(lambda store: doubt_of(store, now))

    async def dismiss(self, args: dict[str, Any], who: Who) -> dict[str, Any]:
        """Note that an unfinished treatment will not be continued."""
        done = await dismiss(self._journal, args, who, self._booking.is_under_way)
        await self.look()
        return done

    async def sterilised(self, args: dict[str, Any], who: Who) -> dict[str, Any]:
        """Note that a tip was sterilised."""
        return await sterilised(self._journal, args, who, self._booking.is_under_way)

    async def unlock(self, args: dict[str, Any], who: Who) -> dict[str, Any]:
        """Take the lock of too many resets off; its row is durable before it is."""
        said = read_args(UnlockArgs, args)
        resets = self._control.resets
        if resets.cause is None or self._whose is None:
            raise ApiError(
                "not_locked", "The unit is not locked.", "Read `corneum status` for what stands."
            )
        body = {
            **self._whose.body(),
            "cause": resets.cause,
            "who": rows.who_body(who),
            "reason": said.reason,
        }
        await self._journal.commit([Row(UNLOCKED, body)])
        resets.release()
        self._control.alarms.settle(LOCKED.code)
        return {"cause": body["cause"]}
