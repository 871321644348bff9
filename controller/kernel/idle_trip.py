"""The trip of a unit that no treatment of this kernel has latched.

It is one that the unit came up with, or whose kernel is gone: there is no conductor to decide, so
that the rules are here, and the unit itself has the last word. As in a treatment, each step is an
asked action with an end: what it permits follows when that is done, and a stop voids it.
"""

import asyncio
from collections.abc import Callable

from controller.device.interface import Handpiece
from controller.kernel.asked import (
    NOT_ACKNOWLEDGED_UNRECORDED,
    NOT_RESET_UNRECORDED,
    OUTCOME_UNKNOWN,
    VOIDED,
    due_s,
)
from controller.kernel.performer import Performer
from controller.safety.interlocks import is_stale
from controller.safety.refusal import Refusal, RefusedError
from controller.treatment import persons, rows
from controller.treatment.alarm_system import AlarmSystem
from controller.treatment.events import Body, Commit, End, Finished, SendReset, Who
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Cause, Mode


class IdleTrip:
    """What a person at the unit may do about its trip while nothing is treated."""

    def __init__(self, handpiece: Handpiece, performer: Performer, alarms: AlarmSystem) -> None:
        self._handpiece = handpiece
        self._performer = performer
        self._alarms = alarms
        self._resetting = False

    async def acknowledge(self, who: Who) -> None:
        """Acknowledge what stands now, once the row of it is durable. Raises RefusedError."""
        seen = self._alarms.seen
        row = self._performer.ended(0, Commit(Kind.ACK, {"who": rows.who_body(who)}))
        row.add_done_callback(lambda done: _when_done(done, lambda: self._alarms.acknowledge(seen)))
        if (await _end_of(row, due_s())).end is not End.DONE:
            raise RefusedError(NOT_ACKNOWLEDGED_UNRECORDED)

    async def reset(self, who: Who, due: float, when_done: Callable[[str], None]) -> None:
        """Reset the unit by ``due``, its record first. Raises RefusedError.

        ``when_done`` takes the cause as soon as the unit has said that it was reset.
        """
        if self._resetting:
            raise RefusedError(persons.RESETTING)
        cause = self._resettable()
        self._resetting = True
        try:
            await self._reset(who, cause, due, when_done)
        finally:
            self._resetting = False

    async def _reset(
        self, who: Who, cause: Cause, due: float, when_done: Callable[[str], None]
    ) -> None:
        stops = self._performer.stops
        body: Body = {"who": rows.who_body(who), "cause": cause.name}
        asked = self._performer.ended(0, Commit(Kind.RESET, body))
        row = await _end_of(
            asked, due, NOT_RESET_UNRECORDED
        )  # one that comes later permits nothing
        if row.end is not End.DONE:
            raise RefusedError(NOT_RESET_UNRECORDED)
        if stops != self._performer.stops:
            raise RefusedError(VOIDED)
        asked = self._performer.ended(0, SendReset(cause))
        asked.add_done_callback(lambda done: _when_done(done, lambda: when_done(cause.name)))
        answer = await _end_of(asked, due)
        if answer.end is End.VOIDED:
            raise RefusedError(VOIDED)
        if answer.end is End.UNKNOWN and self._has_left_safe():
            when_done(cause.name)
        elif answer.end is not End.DONE:
            raise RefusedError(persons.not_reset(answer))

    def _has_left_safe(self) -> bool:
        """Return whether the unit shows that it was reset, though its answer was lost."""
        reading, now_s = self._handpiece.newest, asyncio.get_running_loop().time()
        heard = reading is not None and not is_stale(reading.at_s, now_s)
        return heard and reading is not None and reading.mode is Mode.DISARMED

    def _resettable(self) -> Cause:
        """Return the cause that is latched. Raises RefusedError where nothing may be reset."""
        reading, now_s = self._handpiece.newest, asyncio.get_running_loop().time()
        if reading is None or is_stale(reading.at_s, now_s):
            raise RefusedError(persons.NOT_SEEN)
        if reading.mode is not Mode.SAFE:
            raise RefusedError(persons.NO_TRIP)
        if self._alarms.unacknowledged:
            raise RefusedError(persons.NOT_ACKNOWLEDGED)
        return reading.cause


def _when_done(end: "asyncio.Future[Finished]", follow: Callable[[], None]) -> None:
    if not end.cancelled() and end.result().end is End.DONE:
        follow()


async def _end_of(
    end: "asyncio.Future[Finished]", due: float, late: Refusal = OUTCOME_UNKNOWN
) -> Finished:
    """Wait for an end until ``due``. Raises RefusedError."""
    try:
        async with asyncio.timeout_at(due):
            return await asyncio.shield(end)
    except TimeoutError:
        raise RefusedError(late) from None
