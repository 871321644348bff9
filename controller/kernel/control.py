"""The control loop: the one place where readings become decisions and decisions become bytes.

Everything that shuts is performed in the same callback that decided it, before anything is awaited
or written down. Rows and one-shots go through the performer, which tells the end of each by its
number: that is a decision again, and only it permits. The loop beats every 50 ms on absolute
deadlines; each beat is a decision, and only a decision renews the lease.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from controller.api.snapshot import Snapshot
from controller.device.answers import LinkNews, LinkState
from controller.device.handpiece import Listeners
from controller.device.interface import Handpiece
from controller.device.timers import armed_s
from controller.kernel import view
from controller.kernel.asked import (
    BUSY,
    NO_UNIT,
    NOT_BEGUN_STOPPED,
    NOT_BEGUN_UNRECORDED,
    NOT_RECORDED,
    NOTHING_TO_ACKNOWLEDGE,
    OUTCOME_UNKNOWN,
    UNRECORDED,
    WRONG_UNIT,
    Act,
    OpenActs,
    answered,
    due_s,
    raise_declined,
)
from controller.kernel.idle_trip import IdleTrip
from controller.kernel.performer import Performer
from controller.kernel.view import Timing
from controller.record.clocks import Here
from controller.record.journal import JournalPort, Row
from controller.record.resets import ResetLock
from controller.record.stop_rows import StopRows
from controller.safety import alarm_texts
from controller.safety.clocks import WallClockWatch
from controller.safety.interlocks import Interlock
from controller.safety.reading import Reading
from controller.safety.refusal import Refusal, RefusedError
from controller.treatment import persons, rows
from controller.treatment.alarm_system import AlarmSystem
from controller.treatment.conduct import Actions, Conduct
from controller.treatment.conductor import Assignment, Conducted, Conductor
from controller.treatment.events import (
    Action,
    Begin,
    Closed,
    Command,
    Commit,
    Configure,
    End,
    Event,
    Finished,
    Hold,
    LinkLost,
    Note,
    Observed,
    Person,
    Raise,
    RecordLost,
    RunSelfTest,
    SendArm,
    SendReset,
    Settle,
    StopNow,
    Wake,
    Who,
)
from controller.treatment.kinds import Kind
from controller.treatment.states import ENDED, LIVE, State
from firmware_protocol.vocabulary import Mode, StopKind

__all__ = ("About", "Control", "RefusedError")

COUNTER_SPAN: Final = 2**16  # the loop counter travels as 16 bits


@dataclass(frozen=True, slots=True)
class About:
    """What the kernel says of itself beside its control: its line and its record."""

    port: str
    record_path: str
    here: Here | None = None
    """The clocks whose steps are written down; None writes none."""
    pid: int = field(default_factory=os.getpid)


class Control:
    """Owns the conductor of what is under way, the lease, the alarms and their order."""

    def __init__(
        self,
        make_handpiece: Callable[[Listeners], Handpiece],
        journal: JournalPort,
        about: About,
    ) -> None:
        self.alarms = AlarmSystem(self._note)
        self.timing = Timing()
        self._handpiece = make_handpiece(Listeners(self._on_reading, self._on_link))
        self._journal = journal
        self._about = about
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._performer = Performer(journal, self._handpiece)
        self._stop_rows = StopRows(journal.note)
        self._acts = OpenActs()
        self._trips = IdleTrip(self._handpiece, self._performer, self.alarms)
        self.resets = ResetLock(self._performer.ended)
        """Whoever reads the journal at the start lets it remember."""
        self._conductor: Conductor | None = None
        self._treatment = 0
        self._loop_counter = 0
        self._clock = WallClockWatch()

    @property
    def _conduct(self) -> Conducted | None:
        """How far what is under way, or was last, has come; None before the first."""
        return None if self._conductor is None else self._conductor.conduct

    # -- what people and the kernel ask for --------------------------------------------------------
    @property
    def idle(self) -> bool:
        """True while no treatment runs and it is known whether the end of the last is durable."""
        return self._conduct is None or self._conduct.recorded is not None

    @property
    def state(self) -> str:
        """The state of the treatment under way, or of the last one; idle before the first."""
        conduct = self._conduct
        if conduct is None:
            return "idle"
        waits = conduct.waits and conduct.state in {State.ARMED, State.ACTIVE}
        return (State.PAUSED if waits else conduct.state).value

    @property
    def link(self) -> str:
        """How far the host has got with the unit."""
        return self._handpiece.state.value

    @property
    def tripped(self) -> bool:
        """True while the unit, or the last treatment, holds a trip that nobody has reset."""
        newest, conduct = self._handpiece.newest, self._conduct
        latched = newest is not None and newest.mode is Mode.SAFE
        return latched or (conduct is not None and conduct.state is State.TRIPPED)

    def may_begin(self, assignment: Assignment, who: Who) -> Refusal | None:
        """Return why ``begin`` would raise now, before anything is written about it."""
        handpiece, conduct = self._handpiece, self._conduct
        if not who.is_local:
            return persons.NOT_LOCAL
        if conduct is not None and conduct.state is State.TRIPPED:
            return persons.TRIP_STANDS
        if not self.idle:
            return BUSY
        if (standing := self.resets.declined or self.alarms.declined) is not None:
            return standing
        if handpiece.state is not LinkState.IDENTIFIED or handpiece.identity is None:
            return NO_UNIT
        known = (handpiece.identity.serial, handpiece.identity.simulated)
        return None if known == (assignment.serial, assignment.simulated) else WRONG_UNIT

    async def begin(self, assignment: Assignment, who: Who, treatment: int) -> None:
        """Begin what is assigned; how it goes is in the snapshot. Raises RefusedError."""
        declined = self.may_begin(assignment, who)
        identity = self._handpiece.identity
        if declined is not None or identity is None:
            raise RefusedError(declined or NO_UNIT)
        self.alarms.settle_all()
        self._conductor = assignment.conductor(identity, self._handpiece.newest)
        self._treatment = treatment
        self._acts.forget()
        end = self._acts.open(treatment, self._decide(Begin(who)))
        await answered(end, due_s(), NOT_BEGUN_UNRECORDED, NOT_BEGUN_STOPPED)

    def stop_now(self, who: Who, *, emergency: bool = False) -> Actions:
        """Stop: the bytes are written when this returns, in every state, for everybody."""
        if self._conductor is None:
            kind = StopKind.EMERGENCY if emergency else StopKind.NORMAL
            self._stop(kind)
            body = {"kind": kind.name, "who": rows.who_body(who), "why": "no treatment"}
            self._stop_rows.add(Row(Kind.STOP, body), self._loop.time())
            return ()
        return self._decide(Person(Command.EMERGENCY if emergency else Command.STOP, who))

    async def person(
        self,
        command: Command,
        who: Who,
        suction_kpa: float | None = None,
        flow_g_per_min: float | None = None,
        why: str = "",
    ) -> None:
        """Do what a person asks, and return when it is done and recorded, within `END_MAX_S`.

        Raises RefusedError, whose sentence says whether it was not done, not recorded, or asked
        for with an outcome that is not known.
        """
        stops, due = command in (Command.STOP, Command.EMERGENCY), due_s()
        if command is Command.ACK and who.is_local and self._nothing_to_acknowledge:
            raise RefusedError(NOTHING_TO_ACKNOWLEDGE)
        if command is Command.RESET and self.resets.declined is not None:
            raise RefusedError(self.resets.declined)
        if not stops and (self._conduct is None or self._conduct.state in ENDED):
            await self._person_idle(command, who, due)
            return
        if stops:
            actions = self.stop_now(who, emergency=command is Command.EMERGENCY)
        else:
            person = Person(command, who, suction_kpa, flow_g_per_min, why)
            actions = self._decide(person)
            raise_declined(actions)
        end = self._acts.open(self._treatment, actions, self._when_done(command))
        unknown = NOT_RECORDED if stops else OUTCOME_UNKNOWN
        await answered(end, due, UNRECORDED.get(command, NOT_RECORDED), unknown=unknown)
        if command is Command.RESET:
            await self._reset_recorded(due)

    @property
    def _nothing_to_acknowledge(self) -> bool:
        one = self._conduct
        trip = one is not None and one.state is State.TRIPPED and not one.acknowledged
        return not (self.alarms.to_acknowledge or trip)

    def silence(self, who: Who) -> None:
        """Pause the sound of the alarms; the light stays. Raises RefusedError."""
        raise_declined(() if who.is_local else (persons.NOT_LOCAL,))
        self.alarms.silence(who, self._loop.time())

    def _when_done(self, command: Command) -> Callable[[], None]:
        """Return what follows as soon as a command is done, whether or not anybody still waits."""
        if command is Command.ACK:
            return partial(self.alarms.acknowledge, self.alarms.seen)
        if command is Command.RESET and self._conduct is not None:
            return partial(self._was_reset, self._conduct.tripped_by)
        return lambda: None

    def _was_reset(self, cause: str) -> None:
        now_s = self._loop.time()
        if self.resets.add(cause, now_s, self._treatment):
            self.alarms.put(alarm_texts.LOCKED, now_s)

    async def _reset_recorded(self, due: float) -> None:
        if not await self.resets.written(due):
            raise RefusedError(NOT_RECORDED)

    async def _person_idle(self, command: Command, who: Who, due: float) -> None:
        """Acknowledge and reset a trip that no treatment of this kernel has latched."""
        if command not in (Command.ACK, Command.RESET):
            raise RefusedError(persons.OVER)
        if not who.is_local:
            raise RefusedError(persons.NOT_LOCAL)
        if command is Command.ACK:
            await self._trips.acknowledge(who)
        else:
            await self._trips.reset(who, due, self._was_reset)
            await self._reset_recorded(due)

    # -- what comes in -----------------------------------------------------------------------------
    def _on_reading(self, reading: Reading) -> None:
        if reading.mode is Mode.SAFE:
            self._watch_clock(self._loop.time())  # a computer that slept is why, and no line
        self._decide(Observed(reading))
        idle = self._conduct is None or self._conduct.state in ENDED
        watch = self.alarms.watch_idle if idle else self.alarms.watch_treated
        watch(reading, self._loop.time())

    def _on_link(self, news: LinkNews) -> None:
        self._journal.note(Row(Kind.LINK, {"state": news.state.value, "why": news.why}))
        if self._conductor is not None and news.state is LinkState.DISCONNECTED:
            self._watch_clock(self._loop.time())
            self._decide(LinkLost(Interlock.LINK_LOST))

    def _finished(self, conductor: Conductor, treatment: int, event: Finished) -> None:
        """An asked action has ended; one of an earlier treatment decides nothing any more."""
        if conductor is self._conductor:
            self._decide(event)
        else:
            self._acts.close(Act(treatment, event.number), Closed(event.number, End.UNKNOWN))

    # -- the loop ----------------------------------------------------------------------------------
    async def run(self) -> None:
        """Beat until cancelled. However this ends, STOP is written."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._performer.run(), name="performer")
                tasks.create_task(self._beat_on(), name="control-loop")
        finally:
            if self._conduct is not None and self._conduct.state not in ENDED:
                self._stop(StopKind.EMERGENCY)

    async def _beat_on(self) -> None:
        loop, due_s = self._loop, self._loop.time()
        while True:
            self._beat()
            now_s = loop.time()
            due_s = self.timing.next_due_s(due_s, now_s)
            await asyncio.sleep(armed_s(due_s, now_s) - now_s)
            self.timing.woke(due_s, loop.time())

    def _beat(self) -> None:
        conduct, now_s = self._conduct, self._loop.time()
        self.alarms.tick(now_s)
        self._stop_rows.tick(now_s)
        self._watch_clock(now_s)
        if conduct is None or conduct.state in ENDED:
            return
        live = conduct.state in LIVE
        if live and self._handpiece.limit_exceeded():
            self._decide(LinkLost(Interlock.LINK_NOISY))
        failure = self._journal.failure
        if failure is not None and (live or conduct.state is State.PREPARING):
            self._decide(RecordLost(failure))
        self._decide(Wake())

    def _watch_clock(self, now_s: float) -> None:
        """Write down that the wall clock was set, or the computer slept: no time of the loop."""
        if (here := self._about.here) is not None:
            step = self._clock.look(now_s, here.asleep_clock(), here.wall_clock())
            if step is not None:
                self._journal.note(Row(Kind.CLOCK_STEP, step._asdict(), self._treatment))
            if step is not None and self._clock.slept_s > 0.0:
                self._slept(self._clock.slept_s)

    def _slept(self, slept_s: float) -> None:
        if self._conduct is not None and self._conduct.state in LIVE:
            self._decide(LinkLost(Interlock.LOOP_STALLED, f"It slept for {slept_s:.0f} s."))

    # -- what goes out -----------------------------------------------------------------------------
    def _decide(self, event: Event) -> Actions:
        """Let the conductor decide and do it; whatever goes wrong in here ends in STOP."""
        conductor = self._conductor
        if conductor is None:
            return ()
        try:
            actions = conductor.step(event, self._loop.time())
            for action in actions:
                self._perform(action, conductor)
        except BaseException:
            self._stop(StopKind.EMERGENCY)
            raise
        return actions

    def _perform(self, action: Action, conductor: Conductor) -> None:
        match action:
            case StopNow(kind):
                self._stop(kind)
            case Hold():
                self._loop_counter = (self._loop_counter + 1) % COUNTER_SPAN
                self._handpiece.setpoint(action, self._treatment, self._loop_counter)
            case Raise() | Settle():
                self.alarms.take(action, self._loop.time())
            case Note(kind, body):
                self._stop_rows.pass_on(Row(kind, body, self._treatment), self._loop.time())
            case Commit() | Configure() | RunSelfTest() | SendArm() | SendReset():
                on_end = partial(self._finished, conductor, self._treatment)
                self._performer.put(self._treatment, action, on_end)
            case Closed(number):
                self._acts.close(Act(self._treatment, number), action)
            case Refusal():
                pass  # whoever asked is told

    def _note(self, note: Note) -> None:
        self._journal.note(Row(note.kind, note.body, self._treatment))

    def _stop(self, kind: StopKind) -> None:
        report = self._handpiece.stop(kind)
        self._performer.void()
        self._stop_rows.follow(report, self._treatment)

    # -- what is shown -----------------------------------------------------------------------------
    def snapshot(self) -> Snapshot:
        """Return what is to be seen without reading the record."""
        now_s, about = self._loop.time(), self._about
        return view.snapshot(
            view.Seen(
                kernel=self.timing.view(about.pid, about.port, now_s - self._began_s),
                record=view.record_view(self._journal, about.record_path),
                handpiece=self._handpiece,
                state=self.state,
                conduct=self._conduct if isinstance(self._conduct, Conduct) else None,
                treatment=self._treatment,
                alarms=self.alarms,
                now_s=now_s,
            )
        )
