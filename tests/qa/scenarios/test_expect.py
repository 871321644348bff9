"""What judges a run: for each kind of expectation a story that meets it, and one that does not."""

from typing import NamedTuple

import pytest

from qa.scenarios.expect import failures, seen_instead
from qa.scenarios.expectations import EXPECTATIONS
from qa.scenarios.mistakes import EXPECTATION_OF
from qa.scenarios.story import Breach, Story
from tests.qa.scenarios.stories import dosed, expected, recorded, scenario_with, story_of

LIFT = 'check = "within"\nwithin_s = 0.1\nof = { tip = "lifted" }\nholds = { valve = "shut" }'
THIRD = (
    'check = "within"\nwithin_s = 0.1\nof = { tip = "lifted", number = 2 }\n'
    'holds = { valve = "shut" }'
)
STROKE = ((1.0, "tip", "on-skin"), (1.2, "valve", "open"))
GOOD_LIFT = story_of(*STROKE, (3.0, "tip", "lifted"), (3.02, "valve", "shut"))
LATE_LIFT = story_of(*STROKE, (3.0, "tip", "lifted"), (3.25, "valve", "shut"))
NO_SHUT = story_of(*STROKE, (3.0, "tip", "lifted"))
TWO_LIFTS = story_of(
    *STROKE, (3.0, "tip", "lifted"), (3.25, "valve", "shut"), (4.0, "tip", "on-skin"),
    (4.1, "valve", "open"), (5.0, "tip", "lifted"), (5.05, "valve", "shut"),
)  # fmt: skip
TRIPPED = story_of((2.0, "trip", "DWELL"), (2.0, "mode", "SAFE"), (4.0, "trip", ""))
FAULTS = story_of(
    (2.0, "fault", frozenset({"clog"})), (3.0, "fault", frozenset({"clog", "overheat"})),
    (4.0, "fault", frozenset({"overheat"})), (5.0, "fault", frozenset({"clog", "overheat"})),
)  # fmt: skip
KILLED = story_of(
    (0.0, "kernel", "running"), (1.0, "valve", "open"), (2.0, "kernel", "killed"),
    (2.2, "valve", "shut"), (5.0, "kernel", "running"), (6.0, "valve", "open"),
)  # fmt: skip
NEVER = 'check = "never"\nholds = { valve = "open" }\n'
SINCE = 'since = { kernel = "killed", after_s = 0.25 }\n'
UNTIL = 'until = { kernel = "running" }\n'
ENDED = recorded(
    (1, "treatment", {"client": "anna"}), (1, "interrupted", {}),
    (2, "treatment", {"client": "ben"}), (2, "ended", {"outcome": "completed"}),
)  # fmt: skip
BROKEN = story_of()
BROKEN.broken.append(Breach(2.0, "flow without a lease", "since 0.25 s"))
NOSE = 'check = "exposure"\nzone = "nose"\n'


class Case(NamedTuple):
    """One expectation on one story, and a part of what was seen instead; None where it is met."""

    text: str
    story: Story
    seen: str | None


