"""The campaign of stops in small, and what its figures say."""

import pytest

from qa.campaigns.stops.campaign import figures, run
from qa.campaigns.stops.lane import Scale
from qa.campaigns.stops.shots import Shot

SMALL = Scale(hostile=64, leftovers=500)


def shot(code: int = 0, send_ms: float | None = 5.0, start_ms: float | None = 60.0) -> Shot:
    return Shot(
        code=code, account="own", kind="normal", flowing=True,
        from_send_ms=send_ms, from_start_ms=start_ms,
    )  # fmt: skip


@pytest.mark.realtime
@pytest.mark.alone
@pytest.mark.hazard("H49", shows="works")
def test_four_of_four_stop_among_hostile_clients_leftovers_and_a_frozen_kernel() -> None:
    said = run(4, 1, SMALL, kept=None, lanes=1)
    assert said["stopped"] == said["runs"] == said["with_open_valve"] == 4
    assert said["exit_codes"] == {"0": 4}


def test_a_stop_that_was_not_seen_by_the_device_is_a_violation() -> None:
    said = figures({0: shot(), 1: shot(send_ms=None, start_ms=None)}, 1, SMALL)
    assert (said["stopped"], said["violations"]) == (1, 1)


def test_a_stop_with_another_exit_code_than_0_is_a_violation() -> None:
    assert figures({0: shot(), 1: shot(code=3)}, 1, SMALL)["violations"] == 1


@pytest.mark.parametrize(("send_ms", "start_ms"), [(50.1, 60.0), (5.0, 300.1)])
def test_a_missed_goal_is_a_violation(send_ms: float, start_ms: float) -> None:
    assert figures({0: shot(0, send_ms, start_ms)}, 1, SMALL)["violations"] == 1


def test_goals_that_are_just_met_hold() -> None:
    assert figures({0: shot(0, 50.0, 300.0)}, 1, SMALL)["violations"] == 0


def test_without_a_shot_no_goal_holds() -> None:
    assert figures({}, 1, SMALL)["violations"] == 2
