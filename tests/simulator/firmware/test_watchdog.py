import ast
from pathlib import Path

import pytest

from simulator.firmware import watchdog
from simulator.firmware.watchdog import STALL_MAX_MS, Watchdog

TICK_MS = 5


@pytest.mark.hazard("H15")
def test_it_bites_after_more_than_100_ms_without_a_pulse_and_not_before() -> None:
    dog = Watchdog()
    for pulses in range(1, 50):
        assert not dog.elapse(TICK_MS, pulses)
    for _ in range(STALL_MAX_MS // TICK_MS):
        assert not dog.elapse(TICK_MS, 49)
    assert dog.elapse(TICK_MS, 49)


def test_a_pulse_in_time_starts_it_anew() -> None:
    dog = Watchdog()
    for pulses in range(1, 20):
        assert not dog.elapse(STALL_MAX_MS, pulses - 1)
        assert not dog.elapse(TICK_MS, pulses)


@pytest.mark.hazard("H15")
def test_a_loop_that_runs_wild_is_bitten_as_well() -> None:
    dog = Watchdog()
    assert not dog.elapse(TICK_MS, 1)
    assert dog.elapse(TICK_MS, 3)


def test_it_knows_nothing_of_the_firmware() -> None:
    tree = ast.parse(Path(watchdog.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"typing"}
