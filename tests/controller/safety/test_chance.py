"""How often a treatment goes too deep, in words that never promise more than was counted."""

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.safety.chance import (
    NOT_SIMULATED,
    TAIL_WORDS,
    Chance,
    TailName,
    at_most_in_words,
    in_words,
)
from qa.skin.tails import TAILS


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        (6.97e-4, "fewer than 1 in 1,400"),  # 1,434.7
        (1 / 1999, "fewer than 1 in 1,900"),
        (5.1e-3, "fewer than 1 in 190"),  # 196
        (0.0199, "fewer than 1 in 50"),  # 50.2
        (0.3, "fewer than 1 in 3"),
        (0.7, "fewer than 1 in 1"),
        (7.4e-6, "fewer than 1 in 130,000"),  # 135,135
    ],
)
def test_a_bound_is_said_as_one_in_so_many_rounded_down_to_two_digits(
    bound: float, words: str
) -> None:
    assert at_most_in_words(bound) == words


@given(st.floats(1e-12, 1.0, exclude_max=True))
def test_rounding_never_makes_it_rarer_than_the_bound(bound: float) -> None:
    number = int(at_most_in_words(bound).rpartition(" ")[2].replace(",", ""))
    assert number * bound <= 1.0 + 1e-9
    assert len(str(number).rstrip("0")) <= 2


@pytest.mark.parametrize("bound", [1.0, 2.0, 0.0, -0.1, math.nan, math.inf])
def test_what_is_no_bound_is_said_as_none(bound: float) -> None:
    assert at_most_in_words(bound) == "up to all"


def test_both_figures_and_the_worst_assumption_are_one_sentence() -> None:
    assert in_words(Chance(6.5e-4, 40_000, 5e-3, 4_000, "harm-0.25")) == (
        "Simulated, an average hand: fewer than 1 in 1,500 treatments lose a connected square "
        "millimetre of stratum corneum by what is known of the removal rate; fewer than 1 in 200 "
        "by the worst that nothing published rules out (harm from a quarter of a square "
        "millimetre)."
    )


def test_what_was_not_simulated_is_said_so() -> None:
    assert in_words(None) == NOT_SIMULATED
    assert NOT_SIMULATED == ("How often this goes too deep was not simulated for this program.")


def test_every_tail_of_the_simulation_has_its_words() -> None:
    assert tuple(TAIL_WORDS) == tuple(TAILS) == get_args(TailName)
