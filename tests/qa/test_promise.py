"""The promise itself: each clause can hold and break, and each observer asks what it declares."""

from collections import Counter
from typing import Any

import pytest

from firmware_protocol.vocabulary import Mode
from qa.campaigns.storm.draw import draw
from qa.matrix.cells import Cell, Stage, run_cell
from qa.promise import clauses
from qa.promise.clauses import (
    NEVER_S,
    PROMISE,
    Arming,
    Clause,
    Ended,
    Entered,
    Flow,
    Heard,
    Judge,
    Lease,
    Moment,
    Observer,
    Reset,
    Settings,
    Stood,
    Stop,
    Turn,
    Way,
    stopped,
    words,
)
from qa.scenarios.play import play
from tests.proof.fuzz.campaign import Campaign
from tests.qa.asked import asked, keep, seen_by
from tools.register import load

STORMS_MAX = 12  # of which some are tripped and reset
WELL: dict[Moment[Any], tuple[Any, ...]] = {
    clauses.FLOW: Flow(*(True, 1.0, 0.0, 0.0, 0.0, True, 1.0, True, True, True, True)),
    clauses.ENDED: Ended(0.3, shut=True, dry=True, unpowered=False, jammed=False),
    clauses.LEASE: Lease(-200.0, 0.0, unarmed=True, shut=True, b_bars=True),
    clauses.RESET: Reset(*[True] * 4),
    clauses.ARMING: Arming(*[True] * 6),
    clauses.ACTIVATED: Entered(Mode.ARMED, Mode.ACTIVE, 0.02),
    clauses.BOOTED: Entered(Mode.BOOT, Mode.DISARMED),
    clauses.STOP: Stop(*[True] * 4),
    clauses.HEARD: Heard(*[True] * 2),
    clauses.LIMITS: Settings(9000, 1000, 9000, 1000, 9000, 1000),
    clauses.STOOD: Stood(56.0, 0.25, 2.25, 0.25, 0.25, safe=False, shut=False, latched_off=True),
    clauses.TURN: Turn(*[True] * 7),
    clauses.TO_WORK: Way(reached=True),
    clauses.WAY_BACK: Way(reached=True),
}
"""Facts of each moment with which everything holds, at the limit where there is one."""
BREAKS: dict[str, dict[str, Any]] = {
    "live": {"live": False}, "lease": {"lease_left_ms": 0.0}, "switch": {"switch_s": 0.011},
    "skin": {"skin_s": 0.011}, "suction": {"suction_s": 0.026}, "wish": {"wished": False},
    "exposure": {"left_mg": 0.0}, "asked": {"asked": False}, "untripped": {"untripped": False},
    "channel-b": {"b_consents": False}, "zone": {"in_zone": False},
    "shut": {"shut": False, "since_s": 0.051},
    "dry": {"dry": False, "unpowered": True, "jammed": True, "since_s": 0.501},
    "unpowered": {"dry": False, "jammed": True, "since_s": 0.251},
    "lease-counted": {"counted_ms": 2}, "lapsed-unarmed": {"unarmed": False},
    "lapsed-shut": {"shut": False}, "lapsed-b": {"b_bars": False},
    "reset-asked": {"asked": False}, "reset-acknowledged": {"acknowledged": False},
    "reset-at-rest": {"at_rest": False}, "reset-disarms": {"disarmed": False},
    "arm-ready": {"ready": False}, "arm-asked": {"asked": False},
    "arm-permitted": {"permitted": False}, "arm-proven": {"proven": False},
    "arm-streams": {"streams": False}, "arm-released": {"released": False},
    "active-from": {"before": Mode.READY}, "active-press": {"press_s": 0.051},
    "boot-disarmed": {"after": Mode.READY},
    "stop-ends": {"over": False}, "stop-answered": {"answered": False},
    "stop-token": {"token_void": False}, "stop-first": {"first": False},
    "foreign": {"unchanged": False}, "session": {"same_session": False},
    "set-within": {"suction": 9001}, "configured-within": {"flow_max": 1001},
    "relief": {"suction_kpa": 61.1}, "over-suction": {"over_s": 0.251},
    "dwell": {"still_s": 2.251}, "ajar": {"ajar_s": 0.251}, "excess": {"excess_s": 0.251},
    "latched-off": {"latched_off": False},
    "stop-order": {"in_order": False}, "trip-emergency": {"emergency": False},
    "trip-followed": {"followed": False}, "final": {"final": False}, "driven": {"driven": False},
    "begun-first": {"begun": False}, "act-ends": {"told": False},
    "to-work": {"reached": False}, "way-back": {"reached": False},
}  # fmt: skip
"""By clause, the least that breaks it."""

