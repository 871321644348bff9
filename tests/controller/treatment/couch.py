"""A supervisor on the couch: readings made by hand, and the shortest way into every state."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from controller.planning.plan import Plan, PlannedStage
from controller.planning.program import Program
from controller.safety.interlocks import Interlock
from controller.safety.reading import Identity, Reading, Supplies
from controller.safety.removal import Moisture, RemovalModel
from controller.treatment import rows
from controller.treatment.conduct import AHEAD_S, Actions, Conduct
from controller.treatment.events import (
    Action,
    Begin,
    Closed,
    Command,
    Commit,
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
    Step,
    StopNow,
    Wake,
    Who,
)
from controller.treatment.kinds import Kind
from controller.treatment.states import State
from controller.treatment.supervisor import Supervisor
from firmware_protocol.vocabulary import (
    Capability,
    Cause,
    Input,
    Mode,
    Permit,
    Refusal,
    StopKind,
)

PRESSED: dict[str, Any] = {"inputs": Input.SWITCH_CLOSED}
OFF_SKIN: dict[str, Any] = {
    "inputs": Input.SWITCH_CLOSED | Input.PUMP_COMMANDED,
    "suction_kpa": 4.0,
}

ANNA: Final = Who("anna", "practitioner")
FAR: Final = Who("ben", "practitioner", "remote")
FRAME_S: Final = 0.02
LEASE_S: Final = 0.2
TOKEN: Final = 77
BOOT: Final = 5
SEALED: Final = Input.SWITCH_CLOSED | Input.CONTACT | Input.PUMP_COMMANDED | Input.MOTION
FLOWING: Final[dict[str, Any]] = {
    "inputs": SEALED | Input.VALVE_COMMANDED,
    "permits": Permit.ALL,
    "valve_percent": 45.0,
    "flow_g_per_min": 7.0,
}
STOCKED: Final = Supplies(
    at_s=0.0, crystal_total_g=0.0, contact_total_s=0.0, hopper_g=300.0, waste_percent=4.0,
    filter_kpa=0.9, pump_deg_c=25.0, supply_v=24.0, bad_frames=0,
)  # fmt: skip
MODEL: Final = RemovalModel(
    rate_ref_um_per_s=0.75, suction_ref_kpa=30.0, flow_ref_g_per_min=10.0, suction_exponent=0.7,
    flow_exponent=1.0, choke_kpa=48.0, crystal_ref_um=100.0, crystal_max_um=150.0,
    size_exponent=0.5, moist_factor=2.0, error_ln_sd=0.9, coverage_factor=1.5,
    coverage_factor_blind=3.0, window_ref_mm=6.0, crystal_um=100.0, moisture=Moisture.DRY,
)  # fmt: skip


def stage(zone: str = "chin", **changes: Any) -> PlannedStage:  # noqa: ANN401 - by name
    made = PlannedStage(
        zone=zone, display=zone.title(), suction_kpa=28.0, flow_g_per_min=7.0,
        contact_budget_s=10.0, cap_um=3.0, suction_max_kpa_s=100.0,
        area_cm2=20.0, expected_nominal_um=0.3, expected_bound_um=2.0, expected_suction_kpa_s=9.0,
        expected_contact_s=10.0, ends_by="time", receipts=(),
    )  # fmt: skip
    return replace(made, **changes)


def plan(*stages: PlannedStage, motion: bool = True) -> Plan:
    program = Program("refresh", "Refresh", 1, "0" * 64, (), 14.0)
    made = stages or (stage("nose"), stage("chin"))
    return Plan(program, "demo", 1001, True, 1, made, (), MODEL, motion)  # noqa: FBT003 - in order


class EndOf(NamedTuple):
    """The end of the action that is open for this step, or a late one of an action that is not."""

    step: Step
    end: End
    refusal: Refusal = Refusal.NONE
    detail: int = 0
    lost: str = ""


LATE: Final = 0  # the number of no open action
DROPPED: Final = (Closed(LATE, End.DONE),)
"""What comes of a late end: nothing."""

ROWS: Final = (Step.BEGIN, Step.ARM_ROW, Step.RESUME, Step.ACK, Step.RESET_ROW, Step.ENDED)


@dataclass
class Couch:
    """A supervisor, the time, and what it has wanted so far."""

    supervisor: Supervisor
    now_s: float = 100.0
    tick_ms: int = 2**32 - 500
    done: list[Action] = field(default_factory=list)
    moves: int = 0
    frames: int = 0
    held_s: float = 0.0
    durable: bool = True
    """Each row that is waited for is durable at once."""
    frozen: bool = False
    """The flow sensor shows the same number again and again."""

    @property
    def state(self) -> State:
        return self.supervisor.state

    def at(self, state: State) -> bool:
        """True while the treatment is in ``state``; a call, so that nobody takes it as settled."""
        return self.supervisor.state is state

    @property
    def conduct(self) -> Conduct:
        return self.supervisor.conduct

    def step(self, event: Event | EndOf) -> Actions:
        told = self._numbered(event) if isinstance(event, EndOf) else event
        actions = self.supervisor.step(told, self.now_s)
        self.done += actions
        self.held_s = self.now_s if holds(actions) else self.held_s
        for row in of(Commit, actions) if self.durable else ():
            if row.number in self.conduct.acts.open:
                actions = (*actions, *self.step(Finished(row.number, End.DONE)))
        return actions

    def number_of(self, step: Step) -> int:
        """The number that is open for a step, or of a late end."""
        numbers = [n for n, one in self.conduct.acts.open.items() if one.step is step]
        return numbers[-1] if numbers else LATE

    def _numbered(self, end: EndOf) -> Finished:
        return Finished(self.number_of(end.step), end.end, end.refusal, end.detail, end.lost)

    def reading(self, mode: Mode, **changes: Any) -> Reading:  # noqa: ANN401 - by name
        self.moves += 1
        wobble = 0.01 * (self.moves % 2)
        pumping = mode in (Mode.ARMED, Mode.ACTIVE, Mode.PAUSED, Mode.STOPPING)
        leased = pumping or self.renewed()
        made = Reading(
            at_s=self.now_s, tick_ms=self.tick_ms, mode=mode, inputs=Input.SWITCH_REST,
            valve_percent=0.0, suction_kpa=(20.0 if pumping else 0.1) + wobble,
            suction_b_kpa=(20.0 if pumping else 0.1) + wobble, flow_g_per_min=0.05 + wobble,
            supplies=STOCKED._replace(at_s=self.now_s), boot_id=BOOT,
            permits=Permit.LEASE if leased else Permit.NONE,
            lease_left_s=LEASE_S if leased else 0.0,
        )  # fmt: skip
        shown = made._replace(**changes)
        if shown.flow_g_per_min is None or self.frozen:
            return shown
        return shown._replace(flow_g_per_min=shown.flow_g_per_min + 1e-7 * (self.moves % 2))

    def renewed(self) -> bool:
        """True while a setpoint has come within the lease, as the device would see it."""
        return self.now_s - self.held_s <= LEASE_S

    def pass_time(self, seconds: float) -> None:
        """Let time pass with nobody saying anything."""
        self.now_s += seconds
        self.tick_ms = (self.tick_ms + round(seconds * 1000)) % 2**32

    def see(self, mode: Mode, frames: int = 1, **changes: Any) -> list[Action]:  # noqa: ANN401
        """Show ``frames`` readings, 20 ms apart, and beat every third."""
        wanted: list[Action] = []
        for _ in range(frames):
            self.pass_time(FRAME_S)
            wanted += self.step(Observed(self.reading(mode, **changes)))
            self.frames += 1
            if self.frames % 3 == 0:
                wanted += self.step(Wake())
        return wanted

    def see_for(self, seconds: float, mode: Mode, **changes: Any) -> list[Action]:  # noqa: ANN401
        return self.see(mode, round(seconds / FRAME_S), **changes)

    def beat(self) -> Actions:
        return self.step(Wake())

    def person(self, command: Command, who: Who = ANNA, **values: Any) -> Actions:  # noqa: ANN401
        return self.step(Person(command, who, **values))

    def answer(self, step: Step, end: End = End.DONE, **values: Any) -> Actions:  # noqa: ANN401
        return self.step(EndOf(step, end, **values))

    def lose(self, step: Step) -> Actions:
        """Lose the row of a step."""
        return self.step(EndOf(step, End.FAILED, lost="The disk is full."))


def couch(made: Plan | None = None, *, motion: bool = True) -> Couch:
    capabilities = Capability.MOTION_SENSOR if motion else Capability.NONE
    return Couch(Supervisor(made or plan(), Identity(1001, BOOT, "1.0", capabilities)))


def ready(made: Plan | None = None, *, motion: bool = True) -> Couch:
    """A treatment whose unit has passed its self-test just now."""
    one = couch(made, motion=motion)
    one.step(Begin(ANNA))
    one.see(Mode.DISARMED)
    one.answer(Step.CONFIGURE)
    one.see(Mode.DISARMED)
    one.answer(Step.SELF_TEST, detail=TOKEN)
    one.see(Mode.SELFTEST, 5)
    return one


def proving(made: Plan | None = None, *, motion: bool = True) -> Couch:
    """A treatment that has proven everything but the stream."""
    one = ready(made, motion=motion)
    prove_lease(one)
    return one


def prove_lease(one: Couch) -> None:
    """Let the lease live, lapse unrenewed, and be seen to have lapsed."""
    before = len(of(Note, one.done))
    for _ in range(40):
        one.see(Mode.READY)
        if len(of(Note, one.done)) > before:
            break


def preparing(made: Plan | None = None, *, motion: bool = True) -> Couch:
    one = couch(made, motion=motion)
    one.step(Begin(ANNA))
    one.see(Mode.DISARMED, 3)
    return one


def arming(made: Plan | None = None, *, motion: bool = True) -> Couch:
    one = proving(made, motion=motion)
    one.see_for(1.2, Mode.READY)
    return one


def armed(made: Plan | None = None, *, motion: bool = True) -> Couch:
    one = arming(made, motion=motion)
    one.answer(Step.ARM)
    one.see(Mode.ARMED, 3)
    return one


def active(made: Plan | None = None, *, motion: bool = True) -> Couch:
    one = armed(made, motion=motion)
    one.see(Mode.ACTIVE, 6, **FLOWING)
    return one


def paused(made: Plan | None = None, *, motion: bool = True) -> Couch:
    one = active(made, motion=motion)
    one.see(Mode.PAUSED, 6)
    return one


def stopping(made: Plan | None = None, *, motion: bool = True) -> Couch:
    one = active(made, motion=motion)
    one.person(Command.STOP)
    one.see(Mode.STOPPING, 3)
    return one


def tripped(made: Plan | None = None, *, motion: bool = True) -> Couch:
    one = active(made, motion=motion)
    one.see(Mode.SAFE, 6, cause=Cause.DWELL)
    return one


def cleared() -> Couch:
    one = tripped()
    one.person(Command.ACK)
    one.person(Command.RESET)
    one.answer(Step.RESET)
    return one


def completed() -> Couch:
    one = active(plan(stage(contact_budget_s=0.5)))
    one.see_for(0.42, Mode.ACTIVE, **FLOWING)
    one.see(Mode.STOPPING, 3)
    one.see(Mode.DISARMED)
    return one


def stopped() -> Couch:
    one = stopping()
    one.see(Mode.DISARMED)
    return one


def refused() -> Couch:
    one = preparing()
    one.answer(Step.CONFIGURE, End.FAILED, refusal=Refusal.BUSY)
    return one


WAYS: Final = {
    State.PREPARING: preparing,
    State.ARMING: arming,
    State.ARMED: armed,
    State.ACTIVE: active,
    State.PAUSED: paused,
    State.STOPPING: stopping,
    State.TRIPPED: tripped,
    State.CLEARED: cleared,
    State.COMPLETED: completed,
    State.STOPPED: stopped,
    State.REFUSED: refused,
}

EVENTS: Final[dict[str, Event | EndOf]] = {
    "begin": Begin(ANNA),
    "wake": Wake(),
    "link lost": LinkLost(Interlock.LINK_LOST),
    "line noisy": LinkLost(Interlock.LINK_NOISY),
    "record lost": RecordLost("The disk is full."),
    **{f"{command.value} here": Person(command, ANNA) for command in Command},
    **{f"{command.value} from afar": Person(command, FAR) for command in Command},
    "lowered": Person(Command.LOWER, FAR, suction_kpa=10.0),
    "raised": Person(Command.LOWER, ANNA, suction_kpa=49.0),
    **{f"{step.value} {end.value}": EndOf(step, end, detail=TOKEN) for step in Step for end in End},
    **{
        f"{step.value} refused {refusal.name}": EndOf(step, End.FAILED, refusal)
        for step in Step
        if step not in ROWS
        for refusal in Refusal
    },
    **{f"{step.value} lost": EndOf(step, End.FAILED, lost="The disk is full.") for step in ROWS},
    **{f"late end, {end.value}": Finished(LATE, end, detail=TOKEN) for end in End},
}


def stops(actions: Actions | list[Action]) -> list[StopKind]:
    return [action.kind for action in actions if isinstance(action, StopNow)]


def holds(actions: Actions | list[Action]) -> list[Hold]:
    return [action for action in actions if isinstance(action, Hold)]


def of(kind: type[Action], actions: Actions | list[Action]) -> list[Any]:
    return [action for action in actions if isinstance(action, kind)]


def exposure_of(one: Conduct, zone: str, may_open: tuple[str, ...] | None = None) -> Note:
    """The row that tells what a zone has had by now."""
    use = next(each.use for each in one.course.zones() if each.stage.zone == zone)
    ahead = one.course.may_open(AHEAD_S) if may_open is None else may_open
    return Note(Kind.EXPOSURE, rows.exposure_body(zone, use, ahead, one.newest))


def ends(actions: Actions | list[Action]) -> list[Any]:
    """The outcomes of the closing rows."""
    return [row.body["outcome"] for row in of(Commit, actions) if row.kind == "ended"]


def codes(actions: Actions | list[Action]) -> list[str]:
    """The alarms that are raised."""
    return [action.alarm.code for action in of(Raise, actions)]


def kinds(one: Couch) -> list[str]:
    """The rows that were to be durable so far."""
    return [row.kind for row in of(Commit, one.done)]
