"""Every reachable state of device, host and pair keeps P1 to P11, L1 and L2; seeded bugs do not."""

import json
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import pytest

from controller.safety import interlocks
from controller.safety.interlocks import Interlock
from controller.safety.reading import Identity
from controller.treatment import supervisor as supervisor_module
from controller.treatment.conduct import Conduct
from controller.treatment.events import (
    Begin,
    End,
    Finished,
    Note,
    Observed,
    Step,
    StopNow,
    Wake,
)
from controller.treatment.states import LIVE, State
from controller.treatment.supervisor import Supervisor
from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import encode
from firmware_protocol.envelope import FLOW_SET_MAX_MG_PER_MIN
from firmware_protocol.link import Link, RequestDone
from firmware_protocol.messages import UNKNOWN_U16, Hello, Stop
from firmware_protocol.vocabulary import Capability, Mode, Permit, StopKind
from qa.promise.clauses import Observer
from simulator.firmware import modes, permissives, reports
from simulator.firmware.contact import HandSwitch
from simulator.firmware.modes import Trigger
from simulator.firmware.outputs import FeedRegulator
from simulator.firmware.setpoints import Lease, Setpoints, Verdict
from tests.proof.explore import exploration
from tests.proof.explore.device import FEW, DeviceWorld
from tests.proof.explore.frames import hello
from tests.proof.explore.host import AT_REST, HERE, HostWorld
from tests.proof.explore.host_clocks import ENOUGH_S, LONG_S, NOW_S
from tests.proof.explore.memory import Memory, OpaqueError
from tests.proof.explore.pair import PairWorld
from tests.proof.explore.plan import SERIAL, plan
from tests.proof.explore.scenes import FLOWING, RELEASED, sample
from tests.proof.explore.search import Search, Trace, World
from tests.qa.asked import asked, keep, seen_by

SAMPLE_STATES = 5_000  # of some 20,000; every state of a treatment occurs among them
ALL_RULES = {f"P{number}" for number in range(1, 11)} | {"L1", "L2"}


def first_broken(world: World) -> Trace:
    found = Search(world, 20_000, lambda found: bool(found.traces)).run()
    assert found.traces, "the exploration did not see it"
    return found.traces[0]


# -- nothing is broken -----------------------------------------------------------------------------
@pytest.mark.hazard("H04", "H10", "H11", "H16", "H18", "H20")
def test_every_reachable_state_of_the_device_keeps_its_promises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judges = keep(monkeypatch)
    found = exploration.explore(["device"], small=True)[0]
    assert [trace.text() for trace in found.traces] == []
    assert found.closed
    assert set(found.families) == {mode.name for mode in Mode}
    assert set(found.checks) >= ALL_RULES
    assert asked(judges) == seen_by(Observer.DEVICE)


@pytest.mark.hazard("H13", "H14")
def test_the_states_of_the_supervisor_nearest_to_its_start_keep_its_promises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judges = keep(monkeypatch)
    found = exploration.explore(["host"], small=True, states_max=SAMPLE_STATES)[0]
    assert [trace.text() for trace in found.traces] == []
    assert found.states > SAMPLE_STATES
    assert set(found.families) == {state.name for state in State}
    assert asked(judges) == seen_by(Observer.HOST)


@pytest.mark.nightly
@pytest.mark.hazard("H13", "H14")
def test_every_reachable_state_of_the_supervisor_keeps_its_promises() -> None:
    found = exploration.explore(["host"], small=True)[0]
    assert [trace.text() for trace in found.traces] == []
    assert found.closed
    assert found.states > SAMPLE_STATES


@pytest.mark.hazard("H10", "H15")
def test_every_reachable_state_of_host_line_and_device_keeps_their_promises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judges = keep(monkeypatch)
    found = exploration.explore(["pair"], small=True)[0]
    assert [trace.text() for trace in found.traces] == []
    assert found.closed
    assert found.families["ACTIVE/ACTIVE"]
    assert found.checks["L1"]
    assert found.checks["L2"]
    assert asked(judges) == seen_by(Observer.PAIR)


# -- a bug is seen ---------------------------------------------------------------------------------
def _lease_never_lapses(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lease, "left_ms", lambda self, _tick_ms: 200 if self.live else 0)


def _stop_leaves_safe(patch: pytest.MonkeyPatch) -> None:
    row = {**modes.TRANSITIONS[Mode.SAFE], Trigger.STOP_NORMAL: Mode.DISARMED}
    table = MappingProxyType({**modes.TRANSITIONS, Mode.SAFE: row})
    patch.setattr(modes, "TRANSITIONS", table)


