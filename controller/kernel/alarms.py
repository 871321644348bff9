"""The alarms of one kernel, and the trips that no treatment of it has latched.

Each alarm that comes or goes is a row. A trip without a treatment is one that the unit came up
with, or whose kernel is gone: there is no conductor to decide, so that the rules are here, and the
unit itself has the last word. As in a treatment, each step is an asked action with an end: what it
permits follows when that is done, and a stop voids it.
"""

import asyncio
from collections.abc import Callable

from controller.kernel.asked import (
    EFFECT_NOT_ACKNOWLEDGED,
    NOT_ACKNOWLEDGED_UNRECORDED,
    NOT_RESET_UNRECORDED,
    OUTCOME_UNKNOWN,
    VOIDED,
    DeclinedError,
    due_s,
)
from controller.kernel.performer import Handpiece, Performer
from controller.record.journal import Row
from controller.safety.alarm_signals import Move, Quiet, Signal, move_of, signal
from controller.safety.alarm_texts import OF_CAUSE
from controller.safety.alarms import Alarm, AlarmBoard, Priority
from controller.safety.interlocks import is_stale
from controller.safety.off_watch import EFFECT_CODES, OffWatch
from controller.safety.reading import Reading
from controller.treatment import persons, rows
from controller.treatment.events import (
    Body,
    Commit,
    Declined,
    End,
    Finished,
    Raise,
    SendReset,
    Settle,
    Who,
)
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Cause, Mode


# -- alarms ----------------------------------------------------------------------------------------
class AlarmDesk:
    """Keeps the board and the state of inactivation, and writes both down."""

    def __init__(self, note: Callable[[Row], None]) -> None:
        self.board = AlarmBoard()
        self.treatment = 0
        """What the rows belong to; 0 is no treatment."""
        self._note = note
        self._quiet = Quiet()
        self._off = OffWatch()
        self._idle: frozenset[str] = frozenset()
        """Codes of what was found on the idle unit and still stands."""

    def take(self, action: Raise | Settle, now_s: float) -> None:
        """Do what a treatment wants told, or taken back."""
        if isinstance(action, Raise):
            self.put(action.alarm, now_s)
        else:
            self.settle(action.code)

    def put(self, alarm: Alarm, now_s: float) -> None:
        """A condition has come; one that is new is heard, whatever was paused."""
        if not self.board.put(alarm, now_s):
            return
        first = next(one.first_out for one in self.board.standing if one.alarm.code == alarm.code)
        body: Body = {
            "code": alarm.code,
            "priority": alarm.priority.name,
            "sentence": alarm.sentence,
            "first_out": first,
        }
        self._write(Kind.ALARM, body)
        move = move_of(alarm.priority)
        if move is not None:
            self._become(self._quiet.after(move, now_s), "a new alarm")

    def settle(self, code: str) -> None:
        """A condition has gone."""
        if self.board.settle(code):
            self._write(Kind.ALARM_GONE, {"code": code})

    def settle_all(self) -> None:
        """Every condition has gone: the next treatment begins, and its supervisor watches."""
        for one in self.board.standing:
            self.settle(one.alarm.code)
        self._off, self._idle = OffWatch(), frozenset()

    @property
    def unacknowledged(self) -> bool:
        """True while a latching alarm stands that nobody has acknowledged."""
        return any(not one.acknowledged for one in self.board.standing if one.alarm.latching)

    @property
    def to_acknowledge(self) -> bool:
        """True while an alarm stands that nobody has acknowledged; information is no alarm."""
        return any(
            not one.acknowledged
            for one in self.board.standing
            if one.alarm.latching or one.alarm.priority is not Priority.INFORMATION
        )

    @property
    def seen(self) -> int:
        """What a person can have seen by now, for ``acknowledge``."""
        return self.board.newest

    def acknowledge(self, seen: int) -> None:
        """Acknowledge what stood when somebody asked for it; the row of it is durable by now."""
        self.board.acknowledge(seen)

    def silence(self, who: Who, now_s: float) -> None:
        """Pause the sound of what stands."""
        name = who.name or "somebody"
        self._become(self._quiet.after(Move.PAUSE_AUDIO, now_s), f"asked by {name}", who)

    def tick(self, now_s: float) -> None:
        """End what had a time."""
        self._become(self._quiet.now(now_s), "its time is over")

    def signal(self, now_s: float) -> Signal:
        """Return what is to be heard and seen now."""
        return signal(self.board.standing, self._quiet, now_s)

    def watch_treated(self, reading: Reading, now_s: float) -> None:
        """Take note of a unit that is treated with; its supervisor tells what is wrong."""
        self._off.pass_by(reading, now_s)

    def watch_idle(self, reading: Reading, now_s: float) -> None:
        """Show what is wrong with a unit that nobody treats with.

        That is a trip that it has latched, and any effect of what nobody commands; where both have
        one code, the alarm goes when neither stands any more.
        """
        found = {alarm.code: alarm for alarm in self._off.look(reading, now_s)}
        if reading.mode is Mode.SAFE and reading.cause in OF_CAUSE:
            found[OF_CAUSE[reading.cause].code] = OF_CAUSE[reading.cause]
        before, self._idle = self._idle, frozenset(found)
        for code in sorted(before - self._idle):
            self.settle(code)
        for code in sorted(self._idle - before):
            self.put(found[code], now_s)

    @property
    def declined(self) -> Declined | None:
        """Why nothing may begin: an effect of what nobody commands stands, or was not seen."""
        effects = [one for one in self.board.standing if one.alarm.code in EFFECT_CODES]
        present = next((one for one in effects if one.present), None)
        if present is not None:
            return persons.of_alarm("effect_while_off", present.alarm)
        return EFFECT_NOT_ACKNOWLEDGED if effects else None

    def _become(self, quiet: Quiet, why: str, who: Who | None = None) -> None:
        if quiet is self._quiet:
            return
        self._quiet = quiet
        asked = {} if who is None else {"who": rows.who_body(who)}
        self._write(Kind.ALARM_QUIET, {"state": quiet.state.value, "why": why, **asked})

    def _write(self, kind: Kind, body: Body) -> None:
        self._note(Row(kind, body, self.treatment))


