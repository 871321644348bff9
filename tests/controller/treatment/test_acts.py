"""Every asked action ends with its number, and only the right end of the right number permits."""

from typing import Any

import pytest

from controller.safety.refusal import Refusal
from controller.treatment.events import (
    Closed,
    Command,
    Commit,
    End,
    Finished,
    Note,
    Raise,
    RunSelfTest,
    SendArm,
    SendReset,
    Settle,
    Step,
)
from controller.treatment.states import State
from firmware_protocol.vocabulary import Cause, Input, Mode, Wish
from firmware_protocol.vocabulary import Refusal as UnitRefusal
from tests.controller.treatment.couch import (
    ANNA,
    FAR,
    Couch,
    active,
    arming,
    codes,
    holds,
    kinds,
    of,
    paused,
    preparing,
    proving,
    tripped,
)

NOT_DONE = [End.FAILED, End.UNKNOWN, End.VOIDED]


def acts(actions: object) -> list[tuple[int, End]]:
    closed: list[Closed] = of(Closed, actions)  # type: ignore[arg-type]  # actions
    return [(one.act, one.end) for one in closed]


def declined(actions: object) -> list[str]:
    return [action.code for action in of(Refusal, actions)]  # type: ignore[arg-type]  # actions


def slow(one: Couch) -> Couch:
    """From now on no row is durable before the test says so."""
    one.durable = False
    return one


def acknowledged() -> Couch:
    one = tripped()
    one.person(Command.ACK)
    return slow(one)


def resetting() -> Couch:
    """The row of the reset is durable, and RESET is out."""
    one = acknowledged()
    one.person(Command.RESET)
    one.answer(Step.RESET_ROW)
    return one


# -- resume ----------------------------------------------------------------------------------------
@pytest.mark.hazard("H40")
def test_no_flow_is_wished_before_the_row_of_the_resume_is_durable() -> None:
    one = slow(paused())
    one.person(Command.PAUSE)
    number = of(Commit, one.person(Command.RESUME))[0].number
    assert {hold.wish for hold in holds(one.see(Mode.PAUSED, 12))} == {Wish.PUMP}
    actions = one.answer(Step.RESUME)
    assert of(Settle, actions) == [Settle("H07")]
    assert acts(actions) == [(number, End.DONE)]
    assert {hold.wish for hold in holds(one.see(Mode.PAUSED, 3))} == {Wish.ALL}


@pytest.mark.parametrize("end", NOT_DONE)
def test_a_resume_that_is_not_done_holds_the_flow_and_says_so(end: End) -> None:
    one = slow(paused())
    one.person(Command.PAUSE)
    number = of(Commit, one.person(Command.RESUME))[0].number
    assert acts(one.answer(Step.RESUME, end)) == [(number, end)]
    assert one.conduct.held


def test_the_lost_row_of_a_resume_ends_the_treatment() -> None:
    one = slow(paused())
    one.person(Command.PAUSE)
    one.person(Command.RESUME)
    actions = one.lose(Step.RESUME)
    assert one.at(State.STOPPING)
    assert codes(actions) == ["R01"]
    assert [end for _, end in acts(actions)] == [End.FAILED]


def test_a_pause_after_a_resume_voids_it_whose_row_may_be_as_late_as_it_likes() -> None:
    one = slow(paused())
    one.person(Command.PAUSE)
    number = of(Commit, one.person(Command.RESUME))[0].number
    assert acts(one.person(Command.PAUSE, FAR)) == [(number, End.VOIDED)]
    one.step(Finished(number, End.DONE))
    assert {hold.wish for hold in holds(one.see(Mode.PAUSED, 6))} == {Wish.PUMP}
    assert not declined(one.person(Command.RESUME))


def test_a_second_resume_waits_for_the_first() -> None:
    one = slow(paused())
    one.person(Command.PAUSE)
    one.person(Command.RESUME)
    assert declined(one.person(Command.RESUME)) == ["resuming"]


# -- acknowledge -----------------------------------------------------------------------------------
def test_a_second_acknowledgement_waits_for_the_first() -> None:
    one = slow(tripped())
    one.person(Command.ACK)
    assert declined(one.person(Command.ACK)) == ["acknowledging"]


@pytest.mark.hazard("H18", "H40")
def test_an_acknowledgement_counts_when_its_row_is_durable() -> None:
    one = slow(tripped())
    one.person(Command.ACK)
    assert declined(one.person(Command.RESET)) == ["not_acknowledged"]
    one.answer(Step.ACK)
    assert not declined(one.person(Command.RESET))