def _contact_is_ignored(patch: pytest.MonkeyPatch) -> None:
    bits = permissives.bits
    patch.setattr(
        permissives, "bits", lambda **conditions: bits(**(conditions | {"contact": True}))
    )


def _old_echo_counts(patch: pytest.MonkeyPatch) -> None:
    judge = Setpoints._judge

    def lenient(self: Setpoints, setpoint: object, tick_ms: int) -> Verdict:
        verdict = judge(self, setpoint, tick_ms)  # type: ignore[arg-type]
        return Verdict.ACCEPTED if verdict is Verdict.STALE_ECHO else verdict

    patch.setattr(Setpoints, "_judge", lenient)


def _made_up_echo_counts(patch: pytest.MonkeyPatch) -> None:
    judge = Setpoints._judge

    def lenient(self: Setpoints, setpoint: object, tick_ms: int) -> Verdict:
        verdict = judge(self, setpoint, tick_ms)  # type: ignore[arg-type]
        return Verdict.ACCEPTED if verdict is Verdict.MADE_UP_ECHO else verdict

    patch.setattr(Setpoints, "_judge", lenient)


def _held_switch_counts_as_a_press(patch: pytest.MonkeyPatch) -> None:
    sample = HandSwitch.sample

    def eager(self: HandSwitch, dt_ms: int, *, closed: bool, rest: bool) -> None:
        sample(self, dt_ms, closed=closed, rest=rest)
        self.newly_pressed = self.pressed

    patch.setattr(HandSwitch, "sample", eager)


DEVICE_BUGS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "the lease never lapses": (_lease_never_lapses, "P2"),
    "a STOP leaves SAFE": (_stop_leaves_safe, "P6"),
    "contact is ignored": (_contact_is_ignored, "P1"),
    "a setpoint that echoes an old tick counts": (_old_echo_counts, "P9"),
    "a setpoint that echoes a tick that was not sent counts": (_made_up_echo_counts, "P9"),
    "a held switch counts as a press": (_held_switch_counts_as_a_press, "P1"),
}


@pytest.mark.parametrize("bug", DEVICE_BUGS)
def test_a_bug_in_the_device_is_found_with_the_way_there(
    bug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed, rule = DEVICE_BUGS[bug]
    seed(monkeypatch)
    trace = first_broken(DeviceWorld(FEW))
    assert trace.broken.rule == rule, trace.text()
    assert trace.steps
    assert trace.text().startswith(f"{rule} does not hold: ")


def _silence_is_fine(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(supervisor_module, "is_stale", lambda _at_s, _now_s: False)
    patch.setattr(interlocks, "is_stale", lambda _at_s, _now_s: False)


def _pause_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Conduct, "granted", property(lambda self: not self.course.done))


HOST_BUGS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "silence does not trip": (_silence_is_fine, "P2"),
    "a pause is forgotten": (_pause_is_forgotten, "P1"),
}


