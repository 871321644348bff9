"""What a computer shows of its timing before it may treat."""

import math

import pytest

from controller.safety.interlocks import LOOP_STALL_MAX_S, STALE_MAX_S
from controller.safety.jitter import (
    BEAT_GAP_CENTILE_S,
    BEAT_GAP_MAX_S,
    BEATS_MIN,
    READING_GAP_MAX_S,
    WINDOW_BEATS,
    JitterWatch,
)
from firmware_protocol.envelope import LEASE_DEFAULT_MS, SETPOINT_PERIOD_S, TELEMETRY_PERIOD_S

UNSEEN_S = 1e-9


class Clock:
    """Beats and readings of a computer, each as late as a test says."""

    def __init__(self) -> None:
        self.watch = JitterWatch()
        self.now_s = 100.0

    def beats(self, count: int, gap_s: float = SETPOINT_PERIOD_S) -> "Clock":
        """Beat, with readings in good time before each beat."""
        for _ in range(count):
            step_s = gap_s / math.ceil(gap_s / TELEMETRY_PERIOD_S)
            while not math.isclose(self.now_s, 0.0) and gap_s > 0.0:
                self.now_s += step_s
                self.watch.reading(self.now_s)
                gap_s -= step_s
                if gap_s < step_s / 2:
                    break
            self.watch.beat(self.now_s)
            gap_s = SETPOINT_PERIOD_S
        return self

    @property
    def steady(self) -> bool:
        return self.watch.measured().steady


def test_a_computer_that_keeps_time_is_steady_after_a_second() -> None:
    assert not Clock().steady
    assert not Clock().beats(BEATS_MIN).steady  # that many beats have one gap less
    assert Clock().beats(BEATS_MIN + 1).steady


def test_nothing_measured_is_neither_steady_nor_held_up() -> None:
    nothing = JitterWatch().measured()
    assert not nothing.steady
    assert not nothing.held_up
    assert nothing.as_row()["beat_gap_max_ms"] is None
    assert "Only 0 of 20" in nothing.as_text()


def test_one_beat_a_whole_period_late_is_the_most_that_is_allowed() -> None:
    assert Clock().beats(40).beats(1, BEAT_GAP_MAX_S - UNSEEN_S).steady
    late = Clock().beats(40).beats(1, BEAT_GAP_MAX_S + 0.001)
    assert late.watch.measured().held_up


def test_a_late_beat_is_forgotten_with_its_window() -> None:
    clock = Clock().beats(40).beats(1, 0.3)
    assert not clock.beats(WINDOW_BEATS - 1).steady
    assert clock.beats(1).steady


def test_beats_that_are_often_a_little_late_are_not_steady() -> None:
    clock = Clock()
    for _ in range(10):
        clock.beats(9).beats(1, BEAT_GAP_CENTILE_S + 0.005)
    assert not clock.steady
    assert Clock().beats(57).beats(3, BEAT_GAP_CENTILE_S + 0.005).steady


def test_readings_that_come_late_are_not_steady_though_every_beat_is_in_time() -> None:
    def shown(silent_beats: int) -> bool:
        watch, now_s = JitterWatch(), 0.0
        for number in range(60):
            now_s += SETPOINT_PERIOD_S
            if not 30 <= number < 30 + silent_beats:
                watch.reading(now_s)
            watch.beat(now_s)
        return watch.measured().steady

    assert shown(0)
    assert shown(1)  # 100 ms from reading to reading
    assert not shown(2)


def test_a_unit_that_has_not_been_heard_at_all_is_not_steady() -> None:
    watch = JitterWatch()
    for number in range(60):
        watch.beat(number * SETPOINT_PERIOD_S)
    assert not watch.measured().steady


def test_what_nobody_watched_is_no_gap() -> None:
    clock = Clock().beats(40)
    clock.watch.interrupt()
    clock.now_s += 10.0
    assert clock.beats(5).steady
    clock.watch.restart()
    assert clock.watch.measured().beats == 0


@pytest.mark.parametrize("never_s", [math.nan, math.inf])
def test_a_time_that_is_no_number_is_not_steady(never_s: float) -> None:
    clock = Clock().beats(40)
    clock.watch.beat(never_s)
    assert not clock.steady
    clock = Clock().beats(40)
    clock.watch.reading(never_s)
    assert not clock.beats(1).steady


def test_the_budgets_lie_below_the_trips_that_they_foresee() -> None:
    assert BEAT_GAP_CENTILE_S < BEAT_GAP_MAX_S < LOOP_STALL_MAX_S < LEASE_DEFAULT_MS / 1000
    assert READING_GAP_MAX_S < STALE_MAX_S
    assert pytest.approx(3.0) == WINDOW_BEATS * SETPOINT_PERIOD_S


def test_what_was_measured_is_told_beside_what_is_allowed() -> None:
    said = Clock().beats(40).beats(1, 0.14).watch.measured()
    assert "Between two beats 140 ms (100 allowed)" in said.as_text()
    assert said.as_row()["beat_gap_max_ms"] == pytest.approx(140.0)
