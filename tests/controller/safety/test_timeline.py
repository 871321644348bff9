"""How much time has passed since a row, by order, boots and clocks that may be wrong."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.safety.timeline import BACK_MAX_S, GAP_MAX_S, Mark, Moment, Timeline

DAY_S = 86_400.0
NOON_S = 1.9e9
SLACK_S = BACK_MAX_S + 1.0


def at(boot: str, up_s: float, days: float) -> Moment:
    return Moment(boot, up_s, NOON_S + days * DAY_S)


def line(now: Moment, *moments: Moment, decided: int | None = None) -> Timeline:
    return Timeline(
        [Mark(row, each, decided=row == decided) for row, each in enumerate(moments, 1)], now
    )


@pytest.mark.hazard("H31", shows="works")
@pytest.mark.parametrize("days", [0.0, -2000.0, 2000.0, 0.5, math.nan, math.inf])
def test_within_one_boot_no_wall_clock_makes_a_row_older_or_younger(days: float) -> None:
    found = line(at("a", 5000.0, days), at("a", 100.0, 0.0), at("a", 1000.0, 0.0))
    assert found.least_s(2) == found.most_s(2) == 4000.0


def test_between_boots_two_clocks_in_order_tell_the_time() -> None:
    found = line(at("b", 60.0, 8.0), at("a", 100.0, 0.0), at("b", 10.0, 8.0 - 50.0 / DAY_S))
    assert found.least_s(1) == pytest.approx(8.0 * DAY_S)
    assert found.most_s(1) == pytest.approx(8.0 * DAY_S)
    assert found.ended_wall_s(1) == NOON_S
    assert found.is_sure(1)
    assert found.doubt is None


@pytest.mark.hazard("H25", "H31")
def test_a_dose_of_a_boot_in_the_past_is_as_late_as_the_first_clock_in_order_after_it() -> None:
    before, dose, right = at("a", 9.0, 0.0), at("b", 9.0, -2000.0), at("c", 10.0, 90.0)
    just = line(at("c", 60.0, 90.0 + 50.0 / DAY_S), before, dose, right)
    assert just.least_s(2) == pytest.approx(60.0)
    assert just.most_s(2) == math.inf
    assert not just.is_sure(2)
    week = line(at("c", 10.0 + 7 * DAY_S, 97.0), before, dose, right)
    assert week.least_s(2) == pytest.approx(7 * DAY_S + 10.0)
    other = line(at("d", 10.0, 97.0), before, dose, right)
    assert other.least_s(2) == pytest.approx(7 * DAY_S, abs=11.0)


@pytest.mark.hazard("H25", "H31")
def test_a_clock_that_was_set_right_in_the_same_boot_tells_when_a_dose_was() -> None:
    rows = (at("a", 9.0, 0.0), at("b", 100.0, -2000.0), at("b", 5000.0, 3.0))
    found = line(at("c", 9.0, 13.0), *rows)
    assert found.least_s(2) == pytest.approx(10.0 * DAY_S + 4900.0, abs=10.0)
    assert found.is_sure(2)


@pytest.mark.hazard("H25", "H31")
@pytest.mark.parametrize("days", [-0.5, -2000.0, 130.0, 2000.0, math.nan])
def test_while_the_clock_of_now_is_contradicted_only_what_the_boots_saw_has_passed(
    days: float,
) -> None:
    found = line(at("b", 300.0, days), at("a", 50.0, 0.0), at("a", 80.0, 0.0))
    assert found.least_s(1) == 30.0 + 300.0
    assert found.most_s(1) == math.inf
    assert not found.is_sure(1)
    assert found.doubt is not None
    assert found.doubt.row == 2


def test_a_clock_that_jumped_far_ahead_and_back_leaves_no_doubt() -> None:
    rows = (at("a", 9.0, 0.0), at("b", 9.0, 2000.0), at("c", 9.0, 1.0))
    found = line(at("d", 9.0, 8.0), *rows)
    assert found.least_s(1) == pytest.approx(8 * DAY_S)
    assert found.doubt is None


@pytest.mark.parametrize(("days", "sure"), [(120.0, True), (120.1, False)])
def test_a_record_that_rested_for_longer_than_a_clinic_closes_is_asked_about(
    days: float, *, sure: bool
) -> None:
    assert days * DAY_S <= GAP_MAX_S or not sure
    assert line(at("b", 0.0, days), at("a", 9.0, 0.0)).is_sure(1) is sure


def test_a_computer_that_runs_for_a_year_does_not_rest() -> None:
    found = line(at("b", 9.0, 400.0), at("a", 0.0, 0.0), at("a", 300 * DAY_S, 300.0))
    assert found.least_s(1) == pytest.approx(400.0 * DAY_S)


@pytest.mark.hazard("H25", "H31")
def test_a_decision_makes_what_it_contradicts_as_late_as_itself() -> None:
    ahead, decision = at("a", 9.0, 2000.0), at("b", 9.0, 0.0)
    found = line(at("c", 9.0, 8.0), ahead, decision, decided=2)
    assert found.doubt is None
    assert found.least_s(1) == pytest.approx(8 * DAY_S, abs=10.0)
    same = line(at("b", 1009.0, 8.0), at("b", 9.0, -2000.0), at("b", 109.0, 8.0), decided=2)
    assert same.least_s(1) == 1000.0


def test_a_decision_leaves_alone_what_it_does_not_contradict() -> None:
    dose, ahead, decision = at("a", 9.0, 0.0), at("b", 9.0, 100.0), at("c", 9.0, 5.0)
    found = line(at("d", 9.0, 8.0), dose, ahead, decision, decided=3)
    assert found.least_s(1) == pytest.approx(8 * DAY_S)
    assert found.least_s(2) == pytest.approx(3 * DAY_S, abs=10.0)


def test_a_pause_beyond_all_measure_ends_with_a_decision_and_counts_from_there() -> None:
    rows = (at("a", 9.0, 0.0), at("b", 9.0, 300.0), at("b", 109.0, 300.0))
    found = line(at("c", 9.0, 308.0), *rows, decided=3)
    assert found.least_s(1) == pytest.approx(8 * DAY_S, abs=110.0)
    assert found.doubt is None


def test_without_the_name_of_a_boot_only_wall_clocks_in_order_count() -> None:
    found = line(at("", 90.0, 3.0), at("", 10.0, 0.0))
    assert found.least_s(1) == pytest.approx(3 * DAY_S)
    assert line(at("", 90.0, -3.0), at("", 10.0, 0.0)).least_s(1) == 0.0


@dataclass(frozen=True, slots=True)
class Boot:
    """One boot of a computer, and what its clock is wrong by."""

    off_s: float
    """For how long the computer was off before it."""
    rows_after_s: tuple[float, ...]
    wrong: float
    """0 is right; below, so far before the highest time so far; above, so far in the future."""
    decides: bool


BOOTS = st.builds(
    Boot,
    st.floats(10.0, 60 * DAY_S),
    st.lists(st.floats(0.1, 3 * DAY_S), min_size=1, max_size=4).map(tuple),
    st.one_of(
        st.just(0.0),
        st.floats(-3000 * DAY_S, -2 * BACK_MAX_S),
        st.floats(3 * GAP_MAX_S, 3000 * DAY_S),
    ),
    st.booleans(),
)


@pytest.mark.hazard("H25", "H31", shows="works")
@given(boots=st.lists(BOOTS, min_size=1, max_size=8), set_right=st.booleans())
def test_whatever_clocks_do_between_boots_the_bounds_hold_the_truth(
    boots: list[Boot], *, set_right: bool
) -> None:
    true_s, high_s = NOON_S, NOON_S
    marks = [Mark(1, Moment("first", 1.0, true_s))]
    truths = [true_s]
    for number, boot in enumerate(boots):
        true_s += boot.off_s
        began_s = true_s
        wrong_s = boot.wrong if boot.wrong >= 0.0 else high_s + boot.wrong - true_s
        for index, after_s in enumerate(boot.rows_after_s):
            true_s += after_s
            late = set_right and index > 0
            wall_s = true_s + (0.0 if late else wrong_s)
            if wall_s > high_s and wrong_s < 0.0 and not late:
                wall_s = high_s - 2 * BACK_MAX_S  # a clock in the past stays there, or it is right
            decided = boot.decides and wall_s == true_s
            marks.append(
                Mark(len(marks) + 1, Moment(f"b{number}", true_s - began_s, wall_s), decided)
            )
            truths.append(true_s)
            high_s = max(high_s, true_s) if wall_s == true_s else high_s
    *past, last = marks
    found = Timeline(past, last.at)
    for mark, then_s in zip(past, truths, strict=False):
        age_s = truths[-1] - then_s
        assert found.least_s(mark.row) <= age_s + SLACK_S
        assert found.most_s(mark.row) >= age_s - SLACK_S