ALL = [(moment, clause) for moment in PROMISE for clause in moment.clauses]
EACH = pytest.mark.parametrize(
    ("moment", "clause"), [pytest.param(*each, id=each[1].name) for each in ALL]
)


def _holds(clause: Clause[Any], facts: tuple[Any, ...]) -> bool:
    try:
        return bool(clause.holds(facts))
    except TypeError:  # an unseen fact cannot be compared
        return False


def _broken(moment: Moment[Any], facts: tuple[Any, ...]) -> list[str]:
    return [clause.name for clause in moment.clauses if not _holds(clause, facts)]


@EACH
def test_it_breaks_by_what_it_is_about_and_nothing_else_breaks_with_it(
    moment: Moment[Any], clause: Clause[Any]
) -> None:
    well = WELL[moment]
    assert _broken(moment, well) == []
    assert _broken(moment, well._replace(**BREAKS[clause.name])) == [clause.name]  # type: ignore[attr-defined]  # a NamedTuple


@EACH
def test_it_does_not_hold_for_facts_that_were_not_seen(
    moment: Moment[Any], clause: Clause[Any]
) -> None:
    assert not _holds(clause, moment.facts())


def test_names_are_used_once_and_hazards_are_those_of_the_register() -> None:
    assert max(Counter(clause.name for _, clause in ALL).values()) == 1
    assert {hazard for _, clause in ALL for hazard in clause.hazards} <= set(load().by_id())
    assert set(BREAKS) == {clause.name for _, clause in ALL}


@pytest.mark.parametrize("before", list(Mode))
def test_a_stop_leads_out_of_every_mode_and_into_no_treatment(before: Mode) -> None:
    led = {after for after in Mode if stopped(before, after)}
    ends = {Mode.STOPPING, Mode.DISARMED}
    live = before in clauses.LIVE or before is Mode.STOPPING
    assert led == (ends if live else {Mode.SAFE if before is Mode.SAFE else Mode.DISARMED})


def test_what_is_broken_is_told_with_the_facts_that_were_seen() -> None:
    assert words(Entered(Mode.READY, Mode.ACTIVE)) == "before READY, after ACTIVE"


# -- each observer asks what the table says; of the explorations, test_explore.py shows it ---------
def test_the_fuzz_asks_all_that_it_can_see(monkeypatch: pytest.MonkeyPatch) -> None:
    judges = keep(monkeypatch)
    Campaign(seed=1, frames=12_000).run()
    hazards = {clauses.STOOD.says}  # asked where there is one, and there must be none
    assert asked(judges) | hazards == seen_by(Observer.FUZZ)


def test_the_matrix_asks_all_that_it_can_see(monkeypatch: pytest.MonkeyPatch) -> None:
    judges = keep(monkeypatch)
    run_cell(Cell("hand:stands-still", Stage.PAUSED, 0.5))
    resets = {clauses.RESET.says}  # asked where a trip is left, and nobody resets one
    assert asked(judges) | resets == seen_by(Observer.MATRIX)


def test_the_service_in_virtual_time_asks_all_that_it_can_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judges, seen = keep(monkeypatch), seen_by(Observer.RIG)
    for number in range(STORMS_MAX):
        assert not play(draw(7, number)).failures
        if asked(judges) >= seen:
            break
    assert asked(judges) == seen


def test_an_observer_that_hands_over_too_little_is_not_believed() -> None:
    judge = Judge(Observer.PAIR)
    with pytest.raises(TypeError):
        judge.broken(clauses.FLOW, Flow(lease_left_ms=1.0, switch_s=0.0, asked=True))
    broken = judge.broken(clauses.FLOW, Flow(lease_left_ms=1.0, switch_s=0.0, skin_s=NEVER_S))
    assert [clause.name for clause in broken] == ["skin", "asked"]
    assert judge.checks == {"P1": 2 * 4}
