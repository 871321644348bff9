"""What a kernel that starts does to processes that still live: nothing."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from controller.config import paths
from controller.record.sweep import AGE_MIN_S, sweep

SIGNALS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """Every signal that this process gets; of a test run without a terminal SIGHUP is ignored."""
    found: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        found.append(number)

    before = [(number, signal.signal(number, hear)) for number in SIGNALS]
    yield found
    for number, handler in before:
        signal.signal(number, handler)


@pytest.mark.realtime
@pytest.mark.hazard("H12")
def test_the_file_of_a_kernel_that_lives_stays_and_the_kernel_is_not_disturbed(
    tmp_path: Path, heard: list[int]
) -> None:
    paths.run_dir(tmp_path).mkdir()
    file = paths.kernel_file(tmp_path, "/dev/lives")
    file.write_text(json.dumps({"pid": os.getpid(), "port": "/dev/lives"}))
    long_ago_s = file.stat().st_mtime - 2 * AGE_MIN_S
    os.utime(file, (long_ago_s, long_ago_s))
    assert sweep(tmp_path) == 0
    assert file.exists()
    assert heard == []
