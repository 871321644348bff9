"""The totals of the unit: what was delivered between two looks at them."""

import math

import pytest

from controller.safety.totals import WRAP, Delivered, Totals, delivered


def test_the_difference_of_two_looks_is_what_was_delivered() -> None:
    assert delivered(Totals(7, 10.0, 1.0), Totals(7, 12.5, 1.25)) == Delivered(2.5, 0.25)


@pytest.mark.hazard("H32")
def test_totals_that_wrap_go_on() -> None:
    gave = delivered(Totals(7, WRAP - 1.0, WRAP - 0.5), Totals(7, 2.0, 0.5))
    assert gave == pytest.approx(Delivered(3.0, 1.0))


@pytest.mark.hazard("H51")
@pytest.mark.parametrize(
    "now", [None, Totals(8, 12.0, 2.0), Totals(7, 9.0, 2.0), Totals(7, math.nan, 2.0)]
)
def test_totals_of_another_boot_that_went_back_or_are_no_number_tell_nothing(
    now: Totals | None,
) -> None:
    assert delivered(Totals(7, 10.0, 1.0), now) is None
    assert delivered(now, Totals(7, 10.0, 1.0)) is None or now == Totals(7, 9.0, 2.0)
