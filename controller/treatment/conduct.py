"""How a treatment is conducted: its state, and the few moves that everybody makes on it.

Stop, trip, refuse, hold, clear, end. Each returns its actions in the order in which they are to be
performed; what stops comes first and waits for nothing, what permits comes when its row has ended
as done.
"""

from typing import Final

from controller.planning.plan import Plan
from controller.safety.alarm_texts import NOT_RECORDED, OF_INTERLOCK
from controller.safety.alarms import Alarm
from controller.safety.interlocks import Interlock
from controller.safety.reading import Reading
from controller.treatment import rows
from controller.treatment.acts import VOIDED_BY_STOP, Acts
from controller.treatment.course import Course, Receipts
from controller.treatment.events import (
    Action,
    Body,
    Commit,
    End,
    Finished,
    Hold,
    Json,
    Note,
    Outcome,
    Raise,
    Settle,
    Step,
    StopNow,
    Who,
)
from controller.treatment.kinds import Kind
from controller.treatment.states import ENDED, LIVE, Signal, State, after
from firmware_protocol import envelope
from firmware_protocol.vocabulary import StopKind, Wish

Actions = tuple[Action, ...]

SERVICE_ROLE: Final = "service"
"""Role of the kernel itself; no person has it."""

NOTHING: Final = Hold(0.0, 0.0, Wish.NONE, 0)
UNSEEN_S: Final = envelope.LEASE_DEFAULT_MS / 1000 + envelope.LEASE_MARGIN_S
"""For so long the valve may stay open after the last that was seen: the device's lease."""

AHEAD_S: Final = 2.0
"""Rows name the zones that may be open within this time after them. A recovery charges these for
all that the record can have missed, which is less (`recovery.UNSEEN_S`; a test compares them)."""
_UNSEEN: Final = frozenset(
    {
        Interlock.TELEMETRY_STALE,
        Interlock.LINK_LOST,
        Interlock.LINK_NOISY,
        Interlock.UNIT_CHANGED,
        Interlock.NO_ANSWER,
        Interlock.LOOP_STALLED,
    }
)
"""After these the readings have a gap: what was not seen is charged at the worst case."""

_HALTED: Final = {Outcome.COMPLETED: Signal.COMPLETE, Outcome.STOPPED: Signal.HALT}


