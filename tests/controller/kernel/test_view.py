"""What is shown of the kernel, value for value, and that each of them is the one it was given."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controller.api.snapshot import (
    AlarmView,
    KernelView,
    LightView,
    LinkView,
    LiveView,
    RecordView,
    SignalView,
    Snapshot,
    UnitView,
)
from controller.device.answers import LinkState, PortError, PortTrouble
from controller.device.precedence import Precedence
from controller.kernel import view
from controller.kernel.view import Seen, Timing
from controller.record.health import RecordHealth
from controller.safety.alarms import Alarm, Priority
from controller.treatment.alarm_system import AlarmSystem
from controller.treatment.events import Command
from firmware_protocol.vocabulary import Mode
from tests.controller.kernel.memory import Memory
from tests.controller.treatment.couch import ANNA, active, stopped

TOLD = Alarm("X01", Priority.INFORMATION, "It is so.", "Do it.", latching=False)
KERNEL = KernelView(7, "/dev/a", 1.0)
RECORD = RecordView("/r", 12)


def seen(**changes: Any) -> Seen:  # noqa: ANN401 - by name
    made = Seen(
        kernel=KERNEL,
        record=RECORD,
        handpiece=Memory(round_trip_s=0.0123, heard_at_s=99.5, bad_frames=4),
        state="idle",
        conduct=None,
        treatment=9,
        alarms=AlarmSystem(lambda _row: None),
        now_s=100.0,
    )
    return made._replace(**changes)


def test_before_a_treatment_everything_is_shown_but_what_only_a_treatment_has() -> None:
    alarms = AlarmSystem(lambda _row: None)
    alarms.put(TOLD, 90.0)
    alarms.silence(ANNA, 90.5)
    assert view.snapshot(seen(alarms=alarms)) == Snapshot(
        kernel=KERNEL,
        link=LinkView("identified", 4, 12.3, 500.0, None, None),
        unit=UnitView(1001, "1.0", simulated=True, motion_sensor=False),
        state="idle",
        treatment=None,
        live=None,
        alarms=(AlarmView("X01", "information", "It is so.", "Do it.", False, False),),  # noqa: FBT003
        receipts=(),
        record=RECORD,
        unfinished=(),
        time_to_safe_ms=None,
        signal=SignalView(
            None,
            light=LightView("white", 0.0, 100.0),
            inactivation="audio paused",
            left_s=110.5,
            reminder_in_s=None,
        ),
        simulated_faults=(),
        clock=None,
        lead=None,
    )


def test_during_a_treatment_the_reading_is_shown_with_its_age_beside_what_was_set() -> None:
    one = active()
    one.beat()
    newest = one.reading(Mode.ACTIVE, suction_kpa=21.0, flow_g_per_min=6.5, valve_percent=44.0)
    handpiece = Memory(newest=newest)
    now_s = newest.at_s + 0.0156
    shown = view.snapshot(
        seen(handpiece=handpiece, conduct=one.conduct, state="active", now_s=now_s)
    )
    assert shown.state == "active"
    assert shown.treatment is not None
    assert (shown.treatment.id, shown.treatment.client) == (9, "demo")
    assert shown.live is not None
    assert shown.live == LiveView(
        suction_kpa=21.0,
        flow_g_per_min=newest.flow_g_per_min,
        set_suction_kpa=28.0,
        set_flow_g_per_min=7.0,
        valve_percent=44.0,
        contact=False,
        switch=False,
        mode="active",
        cause=None,
        lease_left_ms=round(newest.lease_left_s * 1000.0),
        age_ms=15.6,
    )
    assert shown.time_to_safe_ms is None


def test_after_a_stop_the_time_to_safe_and_what_was_limited_are_shown() -> None:
    one = active()
    one.person(Command.LOWER, suction_kpa=12.0)
    assert [(each.quantity, each.allowed) for each in of(one).receipts] == [("suction_kpa", 12.0)]
    ended = stopped()
    ended.conduct.time_to_safe_s = 0.12345
    assert of(ended).time_to_safe_ms == 123.5


def of(one: Any) -> Snapshot:  # noqa: ANN401 - a couch
    return view.snapshot(seen(conduct=one.conduct, treatment=9))


# -- the line --------------------------------------------------------------------------------------
def test_a_line_that_is_not_there_says_why_and_what_to_do() -> None:
    memory = Memory(
        state=LinkState.DISCONNECTED,
        identity=None,
        trouble=PortError(PortTrouble.HELD, "It is held.", "Wait."),
    )
    assert view.link_view(memory, 100.0) == LinkView(
        state="disconnected",
        bad_frames=0,
        rtt_ms=None,
        age_ms=None,
        trouble="It is held.",
        next_step="Wait.",
    )
    shown = view.snapshot(seen(handpiece=memory))
    assert shown.unit is None
    assert shown.link == view.link_view(memory, 100.0)


def test_the_age_of_the_line_is_since_it_was_heard_last_and_unknown_before() -> None:
    memory = Memory(heard_at_s=98.76544)
    assert view.link_view(memory, 100.0).age_ms == 1234.6
    memory.heard_at_s = -math.inf
    assert view.link_view(memory, 100.0).age_ms is None


# -- the process and the record --------------------------------------------------------------------
def test_what_the_system_granted_and_how_late_beats_came_are_shown_of_the_process() -> None:
    timing = Timing()
    timing.precedence = Precedence("real-time 10", memory_locked=True)
    timing.woke(10.0, 10.01234)
    timing.woke(20.0, 20.001)
    timing.beats_missed = 3
    assert timing.view(7, "/dev/a", 1.23456) == KernelView(
        pid=7,
        port="/dev/a",
        uptime_s=1.235,
        scheduling="real-time 10",
        memory_locked=True,
        late_max_ms=12.3,
        beats_missed=3,
    )


def test_missed_beats_add_up_and_those_that_come_early_are_none() -> None:
    timing = Timing()
    assert timing.next_due_s(10.0, 10.0) == pytest.approx(10.05)
    assert timing.next_due_s(10.0, 10.17) == pytest.approx(10.2)
    assert timing.beats_missed == 3
    assert timing.next_due_s(20.0, 20.12) == pytest.approx(20.15)
    assert timing.beats_missed == 5
    timing.woke(10.0, 9.0)
    assert timing.late_max_s == 0.0


def test_a_record_is_shown_with_its_path_its_rows_and_why_it_cannot_be_written() -> None:
    health = RecordHealth(verified_to=8)
    journal = SimpleNamespace(rows=12, failure=None, health=health)
    record = view.record_view(cast("Any", journal), "/r")
    assert record == RecordView("/r", 12, 8, None)
    journal.failure = "The disk is full."
    record = view.record_view(cast("Any", journal), "/r")
    assert record == RecordView("/r", 12, 8, "The disk is full.")
    journal.failure, health.unchecked = None, "It could not be checked."
    record = view.record_view(cast("Any", journal), "/r")
    assert record == RecordView("/r", 12, 8, "It could not be checked.")
    assert health.sentence(Path("/r")) == record.trouble
