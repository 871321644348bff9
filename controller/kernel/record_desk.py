"""Watches over the record while the kernel runs: has its whole chain checked, and tells of it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from controller.kernel.control import Control
from controller.record import decisions
from controller.record.clocks import Here, doubt_of
from controller.record.journal import Journal
from controller.record.store import RecordError
from controller.record.verify import Verdict
from controller.safety.alarm_texts import RECORD_BROKEN
from controller.treatment.events import Who

FIRST_CHECK_S: Final = 5.0
"""After the start, so that nobody waits for the kernel because of it."""

CHECK_PERIOD_S: Final = 86_400.0
"""A disk that rots does so within years, and each check reads all of the file."""

IDLE_LOOK_S: Final = 5.0
"""How often the end of a treatment is looked for: no check begins beside one."""

Check = Callable[[Path], Awaitable[Verdict]]


class RecordDesk:
    """What the kernel knows about its record, and an alarm while something is wrong with it."""

    def __init__(self, journal: Journal, here: Here, control: Control) -> None:
        self._journal = journal
        self._here = here
        self._control = control

    def look(self) -> None:
        """Show an alarm while the record is known to be broken."""
        if self._journal.health.is_broken:
            self._control.alarms.put(RECORD_BROKEN, asyncio.get_running_loop().time())
        else:
            self._control.alarms.settle(RECORD_BROKEN.code)

    async def accept(self, args: dict[str, Any], who: Who) -> dict[str, Any]:
        """Write a technician's decision down."""
        done = await decisions.accept(self._journal, args, who, self._here)
        self.look()
        now = self._here.now()
        self._control.clock = await self._journal.read(lambda store: doubt_of(store, now))
        return done

    async def keep_checked(self) -> None:
        """Have the whole chain checked soon after the start, and then once a day while idle."""
        check, path = self._journal.check, self._journal.path
        if check is None or path is None:
            return
        pause_s = FIRST_CHECK_S
        while True:
            await asyncio.sleep(pause_s)
            while not self._control.idle:
                await asyncio.sleep(IDLE_LOOK_S)
            await self.take(await check(path))
            pause_s = CHECK_PERIOD_S

    async def take(self, found: Verdict) -> None:
        """Take what a check has found."""
        health = self._journal.health
        health.verified_to, health.breaks = found.rows, tuple(found.breaks)
        health.unchecked = found.unreadable or (found.lists and found.sentence)
        try:
            await decisions.refresh(self._journal)
        except RecordError as error:
            health.unchecked = str(error)
        self.look()
