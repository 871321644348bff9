"""How long it takes to the first line of `corneum-sim run`: the imports, and one scenario."""

import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.processes import CLOSE_MAX_S, ROOT, MeasurementError, commands

STARTS: Final = 5
FIRST_RESULT_MAX_S: Final = 5.0
SCENARIO: Final = "configs/scenarios/refused-viewer.toml"


def first_result_rows(_peers: Path, tell: Callable[[str], None]) -> list[Figure]:
    """Start the command some times, and take the median of the times to its first line."""
    tell("first result of a scenario")
    took_s = statistics.median(_one_start_s() for _ in range(STARTS))
    row = Figure("corneum-sim run, start to first result", took_s, "s")
    return [at_most(row, FIRST_RESULT_MAX_S)]


def _one_start_s() -> float:
    began_s = time.perf_counter()
    with subprocess.Popen(
        [commands("corneum-sim"), "run", SCENARIO], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline() if process.stdout else ""
        took_s = time.perf_counter() - began_s
        process.communicate(timeout=CLOSE_MAX_S)
    if " passed " not in line:
        raise MeasurementError(f"{SCENARIO} said {line!r}")
    return took_s
