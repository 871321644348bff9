"""The host's share of P1 to P10 and L2, as questions to the supervisor after each event."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Final, NamedTuple

from controller.safety.reading import Reading
from controller.treatment.conduct import Actions
from controller.treatment.events import (
    Action,
    Answered,
    Begin,
    Command,
    Commit,
    Configure,
    Event,
    Hold,
    LinkLost,
    Note,
    Observed,
    Person,
    RecordLost,
    RunSelfTest,
    SendArm,
    SendReset,
    Step,
    StopNow,
    Wake,
)
from controller.treatment.states import ENDED, LIVE, State
from controller.treatment.supervisor import Supervisor
from firmware_protocol.vocabulary import Mode, StopKind, Wish
from simulator.qa.explore.host_clocks import UNDER_WAY, Wait
from simulator.qa.explore.memory import Rule
from simulator.qa.explore.plan import FLOW_G_PER_MIN, SUCTION_KPA
from simulator.qa.explore.search import Broken

MAY_FLOW: Final = frozenset({State.ARMED, State.ACTIVE, State.PAUSED})
MUST_TRIP: Final = frozenset({Wait.STALE, Wait.SILENT, Wait.STALLED})
LOCAL: Final = frozenset({Command.RESUME, Command.ACK, Command.RESET})

Asked = Iterable[tuple[str, bool, str]]


class Account:
    """What was said and asked, from events and actions alone."""

    __slots__ = ("acknowledged", "began", "lowest_kpa", "paused", "proven", "resetting", "tested")

    def __init__(self) -> None:
        self.began = False
        self.tested = False
        """SELFTEST was answered, with a token."""
        self.proven = False
        """Since then the lease was seen to lapse."""
        self.acknowledged = False
        self.resetting = False
        self.paused = False
        self.lowest_kpa = SUCTION_KPA

    def take(self, turn: "Turn") -> None:
        """Go on with one event and its actions."""
        event = turn.event
        self.began = self.began or isinstance(event, Begin)
        if isinstance(event, Person):
            self._person(event, turn)
        elif isinstance(event, Answered) and event.step is Step.SELF_TEST and event.ok:
            self.tested = True
        elif isinstance(event, Answered) and event.step is Step.RESET:
            self.resetting = False
        for action in turn.actions:
            if isinstance(action, RunSelfTest):
                self.tested = self.proven = False
            elif isinstance(action, Note) and action.kind == "lease_proof":
                self.proven = True
            elif isinstance(action, SendReset):
                self.resetting = True

    def _person(self, event: Person, turn: "Turn") -> None:
        over = turn.before in ENDED or turn.before in (State.STOPPING, State.TRIPPED)
        if event.command is Command.ACK:
            self.acknowledged |= event.who.is_local and turn.before is State.TRIPPED
        elif event.command is Command.PAUSE and not over:
            self.paused = True
        elif event.command is Command.RESUME and event.who.is_local and not over:
            self.paused = False
        elif event.command is Command.LOWER and event.suction_kpa is not None and not over:
            self.lowest_kpa = min(self.lowest_kpa, event.suction_kpa)


def account_rules(supervisor: Supervisor) -> dict[str, Rule]:
    """Return how the account is read: like what it is an account of, as long as that counts."""

    def under_way(value: Hashable) -> Hashable:
        return supervisor.state in UNDER_WAY and value

    def until_trip(value: Hashable) -> Hashable:
        return supervisor.state is not State.TRIPPED and value

    return {
        "Account.began": under_way,
        "Account.tested": under_way,
        "Account.proven": under_way,
        "Account.paused": under_way,
        "Account.lowest_kpa": until_trip,
    }


class Turn(NamedTuple):
    """One event and what came of it."""

    event: Event
    wait: Wait
    before: State
    supervisor: Supervisor
    newest: Reading | None
    """The newest reading before the event."""
    actions: Actions
    same: bool

    @property
    def after(self) -> State:
        """The state now."""
        return self.supervisor.state


def after(turn: Turn, account: Account, told: Counter[str]) -> tuple[Broken, ...]:
    """Ask everything that one event could break."""
    asked: list[tuple[str, bool, str]] = [*_stops(turn), *_order(turn), *_leaving(turn, account)]
    account.take(turn)
    for number, action in enumerate(turn.actions):
        asked += _asked_of(number, action, turn, account)
    asked += _from_afar(turn)
    broken = []
    for rule, holds, how in asked:
        told[rule] += 1
        if not holds:
            broken.append(Broken(rule, f"{how} ({turn.before.name} to {turn.after.name})"))
    return tuple(broken)


def _asked_of(number: int, action: Action, turn: Turn, account: Account) -> Asked:
    if isinstance(action, Hold):
        return _hold(action, turn, account)
    if isinstance(action, SendArm):
        return _arm(number, turn, account)
    if isinstance(action, SendReset):
        return _reset(turn, account)
    if isinstance(action, Configure):
        return (("P7", account.began, "configured before anybody began"),)
    return ()


def _from_afar(turn: Turn) -> Asked:
    event = turn.event
    if isinstance(event, Person) and event.command in LOCAL and not event.who.is_local:
        yield "P9", turn.same, f"{event.command.value} from afar changed something"


def _first_stops(turn: Turn) -> bool:
    return bool(turn.actions) and isinstance(turn.actions[0], StopNow)


def _stops(turn: Turn) -> Asked:
    event, before, after_ = turn.event, turn.before, turn.after
    ended = after_ not in LIVE and after_ is not State.PREPARING
    if isinstance(event, Person) and event.command in (Command.STOP, Command.EMERGENCY):
        yield "P6", _first_stops(turn), "STOP was not sent first"
        yield "P6", ended, "STOP did not end the treatment"
    if before not in LIVE:
        return
    if isinstance(event, LinkLost):
        yield "P4", ended and _first_stops(turn), "a lost line did not stop"
    if isinstance(event, RecordLost):
        yield "P4", ended and _first_stops(turn), "a lost record did not stop"
    if isinstance(event, Wake) and turn.wait in MUST_TRIP:
        heard = turn.newest is None and turn.wait is not Wait.STALLED
        tripped = after_ is State.TRIPPED and _first_stops(turn)
        yield "P2", tripped or heard, "silence or a stall did not trip"
    if isinstance(event, Observed) and event.reading.mode is Mode.SAFE:
        yield "P3", after_ is State.TRIPPED, "the device tripped and the host did not"


def _order(turn: Turn) -> Asked:
    stops = [at for at, action in enumerate(turn.actions) if isinstance(action, StopNow)]
    yield "P6", stops in ([], [0]), "something came before the stop"
    entered = turn.after is not turn.before
    if entered and turn.after is State.TRIPPED:
        kind = turn.actions[0] if turn.actions else None
        yield "P4", kind == StopNow(StopKind.EMERGENCY), "a trip without an emergency stop"
    if turn.before in LIVE and turn.after not in LIVE | {State.PREPARING}:
        yield "P6", _first_stops(turn), "the treatment ended without a stop"


def _leaving(turn: Turn, account: Account) -> Asked:
    if turn.before in ENDED:
        yield "P3", turn.after is turn.before, "an ended treatment went on"
    if turn.before is not State.TRIPPED or turn.after is State.TRIPPED:
        return
    yield "P3", turn.after is State.CLEARED, "a latched trip was left without a reset"
    yield "P3", account.acknowledged, "a trip was cleared that nobody here acknowledged"
    event, newest = turn.event, turn.newest
    answered = isinstance(event, Answered) and event.ok and account.resetting
    asked = isinstance(event, Person) and event.command is Command.RESET and event.who.is_local
    at_rest = newest is not None and newest.outputs_off and newest.switch_released
    yield "P3", answered or (asked and at_rest), "a trip was cleared though nothing showed it safe"


def _hold(hold: Hold, turn: Turn, account: Account) -> Asked:
    conduct = turn.supervisor.conduct
    flows = bool(hold.wish & Wish.FLOW) or hold.flow_g_per_min > 0.0 or hold.exposure_left_mg > 0
    if flows:
        yield "P1", turn.after in MAY_FLOW, "flow was wished for"
        yield "P1", not account.paused, "flow was wished for against a person's pause"
        withheld = conduct.course.must_lift or conduct.course.done
        yield "P5", not withheld, "flow was wished for between zones"
        yield "P5", hold.exposure_left_mg > 0, "flow was wished for with nothing left"
    if hold.wish is not Wish.NONE:
        running = turn.after in MAY_FLOW or turn.after is State.STOPPING
        yield "P1", running, "outputs were wished for"
    within = hold.suction_kpa <= account.lowest_kpa and hold.flow_g_per_min <= FLOW_G_PER_MIN
    yield "P8", within, f"{hold.suction_kpa:g} kPa is above what was planned or lowered to"


def _arm(number: int, turn: Turn, account: Account) -> Asked:
    newest = turn.supervisor.conduct.newest
    rows = [action.kind for action in turn.actions[:number] if isinstance(action, Commit)]
    yield "P7", "arm" in rows, "ARM goes out before its row"
    yield "P7", account.tested and account.proven, "ARM without a self-test and a lease proof"
    ready = newest is not None and newest.mode is Mode.READY
    yield "P7", ready, "ARM to a device that is not READY"
    yield "P1", newest is not None and newest.switch_released, "ARM with the switch not released"


def _reset(turn: Turn, account: Account) -> Asked:
    newest = turn.supervisor.conduct.newest
    event = turn.event
    by_person = isinstance(event, Person) and event.command is Command.RESET and event.who.is_local
    yield "P3", by_person, "RESET without a person at the unit"
    yield "P3", account.acknowledged, "RESET before anybody acknowledged"
    safe = newest is not None and newest.outputs_off and newest.switch_released
    yield "P3", safe and turn.wait is not Wait.STALE, "RESET though nothing shows that it is safe"
