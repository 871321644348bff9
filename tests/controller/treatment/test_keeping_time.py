"""A computer that does not keep time is told so before the unit is armed, not after."""

import pytest

from controller.treatment.events import Observed, Raise, SendArm, Wake
from controller.treatment.preparation import LAPSE_MAX_S, LEASE_TRIES_MAX, UNSTEADY_WAIT_MAX_S
from controller.treatment.states import State
from firmware_protocol.vocabulary import Mode, Permit
from tests.controller.treatment.couch import (
    PRESSED,
    Couch,
    codes,
    of,
    prove_lease,
    proving,
    ready,
)


def held_up(one: Couch, seconds: float, gap_s: float) -> None:
    """Let ``seconds`` pass on a computer that runs this process only every ``gap_s``."""
    for _ in range(round(seconds / gap_s)):
        one.pass_time(gap_s)
        one.step(Observed(one.reading(Mode.READY)))
        one.step(Wake())


@pytest.mark.hazard("H14")
def test_a_computer_that_is_held_up_is_refused_before_arming_with_figures_and_a_next_step() -> None:
    one = proving()
    held_up(one, UNSTEADY_WAIT_MAX_S + 2.0, 0.12)
    assert one.at(State.REFUSED)
    assert codes(one.done) == ["C16"]
    assert not of(SendArm, one.done)
    (alarm,) = [raised.alarm for raised in of(Raise, one.done)]
    assert "Between two beats 120 ms (100 allowed)" in alarm.sentence
    assert "corneum doctor --jitter" in alarm.next_step


@pytest.mark.hazard("H14")
def test_a_computer_that_was_busy_for_a_moment_is_waited_for() -> None:
    one = proving()
    held_up(one, 1.2, 0.12)
    one.see_for(2.0, Mode.READY)
    assert one.at(State.PREPARING)
    one.see_for(3.0, Mode.READY)
    assert len(of(SendArm, one.done)) == 1


@pytest.mark.hazard("H14")
def test_the_refusal_comes_within_its_bound_and_not_before() -> None:
    one = proving()
    held_up(one, UNSTEADY_WAIT_MAX_S, 0.12)
    assert one.at(State.PREPARING)
    held_up(one, 1.5, 0.12)
    assert one.at(State.REFUSED)


def test_a_steady_computer_waits_for_the_switch_as_long_as_ever() -> None:
    one = proving()
    one.see_for(UNSTEADY_WAIT_MAX_S + 5.0, Mode.READY, **PRESSED)
    assert one.at(State.PREPARING)


def spoil_the_proof(one: Couch) -> None:
    """Hold the computer up while the lease is not renewed, and show a reading of before."""
    one.see_for(0.3, Mode.READY, permits=Permit.LEASE)
    one.pass_time(LAPSE_MAX_S + 0.05)
    one.step(Observed(one.reading(Mode.READY, permits=Permit.LEASE)))
    one.step(Wake())


def self_testing() -> Couch:
    """A treatment whose unit is in its self-test, for long enough to measure the computer."""
    one = ready()
    one.see_for(2.0, Mode.SELFTEST)
    return one


@pytest.mark.hazard("H10")
def test_a_proof_of_the_lease_that_a_held_up_computer_spoilt_is_tried_again() -> None:
    one = self_testing()
    spoil_the_proof(one)
    assert one.at(State.PREPARING)
    prove_lease(one)
    one.see_for(5.0, Mode.READY)
    assert len(of(SendArm, one.done)) == 1


@pytest.mark.hazard("H10")
def test_a_proof_that_is_spoilt_again_and_again_is_blamed_on_the_computer() -> None:
    one = self_testing()
    for _ in range(LEASE_TRIES_MAX):
        assert one.at(State.PREPARING)
        spoil_the_proof(one)
    assert one.at(State.REFUSED)
    assert codes(one.done) == ["C16"]
