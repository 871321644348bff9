"""A screen proves by its confirmations that it is read from; only one of staff there may lead."""

import math

import pytest

from controller.api.authority import Origin, Role
from controller.api.requests import WhoSays
from controller.api.viewer import NUMBERS_MAX, SILENT_MAX_S, Viewer

ANNA = WhoSays(name="anna", role=Role.PRACTITIONER, origin=Origin.LOCAL)


def viewer(who: WhoSays | None = ANNA) -> Viewer:
    """A screen that was sent the lines 1 to 4 from 10 s on, one a second."""
    made = Viewer()
    made.who = who
    for number in range(1, 5):
        made.sent(number, 9.0 + number)
    return made


def test_a_connection_begins_as_no_screen_of_anybody() -> None:
    made = Viewer()
    assert (made.who, made.leads, made.closed) == (None, False, False)
    assert made.age_s(1.0) == math.inf
    made.seen(0)  # nothing was sent
    assert made.age_s(1.0) == math.inf


@pytest.mark.hazard("H57")
@pytest.mark.parametrize(
    ("confirmed", "age_s"),
    [
        ((), math.inf),
        ((0,), math.inf),
        ((1,), 10.0),
        ((3,), 8.0),
        ((4,), 7.0),
        ((5,), math.inf),  # it was never sent
        ((3, 1), 8.0),
        ((3, 3), 8.0),
        ((1, 4), 7.0),
        ((5, 2), 9.0),
        (("4",), math.inf),
        ((4.0,), math.inf),
        ((None,), math.inf),
    ],
    ids=str,
)
def test_the_newest_line_that_was_sent_and_confirmed_counts_from_when_it_was_sent(
    confirmed: tuple[object, ...], age_s: float
) -> None:
    made = viewer()
    for number in confirmed:
        made.seen(number)
    assert made.age_s(20.0) == age_s


def test_lines_that_wait_for_their_confirmation_have_a_bound() -> None:
    made = Viewer()
    for number in range(1, NUMBERS_MAX + 2):
        made.sent(number, float(number))
    made.seen(1)  # it is forgotten
    assert made.age_s(100.0) == math.inf
    made.seen(2)
    assert made.age_s(100.0) == 98.0


@pytest.mark.hazard("H57")
@pytest.mark.parametrize(
    ("who", "age_s", "leads"),
    [
        (ANNA, 0.0, True),
        (ANNA, SILENT_MAX_S, True),
        (ANNA, SILENT_MAX_S + 0.001, False),
        (None, 0.0, False),
        (ANNA.model_copy(update={"role": Role.VIEWER}), 0.0, False),
        (ANNA.model_copy(update={"origin": Origin.REMOTE}), 0.0, False),
    ],
)
def test_who_may_treat_here_and_is_read_from_may_lead(
    who: WhoSays | None, age_s: float, *, leads: bool
) -> None:
    made = viewer(who)
    made.seen(4)
    assert made.may_lead(13.0 + age_s) is leads
    made.closed = True
    assert made.may_lead(13.0) is False


def test_a_screen_that_has_confirmed_nothing_may_not_lead() -> None:
    assert viewer().may_lead(13.0) is False
