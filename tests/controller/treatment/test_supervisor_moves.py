"""What moves a treatment, when exactly, and what each move leaves in the record."""

from typing import Any

import pytest

from controller.planning.plan import PlannedStage
from controller.safety.alarm_texts import NO_ANSWER, OF_NOTICE, Notice
from controller.safety.exposure import ZoneUse
from controller.treatment.events import (
    Action,
    Begin,
    Commit,
    End,
    Hold,
    Note,
    Observed,
    Raise,
    SendArm,
    Settle,
    Step,
)
from controller.treatment.kinds import Kind
from controller.treatment.preparation import OFFERS_MAX
from controller.treatment.states import State
from firmware_protocol.vocabulary import Mode, Refusal, Wish
from tests.controller.treatment.couch import (
    ANNA,
    FLOWING,
    TOKEN,
    Couch,
    active,
    armed,
    arming,
    couch,
    exposure_of,
    of,
    plan,
    preparing,
    proving,
    stage,
)


def raised(actions: list[Action]) -> list[str]:
    return [action.alarm.code for action in of(Raise, actions)]


def show(one: Couch, mode: Mode, **changes: Any) -> list[Action]:  # noqa: ANN401 - by name
    """Show one reading, without a beat."""
    one.pass_time(0.02)
    return list(one.step(Observed(one.reading(mode, **changes))))


def test_the_beginning_says_who_began() -> None:
    one = couch()
    who = {"name": "anna", "role": "practitioner", "origin": "local"}
    assert one.step(Begin(ANNA))[0] == Commit(Kind.BEGIN, {"who": who})


def test_a_plan_without_anything_left_says_so() -> None:
    one = couch(plan(stage(used=ZoneUse(contact_s=10.0))))
    assert raised(list(one.step(Begin(ANNA)))) == ["S02"]
    assert one.supervisor.deadline_s() is None


def test_each_offer_of_arm_is_written_down_with_its_number_before_it_goes_out() -> None:
    one = arming()
    one.answer(Step.ARM, End.FAILED, refusal=Refusal.STREAM_NOT_HEALTHY)
    one.see_for(1.3, Mode.READY)
    offered = [action for action in one.done if isinstance(action, SendArm)]
    arms = [row for row in of(Commit, one.done) if row.kind == "arm"]
    assert [row.body["offer"] for row in arms] == [1, 2]
    assert [row.body["reading"]["mode"] for row in arms] == ["READY", "READY"]
    assert offered == [SendArm(TOKEN)] * 2


def test_offers_without_end_are_refused_as_nobody_pressed() -> None:
    one = proving()
    one.supervisor._preparation.offers = OFFERS_MAX
    actions = one.see_for(1.3, Mode.READY)
    assert one.at(State.REFUSED)
    assert raised(actions) == ["H06"]


def test_every_move_of_the_device_is_noted_from_where_to_where() -> None:
    one = arming()
    for mode in (Mode.ARMED, Mode.ACTIVE, Mode.PAUSED, Mode.ACTIVE):
        one.see(mode, **(FLOWING if mode is Mode.ACTIVE else {}))
    moves = [note.body for note in of(Note, one.done) if note.kind == "state"]
    assert moves == [
        {"from": "arming", "to": "armed"},
        {"from": "armed", "to": "active"},
        {"from": "active", "to": "paused"},
        {"from": "paused", "to": "active"},
    ]


def test_a_press_settles_the_request_for_it_and_notes_what_the_zone_has_had() -> None:
    one = armed()
    actions = show(one, Mode.ACTIVE, **FLOWING)
    assert actions[:3] == [
        Note(Kind.STATE, {"from": "armed", "to": "active"}),
        Settle("H04"),
        exposure_of(one.conduct, "nose"),
    ]


def test_a_unit_that_nobody_pressed_is_armed_again_and_says_so_until_it_is() -> None:
    one = armed()
    again, press = OF_NOTICE[Notice.ARMED_AGAIN], OF_NOTICE[Notice.PRESS_SWITCH]
    assert show(one, Mode.DISARMED) == [Settle("H04"), Raise(again)]
    one.conduct.state = State.ARMING
    actions = show(one, Mode.ARMED)
    hold = Hold(28.0, 7.0, Wish.ALL, one.conduct.course.left_mg())
    moved = Note(Kind.STATE, {"from": "arming", "to": "armed"})
    assert actions[:4] == [moved, Settle("H05"), Raise(press), hold]


@pytest.mark.parametrize(
    ("made", "by", "notice"),
    [
        (stage("nose", contact_budget_s=1.0), "time", Notice.ZONE_TIME),
        (stage("nose", cap_um=0.82, contact_budget_s=99.0), "exposure", Notice.ZONE_EXPOSURE),
        (
            stage("nose", suction_max_kpa_s=9.5, contact_budget_s=99.0),
            "suction",
            Notice.ZONE_SUCTION,
        ),
    ],
)
def test_the_end_of_a_zone_says_which_and_by_what_after_the_flow_was_withheld(
    made: PlannedStage, by: str, notice: Notice
) -> None:
    one = active(plan(made, stage("chin")))
    actions: list[Action] = []
    for _ in range(400):
        one.supervisor._beat_s = one.now_s
        actions = show(one, Mode.ACTIVE, **FLOWING)
        if one.conduct.course.zone != "nose":
            break
    ahead = ["nose", "chin"]
    assert actions == [
        Hold(28.0, 0.0, Wish.PUMP, 0),
        Raise(OF_NOTICE[notice]),
        exposure_of(one.conduct, "nose", tuple(ahead)),
        Note(Kind.ZONE, {"zone": "nose", "by": by, "receipts": [], "may_open": ahead}),
    ]


def test_the_end_of_the_last_zone_is_noted_after_the_stop() -> None:
    one = active(plan(stage("nose", contact_budget_s=0.13)))
    actions = show(one, Mode.ACTIVE, **FLOWING)
    body = {"zone": "nose", "by": "time", "receipts": [], "may_open": ["nose"]}
    assert actions[-1] == Note(Kind.ZONE, body)
    assert one.conduct.course.done


def test_an_answer_that_never_came_before_arming_says_so() -> None:
    one = preparing()
    actions = list(one.answer(Step.CONFIGURE, End.UNKNOWN))
    assert raised(actions) == [NO_ANSWER.code]
    assert one.conduct.why == NO_ANSWER.sentence