@pytest.mark.nightly
@pytest.mark.parametrize("bug", HOST_BUGS)
def test_a_bug_in_the_supervisor_is_found_with_the_way_there(
    bug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed, rule = HOST_BUGS[bug]
    seed(monkeypatch)
    trace = first_broken(HostWorld(small=True))
    assert trace.broken.rule == rule, trace.text()
    assert trace.steps


def test_a_stop_that_the_device_ignores_is_found_in_the_pair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = {**modes.TRANSITIONS[Mode.ACTIVE], Trigger.STOP_NORMAL: Mode.ACTIVE}
    table = MappingProxyType({**modes.TRANSITIONS, Mode.ACTIVE: row})
    monkeypatch.setattr(modes, "TRANSITIONS", table)
    trace = first_broken(PairWorld(small=True))
    assert trace.broken.rule == "P6", trace.text()
    assert "a person: stop" in trace.text()


# -- what the exploration has found ----------------------------------------------------------------
def _done(one: Supervisor, step: Step) -> None:
    (number,) = [n for n, waits in one.conduct.acts.open.items() if waits.step is step]
    one.step(Finished(number, End.DONE, detail=77), NOW_S)


def _proving() -> Supervisor:
    one = Supervisor(plan(), Identity(SERIAL, AT_REST.boot_id, "1.0", Capability.SIMULATED))
    one.step(Begin(HERE), NOW_S)
    _done(one, Step.BEGIN)
    one.step(Observed(AT_REST), NOW_S)
    _done(one, Step.CONFIGURE)
    one.step(Observed(AT_REST), NOW_S)
    _done(one, Step.SELF_TEST)
    one.step(Observed(AT_REST._replace(mode=Mode.READY)), NOW_S)
    return one


def test_a_preparation_that_takes_too_long_sends_no_setpoint_before_its_stop() -> None:
    one = _proving()
    actions = one.step(Wake(), NOW_S + 0.05)
    assert not any(isinstance(action, StopNow) for action in actions)
    later_s = NOW_S + LONG_S
    one.step(Observed(AT_REST._replace(mode=Mode.READY, at_s=later_s)), later_s)
    actions = one.step(Wake(), later_s)
    assert one.state is State.REFUSED
    assert actions[0] == StopNow(StopKind.NORMAL)


def test_an_arming_without_an_answer_sends_no_setpoint_before_its_stop() -> None:
    one = _proving()
    ready = AT_REST._replace(mode=Mode.READY, permits=Permit.LEASE)
    now_s = NOW_S + ENOUGH_S
    one.step(Observed(ready._replace(at_s=now_s, permits=Permit.NONE)), now_s)
    one.step(Wake(), now_s)
    one.step(Observed(ready._replace(at_s=now_s)), now_s)
    lapsed = one.step(Observed(ready._replace(at_s=now_s, permits=Permit.NONE)), now_s)
    assert [action.kind for action in lapsed if isinstance(action, Note)] == ["lease_proof"]
    assert one.state not in LIVE
    at_s, actions = now_s, one.step(Wake(), now_s)
    while one.state is not State.TRIPPED and at_s < now_s + LONG_S:
        at_s += 0.05
        one.step(Observed(ready._replace(at_s=at_s)), at_s)
        actions = one.step(Wake(), at_s)
    assert one.conduct.tripped_by == Interlock.NO_ANSWER.name
    assert actions[0] == StopNow(StopKind.EMERGENCY)


@pytest.mark.parametrize("ending", ["a trip", "a stop"])
def test_a_hello_during_boot_is_answered_however_the_boot_ends(ending: str) -> None:
    world = DeviceWorld(FEW)
    world.start()
    firmware = world.firmware
    firmware.receive(hello(firmware), 0.0)
    assert firmware.outgoing() == b""
    if ending == "a stop":
        firmware.receive(encode(Stop(StopKind.NORMAL), 0, 0), 0.0)
    firmware.tick(0.05, sample("sensor A lost", RELEASED, odd=True))
    assert firmware.mode is not Mode.BOOT
    heard = Link(Direction.TO_DEVICE)
    heard.request(Hello(1, 0, 0, 0), 0.0)
    replies = heard.receive(firmware.outgoing(), 0.05)
    assert any(isinstance(event, RequestDone) for event in replies)


def test_a_reading_that_is_no_number_is_told_as_unknown_and_charged_in_full() -> None:
    world = DeviceWorld(FEW)
    world.start()
    board = world.firmware.board
    nan = float("nan")
    sensors = replace(
        sample(FLOWING, RELEASED, odd=True), suction_a_kpa=nan, flow_g_per_min=nan, hopper_g=nan,
        supply_v=nan, waste_percent=nan, valve_percent=nan,
    )  # fmt: skip
    world.firmware.tick(0.05, sensors)
    told, slow = reports.telemetry(board, 0), reports.status(board, 0)
    assert told.suction_pa == told.flow_mg_per_min == UNKNOWN_U16
    assert (told.valve_percent, slow.waste_percent, slow.hopper_mg, slow.supply_mv) == (
        100,
        100,
        0,
        0,
    )
    assert board.a.totals.crystal_total_mg == FLOW_SET_MAX_MG_PER_MIN * 50 // 60_000


def test_a_flow_that_is_no_number_does_not_spoil_the_feed() -> None:
    feed = FeedRegulator()
    for flow in (1.0, float("nan"), float("inf"), 1.0):
        for _ in range(100):
            opening = feed.open(5, 1.0, flow, 9.0)
            assert 0.0 < opening <= 1.0


# -- the command -----------------------------------------------------------------------------------
def test_the_command_says_what_was_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert exploration.main(["--part", "device", "--states", "50"]) == 2
    said = capsys.readouterr().out
    assert "CUT by its bound" in said
    assert "no property is broken" in said


def test_the_command_reports_to_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert exploration.main(["--part", "host", "--states", "20", "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["parts"][0]["closed"] is False
    assert report["parts"][0]["states"] >= 20
    assert report["coarse"]


def test_the_command_fails_with_a_trace_for_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _stop_leaves_safe(monkeypatch)
    assert exploration.main(["--part", "device", "--states", "50"]) == 1
    assert "P6 does not hold: STOP, SAFE to DISARMED: " in capsys.readouterr().out


def test_an_object_that_shows_no_fields_is_refused_and_not_taken_for_one_state() -> None:
    with pytest.raises(OpaqueError, match="explore the interpreted sources"):
        Memory({}, frozenset()).save(object())
