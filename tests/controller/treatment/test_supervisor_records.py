"""What stops, trips and moves a treatment is in its record, in words that a reader can rely on."""

from collections.abc import Callable
from typing import Any

import pytest

from controller.safety.alarm_texts import (
    OF_CAUSE,
    OF_INTERLOCK,
    RECORD_LOST,
)
from controller.safety.interlocks import Interlock
from controller.treatment import rows
from controller.treatment.conduct import UNSEEN_S
from controller.treatment.events import (
    Action,
    Body,
    Commit,
    End,
    Hold,
    LinkLost,
    Observed,
    Outcome,
    Raise,
    RecordLost,
    Step,
    StopNow,
)
from controller.treatment.kinds import Kind
from controller.treatment.preparation import OFFERS_MAX
from controller.treatment.states import State
from controller.treatment.supervisor import IDLE_MAX_S, STOPPING_MAX_S
from firmware_protocol.vocabulary import Cause, Mode, StopKind, Wish
from tests.controller.treatment.couch import (
    FLOWING,
    Couch,
    active,
    armed,
    arming,
    of,
    paused,
    plan,
    preparing,
    stage,
    stopping,
)

DETAIL = "The disk is full."
Told = tuple[Couch, list[Action]]


def contact_s(one: Couch) -> float:
    return one.conduct.course.zones()[0].use.contact_s


def raised(actions: list[Action]) -> list[str]:
    return [action.alarm.code for action in of(Raise, actions)]


def show(one: Couch, mode: Mode, **changes: Any) -> list[Action]:  # noqa: ANN401 - by name
    """Show one reading, without a beat."""
    one.pass_time(0.02)
    return list(one.step(Observed(one.reading(mode, **changes))))


def late(one: Couch, seconds: float, mode: Mode) -> None:
    """Let time pass at once, as far as the newest reading and the last beat can tell."""
    one.pass_time(seconds)
    one.conduct.newest = one.reading(mode)
    one.supervisor._beat_s = one.now_s


# -- stops -----------------------------------------------------------------------------------------
def nobody_pressed() -> Told:
    one = armed()
    one.supervisor._preparation.offers = OFFERS_MAX
    return one, show(one, Mode.DISARMED)


def stopped_at_the_unit() -> Told:
    one = active()
    return one, show(one, Mode.STOPPING)


def disarmed_in_the_pause() -> Told:
    one = paused()
    return one, show(one, Mode.DISARMED)


def stopped_while_armed() -> Told:
    one = armed()
    return one, show(one, Mode.STOPPING)


def every_zone_is_done() -> Told:
    one = active(plan(stage("nose", contact_budget_s=0.13)))
    return one, show(one, Mode.ACTIVE, **FLOWING)


def nobody_treats() -> Told:
    one = paused()
    late(one, IDLE_MAX_S + 0.1, Mode.PAUSED)
    return one, list(one.beat())


def record_lost() -> Told:
    one = active()
    return one, list(one.step(RecordLost(DETAIL)))


@pytest.mark.parametrize(
    ("way", "ending", "why", "told"),
    [
        (nobody_pressed, Outcome.STOPPED, "nobody pressed", ["H06"]),
        (stopped_at_the_unit, Outcome.STOPPED, "stopped at the unit", ["C15"]),
        (disarmed_in_the_pause, Outcome.STOPPED, "stopped at the unit", ["C15"]),
        (stopped_while_armed, Outcome.STOPPED, "stopped at the unit", ["C15"]),
        (every_zone_is_done, Outcome.COMPLETED, "every zone is done", []),
        (nobody_treats, Outcome.STOPPED, "nobody treats", ["H08"]),
        (record_lost, Outcome.STOPPED, "the record was lost", ["R01"]),
    ],
)
def test_every_stop_says_in_the_record_why_and_how_it_ends(
    way: Callable[[], Told], ending: Outcome, why: str, told: list[str]
) -> None:
    one, actions = way()
    assert one.at(State.STOPPING)
    assert actions[0] == StopNow(StopKind.NORMAL)
    reading = rows.reading_body(one.conduct.newest)
    body: Body = {"kind": "NORMAL", "why": why, "reading": reading}
    assert of(Commit, actions) == [Commit(Kind.STOP, body)]
    assert raised(actions) == told
    assert (one.conduct.why, one.conduct.ending) == (why, ending)
    assert one.conduct.stopped_at_s == one.now_s
    one.see(Mode.STOPPING)
    ended = one.see(Mode.DISARMED)
    assert [row.body["outcome"] for row in of(Commit, ended)] == [ending.value]
    assert one.conduct.outcome is ending


@pytest.mark.hazard("H40")
@pytest.mark.parametrize(("way", "state"), [(preparing, State.REFUSED), (stopping, State.STOPPING)])
def test_the_loss_of_the_record_is_told_with_its_detail_where_nothing_has_to_stop(
    way: Callable[[], Couch], state: State
) -> None:
    one = way()
    actions = one.step(RecordLost(DETAIL))
    assert one.at(state)
    assert of(Raise, actions) == [Raise(RECORD_LOST.saying(DETAIL))]


