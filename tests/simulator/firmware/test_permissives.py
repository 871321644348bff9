from collections.abc import Sequence
from inspect import signature
from itertools import product
from typing import Any

import pytest

from firmware_protocol.vocabulary import Permit
from simulator.firmware import permissives

NAMES = tuple(signature(permissives.bits).parameters)
ROWS = list(product([False, True], repeat=len(NAMES)))


def bits(row: Sequence[Any]) -> int:
    return permissives.bits(**dict(zip(NAMES, row, strict=True)))


@pytest.mark.hazard("H01", "H04", "H10", "H21", "H22")
def test_the_valve_is_permitted_in_one_row_of_the_whole_truth_table() -> None:
    permitted = [row for row in ROWS if bits(row) == permissives.ALL]
    assert len(ROWS) == 512
    assert permitted == [(True,) * 9]


def test_each_condition_has_the_bit_of_its_name() -> None:
    for row in ROWS:
        expected = Permit.NONE
        for name, holds in zip(NAMES, row, strict=True):
            expected |= Permit[name.upper()] if holds else Permit.NONE
        assert bits(row) == expected


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("odd", [None, float("nan"), "yes", 2])
def test_what_is_not_known_to_be_true_is_false(odd: object) -> None:
    for position in range(9):
        row: list[Any] = [True] * 9
        row[position] = odd
        assert bits(row) == permissives.ALL - (1 << position)
