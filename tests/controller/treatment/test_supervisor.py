from dataclasses import replace

import pytest

from controller.safety.exposure import ZoneUse
from controller.treatment.events import (
    Action,
    Commit,
    Note,
    SendArm,
    Settle,
)
from controller.treatment.states import State
from controller.treatment.supervisor import (
    EXPOSURE_ROW_S,
    IDLE_MAX_S,
)
from firmware_protocol.vocabulary import Input, Mode, StopKind, Wish
from tests.controller.treatment.couch import (
    FLOWING,
    FRAME_S,
    OFF_SKIN,
    SEALED,
    active,
    armed,
    codes,
    ends,
    holds,
    of,
    paused,
    plan,
    stage,
    stops,
)


def test_armed_setpoints_carry_the_values_of_the_zone_and_what_may_still_flow() -> None:
    one = armed()
    hold = holds(one.see(Mode.ARMED, 3))[-1]
    assert (hold.suction_kpa, hold.flow_g_per_min, hold.wish) == (28.0, 7.0, Wish.ALL)
    assert hold.exposure_left_mg == one.conduct.course.left_mg() > 0


@pytest.mark.hazard("H01")
def test_what_may_still_flow_falls_with_every_reading_of_flow() -> None:
    one = active(plan(motion=False))
    full = {**FLOWING, "suction_kpa": 28.0}
    beats = holds(one.see_for(0.9, Mode.ACTIVE, **full))
    left = [hold.exposure_left_mg for hold in beats]
    assert left == sorted(left, reverse=True)
    beat_mg = 7.0 / 60.0 * 1000.0 * 3 * FRAME_S
    assert left[0] - left[-1] == pytest.approx(beat_mg * (len(beats) - 1), abs=2)


def test_released_and_pressed_follow_the_device() -> None:
    one = active()
    one.see(Mode.PAUSED)
    assert one.at(State.PAUSED)
    one.see(Mode.ACTIVE, **FLOWING)
    assert one.at(State.ACTIVE)


def test_contact_is_charged_and_noted_often_enough_for_a_crash() -> None:
    one = active()
    before = len(of(Note, one.done))
    rows = [
        note for note in of(Note, one.see_for(3.0, Mode.ACTIVE, **FLOWING))
        if note.kind == "exposure"
    ]  # fmt: skip
    assert len(rows) == pytest.approx(3.0 / EXPOSURE_ROW_S, abs=1)
    said = [row.body["contact_s"] for row in rows]
    assert said == sorted(said)
    assert before < len(of(Note, one.done))


def test_off_the_skin_nothing_is_charged() -> None:
    one = active()
    contact_s = one.conduct.course.zones()[0].use.contact_s
    one.see_for(2.0, Mode.ACTIVE, **OFF_SKIN)
    assert one.conduct.course.zones()[0].use.contact_s == pytest.approx(contact_s + 0.02)


@pytest.mark.hazard("H01")
@pytest.mark.parametrize(
    ("made", "code"),
    [
        (stage("nose", contact_budget_s=1.0), "S05"),
        (stage("nose", cap_um=0.82, contact_budget_s=99.0), "S06"),
        (stage("nose", suction_max_kpa_s=10.0, contact_budget_s=99.0), "S08"),
    ],
)
def test_a_zone_that_is_done_withholds_the_flow_until_the_tip_was_lifted(
    made: object, code: str
) -> None:
    one = active(plan(made, stage("chin")))  # type: ignore[arg-type]  # a stage
    actions: list[Action] = []
    for _ in range(400):
        actions = one.see(Mode.ACTIVE, **FLOWING)
        if codes(actions):
            break
    assert codes(actions) == [code]
    assert holds(actions) == [replace(holds(actions)[0], flow_g_per_min=0.0, wish=Wish.PUMP)]
    assert holds(actions)[0].exposure_left_mg == 0
    assert one.conduct.course.zone == "chin"
    still = one.see_for(1.0, Mode.PAUSED, inputs=SEALED)
    assert {hold.wish for hold in holds(still)} == {Wish.PUMP}
    lifted = one.see_for(0.4, Mode.PAUSED, **OFF_SKIN)
    assert holds(lifted)[-1].wish == Wish.ALL
    assert Settle(code) in lifted
    assert not of(SendArm, lifted)


def test_a_skip_over_a_hair_is_no_lift() -> None:
    one = active(plan(stage("nose", contact_budget_s=0.2), stage("chin")))
    one.see(Mode.ACTIVE, 6, **FLOWING)
    one.see(Mode.PAUSED, 6, **OFF_SKIN)
    one.see(Mode.PAUSED, 3, inputs=SEALED)
    assert holds(one.see(Mode.PAUSED, 6, **OFF_SKIN))[-1].wish == Wish.PUMP


def test_after_the_last_zone_it_ends_in_order() -> None:
    one = active(plan(stage("nose", contact_budget_s=0.3)))
    actions = one.see(Mode.ACTIVE, 12, **FLOWING)
    assert stops(actions) == [StopKind.NORMAL]
    assert one.at(State.STOPPING)
    purge = one.see_for(2.0, Mode.STOPPING)
    assert {hold.wish for hold in holds(purge)} == {Wish.PUMP}
    ended = one.see(Mode.DISARMED)
    assert one.at(State.COMPLETED)
    assert ends(ended) == ["completed"]
    body = of(Commit, ended)[-1].body
    assert body["outcome"] == "completed"
    assert body["time_to_safe_ms"] == 80.0


def test_zones_that_a_resumed_treatment_finished_are_left_out() -> None:
    done = stage("nose", used=ZoneUse(contact_s=10.0))
    one = armed(plan(done, stage("chin")))
    assert [zone.state for zone in one.conduct.course.zones()] == ["done", "current"]


@pytest.mark.hazard("H42")
def test_ten_minutes_without_treating_end_it() -> None:
    one = paused()
    for _ in range(int(IDLE_MAX_S)):
        one.see(Mode.PAUSED, 3)
        one.pass_time(0.04)
        one.see(Mode.PAUSED)
    for _ in range(9000):
        if one.state is not State.PAUSED:
            break
        one.see(Mode.PAUSED, 6)
    assert one.at(State.STOPPING)
    assert codes(one.done)[-1] == "H08"


def test_a_tip_that_stands_still_is_warned_about_before_it_trips() -> None:
    one = active()
    still = {**FLOWING, "inputs": FLOWING["inputs"] & ~Input.MOTION}
    warned = one.see_for(1.3, Mode.ACTIVE, **still)
    assert codes(warned) == ["S07"]
    assert Settle("S07") in one.see(Mode.ACTIVE, **FLOWING)
    one.see_for(2.5, Mode.ACTIVE, **still)
    assert one.at(State.TRIPPED)
