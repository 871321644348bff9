"""A seed and a commit give the same bytes and the same record, whatever Python runs them."""

import pytest

from tests.qa.pinned import RUNS, pin_of, pinned


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_the_same_on_every_python(name: str) -> None:
    """What is pinned is renewed by `python -m tests.qa.pinned --renew`, with a reason."""
    assert pin_of(name) == pinned()[name]


def test_what_is_pinned_is_what_is_run() -> None:
    assert pinned().keys() == RUNS.keys()
