"""The moves of a treatment, one at a time, and what each leaves in the record, word for word."""

from typing import Any

import pytest

from controller.safety.alarm_texts import LINK_LOST, OF_NOTICE, RECORD_LOST, Notice
from controller.safety.guide_texts import HELD
from controller.treatment import rows
from controller.treatment.conduct import NOTHING, UNSEEN_S, Actions, Conduct
from controller.treatment.events import (
    Body,
    Commit,
    Hold,
    Note,
    Outcome,
    Raise,
    Settle,
    StopNow,
)
from controller.treatment.kinds import Kind
from controller.treatment.states import ENDED, Signal, State
from firmware_protocol.vocabulary import Mode, StopKind, Wish
from tests.controller.treatment.couch import FLOWING, couch, exposure_of, of, plan, stage

ALARM = LINK_LOST
PURGE = Hold(28.0, 0.0, Wish.PUMP, 0)
ONWARD = OF_NOTICE[Notice.ZONE_TIME]


def conduct(state: State = State.PREPARING) -> Conduct:
    one = Conduct(plan())
    one.state = state
    return one


def treating() -> Conduct:
    """Crystals on the skin at 100 s, by the newest reading."""
    one = conduct(State.ACTIVE)
    one.newest = couch().reading(Mode.ACTIVE, **FLOWING)
    one.course.observe(one.newest)
    one.hold()
    return one


def contact_s(one: Conduct) -> float:
    return one.course.zones()[0].use.contact_s


def exposure(one: Conduct) -> Note:
    return exposure_of(one, one.course.zones()[0].stage.zone)


def stopped(one: Conduct, kind: StopKind = StopKind.NORMAL, now_s: float = 100.0) -> Actions:
    return one.stop(kind, "because", now_s)


def tripped(one: Conduct, now_s: float = 100.0, *, unseen: bool = False) -> Actions:
    return one.trip("host", "LINK_LOST", ALARM, now_s, unseen=unseen)


def test_a_treatment_begins_with_nothing_sent_nothing_held_and_nothing_said() -> None:
    one = Conduct(plan())
    assert (one.state, one.outcome, one.newest) == (State.PREPARING, None, None)
    assert (one.sent, NOTHING) == (NOTHING, Hold(0.0, 0.0, Wish.NONE, 0))
    assert [one.held, one.acknowledged, one.recorded] == [False, False, None]
    assert one.acts.open == {}
    assert (one.why, one.tripped_by, one.receipts) == ("", "", ())
    assert (one.ending, one.stop_kind) == (Outcome.STOPPED, StopKind.NORMAL)
    assert (one.stopped_at_s, one.time_to_safe_s) == (None, None)


# -- the setpoint ----------------------------------------------------------------------------------
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("state", State)
def test_what_is_sent_in_each_state_wishes_for_no_more_than_the_state_permits(
    state: State, *, held: bool
) -> None:
    one = conduct(state)
    one.held = held
    left_mg = one.course.left_mg()
    armed = PURGE if held else Hold(28.0, 7.0, Wish.ALL, left_mg)
    wanted = dict.fromkeys((State.ARMED, State.ACTIVE, State.PAUSED), armed)
    assert one.hold() == (wanted.get(state, PURGE if state is State.STOPPING else NOTHING),)
    assert one.hold() == (one.sent,)
    assert left_mg > 0


def test_an_emergency_purges_nothing() -> None:
    one = conduct(State.STOPPING)
    one.stop_kind = StopKind.EMERGENCY
    assert one.hold() == (NOTHING,)


# -- stop ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [StopKind.NORMAL, StopKind.EMERGENCY])
@pytest.mark.parametrize(
    "state", [State.PREPARING, State.ARMING, State.ARMED, State.ACTIVE, State.PAUSED]
)
def test_a_stop_is_written_down_with_its_kind_its_reason_and_the_newest_reading(
    state: State, kind: StopKind
) -> None:
    one = treating()
    one.state = state
    one.tell(HELD)
    one.tell(RECORD_LOST)
    body: Body = {"kind": kind.name, "why": "because", "reading": rows.reading_body(one.newest)}
    assert one.stop(kind, "because", 101.5) == (
        StopNow(kind), Settle(HELD.code), exposure(one), Commit(Kind.STOP, body),
    )  # fmt: skip
    assert (one.state, one.stop_kind, one.ending) == (State.STOPPING, kind, Outcome.STOPPED)
    assert (one.why, one.stopped_at_s) == ("because", 101.5)
    assert one.outcome is None


