"""Acknowledging and resetting a trip that no treatment of this kernel has latched.

The unit came up tripped, or the kernel that treated is gone: there is no supervisor to decide, so
that the rules are here, and the unit itself has the last word.
"""

import asyncio
from collections.abc import Awaitable, Callable

from controller.device.answers import Told
from controller.kernel.alarm_desk import AlarmDesk
from controller.kernel.declined import NOT_RESET_UNRECORDED, DeclinedError, raise_not_reset
from controller.kernel.performer import Performer
from controller.kernel.ports import Handpiece
from controller.safety.interlocks import is_stale
from controller.treatment import persons, rows
from controller.treatment.events import Commit, Raise, Who
from firmware_protocol.vocabulary import Cause, Mode


class TripDesk:
    """What a person at the unit may do about its trip while nothing is treated."""

    def __init__(
        self,
        handpiece: Handpiece,
        performer: Performer,
        alarms: AlarmDesk,
        kept: Callable[[int], Awaitable[bool]],
    ) -> None:
        """``kept`` waits for the rows so far and returns whether those since one are durable."""
        self._handpiece = handpiece
        self._performer = performer
        self._alarms = alarms
        self._kept = kept

    def acknowledge(self, who: Who) -> None:
        """Acknowledge whatever stands."""
        self._performer.put(0, Commit("ack", {"who": rows.who_body(who)}))
        self._alarms.acknowledge()

    async def reset(self, who: Who) -> str:
        """Reset the unit, its record first, and return the cause. Raises DeclinedError."""
        cause, since = self._resettable(), self._performer.asked
        self._performer.put(0, Commit("reset", {"who": rows.who_body(who), "cause": cause.name}))
        if not await self._kept(since):
            raise DeclinedError(NOT_RESET_UNRECORDED)
        answer = await self._handpiece.reset(cause)
        if not answer.done:
            known = answer.outcome is not Told.UNKNOWN
            raise_not_reset((Raise(persons.reset_alarm(answer.refusal, known=known)),))
        return cause.name

    def _resettable(self) -> Cause:
        """Return the cause that is latched. Raises DeclinedError where nothing may be reset."""
        reading, now_s = self._handpiece.newest, asyncio.get_running_loop().time()
        if reading is None or is_stale(reading.at_s, now_s):
            raise DeclinedError(persons.NOT_SEEN)
        if reading.mode is not Mode.SAFE:
            raise DeclinedError(persons.NO_TRIP)
        if self._alarms.unacknowledged:
            raise DeclinedError(persons.NOT_ACKNOWLEDGED)
        return reading.cause
