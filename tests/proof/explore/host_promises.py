"""What each event shows of the supervisor, as facts for the promise: `qa.promise.clauses` asks."""

from collections.abc import Hashable, Mapping
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
from qa.promise import clauses
from qa.promise.clauses import NEVER_S, Arming, Flow, Heard, Lease, Reset, Settings, Stop
from qa.promise.clauses import Turn as Turned
from tests.proof.explore.host_clocks import UNDER_WAY, Wait
from tests.proof.explore.memory import Rule, skip
from tests.proof.explore.plan import FLOW_G_PER_MIN, SUCTION_KPA
from tests.proof.explore.promises import Asker
from tests.proof.explore.search import Broken

MAY_FLOW: Final = frozenset({State.ARMED, State.ACTIVE, State.PAUSED})
MUST_TRIP: Final = frozenset({Wait.STALE, Wait.SILENT, Wait.STALLED})
LOCAL: Final = frozenset({Command.RESUME, Command.ACK, Command.RESET})


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

    @property
    def must_stop(self) -> bool:
        """Somebody wants it to end, or line or record of a treatment are lost."""
        event = self.event
        asked = isinstance(event, Person) and event.command in (Command.STOP, Command.EMERGENCY)
        return asked or (self.before in LIVE and isinstance(event, LinkLost | RecordLost))

    @property
    def over(self) -> bool:
        """No treatment goes on, and none is prepared."""
        return self.after not in LIVE and self.after is not State.PREPARING

    @property
    def stops_first(self) -> bool:
        """The first action is a STOP."""
        return bool(self.actions) and isinstance(self.actions[0], StopNow)


def after(turn: Turn, account: Account, asker: Asker) -> tuple[Broken, ...]:
    """Ask everything that one event could break."""
    event, ask = turn.event, asker.ask
    if turn.must_stop:
        ask(clauses.STOP, Stop(over=turn.over, first=turn.stops_first))
    if turn.before in LIVE and isinstance(event, Wake) and turn.wait in MUST_TRIP:
        heard = turn.newest is None and turn.wait is not Wait.STALLED
        tripped = turn.after is State.TRIPPED and turn.stops_first
        ask(clauses.LEASE, Lease(-NEVER_S, unarmed=tripped or heard))
    if turn.before is State.TRIPPED and turn.after is not State.TRIPPED:
        ask(clauses.RESET, _left(turn, account))
    account.take(turn)
    for action in turn.actions:
        _acts(action, turn, account, asker)
    if isinstance(event, Person) and event.command in LOCAL and not event.who.is_local:
        ask(clauses.HEARD, Heard(turn.same))
    ask(clauses.TURN, _turn(turn, account))
    return asker.found(f"{turn.before.name} to {turn.after.name}")


def _acts(action: Action, turn: Turn, account: Account, asker: Asker) -> None:
    if isinstance(action, Hold):
        _hold(action, turn, account, asker)
    elif isinstance(action, SendArm):
        asker.ask(clauses.ARMING, _arming(turn, account))
    elif isinstance(action, SendReset):
        asker.ask(clauses.RESET, _reset(turn, account))


def _turn(turn: Turn, account: Account) -> Turned:
    before, after_, actions, event = turn.before, turn.after, turn.actions, turn.event
    stops = [at for at, action in enumerate(actions) if isinstance(action, StopNow)]
    ended = before in LIVE and turn.over
    trips = after_ is State.TRIPPED and before is not State.TRIPPED
    shows = before in LIVE and isinstance(event, Observed) and event.reading.mode is Mode.SAFE
    wished = any(isinstance(each, Hold) and each.wish is not Wish.NONE for each in actions)
    configured = any(isinstance(each, Configure) for each in actions)
    under_way = [kind for kind in account.waits if kind in _OWED or kind == "SendReset"]
    return Turned(
        in_order=stops == [0] or (not stops and not ended),
        emergency=not trips or actions[:1] == (StopNow(StopKind.EMERGENCY),),
        followed=not shows or after_ is State.TRIPPED,
        final=before not in ENDED or after_ is before,
        driven=not wished or after_ in MAY_FLOW or after_ is State.STOPPING,
        begun=not configured or account.began,
        told=len(account.owed) <= len(under_way),
    )


def _hold(hold: Hold, turn: Turn, account: Account, asker: Asker) -> None:
    course = turn.supervisor.conduct.course
    if hold.wish & Wish.FLOW or hold.flow_g_per_min > 0.0 or hold.exposure_left_mg > 0:
        flow = Flow(
            live=turn.after in MAY_FLOW,
            left_mg=hold.exposure_left_mg,
            asked=not account.paused,
            in_zone=not (course.must_lift or course.done),
        )
        asker.ask(clauses.FLOW, flow)
    most = (account.lowest_kpa, FLOW_G_PER_MIN)
    asker.ask(clauses.LIMITS, Settings(hold.suction_kpa, hold.flow_g_per_min, *most))


def _arming(turn: Turn, account: Account) -> Arming:
    newest = turn.supervisor.conduct.newest
    return Arming(
        ready=newest is not None and newest.mode is Mode.READY,
        asked=account.ended == "arm",
        proven=account.tested and account.proven,
        released=newest is not None and newest.switch_released,
    )


def _at_rest(newest: Reading | None) -> bool:
    return newest is not None and newest.outputs_off and newest.switch_released


def _reset(turn: Turn, account: Account) -> Reset:
    at_rest = _at_rest(turn.supervisor.conduct.newest) and turn.wait is not Wait.STALE
    return Reset(account.ended == "reset", account.acknowledged, at_rest, disarmed=True)


def _left(turn: Turn, account: Account) -> Reset:
    """Of a trip that is left: answered, shown, or recorded while everything is at rest."""
    event = turn.event
    shows = isinstance(event, Observed) and event.reading.mode is Mode.DISARMED
    told = account.ends(event, "SendReset") or (shows and "SendReset" in account.waits)
    asked = told or (account.ends(event, "reset") and _at_rest(turn.newest))
    return Reset(asked, account.acknowledged, asked, turn.after is State.CLEARED)