@pytest.mark.parametrize("kind", [StopKind.NORMAL, StopKind.EMERGENCY])
@pytest.mark.parametrize("first", [StopKind.NORMAL, StopKind.EMERGENCY])
def test_stopping_again_is_noted_and_only_ever_makes_the_stop_harder(
    first: StopKind, kind: StopKind
) -> None:
    one = treating()
    stopped(one, first)
    assert one.stop(kind, "once more", 103.0) == (
        StopNow(kind), Note(Kind.STOP, {"kind": kind.name, "why": "once more", "again": True}),
    )  # fmt: skip
    assert one.stop_kind is max(first, kind)
    assert (one.why, one.ending, one.stopped_at_s) == ("because", Outcome.STOPPED, 100.0)


@pytest.mark.parametrize("state", [State.TRIPPED, *sorted(ENDED, key=lambda state: state.value)])
def test_a_stop_after_the_end_is_noted_and_changes_nothing(state: State) -> None:
    one = conduct(state)
    said = of(Note, stopped(one))
    assert said == [Note(Kind.STOP, {"kind": "NORMAL", "why": "because", "again": True})]
    assert (one.state, one.why, one.stopped_at_s) == (state, "", None)


# -- trip ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("by", "cause", "why"),
    [("device", "DWELL", "device DWELL"), ("host", "LINK_LOST", "host LINK_LOST")],
)
def test_a_trip_is_written_down_with_who_found_it_its_cause_and_the_newest_reading(
    by: str, cause: str, why: str
) -> None:
    one = treating()
    one.tell(HELD)
    assert one.trip(by, cause, ALARM, 101.5, unseen=False) == (
        StopNow(StopKind.EMERGENCY),
        Settle(HELD.code),
        Raise(ALARM),
        exposure(one),
        Commit(Kind.TRIP, rows.trip_body(by, cause, ALARM, one.newest)),
    )
    assert rows.trip_body(by, cause, ALARM, one.newest) == {
        "by": by, "cause": cause, "code": "C01", "sentence": ALARM.sentence,
        "reading": rows.reading_body(one.newest),
    }  # fmt: skip
    assert (one.state, one.why, one.tripped_by) == (State.TRIPPED, why, cause)
    assert (one.stop_kind, one.stopped_at_s) == (StopKind.EMERGENCY, 101.5)


def test_a_trip_during_the_orderly_end_measures_the_time_to_safe_anew() -> None:
    one = treating()
    stopped(one)
    shut = couch().reading(Mode.STOPPING)
    one.watch_safe(shut, 100.2)
    assert one.time_to_safe_s == pytest.approx(0.2)
    tripped(one, 104.0)
    assert one.time_to_safe_s is None
    one.watch_safe(shut, 104.5)
    assert one.time_to_safe_s == pytest.approx(0.5)


@pytest.mark.hazard("H12")
@pytest.mark.parametrize("unseen", [False, True])
@pytest.mark.parametrize("wish", [Wish.NONE, Wish.PUMP, Wish.ALL])
@pytest.mark.parametrize("on_skin", [False, True])
def test_only_an_unseen_time_in_which_crystals_could_flow_is_charged(
    *, on_skin: bool, wish: Wish, unseen: bool
) -> None:
    one = treating()
    one.sent = Hold(28.0, 7.0, wish, 0)
    if not on_skin:
        one.course.observe(couch().reading(Mode.PAUSED))
    before_s = contact_s(one)
    tripped(one, 100.3, unseen=unseen)
    charged = unseen and (on_skin or wish is Wish.ALL)
    wanted_s = 0.3 + UNSEEN_S if charged else 0.0
    assert contact_s(one) - before_s == pytest.approx(wanted_s)


def test_where_the_unit_never_spoke_there_is_no_unseen_time() -> None:
    one = conduct(State.ACTIVE)
    one.hold()
    tripped(one, unseen=True)
    assert contact_s(one) == 0.0


def test_the_unseen_time_reaches_to_the_end_of_the_lease_with_its_margin() -> None:
    assert pytest.approx(0.25) == UNSEEN_S


# -- the ends --------------------------------------------------------------------------------------
def test_a_refusal_stops_tells_why_and_closes_the_record() -> None:
    one = conduct()
    one.tell(HELD)
    body: Body = {
        "outcome": "refused", "why": ALARM.sentence, "time_to_safe_ms": None,
        "zones": [rows.zone_body(zone) for zone in one.course.zones()],
    }  # fmt: skip
    assert one.refuse(ALARM) == (
        StopNow(StopKind.NORMAL), Settle(HELD.code), Raise(ALARM), Commit(Kind.ENDED, body),
    )  # fmt: skip
    assert (one.state, one.outcome) == (State.REFUSED, Outcome.REFUSED)


