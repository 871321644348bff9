import itertools

import pytest

from controller.treatment.states import (
    ENDED,
    LIVE,
    TRANSITIONS,
    IllegalSignalError,
    Signal,
    State,
    after,
    mermaid,
)


def reachable(start: State) -> set[State]:
    found, left = {start}, [start]
    while left:
        for target in TRANSITIONS[left.pop()].values():
            if target not in found:
                found.add(target)
                left.append(target)
    return found


def test_every_state_has_a_row() -> None:
    assert set(TRANSITIONS) == set(State)


@pytest.mark.hazard("H10")
@pytest.mark.parametrize("state", State)
def test_every_state_answers_stop_and_never_with_a_state_nearer_to_flow(state: State) -> None:
    assert after(state, Signal.STOP) not in LIVE | {State.PREPARING}


@pytest.mark.parametrize("state", State)
def test_a_trip_leads_to_tripped_from_everywhere_but_the_ends(state: State) -> None:
    assert after(state, Signal.TRIP) is (state if state in ENDED else State.TRIPPED)


@pytest.mark.hazard("H18")
def test_only_clear_leaves_tripped_and_it_leads_to_an_end() -> None:
    leaving = {sig for sig, to in TRANSITIONS[State.TRIPPED].items() if to is not State.TRIPPED}
    assert leaving == {Signal.CLEAR}
    assert after(State.TRIPPED, Signal.CLEAR) in ENDED


@pytest.mark.parametrize("state", [state for state in State if state in ENDED])
def test_nothing_leaves_an_end(state: State) -> None:
    assert reachable(state) == {state}


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached_and_has_a_way_to_an_end(state: State) -> None:
    assert state in reachable(State.PREPARING)
    assert reachable(state) & ENDED


def test_active_is_entered_only_by_a_press_in_an_armed_state() -> None:
    ways = {
        (state, signal)
        for state, row in TRANSITIONS.items()
        for signal, target in row.items()
        if target is State.ACTIVE
    }
    assert {signal for _, signal in ways} == {Signal.PRESS}
    assert {state for state, _ in ways} == {State.ARMING, State.ARMED, State.PAUSED}


@pytest.mark.parametrize(("state", "signal"), list(itertools.product(State, Signal)))
def test_a_signal_without_a_row_raises(state: State, signal: Signal) -> None:
    if signal in TRANSITIONS[state]:
        assert after(state, signal) is TRANSITIONS[state][signal]
    else:
        with pytest.raises(IllegalSignalError, match=f"{signal.name}.*{state.name}"):
            after(state, signal)


def test_the_diagram_shows_every_move() -> None:
    drawn = mermaid()
    assert drawn.startswith("stateDiagram-v2\n    [*] --> PREPARING\n")
    for state, row in TRANSITIONS.items():
        for signal, target in row.items():
            line = f"    {state.name} --> {target.name}: {signal.name}\n"
            assert (line in drawn) is (target is not state)
    assert drawn.count("--> [*]") == len(ENDED)
    assert drawn.endswith("    REFUSED --> [*]\n")
