"""The alarms of one kernel: what stands, what is held back, and a row for each change of either."""

from collections.abc import Callable

from controller.kernel.journal import Row
from controller.safety.alarm_signals import Move, Quiet, Signal, move_of, signal
from controller.safety.alarm_texts import OF_CAUSE
from controller.safety.alarms import Alarm, AlarmBoard
from controller.safety.reading import Reading
from controller.treatment import rows
from controller.treatment.events import Body, Who
from firmware_protocol.vocabulary import Cause, Mode


class AlarmDesk:
    """Keeps the board and the state of inactivation, and writes both down."""

    def __init__(self, note: Callable[[Row], None]) -> None:
        self.board = AlarmBoard()
        self.treatment = 0
        """What the rows belong to; 0 is no treatment."""
        self._note = note
        self._quiet = Quiet()
        self._idle_cause = Cause.NONE

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
        self._write("alarm", body)
        move = move_of(alarm.priority)
        if move is not None:
            self._become(self._quiet.after(move, now_s), "a new alarm")

    def settle(self, code: str) -> None:
        """A condition has gone."""
        if self.board.settle(code):
            self._write("alarm_gone", {"code": code})

    def settle_all(self) -> None:
        """Every condition has gone: the next treatment begins."""
        for one in self.board.standing:
            self.settle(one.alarm.code)

    def acknowledge(self) -> None:
        """Acknowledge what stands now; whoever asked for it has its row."""
        self.board.acknowledge()

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

    def watch_idle(self, reading: Reading, now_s: float) -> None:
        """Show a trip that the unit has latched while no treatment runs."""
        cause = reading.cause if reading.mode is Mode.SAFE else Cause.NONE
        if cause is self._idle_cause:
            return
        if self._idle_cause in OF_CAUSE:
            self.settle(OF_CAUSE[self._idle_cause].code)
        self._idle_cause = cause
        if cause in OF_CAUSE:
            self.put(OF_CAUSE[cause], now_s)

    def _become(self, quiet: Quiet, why: str, who: Who | None = None) -> None:
        if quiet is self._quiet:
            return
        self._quiet = quiet
        asked = {} if who is None else {"who": rows.who_body(who)}
        self._write("alarm_quiet", {"state": quiet.state.value, "why": why, **asked})

    def _write(self, kind: str, body: Body) -> None:
        self._note(Row(kind, body, self.treatment))