@pytest.mark.parametrize(
    ("ending", "state"),
    [(Outcome.COMPLETED, State.COMPLETED), (Outcome.STOPPED, State.STOPPED)],
)
def test_an_orderly_end_is_what_it_was_begun_as(ending: Outcome, state: State) -> None:
    one = treating()
    one.ending = ending
    one.stop(StopKind.NORMAL, "because", 100.0)
    one.time_to_safe_s = 0.01234567
    (closed,) = one.halted()
    assert isinstance(closed, Commit)
    assert closed.kind == "ended"
    assert closed.body["outcome"] == ending.value
    assert (closed.body["why"], closed.body["time_to_safe_ms"]) == ("because", 12.3)
    assert (one.state, one.outcome) == (state, ending)


@pytest.mark.parametrize("closed", [False, True])
def test_clearing_a_trip_closes_the_record_once_and_takes_every_alarm_back(*, closed: bool) -> None:
    one = treating()
    tripped(one)
    one.tell(RECORD_LOST)
    one.tell(HELD)
    if closed:
        one.end(Outcome.TRIPPED)
    actions = one.clear()
    assert [row.kind for row in of(Commit, actions)] == ([] if closed else ["ended"])
    assert actions[-3:] == (Settle("C01"), Settle("H07"), Settle("R01"))
    assert (one.state, one.outcome) == (State.CLEARED, Outcome.TRIPPED)
    assert one.settle("R01") == ()


# -- telling ---------------------------------------------------------------------------------------
def test_an_alarm_is_told_once_while_it_stands_and_anew_when_it_comes_again() -> None:
    one = conduct()
    assert one.settle(HELD.code) == ()
    assert one.tell(HELD) == (Raise(HELD),)
    assert one.tell(HELD) == ()
    assert one.settle(HELD.code) == (Settle(HELD.code),)
    assert one.settle(HELD.code) == ()
    assert one.tell(HELD) == (Raise(HELD),)


def test_what_a_stop_makes_meaningless_is_taken_back_and_what_latches_stays() -> None:
    one = treating()
    for alarm in (RECORD_LOST, HELD, ONWARD):
        one.tell(alarm)
    assert of(Settle, stopped(one)) == [Settle(HELD.code), Settle(ONWARD.code)]
    assert one.settle(RECORD_LOST.code) == (Settle(RECORD_LOST.code),)


def test_only_the_zone_under_treatment_is_noted_and_the_one_that_the_tip_still_rests_on() -> None:
    one = Conduct(plan(stage("nose"), stage("chin"), stage("jaw")))
    assert one.expose() == (exposure_of(one, "nose"),)
    one.course.advance()
    assert one.expose() == (exposure_of(one, "nose"), exposure_of(one, "chin"))
    one.course.must_lift = False
    assert one.expose() == (exposure_of(one, "chin"),)


# -- the time to safe ------------------------------------------------------------------------------
@pytest.mark.parametrize("at_s", [0.0, 100.0])
def test_the_time_to_safe_counts_from_the_stop_whenever_that_was(at_s: float) -> None:
    one = treating()
    stopped(one, now_s=at_s)
    shut = couch().reading(Mode.STOPPING)
    assert one.watch_safe(shut, at_s + 0.0123456) == (
        Note(Kind.SAFE, {"took_ms": 12.3, "why": "because"}),
    )
    assert one.time_to_safe_s == pytest.approx(0.0123456)
    assert one.watch_safe(shut, at_s + 1.0) == ()
    assert one.time_to_safe_s == pytest.approx(0.0123456)


@pytest.mark.parametrize("mode", [Mode.ARMED, Mode.ACTIVE, Mode.PAUSED])
def test_a_shut_valve_that_could_open_again_is_not_safe(mode: Mode) -> None:
    one = treating()
    stopped(one)
    assert one.watch_safe(couch().reading(mode), 100.1) == ()


@pytest.mark.parametrize("changes", [{"valve_percent": 1.1}, {"valve_percent": float("nan")}])
def test_a_valve_that_is_not_known_to_be_shut_is_not_safe(changes: dict[str, Any]) -> None:
    one = treating()
    stopped(one)
    assert one.watch_safe(couch().reading(Mode.STOPPING, **changes), 100.1) == ()
    assert one.time_to_safe_s is None


def test_where_nothing_was_stopped_and_after_the_end_no_time_to_safe_is_measured() -> None:
    assert treating().watch_safe(couch().reading(Mode.DISARMED), 100.1) == ()
    one = treating()
    stopped(one)
    one.move(Signal.HALT)
    assert one.watch_safe(couch().reading(Mode.DISARMED), 100.1) == ()
    assert one.time_to_safe_s is None
