"""The control loop: the one place where readings become decisions and decisions become bytes.

Everything that shuts is performed in the same callback that decided it, before anything is awaited
or written down; everything that permits goes through the performer, after its row. The loop beats
every 50 ms on absolute deadlines; each beat is a decision, and only a decision renews the lease.
"""

import asyncio
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from controller.device.answers import LinkNews, LinkState, StopReport
from controller.device.handpiece import Listeners
from controller.kernel import view
from controller.kernel.alarm_desk import AlarmDesk
from controller.kernel.declined import (
    BUSY,
    NO_UNIT,
    NOT_RECORDED,
    WRONG_UNIT,
    DeclinedError,
    raise_declined,
    raise_not_reset,
)
from controller.kernel.journal import Row
from controller.kernel.performer import Performer
from controller.kernel.ports import Handpiece, JournalPort
from controller.kernel.reset_lock import ResetLock
from controller.kernel.snapshot import KernelView, LinkView, RecordView, Snapshot, UnfinishedView
from controller.kernel.trip_desk import TripDesk
from controller.safety import alarm_texts
from controller.safety.clocks import WallClockWatch
from controller.safety.interlocks import Interlock
from controller.safety.reading import Reading
from controller.treatment import persons, rows
from controller.treatment.conduct import Actions
from controller.treatment.events import (
    Action,
    Answered,
    Begin,
    Command,
    Commit,
    Configure,
    Declined,
    Ended,
    Event,
    Hold,
    LinkLost,
    Note,
    Observed,
    Outcome,
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
from controller.treatment.plan import Plan
from controller.treatment.states import ENDED, LIVE, State
from controller.treatment.supervisor import Supervisor
from firmware_protocol.envelope import SETPOINT_PERIOD_S
from firmware_protocol.vocabulary import Mode, StopKind

__all__ = ("About", "Control", "DeclinedError")

COUNTER_SPAN: Final = 2**16  # the loop counter travels as 16 bits
RESET_MAX_S: Final = 5.0  # the client's own retries end after 1.2 s
RECORD_MAX_S: Final = 3.0  # the journal gives up after 1 s a row


@dataclass(frozen=True, slots=True)
class About:
    """What the kernel says of itself beside its control: its line and its record."""

    port: str
    record_path: str
    wall_clock: Callable[[], float] | None = None
    """Whose steps are written down; None writes none."""
    pid: int = field(default_factory=os.getpid)


class Control:
    """Owns the supervisor of the treatment under way, the lease, the alarms and their order."""

    def __init__(
        self,
        make_handpiece: Callable[[Listeners], Handpiece],
        journal: JournalPort,
        about: About,
    ) -> None:
        self.unfinished: tuple[UnfinishedView, ...] = ()
        """Set by whoever reads the journal at the start."""
        self.alarms = AlarmDesk(journal.note)
        self.late_max_s = 0.0
        """The latest beat so far."""
        self.beats_missed = 0
        self._handpiece = make_handpiece(Listeners(self._on_reading, self._on_link))
        self._journal = journal
        self._about = about
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._performer = Performer(journal, self._handpiece, self._told, self._ended)
        self._trips = TripDesk(self._handpiece, self._performer, self.alarms, self._kept)
        self.resets = ResetLock(self._performer.put)
        """Whoever reads the journal at the start lets it remember."""
        self._supervisor: Supervisor | None = None
        self._treatment = 0
        self._closed: view.Closed | None = None
        self._loop_counter = 0
        self._clock = WallClockWatch()
        self._reset_answer: asyncio.Future[Actions] | None = None
        self._stop_report: asyncio.Future[StopReport] | None = None

    # -- what people and the kernel ask for --------------------------------------------------------
    @property
    def idle(self) -> bool:
        """True while no treatment runs and it is known whether the end of the last is durable."""
        return self._supervisor is None or self._closed is not None

    @property
    def state(self) -> str:
        """The state of the treatment under way, or of the last one; idle before the first."""
        supervisor = self._supervisor
        if supervisor is None:
            return "idle"
        waits = supervisor.conduct.waits and supervisor.state in {State.ARMED, State.ACTIVE}
        return (State.PAUSED if waits else supervisor.state).value

    @property
    def tripped(self) -> bool:
        """True while the unit, or the last treatment, holds a trip that nobody has reset."""
        newest, supervisor = self._handpiece.newest, self._supervisor
        latched = newest is not None and newest.mode is Mode.SAFE
        return latched or (supervisor is not None and supervisor.state is State.TRIPPED)

    def may_begin(self, plan: Plan, who: Who) -> Declined | None:
        """Return why ``begin`` would raise now, before anything is written about it."""
        handpiece, supervisor = self._handpiece, self._supervisor
        if not who.is_local:
            return persons.NOT_LOCAL
        if supervisor is not None and supervisor.state is State.TRIPPED:
            return persons.TRIP_STANDS
        if not self.idle:
            return BUSY
        if (standing := self.resets.declined or self.alarms.declined) is not None:
            return standing
        if handpiece.state is not LinkState.IDENTIFIED or handpiece.identity is None:
            return NO_UNIT
        known = (handpiece.identity.serial, handpiece.identity.simulated)
        return None if known == (plan.unit_serial, plan.simulated) else WRONG_UNIT

    async def begin(self, plan: Plan, who: Who, treatment: int) -> None:
        """Start the planned treatment; how it goes is in the snapshot. Raises DeclinedError."""
        declined = self.may_begin(plan, who)
        identity = self._handpiece.identity
        if declined is not None or identity is None:
            raise DeclinedError(declined or NO_UNIT)
        self.alarms.settle_all()
        self.alarms.treatment = treatment
        self._supervisor = Supervisor(plan, identity)
        self._supervisor.conduct.newest = self._handpiece.newest
        self._treatment, self._closed = treatment, None
        self._decide(Begin(who))
        await self._recorded(self._performer.asked)  # a lost row refuses the treatment, and says so

    def stop_now(self, who: Who, *, emergency: bool = False) -> None:
        """Stop: the bytes are written when this returns, in every state, for everybody."""
        if self._supervisor is None:
            self._stop(StopKind.EMERGENCY if emergency else StopKind.NORMAL)
            self._journal.note(Row("stop", {"who": rows.who_body(who), "why": "no treatment"}))
            return
        self._decide(Person(Command.EMERGENCY if emergency else Command.STOP, who))

    async def person(
        self,
        command: Command,
        who: Who,
        suction_kpa: float | None = None,
        flow_g_per_min: float | None = None,
        why: str = "",
    ) -> None:
        """Do what a person asks, and return when its record is durable. Raises DeclinedError."""
        since = self._performer.asked
        if command in (Command.STOP, Command.EMERGENCY):
            self.stop_now(who, emergency=command is Command.EMERGENCY)
        elif command is Command.RESET and self.resets.declined is not None:
            raise DeclinedError(self.resets.declined)
        elif self._supervisor is None or self._supervisor.state in ENDED:
            await self._person_idle(command, who)
        else:
            raise_declined(self._decide(Person(command, who, suction_kpa, flow_g_per_min, why)))
            if command is Command.ACK:
                self.alarms.acknowledge()
            if command is Command.RESET:
                await self._until_reset(self._supervisor)
                self._was_reset(self._supervisor.conduct.tripped_by)
        await self._recorded(since)

    def silence(self, who: Who) -> None:
        """Pause the sound of the alarms; the light stays. Raises DeclinedError."""
        raise_declined(() if who.is_local else (persons.NOT_LOCAL,))
        self.alarms.silence(who, self._loop.time())

    async def _recorded(self, since: int) -> None:
        """Raise DeclinedError unless every row since then is durable."""
        if not await self._kept(since):
            raise DeclinedError(NOT_RECORDED)

    async def _kept(self, since: int) -> bool:
        """Wait for the rows so far, within a bound, and return whether those since are durable."""
        try:
            async with asyncio.timeout(RECORD_MAX_S):
                return await self._performer.drained(since)
        except TimeoutError:
            return False

    async def _until_reset(self, supervisor: Supervisor) -> None:
        if not supervisor.conduct.resetting:
            return
        self._reset_answer = self._loop.create_future()
        try:
            async with asyncio.timeout(RESET_MAX_S):
                actions = await self._reset_answer
        except TimeoutError:
            raise DeclinedError(persons.NOT_SEEN) from None
        finally:
            self._reset_answer = None
        raise_not_reset(actions)

    def _was_reset(self, cause: str) -> None:
        now_s = self._loop.time()
        if self.resets.add(cause, now_s, self._treatment):
            self.alarms.put(alarm_texts.LOCKED, now_s)

    async def _person_idle(self, command: Command, who: Who) -> None:
        """Acknowledge and reset a trip that no treatment of this kernel has latched."""
        if command not in (Command.ACK, Command.RESET):
            raise DeclinedError(persons.OVER)
        if not who.is_local:
            raise DeclinedError(persons.NOT_LOCAL)
        if command is Command.ACK:
            self._trips.acknowledge(who)
        else:
            self._was_reset(await self._trips.reset(who))

    # -- what comes in -----------------------------------------------------------------------------
    def _on_reading(self, reading: Reading) -> None:
        self._decide(Observed(reading))
        idle = self._supervisor is None or self._supervisor.state in ENDED
        watch = self.alarms.watch_idle if idle else self.alarms.watch_treated
        watch(reading, self._loop.time())

    def _on_link(self, news: LinkNews) -> None:
        self._journal.note(Row("link", {"state": news.state.value, "why": news.why}))
        if self._supervisor is not None and news.state is LinkState.DISCONNECTED:
            self._decide(LinkLost(Interlock.LINK_LOST, news.why))

    def _told(self, treatment: int, event: Answered | RecordLost) -> None:
        if self._supervisor is None or treatment != self._treatment:
            return
        actions = self._decide(event)
        waiting = self._reset_answer
        if isinstance(event, Answered) and waiting is not None and not waiting.done():
            waiting.set_result(actions)

    def _ended(self, treatment: int, outcome: Outcome | None) -> None:
        if treatment == self._treatment:
            self._closed = view.Closed(outcome)
            if outcome is None:
                self.alarms.put(alarm_texts.NOT_RECORDED, self._loop.time())

    # -- the loop ----------------------------------------------------------------------------------
    async def run(self) -> None:
        """Beat until cancelled. However this ends, STOP is written."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._performer.run(), name="performer")
                tasks.create_task(self._beat_on(), name="control-loop")
        finally:
            if self._supervisor is not None and self._supervisor.state not in ENDED:
                self._stop(StopKind.EMERGENCY)

    async def _beat_on(self) -> None:
        loop = self._loop
        due_s = loop.time()
        while True:
            self._beat()
            now_s = loop.time()
            due_s += SETPOINT_PERIOD_S
            if now_s > due_s:  # beats that were missed are not made up for
                missed = math.ceil((now_s - due_s) / SETPOINT_PERIOD_S)
                self.beats_missed += missed
                due_s += missed * SETPOINT_PERIOD_S
            await asyncio.sleep(due_s - now_s)
            self.late_max_s = max(self.late_max_s, loop.time() - due_s)

    def _beat(self) -> None:
        supervisor, now_s = self._supervisor, self._loop.time()
        self.alarms.tick(now_s)
        self._watch_clock(now_s)
        if supervisor is None or supervisor.state in ENDED:
            return
        live = supervisor.state in LIVE
        if live and self._handpiece.limit_exceeded():
            self._decide(LinkLost(Interlock.LINK_NOISY))
        failure = self._journal.failure
        if failure is not None and (live or supervisor.state is State.PREPARING):
            self._decide(RecordLost(failure))
        self._decide(Wake())

    def _watch_clock(self, now_s: float) -> None:
        """Write down that the wall clock was set; nothing is decided by it."""
        wall_clock = self._about.wall_clock
        step_s = None if wall_clock is None else self._clock.step_s(now_s, wall_clock())
        if step_s is not None:
            self._journal.note(Row("clock_step", {"step_s": round(step_s, 3)}, self._treatment))

    # -- what goes out -----------------------------------------------------------------------------
    def _decide(self, event: Event) -> Actions:
        """Let the supervisor decide and do it; whatever goes wrong in here ends in STOP."""
        supervisor = self._supervisor
        if supervisor is None:
            return ()
        try:
            actions = supervisor.step(event, self._loop.time())
            for action in actions:
                self._perform(action)
        except BaseException:
            self._stop(StopKind.EMERGENCY)
            raise
        return actions

    def _perform(self, action: Action) -> None:
        match action:
            case StopNow(kind):
                self._stop(kind)
            case Hold():
                self._loop_counter = (self._loop_counter + 1) % COUNTER_SPAN
                self._handpiece.setpoint(action, self._treatment, self._loop_counter)
            case Raise(alarm):
                self.alarms.put(alarm, self._loop.time())
            case Settle(code):
                self.alarms.settle(code)
            case Note(kind, body):
                self._journal.note(Row(kind, body, self._treatment))
            case Commit() | Ended() | Configure() | RunSelfTest() | SendArm() | SendReset():
                self._performer.put(self._treatment, action)
            case Declined():
                pass  # whoever asked is told

    def _stop(self, kind: StopKind) -> None:
        report = self._handpiece.stop(kind)
        self._performer.void()
        if report is not self._stop_report:
            self._stop_report = report
            report.add_done_callback(self._stopped)

    def _stopped(self, report: asyncio.Future[StopReport]) -> None:
        if report.cancelled():
            return
        said = report.result()
        body = {
            "kind": said.kind.name,
            "confirmed": said.confirmed,
            "took_ms": round(said.took_s * 1000, 1),
            "frames": said.frames,
        }
        self._journal.note(Row("stop_report", body, self._treatment))

    # -- what is shown -----------------------------------------------------------------------------
    def snapshot(self) -> Snapshot:
        """Return everything there is to see."""
        handpiece, now_s = self._handpiece, self._loop.time()
        conduct = None if self._supervisor is None else self._supervisor.conduct
        return Snapshot(
            kernel=KernelView(self._about.pid, self._about.port, round(now_s - self._began_s, 3)),
            link=LinkView(
                handpiece.state.value, handpiece.bad_frames, view.ms(handpiece.round_trip_s)
            ),
            unit=view.unit_view(handpiece.identity),
            state=self.state,
            treatment=view.treatment_view(self._treatment, conduct, self._closed),
            live=view.live_view(handpiece.newest, conduct, now_s),
            alarms=view.alarm_views(self.alarms.board),
            receipts=view.receipt_views(conduct),
            record=RecordView(self._about.record_path, self._journal.rows),
            unfinished=self.unfinished,
            time_to_safe_ms=None if conduct is None else view.ms(conduct.time_to_safe_s),
            signal=view.signal_view(self.alarms.signal(now_s)),
        )