# -- trips -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("cause", Cause)
def test_a_trip_of_the_device_is_recorded_as_its_own_and_charges_nothing_unseen(
    cause: Cause,
) -> None:
    one = active()
    before_s = contact_s(one)
    actions = show(one, Mode.SAFE, cause=cause)
    alarm = OF_CAUSE.get(cause, OF_CAUSE[Cause.ENVELOPE])
    trip = of(Commit, actions)[0]
    assert trip == Commit(
        Kind.TRIP, rows.trip_body("device", cause.name, alarm, one.conduct.newest)
    )
    assert raised(actions) == [alarm.code]
    assert one.conduct.why == f"device {cause.name}"
    assert one.conduct.tripped_by == cause.name
    assert one.conduct.stopped_at_s == one.now_s
    assert one.conduct.time_to_safe_s == 0.0
    assert contact_s(one) - before_s == pytest.approx(0.02)


UNSEEN = {
    Interlock.TELEMETRY_STALE,
    Interlock.LINK_LOST,
    Interlock.LINK_NOISY,
    Interlock.UNIT_CHANGED,
    Interlock.NO_ANSWER,
    Interlock.LOOP_STALLED,
}


@pytest.mark.hazard("H12")
@pytest.mark.parametrize("why", Interlock)
def test_a_trip_of_the_host_is_recorded_as_its_own_and_charges_what_it_could_not_see(
    why: Interlock,
) -> None:
    one = active()
    before_s = contact_s(one)
    one.pass_time(0.05)
    actions = list(one.step(LinkLost(why)))
    alarm = OF_INTERLOCK[why]
    body = rows.trip_body("host", why.name, alarm, one.conduct.newest)
    assert of(Commit, actions) == [Commit(Kind.TRIP, body)]
    assert raised(actions) == [alarm.code]
    assert one.conduct.why == f"host {why.name}"
    assert one.conduct.stopped_at_s == one.now_s
    wanted_s = 0.05 + UNSEEN_S if why in UNSEEN else 0.0
    assert contact_s(one) - before_s == pytest.approx(wanted_s)


def no_answer_to_arm() -> Told:
    one = arming()
    return one, list(one.answer(Step.ARM, End.UNKNOWN))


def no_beat() -> Told:
    one = active()
    one.pass_time(0.16)
    one.conduct.newest = one.reading(Mode.ACTIVE, **FLOWING)
    return one, list(one.beat())


def no_telemetry() -> Told:
    one = active()
    one.pass_time(0.16)
    one.supervisor._beat_s = one.now_s
    return one, list(one.beat())


def no_telemetry_in_the_orderly_end() -> Told:
    one = stopping()
    for _ in range(3):
        one.pass_time(0.05)
        one.beat()
    one.pass_time(0.05)
    return one, list(one.beat())


def no_reading_at_all() -> Told:
    one = arming()
    one.conduct.newest = None
    one.supervisor._beat_s = one.now_s
    return one, list(one.beat())


def stop_slow() -> Told:
    one = stopping()
    late(one, STOPPING_MAX_S + 0.1, Mode.STOPPING)
    return one, list(one.beat())


@pytest.mark.parametrize(
    ("way", "cause", "code"),
    [
        (no_answer_to_arm, "NO_ANSWER", "C01"),
        (no_beat, "LOOP_STALLED", "C06"),
        (no_telemetry, "TELEMETRY_STALE", "C01"),
        (no_telemetry_in_the_orderly_end, "TELEMETRY_STALE", "C01"),
        (no_reading_at_all, "TELEMETRY_STALE", "C01"),
        (stop_slow, "STOP_SLOW", "U11"),
    ],
)
def test_what_does_not_come_in_time_is_a_trip_of_the_host_with_its_cause(
    way: Callable[[], Told], cause: str, code: str
) -> None:
    one, actions = way()
    assert one.at(State.TRIPPED)
    assert actions[0] == StopNow(StopKind.EMERGENCY)
    (row,) = of(Commit, actions)
    assert (row.kind, row.body["by"], row.body["cause"]) == ("trip", "host", cause)
    assert row.body["code"] == code
    assert raised(actions) == [code]
    assert one.conduct.why == f"host {cause}"
    assert one.conduct.stopped_at_s == one.now_s


def test_an_orderly_end_that_was_watched_and_is_slow_charges_nothing_unseen() -> None:
    one = stopping()
    one.conduct.sent = Hold(28.0, 7.0, Wish.ALL, 0)
    before_s = contact_s(one)
    late(one, STOPPING_MAX_S + 0.1, Mode.STOPPING)
    one.beat()
    assert one.at(State.TRIPPED)
    assert contact_s(one) == before_s


@pytest.mark.parametrize("why", [Interlock.LINK_LOST, Interlock.LINK_NOISY, Interlock.UNIT_CHANGED])
def test_a_link_that_is_lost_before_anything_is_armed_refuses_with_its_reason(
    why: Interlock,
) -> None:
    one = preparing()
    actions = list(one.step(LinkLost(why)))
    assert one.at(State.REFUSED)
    assert raised(actions) == [OF_INTERLOCK[why].code]
    assert one.conduct.why == OF_INTERLOCK[why].sentence


def test_a_unit_that_trips_after_it_was_configured_trips_the_treatment() -> None:
    one = preparing()
    one.answer(Step.CONFIGURE)
    one.see(Mode.SAFE, cause=Cause.SELF_TEST)
    assert one.at(State.TRIPPED)
    assert one.conduct.why == "device SELF_TEST"
