"""Shrinking: what is left breaks the same, and every part of it is needed."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from qa.campaigns.shrink import Tries, fewest, first


@given(needed=st.sets(st.integers(0, 59), min_size=1, max_size=5))
def test_what_is_left_is_just_what_is_needed(needed: set[int]) -> None:
    def breaks(items: Sequence[int]) -> bool:
        return needed <= set(items)

    assert set(fewest(range(60), breaks, Tries(5000))) == needed


@given(most=st.integers(0, 30))
def test_without_tries_it_still_breaks(most: int) -> None:
    def breaks(items: Sequence[int]) -> bool:
        return {3, 50} <= set(items)

    assert breaks(fewest(range(60), breaks, Tries(most)))


def test_the_first_that_breaks_is_taken_as_long_as_there_are_tries() -> None:
    assert first([1, 2, 3, 4], lambda value: value >= 3, Tries(10)) == 3
    assert first([1, 2, 3, 4], lambda value: value >= 3, Tries(2)) is None
