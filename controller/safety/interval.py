"""Intervals that are never narrower than the truth: each end is rounded outward.

The proof of a plan is arithmetic over what a unit may be wrong by. An end that is not a number
stays one and makes every comparison false, so that nothing is proved by it.
"""

import math
from typing import NamedTuple


class Interval(NamedTuple):
    """Every value from ``low`` to ``high``; none of them below 0, as all quantities here."""

    low: float
    high: float

    @staticmethod
    def exactly(value: float) -> "Interval":
        """Return the interval of one value."""
        return Interval(value, value)

    @staticmethod
    def around(value: float, *, plus_minus: float = 0.0, percent: float = 0.0) -> "Interval":
        """Return what ``value`` may truly be when it may be off by either, and never below 0."""
        off = plus_minus + value * percent / 100.0
        return Interval(max(0.0, _down(value - off)), _up(value + off))

    def plus(self, other: "Interval") -> "Interval":
        """Return every sum."""
        return Interval(max(0.0, _down(self.low + other.low)), _up(self.high + other.high))

    def times(self, other: "Interval") -> "Interval":
        """Return every product."""
        return Interval(max(0.0, _down(self.low * other.low)), _up(self.high * other.high))

    def power(self, exponent: float) -> "Interval":
        """Return every power of an exponent that is not negative."""
        low, high = math.pow(self.low, exponent), math.pow(self.high, exponent)
        return Interval(max(0.0, _down(_down(low))), _up(_up(high)))  # pow may be off by a step

    def over(self, divisor: float) -> "Interval":
        """Return every quotient by a known divisor above 0."""
        return Interval(max(0.0, _down(self.low / divisor)), _up(self.high / divisor))


def _down(value: float) -> float:
    return math.nextafter(value, -math.inf)


def _up(value: float) -> float:
    return math.nextafter(value, math.inf)
