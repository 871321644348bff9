import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.safety.clocks import STEP_MIN_S, Step, WallClockWatch
from controller.safety.resets import RESETS_MAX, RESETS_SPAN_S, Moment, PastReset, locked_by, placed


def resets(*at_s: float, cause: str = "DWELL") -> list[PastReset]:
    return [PastReset(cause, each) for each in at_s]


@pytest.mark.hazard("H18")
def test_three_resets_of_one_cause_in_ten_minutes_lock_the_unit() -> None:
    assert locked_by(resets(0.0, 300.0, RESETS_SPAN_S)) == "DWELL"
    assert locked_by(resets(0.0, 300.0, RESETS_SPAN_S + 0.001)) is None
    assert locked_by(resets(0.0, 300.0)) is None
    assert locked_by([]) is None


@pytest.mark.hazard("H18")
def test_other_causes_do_not_count_and_do_not_hide() -> None:
    mixed = [
        *resets(0.0, 10.0), *resets(20.0, 30.0, cause="NO_FLOW"), *resets(40.0, cause="NO_FLOW"),
    ]  # fmt: skip
    assert locked_by(mixed[:4]) is None
    assert locked_by(mixed) == "NO_FLOW"


@pytest.mark.hazard("H31")
@pytest.mark.parametrize("late", [-1e9, math.nan, -math.inf])
def test_a_clock_that_was_set_back_locks_rather_than_opens(late: float) -> None:
    assert locked_by(resets(0.0, 1.0, late)) == "DWELL"


@given(at_s=st.lists(st.floats(0.0, 5000.0), max_size=12), more=st.lists(st.floats(5000.0, 1e4)))
def test_a_lock_stays_whatever_comes_after_it(at_s: list[float], more: list[float]) -> None:
    before = resets(*sorted(at_s))
    if locked_by(before) is not None:
        assert locked_by([*before, *resets(*sorted(more))]) == "DWELL"
    assert locked_by(before[: RESETS_MAX - 1]) is None


@given(
    gaps_s=st.lists(st.floats(0.0, 3000.0), min_size=1, max_size=8),
    steps_s=st.lists(st.floats(-1e5, 1e5), min_size=8, max_size=8),
    boots=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_whatever_the_clocks_do_no_two_resets_come_out_further_apart_than_they_were(
    gaps_s: list[float], steps_s: list[float], boots: list[bool]
) -> None:
    real_s, set_s, ahead_s, boot, booted_s = 100.0, 0.0, 0.0, 0, 0.0
    moments, times_s = [], []
    for gap_s, step_s, reboots in zip(gaps_s, steps_s, boots, strict=False):
        real_s, set_s, ahead_s = real_s + gap_s, set_s + step_s, ahead_s + max(0.0, step_s)
        boot, booted_s = (boot + 1, real_s) if reboots else (boot, booted_s)
        moments.append(Moment(f"boot {boot}", real_s - booted_s, 1e9 + real_s + set_s, ahead_s))
        times_s.append(real_s)
    found = placed([("DWELL", moment) for moment in moments[:-1]], moments[-1])
    said_s = [*(each.at_s for each in found), moments[-1].mono_s]
    for (said, later_said), (real, later_real) in zip(
        pairwise(said_s), pairwise(times_s), strict=True
    ):
        assert 0.0 <= later_said - said <= later_real - real + 1e-3


@pytest.mark.hazard("H31")
@pytest.mark.parametrize("step_s", [3600.0, -3600.0, STEP_MIN_S, -86_400.0])
def test_a_step_of_the_wall_clock_is_told_once_and_by_how_much(step_s: float) -> None:
    watch = WallClockWatch()
    assert watch.look(10.0, 0.0, 1000.0) is None
    assert watch.look(11.0, 0.0, 1001.0) is None
    assert watch.look(12.0, 0.0, 1002.0 + step_s) == Step(step_s, 0.0)
    assert watch.look(13.0, 0.0, 1003.0 + step_s) is None


def test_slewing_and_a_clock_that_says_nothing_are_no_steps() -> None:
    watch = WallClockWatch()
    for second in range(1000):
        assert watch.look(float(second), 0.0, 1000.0 + second * 1.0005) is None
    assert watch.look(1001.0, 0.0, math.nan) is None
    assert watch.look(1002.0, 0.0, math.inf) is None


def test_sleep_of_the_computer_is_told_once_and_is_no_step_of_the_wall_clock() -> None:
    watch = WallClockWatch()
    assert watch.look(10.0, 50.0, 1000.0) is None
    assert watch.look(11.0, 3650.0, 4601.0) == Step(0.0, 3650.0)
    assert watch.look(12.0, 3650.0, 4602.0) is None
    assert watch.look(13.0, 3650.9, 4603.9) is None
    assert watch.look(14.0, 3651.1, 4605.1) == Step(0.0, 3651.1)
