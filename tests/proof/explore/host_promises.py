"""The host's share of P1 to P11 and L2, as questions to the supervisor after each event."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Final, NamedTuple

from controller.safety.reading import Reading
from controller.treatment.conduct import Actions
from controller.treatment.events import (
    Action,
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
    RecordLost,
    RunSelfTest,
    SendArm,
    SendReset,
    StopNow,
    Wake,
)
from controller.treatment.states import ENDED, LIVE, State
from controller.treatment.supervisor import Supervisor
from firmware_protocol.vocabulary import Mode, StopKind, Wish
from tests.proof.explore.host_clocks import UNDER_WAY, Wait
from tests.proof.explore.memory import Rule, skip
from tests.proof.explore.plan import FLOW_G_PER_MIN, SUCTION_KPA
from tests.proof.explore.search import Broken

MAY_FLOW: Final = frozenset({State.ARMED, State.ACTIVE, State.PAUSED})
MUST_TRIP: Final = frozenset({Wait.STALE, Wait.SILENT, Wait.STALLED})
LOCAL: Final = frozenset({Command.RESUME, Command.ACK, Command.RESET})

Asked = Iterable[tuple[str, bool, str]]


class Account:
    """What was said, asked and ended, from events and actions alone."""

    __slots__ = (
        "acknowledged", "began", "ended", "lowest_kpa", "owed", "paused", "proven", "tested",
        "waits",
    )  # fmt: skip

    def __init__(self) -> None:
        self.began = False
        """The row of the beginning is durable."""
        self.tested = False
        """SELFTEST was answered, with a token."""
        self.proven = False
        """Since then the lease was seen to lapse."""
        self.acknowledged = False
        """The row of an acknowledgement of the trip is durable."""
        self.paused = False
        self.lowest_kpa = SUCTION_KPA
        self.waits: dict[str, int] = {}
        """By its kind, the number of each action that was asked, may permit, and has not ended."""
        self.ended = ""
        """The kind of what has ended well by this event."""
        self.owed: list[int] = []
        """Acts whose askers have not been told an end."""

    def take(self, turn: "Turn") -> None:
        """Go on with one event and its actions."""
        event, self.ended = turn.event, ""
        if isinstance(event, Person):
            self._person(event, turn)
        elif isinstance(event, Finished):
            self._finished(event)
        stopped = any(isinstance(action, StopNow) for action in turn.actions)
        if stopped:
            self.waits = {kind: n for kind, n in self.waits.items() if kind in _OUTLIVES_STOP}
        for action in turn.actions:
            self._asked(action, turn)

    def ends(self, event: Event, kind: str) -> bool:
        """Return whether this is the good end of what was asked for last of a kind."""
        done = isinstance(event, Finished) and event.end is End.DONE
        return done and isinstance(event, Finished) and self.waits.get(kind) == event.number

    def _person(self, event: Person, turn: "Turn") -> None:
        over = turn.before in ENDED or turn.before in (State.STOPPING, State.TRIPPED)
        if event.command is Command.PAUSE and not over:
            self.paused = True
            self.waits.pop("resume", None)
        elif event.command is Command.LOWER and event.suction_kpa is not None and not over:
            self.lowest_kpa = min(self.lowest_kpa, event.suction_kpa)

    def _finished(self, event: Finished) -> None:
        self.ended = next((kind for kind in self.waits if self.ends(event, kind)), "")
        self.began = self.began or self.ends(event, "begin")
        self.tested = self.tested or self.ends(event, "RunSelfTest")
        self.acknowledged = self.acknowledged or self.ends(event, "ack")
        self.paused = self.paused and not self.ends(event, "resume")
        self.waits = {kind: n for kind, n in self.waits.items() if n != event.number}

    def _asked(self, action: Action, turn: "Turn") -> None:
        if isinstance(action, RunSelfTest):
            self.tested = self.proven = False
        elif isinstance(action, Note) and action.kind == "lease_proof":
            self.proven = True
        if isinstance(action, Closed):
            self.owed = [act for act in self.owed if act != action.act]
        elif isinstance(action, Commit) and _counts(action, turn):
            self.waits[action.kind] = action.number
            if action.kind in _OWED:
                self.owed.append(action.number)
        elif isinstance(action, (RunSelfTest, SendArm, SendReset)):
            self.waits[type(action).__name__] = action.number


_OUTLIVES_STOP: Final = frozenset({"ack"})
_OWED: Final = frozenset({"begin", "resume", "ack", "reset"})
_PERMITS: Final = frozenset({"begin", "arm", "resume", "reset"})


def _counts(row: Commit, turn: "Turn") -> bool:
    """Return whether a row permits something when it is durable."""
    return row.kind in _PERMITS or (row.kind == "ack" and turn.before is State.TRIPPED)


def account_rules(supervisor: Supervisor) -> dict[str, Rule]:
    """Return how the account is read: like what it is an account of, as long as that counts."""

    def under_way(value: Hashable) -> Hashable:
        return supervisor.state in UNDER_WAY and value

    def until_trip(value: Hashable) -> Hashable:
        return supervisor.state is not State.TRIPPED and value

    def kinds(waits: Mapping[str, int]) -> Hashable:
        return tuple(sorted(waits))

    return {
        "Account.waits": kinds,
        "Account.owed": len,
        "Account.ended": skip,
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
    for action in turn.actions:
        asked += _asked_of(action, turn, account)
    asked += _from_afar(turn)
    asked += _answers(account)
    broken = []
    for rule, holds, how in asked:
        told[rule] += 1
        if not holds:
            broken.append(Broken(rule, f"{how} ({turn.before.name} to {turn.after.name})"))
    return tuple(broken)


def _answers(account: Account) -> Asked:
    under_way = [kind for kind in account.waits if kind in _OWED or kind == "SendReset"]
    answered = len(account.owed) <= len(under_way)
    yield "P11", answered, "nothing of an act is under way, and nobody was told its end"


def _asked_of(action: Action, turn: Turn, account: Account) -> Asked:
    if isinstance(action, Hold):
        return _hold(action, turn, account)
    if isinstance(action, SendArm):
        return _arm(turn, account)
    if isinstance(action, SendReset):
        return _reset(turn, account)
    if isinstance(action, Configure):
        return (("P7", account.began, "configured before the row of the beginning"),)
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
    answered = account.ends(event, "SendReset")
    shows = isinstance(event, Observed) and event.reading.mode is Mode.DISARMED
    shown = shows and "SendReset" in account.waits
    at_rest = newest is not None and newest.outputs_off and newest.switch_released
    recorded = account.ends(event, "reset") and at_rest
    told = answered or shown or recorded
    yield "P3", told, "a trip was cleared though nothing showed it safe"


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


def _arm(turn: Turn, account: Account) -> Asked:
    newest = turn.supervisor.conduct.newest
    yield "P7", account.ended == "arm", "ARM goes out before its row is durable, or after a stop"
    yield "P7", account.tested and account.proven, "ARM without a self-test and a lease proof"
    ready = newest is not None and newest.mode is Mode.READY
    yield "P7", ready, "ARM to a device that is not READY"
    yield "P1", newest is not None and newest.switch_released, "ARM with the switch not released"


def _reset(turn: Turn, account: Account) -> Asked:
    newest = turn.supervisor.conduct.newest
    recorded = account.ended == "reset"
    yield "P3", recorded, "RESET without the durable row of a person's wish, or after a stop"
    yield "P3", account.acknowledged, "RESET before anybody acknowledged"
    safe = newest is not None and newest.outputs_off and newest.switch_released
    yield "P3", safe and turn.wait is not Wait.STALE, "RESET though nothing shows that it is safe"
