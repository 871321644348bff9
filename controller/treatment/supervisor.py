"""The supervisor of one treatment: events and time in, actions and a deadline out.

It decides; it does nothing. The table of states is in ``states.py``, the moves in ``conduct.py``,
the zones in ``course.py``, the way to an armed unit in ``arming.py`` and ``preparation.py``, what
people may ask for in ``persons.py``, what was asked for and has not ended yet in ``acts.py``.

What permits is written down first and changes when its row has ended as done. What stops never
waits: StopNow is the first action of its tuple.
"""

from typing import Final

from controller.planning.plan import Plan
from controller.planning.zone_end import ZoneEnd
from controller.safety.alarm_texts import (
    LOOP_STALLED,
    OF_CAUSE,
    OF_INTERLOCK,
    OF_NOTICE,
    RECORD_LOST,
    Notice,
)
from controller.safety.interlocks import (
    Belief,
    Interlock,
    Watch,
    held_up_words,
    is_stale,
    is_stalled,
    why_unheard,
)
from controller.safety.reading import Identity, Reading
from controller.treatment import arming, persons
from controller.treatment.conduct import AHEAD_S, Actions, Conduct
from controller.treatment.events import (
    Closed,
    Configure,
    Event,
    Finished,
    Json,
    LinkLost,
    Note,
    Observed,
    Outcome,
    Person,
    RecordLost,
    Step,
    Wake,
    Who,
)
from controller.treatment.kinds import Kind
from controller.treatment.preparation import Phase, Preparation
from controller.treatment.states import ENDED, LIVE, Signal, State
from firmware_protocol import envelope
from firmware_protocol.messages import PA_PER_KPA
from firmware_protocol.vocabulary import Cause, Mode, StopKind, Wish

RESET_SHOWS_S: Final = 0.2  # by then telemetry shows what a reset just before the beginning did
STOPPING_MAX_S: Final = envelope.PURGE_S + envelope.VENT_TIMEOUT_S + 2.0
SAFE_MAX_S: Final = 0.5  # twice the budget of 250 ms: the line and a frame of telemetry included
CONFIRM_MAX_S: Final = 2.0  # a safe state that was not seen by then is recorded as not confirmed
EXPOSURE_ROW_S: Final = 0.5  # a crash loses no more than this, and is charged the worst case for it
IDLE_MAX_S: Final = 600.0  # armed without treating: a talk takes minutes, a forgotten unit longer
SILENCE_MAX_S: Final = 1.0  # while nothing is armed, a hiccup of the line is no reason to refuse

MODES: Final = {
    State.PREPARING: frozenset(
        {Mode.BOOT, Mode.STOPPING, Mode.DISARMED, Mode.SELFTEST, Mode.READY}
    ),
    State.ARMING: frozenset({Mode.READY, Mode.ARMED, Mode.ACTIVE, Mode.PAUSED}),
    State.ARMED: frozenset({Mode.ARMED, Mode.ACTIVE, Mode.PAUSED}),
    State.ACTIVE: frozenset({Mode.ACTIVE, Mode.PAUSED}),
    State.PAUSED: frozenset({Mode.ACTIVE, Mode.PAUSED}),
    State.STOPPING: frozenset({Mode.STOPPING, Mode.DISARMED}),
    State.TRIPPED: frozenset({Mode.SAFE, Mode.DISARMED, Mode.BOOT}),
}
"""The device's modes that fit the host's belief; another one for long is a fault to report."""