class Conduct:
    """The state of one treatment and its moves."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.course = Course(plan)
        self.state = State.PREPARING
        self.acts = Acts()
        """What was asked for and has not come to its end."""
        self.outcome: Outcome | None = None
        """Set when the closing row is asked for; a trip may still wait for its reset."""
        self.recorded: bool | None = None
        """Whether the closing row is durable; None until that is known."""
        self.newest: Reading | None = None
        self.sent = NOTHING
        """The newest setpoint."""
        self.held = False
        """A person holds the flow, until the row of a resume is durable; or the kernel does where
        no screen leads."""
        self.must_release = False
        """After a hold: whoever has the hand switch pressed must let go first, then press again."""
        self.acknowledged = False
        """A local person has acknowledged the trip, and the row of it is durable."""
        self.refused: Receipts = ()
        """The newest settings that were refused, by the host or by the unit."""
        self.ending = Outcome.STOPPED
        """How the treatment ends when the orderly end that runs is through."""
        self.why = ""
        self.stopped_by: str | None = None
        """Role of the person who stopped the treatment."""
        self.tripped_by = ""
        """The cause of the trip, in the words of the record."""
        self.stop_kind = StopKind.NORMAL
        self.stopped_at_s: float | None = None
        """When the stop or trip that runs was decided."""
        self.time_to_safe_s: float | None = None
        """From there to the first reading with a shut valve in a mode that cannot open it."""
        self._raised: dict[str, Alarm] = {}

    # -- the setpoint ------------------------------------------------------------------------------
    @property
    def granted(self) -> bool:
        """True while the host permits flow; the device has its own permissives beside."""
        return not (self.waits or self.course.must_lift or self.course.done)

    @property
    def waits(self) -> bool:
        """True while the flow is held, and after that until the hand switch was released."""
        return self.held or self.must_release

    def observe(self, reading: Reading) -> None:
        """Take what the device said; a switch that is released after a hold may be pressed."""
        self.newest = reading
        if not self.held and reading.switch_released:
            self.must_release = False

    def hold(self) -> Actions:
        """Return the setpoint for now: what the treatment wants while it is live, else nothing."""
        suction_kpa = self.course.suction_kpa
        if self.state in (State.ARMED, State.ACTIVE, State.PAUSED):
            wish = Wish.ALL if self.granted else Wish.PUMP
            left_mg = self.course.left_mg() if self.granted else 0
            flow = self.course.flow_g_per_min if self.granted else 0.0
            self.sent = Hold(suction_kpa, flow, wish, left_mg)
        elif self.state is State.STOPPING and self.stop_kind is StopKind.NORMAL:
            self.sent = Hold(suction_kpa, 0.0, Wish.PUMP, 0)  # the purge needs its suction
        else:
            self.sent = NOTHING
        return (self.sent,)

    @property
    def receipts(self) -> Receipts:
        """What people lowered, and what was refused last."""
        return (*self.course.receipts, *self.refused)

    # -- the moves ---------------------------------------------------------------------------------
    def move(self, signal: Signal) -> None:
        """Move by the table."""
        self.state = after(self.state, signal)

    def row(self, kind: Kind, body: Body, step: Step | None = None) -> Commit:
        """Return a row to be written at once; its end is waited for where it has a step."""
        number = self.acts.number() if step is None else self.acts.ask(step)
        return Commit(kind, body, number)

    def stop(self, kind: StopKind, why: str, now_s: float, who: Who | None = None) -> Actions:
        """Stop in order or at once. Stopping again stops again; the first reason stays."""
        again = self.state not in LIVE and self.state is not State.PREPARING
        body: dict[str, Json] = {"kind": kind.name, "why": why}
        if who is not None:
            body["who"] = rows.who_body(who)
        self.move(Signal.STOP)
        stop: Actions = (StopNow(kind), *self.acts.void(*VOIDED_BY_STOP))
        if again:
            worse = kind is StopKind.EMERGENCY
            self.stop_kind = StopKind.EMERGENCY if worse else self.stop_kind
            return (*stop, Note(Kind.STOP, {**body, "again": True}))
        self.stop_kind, self.why = kind, why
        if who is not None and who.role != SERVICE_ROLE:
            self.stopped_by = who.role
        self.stopped_at_s = now_s
        row = self.row(Kind.STOP, {**body, "reading": rows.reading_body(self.newest)})
        return (*stop, *self._settle_notices(), *self.expose(), row)

    def complete(self, now_s: float) -> Actions:
        """Every zone is done: stop in order."""
        self.ending = Outcome.COMPLETED
        return self.stop(StopKind.NORMAL, "every zone is done", now_s)

    def trip(self, by: str, cause: str, alarm: Alarm, now_s: float, *, unseen: bool) -> Actions:
        """Latch a trip; ``unseen`` charges the worst case for what nobody could watch."""
        self.move(Signal.TRIP)
        told = (*self._settle_notices(), *self.tell(alarm))
        may_flow = self.course.was_on_skin() or Wish.FLOW in self.sent.wish
        if unseen and may_flow and self.newest is not None:
            self.course.charge(self.newest.age_s(now_s) + UNSEEN_S)
        self.why, self.tripped_by = f"{by} {cause}", cause
        self.stop_kind = StopKind.EMERGENCY
        self.stopped_at_s = now_s
        self.time_to_safe_s = None
        voided = self.acts.void(*VOIDED_BY_STOP)
        row = self.row(Kind.TRIP, rows.trip_body(by, cause, alarm, self.newest))
        return (StopNow(StopKind.EMERGENCY), *voided, *told, *self.expose(), row)

    def host_trip(self, why: Interlock, now_s: float, detail: str = "") -> Actions:
        """Latch the trip of an interlock of the host."""
        alarm = OF_INTERLOCK[why].saying(detail)
        return self.trip("host", why.name, alarm, now_s, unseen=why in _UNSEEN)

    def refuse(self, alarm: Alarm) -> Actions:
        """The treatment will not be: nothing was armed. STOP voids whatever is still on its way."""
        self.move(Signal.REFUSE)
        self.why = alarm.sentence
        told = (*self.acts.void(*VOIDED_BY_STOP), *self._settle_notices(), *self.tell(alarm))
        return (StopNow(StopKind.NORMAL), *told, *self.end(Outcome.REFUSED))

    def halted(self) -> Actions:
        """The orderly end is through: the device is disarmed and vented."""
        self.move(_HALTED[self.ending])
        return self.end(self.ending)

    def clear(self) -> Actions:
        """The trip is acknowledged and reset, the device is disarmed."""
        self.move(Signal.CLEAR)
        closing = self.end(Outcome.TRIPPED) if self.outcome is None else ()
        settled = tuple(Settle(code) for code in sorted(self._raised))
        self._raised.clear()
        return (*closing, *settled)

    def end(self, outcome: Outcome) -> Actions:
        """Close the record, once; the treatment is over when that row has come to its end."""
        self.outcome = outcome
        took_ms = None if self.time_to_safe_s is None else round(self.time_to_safe_s * 1000, 1)
        body = rows.ended_body(outcome, self.course.zones(), self.why, took_ms)
        return (self.row(Kind.ENDED, body, Step.ENDED),)

    def closed(self, event: Finished) -> Actions:
        """The closing row has come to its end; one that is lost is no record of the outcome."""
        self.recorded = event.end is End.DONE
        return () if self.recorded else (Raise(NOT_RECORDED),)

    # -- telling -----------------------------------------------------------------------------------
    def tell(self, alarm: Alarm) -> Actions:
        """Raise an alarm, once while it stands."""
        if alarm.code in self._raised:
            return ()
        self._raised[alarm.code] = alarm
        return (Raise(alarm),)

    def settle(self, code: str) -> Actions:
        """Take an alarm back whose condition has gone."""
        if code not in self._raised:
            return ()
        del self._raised[code]
        return (Settle(code),)

    def _settle_notices(self) -> Actions:
        """What was told for the way of the treatment means nothing any more."""
        passing = [code for code, alarm in self._raised.items() if not alarm.latching]
        return tuple(action for code in passing for action in self.settle(code))

    def expose(self) -> Actions:
        """Note what the zone has had by now, and the one before while the tip rests on it."""
        touched, may_open = self.course.touched, self.course.may_open(AHEAD_S)
        return tuple(
            Note(
                Kind.EXPOSURE,
                rows.exposure_body(zone.stage.zone, zone.use, may_open, self.newest),
            )
            for zone in self.course.zones()
            if zone.stage.zone in touched
        )

    def unseen(self) -> Actions:
        """Note what the unit delivered while nobody saw it; it is charged already."""
        surplus_s = self.course.take_surplus_s()
        if not surplus_s > 0.0:
            return ()
        return (Note(Kind.UNSEEN, {"surplus_s": round(surplus_s, 3)}), *self.expose())

    def watch_safe(self, reading: Reading, now_s: float) -> Actions:
        """Measure the time to safe, at the first reading that shows it."""
        since_s = self.stopped_at_s
        if since_s is None or self.time_to_safe_s is not None or self.state in ENDED:
            return ()
        if reading.treating or not reading.valve_shut:
            return ()
        took_s = now_s - since_s
        self.time_to_safe_s = took_s
        return (Note(Kind.SAFE, {"took_ms": round(took_s * 1000, 1), "why": self.why}),)
