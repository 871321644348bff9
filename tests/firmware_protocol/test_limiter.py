"""The error limiter at its edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.envelope import (
    BAD_FRAMES_LONG_MAX,
    BAD_FRAMES_LONG_S,
    BAD_FRAMES_SHORT_MAX,
    BAD_FRAMES_SHORT_S,
)
from firmware_protocol.session import ErrorLimiter


def limiter_after(*times_s: float) -> ErrorLimiter:
    limiter = ErrorLimiter()
    for at_s in times_s:
        limiter.note(at_s)
    return limiter


def test_a_clean_line_is_trusted() -> None:
    assert not ErrorLimiter().exceeded(0.0)


@pytest.mark.hazard("H11")
def test_five_in_ten_seconds_are_allowed_and_the_sixth_is_not() -> None:
    assert not limiter_after(*[1.0] * BAD_FRAMES_SHORT_MAX).exceeded(1.0)
    assert limiter_after(*[1.0] * (BAD_FRAMES_SHORT_MAX + 1)).exceeded(1.0)


@pytest.mark.hazard("H11")
def test_the_short_window_ends_after_ten_seconds() -> None:
    limiter = limiter_after(*[1.0] * 6)
    assert limiter.exceeded(1.0 + BAD_FRAMES_SHORT_S)
    assert not limiter.exceeded(1.001 + BAD_FRAMES_SHORT_S)


@pytest.mark.hazard("H11")
def test_forty_in_an_hour_are_allowed_and_the_next_is_not() -> None:
    slow_s = [float(i * 60) for i in range(BAD_FRAMES_LONG_MAX + 1)]
    assert not limiter_after(*slow_s[:-1]).exceeded(slow_s[-2])
    limiter = limiter_after(*slow_s)
    assert limiter.exceeded(slow_s[-1])
    assert limiter.exceeded(BAD_FRAMES_LONG_S)
    assert not limiter.exceeded(BAD_FRAMES_LONG_S + 0.001)


@given(gaps_s=st.lists(st.floats(0.0, 30.0), max_size=120))
def test_it_remembers_no_more_than_it_needs_and_judges_as_if_it_remembered_all(
    gaps_s: list[float],
) -> None:
    limiter, times_s, now_s = ErrorLimiter(), [], 0.0
    for gap_s in gaps_s:
        now_s += gap_s
        times_s.append(now_s)
        limiter.note(now_s)
        short = sum(at_s >= now_s - BAD_FRAMES_SHORT_S for at_s in times_s)
        long = sum(at_s >= now_s - BAD_FRAMES_LONG_S for at_s in times_s)
        crowded = short > BAD_FRAMES_SHORT_MAX or long > BAD_FRAMES_LONG_MAX
        assert limiter.exceeded(now_s) == crowded
