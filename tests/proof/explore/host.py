"""The real supervisor under an arbitrary device, line, record and people.

One step is one event, any of them in any state: a reading of whatever mode and content, the end of
whatever was asked for, in any order and at any time or never, a late end of what is not asked for
any more, a beat, a person, a loss. Beside it walks an account of what people have said and the
supervisor has asked, from events and actions alone; the properties compare the two.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from controller.safety.exposure import ZoneLedger
from controller.safety.interlocks import Interlock
from controller.safety.reading import Identity, Reading, Supplies
from controller.treatment.events import (
    Begin,
    Command,
    End,
    Event,
    Finished,
    LinkLost,
    Observed,
    Person,
    RecordLost,
    Step,
    Wake,
    Who,
)
from controller.treatment.states import ENDED, State
from controller.treatment.supervisor import Supervisor
from firmware_protocol.vocabulary import Capability, Cause, Input, Mode, Permit, Refusal
from qa.promise.clauses import WAY_BACK, Observer, Way
from tests.proof.explore import host_clocks as clocks
from tests.proof.explore import host_promises as promises
from tests.proof.explore.host_clocks import NOW_S, Wait
from tests.proof.explore.host_promises import Account, Turn
from tests.proof.explore.memory import Memory, Saved, skip
from tests.proof.explore.plan import FLOW_G_PER_MIN, SERIAL, SUCTION_KPA, plan
from tests.proof.explore.promises import Asker
from tests.proof.explore.search import Broken

BOOT_ID: Final = 5
TOKEN: Final = 77
LOWERED_KPA: Final = 12.0
HERE: Final = Who("anna", "practitioner")
AFAR: Final = Who("ben", "practitioner", "remote")
WELL_SUPPLIED: Final = Supplies(NOW_S, 0.0, 0.0, 100.0, 10.0, 1.0, 30.0, 24.0, 0)

_RELEASED: Final = Input.SWITCH_REST | Input.VENT_OPEN
_PRESSED: Final = Input.SWITCH_CLOSED | Input.CONTACT | Input.PUMP_COMMANDED | Input.MOTION
AT_REST: Final = Reading(
    at_s=NOW_S, tick_ms=2**32 - 1, mode=Mode.DISARMED, inputs=_RELEASED, valve_percent=0.0,
    suction_kpa=0.1, suction_b_kpa=0.1, flow_g_per_min=0.0, supplies=WELL_SUPPLIED, boot_id=BOOT_ID,
)  # fmt: skip
_SEALED: Final = AT_REST._replace(
    inputs=_PRESSED, suction_kpa=SUCTION_KPA, suction_b_kpa=SUCTION_KPA
)
_FLOWING: Final = _SEALED._replace(
    inputs=_PRESSED | Input.VALVE_COMMANDED, permits=Permit.ALL, valve_percent=45.0,
    flow_g_per_min=FLOW_G_PER_MIN, set_suction_kpa=SUCTION_KPA, set_flow_g_per_min=FLOW_G_PER_MIN,
)  # fmt: skip

SIGHTS: Final[dict[str, Reading]] = {
    "at rest, switch released": AT_REST,
    "at rest, switch released, lease live": AT_REST._replace(permits=Permit.LEASE),
    "on skin, crystals flow": _FLOWING,
    # -- the rest is for the full configuration ----------------------------------------------------
    "on skin, valve shut": _SEALED,
    "suction above the trip": _FLOWING._replace(suction_kpa=56.0, suction_b_kpa=56.0),
    "valve open against its command": _FLOWING._replace(permits=Permit.NONE),
    "on skin, switch released": _SEALED._replace(
        inputs=_PRESSED & ~Input.SWITCH_CLOSED | _RELEASED
    ),
    "both switch contacts closed": AT_REST._replace(inputs=_RELEASED | Input.SWITCH_CLOSED),
    "crystals flow off the skin": _FLOWING._replace(inputs=_FLOWING.inputs & ~Input.CONTACT),
    "sensors lost": _FLOWING._replace(suction_kpa=None, flow_g_per_min=None),
    "valve open, nothing flows": _FLOWING._replace(flow_g_per_min=0.0),
    "flow in excess": _FLOWING._replace(flow_g_per_min=20.0),
    "flow is not a number": _FLOWING._replace(flow_g_per_min=float("nan")),
    "sensors disagree": _FLOWING._replace(suction_b_kpa=SUCTION_KPA + 5.0),
    "tip does not move": _FLOWING._replace(inputs=_FLOWING.inputs & ~Input.MOTION),
    "suction with outputs off": AT_REST._replace(suction_kpa=20.0, suction_b_kpa=20.0),
    "more set than was sent": _SEALED._replace(set_suction_kpa=40.0),
    "another boot": AT_REST._replace(boot_id=BOOT_ID + 1),
    "no status": AT_REST._replace(supplies=None),
}
SMALL_SIGHTS: Final = 3
SMALL_MODES: Final = tuple(mode for mode in Mode if mode not in (Mode.BOOT, Mode.SELFTEST))

_OBSERVED: Final = (Wait.NONE, Wait.GRACE, Wait.ENOUGH, Wait.ZONE, Wait.LIFTED)
_WOKEN: Final = (
    Wait.NONE, Wait.ENOUGH, Wait.LATE, Wait.IDLE, Wait.STOPPED, Wait.STALE, Wait.SILENT,
    Wait.STALLED, Wait.OFTEN, Wait.HELD_UP, Wait.HELD_UP_OFTEN,
)  # fmt: skip
_RARE: Final = (Wait.IDLE, Wait.SILENT, Wait.OFTEN)
_REFUSALS: Final = (Refusal.WRONG_MODE, Refusal.STREAM_NOT_HEALTHY, Refusal.SWITCH_PRESSED)


class EndOf(NamedTuple):
    """The end of what is asked for this step."""

    step: Step
    end: End
    refusal: Refusal = Refusal.NONE
    detail: int = 0
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Happens:
    """One event, and what has lasted until then."""

    name: str
    event: Event | EndOf
    wait: Wait = Wait.NONE

    def __str__(self) -> str:
        return f"{self.name}{self.wait.value}"


class Body:
    """Everything that a state consists of."""

    __slots__ = ("account", "first", "second", "supervisor")

    def __init__(self, supervisor: Supervisor, ledgers: tuple[ZoneLedger, ...]) -> None:
        self.supervisor = supervisor
        self.account = Account()
        self.first, self.second = ledgers
        """The ledgers, which the course keeps in a tuple."""


class HostWorld:
    """The supervisor, alone with an adversary."""

    title = "the supervisor under any device, line, record and people"

    def __init__(self, *, small: bool) -> None:
        self._asker = Asker(Observer.HOST)
        self._happens = tuple(_everything(small=small))
        self._memory = Memory({}, _APART)
        self._body = _fresh()

    @property
    def told(self) -> Counter[str]:
        """How often each rule was put to the test."""
        return self._asker.judge.checks

    def start(self) -> None:
        """Plan a treatment."""
        self._body = _fresh()
        supervisor, memory = self._body.supervisor, Memory({}, _APART)
        memory.rules.update(clocks.host_rules(supervisor, memory))
        memory.rules.update(promises.account_rules(supervisor))
        memory.rules.update({"Body.first": skip, "Body.second": skip})
        self._memory = memory

    def actions(self) -> Sequence[Happens]:
        """Return every event; only what was asked for can end."""
        acts = self._body.supervisor.conduct.acts
        return tuple(
            one
            for one in self._happens
            if not isinstance(one.event, EndOf) or acts.waits_for(one.event.step)
        )

    def perform(self, action: Happens) -> tuple[Broken, ...]:
        """Let it happen."""
        body = self._body
        supervisor, before = body.supervisor, body.supervisor.state
        event = _told(supervisor, action.event)
        remote = isinstance(event, Person) and not event.who.is_local
        name = self.name() if remote else None
        clocks.run_out(supervisor, action.wait)
        newest = supervisor.conduct.newest
        try:
            actions = supervisor.step(event, NOW_S)
        except Exception as error:  # noqa: BLE001 - whatever it raises is what was looked for
            return (Broken("P6", f"in {before.name} it raised {error!r}"),)
        clocks.settle(supervisor)
        clocks.hear_again(supervisor)
        same = name is None or self.name() == name
        turn = Turn(event, action.wait, before, supervisor, newest, actions, same=same)
        return promises.after(turn, body.account, self._asker)

    def probe(self) -> tuple[Broken, ...]:
        """Ask whether there is a way out: of TRIPPED by a reset, of everything else by STOP."""
        state = self._body.supervisor.state
        if state in ENDED:
            return ()
        if state is State.TRIPPED:
            return self._way_out(_RESET_WAY, State.CLEARED)
        return self._way_out(_STOP_WAY, State.STOPPED)

    def _way_out(self, way: tuple[Event | EndOf, ...], end: State) -> tuple[Broken, ...]:
        supervisor = self._body.supervisor
        completing = supervisor.conduct.course.done
        for event in way:
            supervisor.step(_told(supervisor, event), NOW_S)
        reached = supervisor.state is end or (completing and supervisor.state in ENDED)
        self._asker.ask(WAY_BACK, Way(reached))
        return self._asker.found(f"the way out led to {supervisor.state.name}, not to {end.name}")

    def save(self) -> Saved:
        """Return the present state."""
        return self._memory.save(self._body)

    def load(self, saved: Saved) -> None:
        """Go back to a state."""
        self._memory.load(saved)

    def name(self) -> Hashable:
        """Return the name of the present state; one that nothing leaves is one, however reached."""
        state = self._body.supervisor.state
        return state if state in ENDED else self._memory.name(self._body)

    def family(self) -> str:
        """Return the state of the treatment."""
        return self._body.supervisor.state.name


_APART: Final = frozenset({"Conduct.plan", "Preparation.jitter", "Supervisor._identity"})

LATE: Final = 0  # the number of nothing that is asked for
FULL: Final = "The disk is full."
_ROWS: Final = frozenset(
    {Step.BEGIN, Step.ARM_ROW, Step.RESUME, Step.ACK, Step.RESET_ROW, Step.ENDED}
)
_RESET_WAY: Final[tuple[Event | EndOf, ...]] = (
    Person(Command.STOP, AFAR),  # whatever was under way: nothing of it may be in the way
    Observed(AT_REST._replace(mode=Mode.SAFE, cause=Cause.DWELL)),
    Person(Command.ACK, HERE),
    EndOf(Step.ACK, End.DONE),
    Person(Command.RESET, HERE),
    EndOf(Step.RESET_ROW, End.DONE),
    EndOf(Step.RESET, End.DONE),
)
_STOP_WAY: Final[tuple[Event, ...]] = (Person(Command.STOP, AFAR), Observed(AT_REST))


def _fresh() -> Body:
    planned = plan()
    capabilities = Capability.MOTION_SENSOR | Capability.SIMULATED
    supervisor = Supervisor(planned, Identity(SERIAL, BOOT_ID, "1.0", capabilities))
    return Body(supervisor, clocks.ledgers(supervisor))


def _told(supervisor: Supervisor, event: Event | EndOf) -> Event:
    """Give an end the newest number that is open for its step."""
    if not isinstance(event, EndOf):
        return event
    waits = supervisor.conduct.acts.open
    number = max((n for n, one in waits.items() if one.step is event.step), default=LATE)
    return Finished(number, event.end, event.refusal, event.detail, event.lost)


def _everything(*, small: bool) -> list[Happens]:
    sights = list(SIGHTS.items())[: SMALL_SIGHTS if small else None]
    happens = [Happens("begins", Begin(HERE))]
    for wait in _OBSERVED:
        happens += [
            Happens(f"the device is {mode.name}, {name}", Observed(_in_mode(reading, mode)), wait)
            for mode in (SMALL_MODES if small else Mode)
            for name, reading in sights
            if _fits(wait, reading) and not (small and _is_like_others(wait, reading))
        ]
    woken = [wait for wait in _WOKEN if not (small and wait in _RARE)]
    happens += [Happens("a beat of the loop", Wake(), wait) for wait in woken]
    happens += [
        Happens(f"{who.origin} {command.value}", Person(command, who))
        for command in Command
        for who in (HERE, AFAR)
    ]
    happens += [
        Happens("reset here", Person(Command.RESET, HERE), Wait.STALE),
        Happens("suction raised", Person(Command.LOWER, HERE, suction_kpa=SUCTION_KPA + 1.0)),
        Happens("the line is lost", LinkLost(Interlock.LINK_LOST)),
        Happens("the record is lost", RecordLost(FULL)),
    ]
    if not small:
        happens += [
            Happens("suction lowered", Person(Command.LOWER, AFAR, suction_kpa=LOWERED_KPA)),
            Happens("the line is noisy", LinkLost(Interlock.LINK_NOISY)),
        ]
    happens += [Happens(f"a late end: {end.value}", Finished(LATE, end)) for end in End]
    for step in Step:
        happens += _ends_of(step, small=small)
    return happens


def _ends_of(step: Step, *, small: bool) -> list[Happens]:
    if step in _ROWS:
        lost = EndOf(step, End.FAILED, lost=FULL)
        return [
            Happens(f"the {step.value} is durable", EndOf(step, End.DONE)),
            Happens(f"the {step.value} is lost", lost),
        ]
    return [
        Happens(f"{step.value} is done", EndOf(step, End.DONE, detail=TOKEN)),
        Happens(f"{step.value}: no answer", EndOf(step, End.UNKNOWN)),
        Happens(f"{step.value} never went out", EndOf(step, End.VOIDED)),
        *(
            Happens(f"{step.value} is refused: {refusal.name}", EndOf(step, End.FAILED, refusal))
            for refusal in _REFUSALS[: 1 if small else None]
        ),
    ]


def _fits(wait: Wait, reading: Reading) -> bool:
    """Return whether it can matter that something has lasted until this reading."""
    if wait is Wait.ZONE:
        return reading.contact and not reading.valve_shut
    return wait not in (Wait.ENOUGH, Wait.LIFTED) or not reading.contact


def _is_like_others(wait: Wait, reading: Reading) -> bool:
    """Return whether another sight in the small configuration shows the same to this wait."""
    at_rest = reading.valve_shut
    return (wait is Wait.GRACE and at_rest) or (
        wait is Wait.LIFTED and reading.permits is not Permit.NONE
    )


def _in_mode(reading: Reading, mode: Mode) -> Reading:
    cause = Cause.DWELL if mode is Mode.SAFE else Cause.NONE
    return reading._replace(mode=mode, cause=cause)
