"""`corneum doctor --jitter`: what it prints, and what it lets scripts know."""

import json
import subprocess
import sys

import pytest

from controller.cli.jitter import Found, as_object, lines
from controller.device.precedence import Precedence
from controller.safety.jitter import JitterWatch, Measured

ORDINARY = Precedence("ordinary", memory_locked=False, refused=("locked memory: no",))
SCRIPT = "import sys; from controller.cli.jitter import run; sys.exit(run(as_json=True, seconds=2))"


def look(gap_s: float) -> Measured:
    watch = JitterWatch()
    for number in range(60):
        watch.reading(number * gap_s)
        watch.beat(number * gap_s)
    return watch.measured()


def test_a_computer_that_keeps_time_is_told_so_with_a_histogram() -> None:
    said = lines(Found(ORDINARY, (0.5, 0.7, 1.5, 30.0), (look(0.05),)))
    assert said[0] == "The system grants: ordinary, memory not locked."
    assert "refused: locked memory: no" in said[1]
    assert any(line.split()[:5] == ["up", "to", "1", "ms", "2"] for line in said)
    assert any(line.split()[:5] == ["up", "to", "50", "ms", "1"] for line in said)
    assert "readings" not in "".join(said)
    assert said[-1].startswith("This computer keeps time")


def test_a_computer_that_would_be_refused_is_told_what_to_do() -> None:
    found = Found(ORDINARY, (80.0,) * 60, (look(0.13),))
    assert "130 ms (100 allowed)" in lines(found)[-2]
    assert lines(found)[-1].startswith("A treatment would be refused. Close other programs")
    assert as_object(found)["jitter"]["ok"] is False


def test_a_computer_that_is_busy_now_and_then_is_told_that_a_treatment_would_wait() -> None:
    found = Found(ORDINARY, (1.0,), (look(0.05), look(0.13)))
    assert "At 50% of the looks" in lines(found)[-1]
    assert as_object(found)["jitter"]["beat_gap_max_ms"] == pytest.approx(130.0)


@pytest.mark.realtime
def test_it_measures_with_the_loop_of_the_kernel_and_prints_one_object() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )
    (line,) = done.stdout.splitlines()
    said = json.loads(line)["jitter"]
    assert sum(bar["beats"] for bar in said["histogram"]) == 40
    assert said["beat_gap_max_ms"] >= 49.0
    assert said["precedence"]["scheduling"]
