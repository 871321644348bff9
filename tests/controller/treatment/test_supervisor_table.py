"""Every state meets every event: what must hold whatever happens."""

import itertools

import pytest

from controller.safety.refusal import Refusal
from controller.treatment.events import (
    Command,
    Commit,
    Configure,
    Hold,
    Note,
    Observed,
    Person,
    RunSelfTest,
    SendArm,
    SendReset,
    StopNow,
)
from controller.treatment.states import ENDED, LIVE, State
from firmware_protocol.vocabulary import Cause, Mode, StopKind, Wish
from tests.controller.treatment.couch import ANNA, EVENTS, FAR, WAYS, couch, ends, of, stops

CASES = list(itertools.product(State, EVENTS))
FLOW_STATES = {State.ARMED, State.ACTIVE, State.PAUSED}


@pytest.mark.parametrize("state", State)
def test_each_way_leads_where_it_says(state: State) -> None:
    one = WAYS[state]()
    assert one.at(state)
    assert (one.conduct.outcome is not None) is (state in ENDED or state is State.TRIPPED)


@pytest.mark.parametrize(("state", "event"), CASES)
def test_what_permits_comes_after_its_row_and_what_stops_comes_first(
    state: State, event: str
) -> None:
    one = WAYS[state]()
    one.durable = False
    actions = one.step(EVENTS[event])
    kinds = [type(action) for action in actions]
    if StopNow in kinds:
        assert kinds[0] is StopNow
        assert not {Configure, RunSelfTest, SendArm, SendReset} & set(kinds)
    for energy in (SendArm, SendReset):
        if energy in kinds:
            assert Commit in kinds[: kinds.index(energy)]
    if Refusal in kinds:
        assert kinds in ([Refusal], [Refusal, Note])
        assert one.at(state)
    for hold in of(Hold, actions):
        assert Wish.FLOW not in hold.wish or one.state in FLOW_STATES
    assert one.conduct.outcome is None or len(ends(one.done)) == 1


@pytest.mark.hazard("H10")
@pytest.mark.parametrize(("state", "who"), list(itertools.product(State, (ANNA, FAR))))
@pytest.mark.parametrize("command", [Command.STOP, Command.EMERGENCY])
def test_stop_is_written_at_once_in_every_state_for_everybody(
    state: State, who: object, command: Command
) -> None:
    one = WAYS[state]()
    person = Person(command, ANNA if who is ANNA else FAR)
    kind = StopKind.NORMAL if command is Command.STOP else StopKind.EMERGENCY
    actions = one.step(person)
    assert stops(actions)[:1] == [kind]
    assert isinstance(actions[0], StopNow)
    assert one.state not in LIVE | {State.PREPARING}
    assert not [hold for hold in of(Hold, actions) if hold.wish]


@pytest.mark.hazard("H10")
@pytest.mark.parametrize("state", [state for state in State if state in LIVE])
def test_the_loss_of_the_link_trips_every_live_state(state: State) -> None:
    one = WAYS[state]()
    actions = one.step(EVENTS["link lost"])
    assert one.at(State.TRIPPED)
    assert actions[0] == StopNow(StopKind.EMERGENCY)


@pytest.mark.hazard("H18")
@pytest.mark.parametrize("event", EVENTS)
def test_no_event_alone_leads_from_a_trip_to_flow(event: str) -> None:
    one = WAYS[State.TRIPPED]()
    actions = one.step(EVENTS[event])
    assert one.at(State.TRIPPED)
    assert not of(SendArm, actions)
    assert not of(Hold, actions)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", [state for state in State if state in ENDED])
def test_an_end_is_an_end(state: State, event: str) -> None:
    one = WAYS[state]()
    outcome = one.conduct.outcome
    one.step(EVENTS[event])
    assert one.at(state)
    assert one.conduct.outcome is outcome


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("state", State)
def test_whatever_mode_the_device_shows_flow_is_wished_only_where_it_may_be(
    state: State, mode: Mode
) -> None:
    one = WAYS[state]()
    for _ in range(40):
        actions = one.see(mode, cause=Cause.OVER_SUCTION)
        for hold in of(Hold, actions):
            assert Wish.FLOW not in hold.wish or one.state in FLOW_STATES
    if mode is Mode.SAFE:
        assert one.state in ENDED | {State.TRIPPED}


@pytest.mark.parametrize("mode", [Mode.BOOT, Mode.DISARMED, Mode.SELFTEST, Mode.READY])
@pytest.mark.parametrize("state", [State.ACTIVE, State.PAUSED])
def test_a_device_that_is_not_treating_any_more_ends_the_treatment(
    state: State, mode: Mode
) -> None:
    one = WAYS[state]()
    one.see_for(0.5, mode)
    assert one.state not in LIVE


def test_before_the_beginning_nothing_is_asked_for_and_nothing_is_due() -> None:
    fresh = couch()
    assert fresh.step(Observed(fresh.reading(Mode.DISARMED))) == ()
    assert fresh.supervisor.deadline_s() is None
    assert fresh.beat() == ()
