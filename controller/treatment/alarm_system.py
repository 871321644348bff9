"""The alarms of one unit, with or without a treatment: what stands, and what of it is heard.

Each alarm that comes or goes is a row.
"""

from collections.abc import Callable
from typing import Final

from controller.safety.alarm_signals import Move, Quiet, Signal, move_of, signal
from controller.safety.alarm_texts import OF_CAUSE
from controller.safety.alarms import Alarm, AlarmBoard, Priority
from controller.safety.off_watch import EFFECT_CODES, OffWatch
from controller.safety.reading import Reading
from controller.safety.refusal import Refusal
from controller.treatment import persons, rows
from controller.treatment.events import Body, Note, Raise, Settle, Who
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Mode

EFFECT_NOT_ACKNOWLEDGED: Final = Refusal(
    "not_acknowledged",
    "The unit did something while everything was switched off, and nobody has acknowledged it.",
    "Read the alarm, acknowledge it, then start anew.",
)


class AlarmSystem:
    """Keeps the board and the state of inactivation, and writes both down."""

    def __init__(self, note: Callable[[Note], None]) -> None:
        self.board = AlarmBoard()
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
    def declined(self) -> Refusal | None:
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
        self._note(Note(kind, body))