# -- trips without a treatment ---------------------------------------------------------------------
class TripDesk:
    """What a person at the unit may do about its trip while nothing is treated."""

    def __init__(self, handpiece: Handpiece, performer: Performer, alarms: AlarmDesk) -> None:
        self._handpiece = handpiece
        self._performer = performer
        self._alarms = alarms
        self._resetting = False

    async def acknowledge(self, who: Who) -> None:
        """Acknowledge what stands now, once the row of it is durable. Raises DeclinedError."""
        seen = self._alarms.seen
        row = self._performer.ended(0, Commit(Kind.ACK, {"who": rows.who_body(who)}))
        row.add_done_callback(lambda done: _when_done(done, lambda: self._alarms.acknowledge(seen)))
        if (await _end_of(row, due_s())).end is not End.DONE:
            raise DeclinedError(NOT_ACKNOWLEDGED_UNRECORDED)

    async def reset(self, who: Who, due: float, when_done: Callable[[str], None]) -> None:
        """Reset the unit by ``due``, its record first. Raises DeclinedError.

        ``when_done`` takes the cause as soon as the unit has said that it was reset.
        """
        if self._resetting:
            raise DeclinedError(persons.RESETTING)
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
            raise DeclinedError(NOT_RESET_UNRECORDED)
        if stops != self._performer.stops:
            raise DeclinedError(VOIDED)
        asked = self._performer.ended(0, SendReset(cause))
        asked.add_done_callback(lambda done: _when_done(done, lambda: when_done(cause.name)))
        answer = await _end_of(asked, due)
        if answer.end is End.VOIDED:
            raise DeclinedError(VOIDED)
        if answer.end is End.UNKNOWN and self._has_left_safe():
            when_done(cause.name)
        elif answer.end is not End.DONE:
            raise DeclinedError(persons.not_reset(answer))

    def _has_left_safe(self) -> bool:
        """Return whether the unit shows that it was reset, though its answer was lost."""
        reading, now_s = self._handpiece.newest, asyncio.get_running_loop().time()
        heard = reading is not None and not is_stale(reading.at_s, now_s)
        return heard and reading is not None and reading.mode is Mode.DISARMED

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


def _when_done(end: "asyncio.Future[Finished]", follow: Callable[[], None]) -> None:
    if not end.cancelled() and end.result().end is End.DONE:
        follow()


async def _end_of(
    end: "asyncio.Future[Finished]", due: float, late: Declined = OUTCOME_UNKNOWN
) -> Finished:
    """Wait for an end until ``due``. Raises DeclinedError."""
    try:
        async with asyncio.timeout_at(due):
            return await asyncio.shield(end)
    except TimeoutError:
        raise DeclinedError(late) from None
