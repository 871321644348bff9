"""Spans of days are said in the unit that says something, and those of one sentence add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.planning.spans import ago, ahead


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0.0, "just now"), (-1.0, "just now"), (0.5 / 1440, "just now"), (1 / 1440, "1 minute ago"),
        (0.04, "57 minutes ago"), (1 / 24, "1 hour ago"), (0.49, "11 hours ago"),
        (1.999, "47 hours ago"), (2.0, "2.0 days ago"), (4.9999999999, "5.0 days ago"),
        (6.99, "6.9 days ago"), (12.0, "12.0 days ago"),
    ],
)  # fmt: skip
def test_what_was_is_told_rounded_down(days: float, said: str) -> None:
    assert ago(days) == said


@pytest.mark.parametrize(
    ("days", "said"),
    [(0.0, "1 hour"), (0.01, "1 hour"), (0.5, "12 hours"), (1.99, "48 hours"), (2.01, "2.1 days")],
)
def test_what_is_left_is_told_rounded_up(days: float, said: str) -> None:
    assert ahead(days) == said


@given(had=st.floats(2.0, 4.9))
def test_rest_that_was_and_rest_that_is_left_make_the_whole(had: float) -> None:
    told, left = float(ago(had).split()[0]), float(ahead(7.0 - had).split()[0])
    assert told + left == pytest.approx(7.0)
