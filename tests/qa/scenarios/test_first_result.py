import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
SMALLEST: Final = "configs/scenarios/refused-viewer.toml"
CPU_MAX_S: Final = 5.0  # of a machine that does nothing else it is the time that somebody waits


@pytest.mark.alone
@pytest.mark.realtime
def test_the_first_result_is_there_within_five_seconds_of_processor_time() -> None:
    command = [sys.executable, "-m", "simulator.cli", "run", SMALLEST]
    before = os.times()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    after = os.times()
    assert " passed " in done.stdout.splitlines()[0]
    used_s = sum(after[2:4]) - sum(before[2:4])  # by children that have ended
    assert used_s < CPU_MAX_S
