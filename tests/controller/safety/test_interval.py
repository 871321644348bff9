import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.safety.interval import Interval

values = st.floats(0.0, 1e6)


def intervals() -> st.SearchStrategy[Interval]:
    return st.tuples(values, values).map(lambda ends: Interval(min(ends), max(ends)))


def inside(one: Interval, at: float) -> float:
    return min(max(one.low + at * (one.high - one.low), one.low), one.high)


@given(
    one=intervals(), other=intervals(), at=st.floats(0.0, 1.0), beside=st.floats(0.0, 1.0),
    divisor=st.floats(1e-3, 1e3),
)  # fmt: skip
def test_what_comes_of_two_values_lies_within_what_comes_of_their_intervals(
    one: Interval, other: Interval, at: float, beside: float, divisor: float
) -> None:
    x, y = Fraction(inside(one, at)), Fraction(inside(other, beside))
    added, multiplied, divided = one.plus(other), one.times(other), one.over(divisor)
    assert Fraction(added.low) <= x + y <= Fraction(added.high)
    assert Fraction(multiplied.low) <= x * y <= Fraction(multiplied.high)
    assert Fraction(divided.low) <= x / Fraction(divisor) <= Fraction(divided.high)


@given(one=intervals(), at=st.floats(0.0, 1.0), exponent=st.floats(0.0, 2.0))
def test_a_power_lies_within_the_power_of_its_interval(
    one: Interval, at: float, exponent: float
) -> None:
    found = one.power(exponent)
    assert found.low <= math.pow(inside(one, at), exponent) <= found.high


def test_what_may_be_off_by_a_share_or_an_amount_is_an_interval_around_it() -> None:
    assert Interval.around(20.0, plus_minus=1.5) == pytest.approx((18.5, 21.5))
    assert Interval.around(10.0, percent=10.0) == pytest.approx((9.0, 11.0))
    low, high = Interval.around(10.0, percent=10.0)
    assert low < 9.0
    assert high > 11.0
    assert Interval.around(1.0, plus_minus=5.0).low == 0.0
    assert Interval.exactly(3.0) == (3.0, 3.0)


def test_what_is_not_a_number_proves_nothing() -> None:
    unknown = Interval.around(math.nan).times(Interval.exactly(2.0))
    assert not unknown.high <= 1e9