_SEEN: Final = {Mode.ARMED: Signal.ARM, Mode.ACTIVE: Signal.PRESS, Mode.PAUSED: Signal.RELEASE}
_STANDS: Final = {Mode.ARMED: State.ARMED, Mode.ACTIVE: State.ACTIVE, Mode.PAUSED: State.PAUSED}
STALLED: Final = (Interlock.LOOP_STALLED,)
_END_NOTICE: Final = {
    ZoneEnd.TIME: OF_NOTICE[Notice.ZONE_TIME],
    ZoneEnd.EXPOSURE: OF_NOTICE[Notice.ZONE_EXPOSURE],
    ZoneEnd.SUCTION: OF_NOTICE[Notice.ZONE_SUCTION],
}
_PRESS: Final = OF_NOTICE[Notice.PRESS_SWITCH]
_AGAIN: Final = OF_NOTICE[Notice.ARMED_AGAIN]
_WARNING: Final = OF_NOTICE[Notice.DWELL_WARNING]
_ONWARD: Final = tuple(notice.code for notice in _END_NOTICE.values())


class Supervisor:
    """One treatment, from the row of its beginning to the row of its end."""

    def __init__(self, plan: Plan, identity: Identity) -> None:
        self.conduct = Conduct(plan)
        self._identity = identity
        self._preparation = Preparation(
            Configure(
                plan.suction_max_kpa,
                plan.flow_max_g_per_min,
                envelope.SUCTION_PERMIT_MIN_PA / PA_PER_KPA,
                plan.tip,
            ),
            plan.needed_g,
            self.conduct.acts,
        )
        self._watch = Watch()
        self._since_s = 0.0
        self._beat_s: float | None = None
        self._exposure_noted_s = 0.0
        self._treated_s = 0.0

    @property
    def state(self) -> State:
        """Where the treatment stands."""
        return self.conduct.state

    def step(self, event: Event, now_s: float) -> Actions:
        """Take one event at ``now_s`` and return what is to be done, in order."""
        match event:
            case Observed(reading):
                actions = (*self._observed(reading, now_s), *self.conduct.unseen())
            case Wake():
                actions = self._wake(now_s)
            case Person():
                actions = persons.answer(self.conduct, event, now_s)
            case Finished():
                actions = self._finished(event, now_s)
            case LinkLost(why, detail):
                actions = self._lost(why, detail, now_s)
            case RecordLost(detail):
                actions = self._record_lost(detail, now_s)
            case _:
                actions = self._begin(event.who, now_s)
        return actions

    def deadline_s(self) -> float | None:
        """When ``step`` must be called with Wake at the latest; None when nothing is waited for."""
        closed = self.state is State.TRIPPED and self.conduct.outcome is not None
        if closed or self.state in ENDED or self._beat_s is None:
            return None
        return self._beat_s + envelope.SETPOINT_PERIOD_S

    # -- readings ----------------------------------------------------------------------------------
    def _observed(self, reading: Reading, now_s: float) -> Actions:
        conduct = self.conduct
        conduct.observe(reading)
        if conduct.state in ENDED:
            return ()
        zone_end = conduct.course.observe(reading)
        if conduct.course.was_on_skin() or conduct.state not in LIVE:
            self._treated_s = now_s
        if conduct.state is State.TRIPPED:
            return self._while_tripped(reading, now_s)
        if reading.mode is Mode.SAFE:
            return self._device_trip(reading, now_s)
        held_up = conduct.state in LIVE and is_stalled(self._beat_s, now_s)
        broken = STALLED if held_up else self._watch.judge(reading, self._belief(), now_s)
        if broken:
            return self._host_trip(broken[0], self._beat_s, now_s)
        if conduct.state in (State.PREPARING, State.STOPPING):
            return self._while_idle(reading, now_s)
        return self._while_live(reading, zone_end, now_s)

    def _while_tripped(self, reading: Reading, now_s: float) -> Actions:
        conduct = self.conduct
        worse = self._watch.judge(reading, self._belief(), now_s)
        told = tuple(action for why in worse for action in conduct.tell(OF_INTERLOCK[why]))
        told = (*told, *persons.reset_shown(conduct, reading))
        safe = conduct.watch_safe(reading, now_s)
        if safe and conduct.outcome is None:
            return (*told, *safe, *conduct.end(Outcome.TRIPPED))
        return (*told, *safe)

    def _while_idle(self, reading: Reading, now_s: float) -> Actions:
        conduct = self.conduct
        if self.state is State.PREPARING:
            asked = self._preparation.observe(reading, now_s)
            return (*asked, *arming.prepared(conduct, self._preparation, now_s))
        safe = conduct.watch_safe(reading, now_s)
        if reading.mode is Mode.DISARMED and reading.valve_shut:
            return (*safe, *conduct.halted())
        return safe

    def _while_live(self, reading: Reading, zone_end: ZoneEnd | None, now_s: float) -> Actions:
        if reading.mode in _SEEN and _STANDS[reading.mode] is not self.state:
            seen = self._moved(reading, now_s)
        elif reading.mode in (Mode.DISARMED, Mode.STOPPING) and self.state is not State.ARMING:
            return self._disarmed(reading, now_s)
        else:
            seen = ()
        if zone_end is not None and not seen:  # else the next reading tells it again
            return self._next_zone(zone_end, now_s)
        return (*seen, *self._settle_notices(now_s), *self._note_exposure(now_s))

    def _moved(self, reading: Reading, now_s: float) -> Actions:
        conduct, before = self.conduct, self.state
        if reading.mode is Mode.ARMED and before is not State.ARMING:
            return ()  # a step back: the interlock on modes has the word
        conduct.move(_SEEN[reading.mode])
        self._preparation.armed(now_s)
        row = Note(Kind.STATE, {"from": before.value, "to": self.state.value})
        if self.state is State.ARMED:
            return (row, *conduct.settle(_AGAIN.code), *conduct.tell(_PRESS), *conduct.hold())
        return (row, *conduct.settle(_PRESS.code), *conduct.expose())

    def _disarmed(self, reading: Reading, now_s: float) -> Actions:
        """The device left the armed modes by itself: nobody pressed, or somebody stopped it."""
        conduct = self.conduct
        if self.state is State.ARMED and reading.mode is Mode.DISARMED:
            if self._preparation.exhausted:
                told = conduct.tell(OF_NOTICE[Notice.NOBODY_PRESSED])
                stop = conduct.stop(StopKind.NORMAL, "nobody pressed", now_s)
                return (*stop, *told)
            conduct.move(Signal.WITHDRAW)
            self._preparation.again(now_s)
            return (*conduct.settle(_PRESS.code), *conduct.tell(_AGAIN))
        told = conduct.tell(OF_NOTICE[Notice.STOPPED_AT_UNIT])
        stop = conduct.stop(StopKind.NORMAL, "stopped at the unit", now_s)
        conduct.stopped_by = "unit"
        return (*stop, *told)

    def _next_zone(self, zone_end: ZoneEnd, now_s: float) -> Actions:
        conduct = self.conduct
        closed = conduct.expose()
        body: dict[str, Json] = {"zone": conduct.course.zone, "by": zone_end.value}
        conduct.course.advance()
        body["receipts"] = [each.as_dict() for each in conduct.course.receipts]
        body["may_open"] = list(conduct.course.may_open(AHEAD_S))
        if conduct.course.done:
            return (*conduct.complete(now_s), Note(Kind.ZONE, body))
        told = conduct.tell(_END_NOTICE[zone_end])
        return (*conduct.hold(), *told, *closed, Note(Kind.ZONE, body))

    def _settle_notices(self, now_s: float) -> Actions:
        conduct = self.conduct
        slow = not self._watch.failing_for_s(Interlock.DWELL, now_s) <= envelope.DWELL_WARN_S
        dwell = conduct.tell(_WARNING) if slow else conduct.settle(_WARNING.code)
        if conduct.course.must_lift:
            return dwell
        onward = tuple(action for code in _ONWARD for action in conduct.settle(code))
        return (*dwell, *onward)

    def _note_exposure(self, now_s: float) -> Actions:
        due = now_s - self._exposure_noted_s >= EXPOSURE_ROW_S
        if not (due and self.state is State.ACTIVE):
            return ()
        self._exposure_noted_s = now_s
        return self.conduct.expose()

    # -- trips and losses --------------------------------------------------------------------------
    def _belief(self) -> Belief:
        conduct, state = self.conduct, self.conduct.state
        return Belief(
            treating=state in LIVE,
            stopped=state is State.STOPPING or state is State.TRIPPED,
            modes=MODES[state],
            set_suction_kpa=conduct.sent.suction_kpa,
            set_flow_g_per_min=conduct.sent.flow_g_per_min,
            flow_wished=int(conduct.sent.wish) & int(Wish.FLOW) != 0,
            motion_sensor=self._identity.motion_sensor,
            boot_id=self._identity.boot_id,
        )

    def _device_trip(self, reading: Reading, now_s: float) -> Actions:
        alarm = OF_CAUSE.get(reading.cause, OF_CAUSE[Cause.ENVELOPE])
        if self.state is State.PREPARING and self._preparation.resting:
            latched = now_s - self._since_s > RESET_SHOWS_S
            return self.conduct.refuse(alarm) if latched else ()
        if reading.cause is Cause.LEASE_LAPSED and is_stalled(self._beat_s, now_s):
            alarm = LOOP_STALLED.saying(held_up_words(self._beat_s, now_s))
        tripped = self.conduct.trip("device", reading.cause.name, alarm, now_s, unseen=False)
        return (*tripped, *self._while_tripped(reading, now_s))

    def _host_trip(self, why: Interlock, beat_s: float | None, now_s: float) -> Actions:
        words = held_up_words(beat_s, now_s) if why is Interlock.LOOP_STALLED else ""
        return self.conduct.host_trip(why, now_s, words)

    def _lost(self, why: Interlock, detail: str, now_s: float) -> Actions:
        if self.state in ENDED or self.state is State.TRIPPED:
            return ()
        if self.state is State.PREPARING:
            return self.conduct.refuse(OF_INTERLOCK[why].saying(detail))
        return self.conduct.host_trip(why, now_s, detail)

    def _record_lost(self, detail: str, now_s: float) -> Actions:
        conduct = self.conduct
        alarm = RECORD_LOST.saying(detail)
        if self.state is State.PREPARING:
            return conduct.refuse(alarm)
        if self.state not in LIVE:
            return conduct.tell(alarm)
        stop = conduct.stop(StopKind.NORMAL, "the record was lost", now_s)
        return (*stop, *conduct.tell(alarm))

    # -- what was asked for ------------------------------------------------------------------------
    def _begin(self, who: Who, now_s: float) -> Actions:
        if self.state is not State.PREPARING or self._preparation.phase is not Phase.BEGIN:
            return ()
        self._beat_s = self._since_s = now_s
        return arming.begin(self.conduct, self._preparation, who, now_s)

    def _finished(self, event: Finished, now_s: float) -> Actions:
        """Take the end of an asked action by its number; one that nobody waits for permits nothing.

        A lost row is a lost record, whatever it was for.
        """
        conduct = self.conduct
        ended = conduct.acts.take(event.number)
        lost = self._record_lost(event.lost, now_s) if event.lost else ()
        if ended is None:
            return (*lost, Closed(event.number, event.end))
        return (*lost, *self._follow(ended.step, event, ended.act, now_s))

    def _follow(self, step: Step, event: Finished, act: int, now_s: float) -> Actions:
        if step is Step.ENDED:
            return (*self.conduct.closed(event), Closed(act, event.end))
        asked_by_person = persons.ENDS.get(step)
        if asked_by_person is not None:
            return asked_by_person(self.conduct, event, act, now_s)
        return arming.finished(self.conduct, self._preparation, step, event, now_s)

    # -- time --------------------------------------------------------------------------------------
    def _wake(self, now_s: float) -> Actions:
        beat_s, self._beat_s = self._beat_s, now_s
        if beat_s is None or self.state in ENDED:
            return ()
        if self.state in LIVE:
            return self._wake_running(beat_s, now_s)
        if self._reads_first(beat_s, now_s):
            self._preparation.held_up(now_s)
            return ()
        if self.state is State.TRIPPED:
            return self._late_to_safe(now_s)
        if self.state is State.PREPARING:
            return self._wake_preparing(beat_s, now_s)
        return self._wake_running(beat_s, now_s)

    def _reads_first(self, beat_s: float, now_s: float) -> bool:
        """True at the first beat after this process did not run, where nothing was read since.

        What the unit did meanwhile waits, and is read before the next beat; nothing flows by now.
        """
        newest_s = None if self.conduct.newest is None else self.conduct.newest.at_s
        heard = not is_stale(newest_s, beat_s)  # then; a silence of before is none of this process
        return is_stalled(beat_s, now_s) and heard and is_stale(newest_s, now_s)

    def _wake_running(self, beat_s: float, now_s: float) -> Actions:
        newest_s = None if self.conduct.newest is None else self.conduct.newest.at_s
        held_up = self.state in LIVE and is_stalled(beat_s, now_s)
        why = Interlock.LOOP_STALLED if held_up else why_unheard(newest_s, beat_s, now_s)
        if why is not None:
            return self._host_trip(why, beat_s, now_s)
        if self.state is State.STOPPING:
            return self._wake_stopping(now_s)
        if self.state is not State.ARMING and not now_s - self._treated_s <= IDLE_MAX_S:
            stop = self.conduct.stop(StopKind.NORMAL, "nobody treats", now_s)
            return (*stop, *self.conduct.tell(OF_NOTICE[Notice.NOBODY_TREATS]))
        prepared = self._wake_arming(now_s)
        return (*self.conduct.hold(), *prepared) if self.state in LIVE else prepared

    def _wake_preparing(self, beat_s: float, now_s: float) -> Actions:
        newest_s = self.conduct.newest.at_s if self.conduct.newest is not None else self._since_s
        why = why_unheard(newest_s, beat_s, now_s, SILENCE_MAX_S)
        if why is not None:
            return self.conduct.refuse(OF_INTERLOCK[why])
        self._preparation.wake(now_s)
        prepared = arming.prepared(self.conduct, self._preparation, now_s)
        if self._preparation.streaming and self.state not in ENDED:
            return (*self.conduct.hold(), *prepared)
        return prepared

    def _wake_arming(self, now_s: float) -> Actions:
        if self.state is not State.ARMING:
            return ()
        self._preparation.wake(now_s)
        return arming.prepared(self.conduct, self._preparation, now_s)

    def _wake_stopping(self, now_s: float) -> Actions:
        conduct = self.conduct
        took_s = now_s - (conduct.stopped_at_s or 0.0)
        if not took_s <= STOPPING_MAX_S:
            slow = OF_NOTICE[Notice.STOP_SLOW]
            return conduct.trip("host", Notice.STOP_SLOW.name, slow, now_s, unseen=False)
        return conduct.hold() if conduct.stop_kind is StopKind.NORMAL else ()

    def _late_to_safe(self, now_s: float) -> Actions:
        conduct = self.conduct
        if conduct.time_to_safe_s is not None or conduct.stopped_at_s is None:
            return ()
        waited_s = now_s - conduct.stopped_at_s
        heard = conduct.newest is not None and not is_stale(conduct.newest.at_s, now_s)
        alarm = OF_NOTICE[Notice.SAFE_NOT_REACHED]
        told = conduct.tell(alarm) if heard and not waited_s <= SAFE_MAX_S else ()
        if conduct.outcome is None and not waited_s <= CONFIRM_MAX_S:
            return (*told, *conduct.end(Outcome.TRIPPED))
        return told