def test_an_acknowledgement_whose_row_is_lost_does_not_count_and_can_be_asked_again() -> None:
    one = slow(tripped())
    one.person(Command.ACK)
    assert codes(one.lose(Step.ACK)) == ["R01"]
    assert declined(one.person(Command.RESET)) == ["not_acknowledged"]
    one.person(Command.ACK)
    one.answer(Step.ACK)
    assert not declined(one.person(Command.RESET))


@pytest.mark.hazard("H18")
def test_an_acknowledgement_of_before_the_trip_acknowledges_no_trip() -> None:
    one = slow(active())
    number = of(Commit, one.person(Command.ACK))[0].number
    one.see(Mode.SAFE, 6, cause=Cause.DWELL)
    one.step(Finished(number, End.DONE))
    assert declined(one.person(Command.RESET)) == ["not_acknowledged"]


# -- reset -----------------------------------------------------------------------------------------
@pytest.mark.hazard("H18", "H40")
def test_the_unit_is_asked_to_reset_when_the_row_is_durable_and_not_before() -> None:
    one = acknowledged()
    assert not of(SendReset, one.person(Command.RESET))
    assert not of(SendReset, one.see(Mode.SAFE, 6, cause=Cause.DWELL))
    assert of(SendReset, one.answer(Step.RESET_ROW)) == [SendReset(Cause.DWELL)]


@pytest.mark.hazard("H10", "H18")
@pytest.mark.parametrize("command", [Command.STOP, Command.EMERGENCY])
@pytest.mark.parametrize("step", [Step.RESET_ROW, Step.RESET])
def test_a_stop_voids_a_reset_that_is_under_way_and_a_later_one_works(
    step: Step, command: Command
) -> None:
    one = acknowledged() if step is Step.RESET_ROW else resetting()
    if step is Step.RESET_ROW:
        one.person(Command.RESET)
    late = one.number_of(step)
    act = one.conduct.acts.open[late].act
    assert acts(one.person(command)) == [(act, End.VOIDED)]
    for end in End:  # its end is of no interest any more, whichever it is
        assert not of(SendReset, one.step(Finished(late, end)))
        assert one.at(State.TRIPPED)
    one.see(Mode.SAFE, 3, cause=Cause.DWELL)
    again = of(Commit, one.person(Command.RESET))[0].number
    one.answer(Step.RESET_ROW)
    assert acts(one.answer(Step.RESET))[-1] == (again, End.DONE)
    assert one.at(State.CLEARED)


@pytest.mark.hazard("H18")
def test_the_late_answer_of_another_step_is_no_answer_to_a_reset() -> None:
    one = preparing()
    late = one.number_of(Step.CONFIGURE)
    one.see(Mode.SAFE, 6, cause=Cause.DWELL)
    one.person(Command.ACK)
    one.person(Command.RESET)
    asked = one.number_of(Step.RESET)
    assert late not in (0, asked)
    for number in range(asked):
        one.step(Finished(number, End.DONE))
        assert one.at(State.TRIPPED)
    one.step(Finished(asked, End.DONE))
    assert one.at(State.CLEARED)


def test_a_reset_is_done_once_the_unit_shows_it_though_its_answer_is_lost() -> None:
    one = resetting()
    act = one.conduct.acts.open[one.number_of(Step.RESET)].act
    late = one.number_of(Step.RESET)
    assert (act, End.DONE) in acts(one.see(Mode.DISARMED))
    assert one.at(State.CLEARED)
    assert acts(one.step(Finished(late, End.UNKNOWN))) == [(late, End.UNKNOWN)]
    assert one.at(State.CLEARED)


def test_a_unit_that_shows_itself_disarmed_without_a_reset_clears_no_trip() -> None:
    one = acknowledged()
    one.person(Command.RESET)
    one.see(Mode.DISARMED, 6)
    assert one.at(State.TRIPPED)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"inputs": Input.SWITCH_CLOSED}, "switch_pressed"), ({"valve_percent": 20.0}, "not_safe")],
)
def test_what_spoke_against_a_reset_by_the_time_its_row_was_durable_still_does(
    changes: dict[str, Any], code: str
) -> None:
    one = acknowledged()
    number = of(Commit, one.person(Command.RESET))[0].number
    one.see(Mode.SAFE, cause=Cause.DWELL, **changes)
    actions = one.answer(Step.RESET_ROW)
    assert not of(SendReset, actions)
    (closed,) = of(Closed, actions)
    assert (closed.act, closed.end, closed.because.code) == (number, End.FAILED, code)


@pytest.mark.parametrize("end", NOT_DONE)
def test_a_reset_that_is_not_done_says_so_and_can_be_asked_again(end: End) -> None:
    one = resetting()
    act = one.conduct.acts.open[one.number_of(Step.RESET)].act
    assert acts(one.answer(Step.RESET, end, refusal=UnitRefusal.NONE)) == [(act, end)]
    assert one.at(State.TRIPPED)
    assert not declined(one.person(Command.RESET))