CASES = (
    Case(LIFT, GOOD_LIFT, None),
    Case(LIFT, LATE_LIFT, "only 250 ms later"),
    Case(LIFT, NO_SHUT, "not so up to the end"),
    Case(LIFT, story_of(), "never came"),
    Case(LIFT, TWO_LIFTS, "came at 3.000 s"),
    Case(THIRD, TWO_LIFTS, None),
    Case(THIRD, GOOD_LIFT, "never came"),
    Case('check = "eventually"\nholds = { trip = "DWELL" }', TRIPPED, None),
    Case('check = "eventually"\nholds = { trip = "any" }\nby_s = 2.5', TRIPPED, None),
    Case('check = "eventually"\nholds = { trip = "any" }\nby_s = 1.5', TRIPPED, "at 2.000 s"),
    Case('check = "eventually"\nholds = { trip = "NO_FLOW" }', TRIPPED, "trip was nothing, DWELL"),
    Case('check = "at"\nat_s = 3.0\nholds = { mode = "SAFE" }', TRIPPED, None),
    Case('check = "at"\nat_s = 1.0\nholds = { mode = "SAFE" }', TRIPPED, "mode was BOOT"),
    Case('check = "at"\nat_s = 11.0\nholds = { mode = "SAFE" }', TRIPPED, "ended at 10.000 s"),
    Case('check = "finally"\nholds = { mode = "SAFE" }', TRIPPED, None),
    Case('check = "finally"\nholds = { trip = "any" }', TRIPPED, "trip was nothing"),
    Case(NEVER, story_of(), None),
    Case(NEVER, KILLED, "the valve is open at 1.000 s"),
    Case(NEVER + SINCE + UNTIL, KILLED, None),
    Case(NEVER + SINCE, KILLED, "at 6.000 s"),
    Case(NEVER + 'since = { kernel = "killed" }', KILLED, "at 2.000 s"),
    Case(NEVER + 'since = { line = "cut" }', KILLED, "never came"),
    Case(NEVER + SINCE + 'until = { line = "cut" }', KILLED, "never came"),
    Case('check = "happens"\nwhat = { trip = "any" }\nexactly = 1', TRIPPED, None),
    Case('check = "happens"\nwhat = { fault = "clog" }\nexactly = 2', FAULTS, None),
    Case('check = "happens"\nwhat = { fault = "any" }\nexactly = 1', FAULTS, None),
    Case('check = "happens"\nwhat = { fault = "clog" }\nexactly = 1', FAULTS, "2 times, at 2.000"),
    Case('check = "happens"\nwhat = { fault = "clog" }\nat_least = 3', FAULTS, "2 times"),
    Case('check = "happens"\nwhat = { fault = "clog" }\nat_most = 1', FAULTS, "2 times"),
    Case('check = "happens"\nwhat = { tip = "lifted" }\nexactly = 0', story_of(), None),
    Case(NOSE + "bound_max_um = 2.5\ncontact_min_s = 4.0", dosed(2.0, 5.0), None),
    Case(NOSE + "bound_max_um = 1.5", dosed(2.0, 5.0), "bound_um was 2.0000"),
    Case(NOSE + "contact_min_s = 6.0", dosed(2.0, 5.0), "contact_s was 5.0000"),
    Case(NOSE + "mass_max_g = 0.4\nnominal_min_um = 0.2", dosed(2.0, 5.0), "nominal_um was 0.1000"),
    Case(NOSE, dosed(3.5, 5.0), "over its cap"),
    Case(NOSE, dosed(float("nan"), 5.0), "over its cap"),
    Case(NOSE + "treatment = 2", dosed(2.0, 5.0), "no such zone, only none"),
    Case('check = "exposure"\nzone = "chin"', dosed(2.0, 5.0), "only nose"),
    Case('check = "outcome"\noutcome = "completed"', ENDED, None),
    Case('check = "outcome"\noutcome = "interrupted"\ntreatment = 1', ENDED, None),
    Case('check = "outcome"\noutcome = "stopped"', ENDED, "treatment 2 is completed"),
    Case('check = "outcome"\noutcome = "stopped"\ntreatment = 3', ENDED, "has no end"),
    Case('check = "outcome"\noutcome = "stopped"', story_of(), "no treatment was booked"),
    Case('check = "journal"\nrow = "treatment"\nexactly = 2', ENDED, None),
    Case('check = "journal"\nrow = "treatment"\nexactly = 1\ntreatment = 2', ENDED, None),
    Case(
        'check = "journal"\nrow = "treatment"\nexactly = 1\nwhere = { client = "anna" }',
        ENDED,
        None,
    ),
    Case(
        'check = "journal"\nrow = "treatment"\nexactly = 1\nwhere = { client = "eva" }',
        ENDED,
        "0 of 2 rows 'treatment'",
    ),
    Case('check = "journal"\nrow = "trip"\nat_least = 1', ENDED, "kinds in the record: ended"),
    Case('check = "promise"', dosed(2.9, 5.0), None),
    Case('check = "promise"', dosed(3.2, 5.0), "a bound of 3.2000 µm for a cap of 3.0000 µm"),
    Case('check = "promise"', BROKEN, "flow without a lease since 0.25 s"),
)


@pytest.mark.parametrize("case", CASES)
def test_an_expectation_is_met_or_says_what_was_seen_instead(case: Case) -> None:
    seen = seen_instead(expected(case.text), case.story)
    if case.seen is None:
        assert seen is None
    else:
        assert seen is not None
        assert case.seen in seen[0]


@pytest.mark.parametrize("check", EXPECTATION_OF)
def test_every_kind_of_expectation_has_a_story_that_meets_it_and_one_that_does_not(
    check: str,
) -> None:
    seen = {case.seen is None for case in CASES if f'check = "{check}"' in case.text}
    assert seen == {True, False}
    assert len(EXPECTATIONS) == len(EXPECTATION_OF)


def test_a_record_whose_chain_is_broken_fails_every_scenario() -> None:
    story = story_of()
    story.record_broken = "row 3 does not follow the row before it"
    found = failures(scenario_with('check = "finally"\nholds = { valve = "shut" }'), story)
    assert [failure.seen for failure in found] == [story.record_broken]


def test_a_failure_names_the_expectation_in_words_and_where_to_look() -> None:
    (failure,) = failures(scenario_with(LIFT), LATE_LIFT)
    assert failure.expected == "the valve is shut within 100 ms of 'the tip is lifted'"
    assert failure.at_s == 3.0
