"""The hand is told one step at a time."""

from itertools import combinations

from controller.safety.alarm_texts import OF_NOTICE, RECORD_LOST, Notice
from controller.safety.guide_texts import GUIDES, HELD, NO_SCREEN, PRESS, waits_its_turn


def test_of_several_steps_only_the_first_has_its_turn() -> None:
    for codes in combinations(GUIDES, 2):
        for order in (codes, codes[::-1]):
            assert [code for code in order if not waits_its_turn(code, order)] == [codes[0]]


def test_whoever_has_to_resume_is_not_told_to_press() -> None:
    for holding in (HELD, NO_SCREEN):
        assert waits_its_turn(PRESS.code, [PRESS.code, holding.code])
        assert not waits_its_turn(holding.code, [PRESS.code, holding.code])


def test_an_alarm_that_guides_no_hand_always_says_what_to_do() -> None:
    assert not waits_its_turn(RECORD_LOST.code, [*GUIDES, RECORD_LOST.code])
    assert not waits_its_turn(PRESS.code, [PRESS.code, RECORD_LOST.code])


def test_every_step_of_the_hand_is_told_by_a_notice() -> None:
    told = {OF_NOTICE[notice].code for notice in Notice}
    assert set(GUIDES) <= told