@pytest.mark.hazard("H18", "H40")
def test_without_its_row_a_trip_is_not_reset() -> None:
    one = acknowledged()
    one.person(Command.RESET)
    actions = one.lose(Step.RESET_ROW)
    assert not of(SendReset, actions)
    assert [end for _, end in acts(actions)] == [End.FAILED]
    assert not declined(one.person(Command.RESET))


# -- the way to an armed unit ----------------------------------------------------------------------
@pytest.mark.hazard("H40")
def test_arm_goes_out_when_its_row_is_durable() -> None:
    one = slow(proving())
    one.see_for(1.2, Mode.READY)
    assert kinds(one)[-1] == "arm"
    assert not of(SendArm, one.done)
    assert of(SendArm, one.answer(Step.ARM_ROW)) == [SendArm(77)]


@pytest.mark.parametrize(
    ("mode", "inputs"),
    [(Mode.READY, Input.SWITCH_CLOSED), (Mode.DISARMED, Input.SWITCH_REST)],
)
def test_arm_stays_away_where_the_unit_was_not_ready_any_more_when_the_row_was_durable(
    mode: Mode, inputs: Input
) -> None:
    one = slow(proving())
    one.see_for(1.2, Mode.READY)
    one.conduct.newest = one.reading(mode, inputs=inputs)
    assert not of(SendArm, one.answer(Step.ARM_ROW))
    assert one.at(State.PREPARING)
    one.durable = True
    assert of(SendArm, one.see_for(1.2, Mode.READY)) == [SendArm(77)]


@pytest.mark.hazard("H18")
def test_a_stop_voids_the_arming_whose_row_comes_later() -> None:
    one = slow(proving())
    one.see_for(1.2, Mode.READY)
    late = one.number_of(Step.ARM_ROW)
    one.person(Command.STOP)
    assert not of(SendArm, one.step(Finished(late, End.DONE)))
    assert one.at(State.STOPPING)


def test_a_self_test_is_answered_by_its_own_number_only() -> None:
    one = preparing()
    configured = one.number_of(Step.CONFIGURE)
    one.answer(Step.CONFIGURE)
    one.see(Mode.DISARMED)
    assert of(RunSelfTest, one.done) == [RunSelfTest()]
    one.step(Finished(configured, End.FAILED, UnitRefusal.BUSY))
    assert one.at(State.PREPARING)
    one.answer(Step.SELF_TEST, End.FAILED, refusal=UnitRefusal.BUSY)
    assert one.at(State.REFUSED)


def test_an_arming_that_the_unit_shows_needs_no_answer() -> None:
    one = arming()
    late = one.number_of(Step.ARM)
    one.see(Mode.ARMED, 3)
    one.step(Finished(late, End.UNKNOWN))
    assert one.at(State.ARMED)


# -- the end ---------------------------------------------------------------------------------------
@pytest.mark.hazard("H40")
def test_a_treatment_is_over_when_it_is_known_whether_its_closing_row_is_durable() -> None:
    for end, recorded in ((End.DONE, True), (End.FAILED, False)):
        one = slow(active())
        one.person(Command.STOP)
        one.see(Mode.DISARMED)
        assert one.at(State.STOPPED)
        assert one.conduct.recorded is None
        actions = one.answer(Step.ENDED, end)
        assert one.conduct.recorded is recorded
        assert codes(actions) == ([] if recorded else ["R02"])


# -- who -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", Command)
def test_the_row_of_what_a_person_asks_for_says_who_in_which_role_and_from_where(
    command: Command,
) -> None:
    one = tripped() if command in (Command.ACK, Command.RESET) else active()
    one.conduct.acknowledged = True
    values = {"suction_kpa": 10.0} if command is Command.LOWER else {}
    actions = one.person(command, ANNA, **values)
    row = next(action for action in actions if isinstance(action, (Commit, Note))
               and action.kind not in ("exposure", "safe"))  # fmt: skip
    assert row.body["who"] == {"name": "anna", "role": "practitioner", "origin": "local"}


def test_a_stop_that_is_repeated_says_who_too() -> None:
    one = active()
    one.person(Command.STOP)
    again = one.person(Command.EMERGENCY, FAR)
    assert of(Note, again)[0].body["who"] == {
        "name": "ben", "role": "practitioner", "origin": "remote",
    }  # fmt: skip


def test_a_late_end_is_told_to_whoever_waits_and_changes_nothing() -> None:
    one = active()
    for end in End:
        actions = one.step(Finished(99, end))
        assert actions == (Closed(99, end),)
    assert not of(Raise, one.step(Finished(99, End.FAILED)))
    assert one.at(State.ACTIVE)
