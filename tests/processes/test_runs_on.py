"""A kernel that runs on in real time without resting locks nobody out for long."""

import os
import signal
import time
from pathlib import Path

import pytest

from controller.device.precedence import RUN_HARD_S, RUN_SOFT_S
from tests.processes.service import kernel, unit

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

REAL_TIME = os.SCHED_RR | os.SCHED_RESET_ON_FORK


@pytest.mark.hazard("H14")
def test_a_kernel_that_runs_on_gives_its_priority_up_before_the_system_ends_it(
    tmp_path: Path,
) -> None:
    with (
        unit(tmp_path) as device,
        kernel(device, tmp_path / "state", module="tests.processes.busy_kernel") as host,
    ):
        if os.sched_getscheduler(host.pid) != REAL_TIME:
            pytest.skip("this account may not have real-time priority (ulimit -r)")
        begun_s = time.monotonic()
        host.send(signal.SIGUSR1)
        while os.sched_getscheduler(host.pid) == REAL_TIME:
            assert time.monotonic() < begun_s + RUN_HARD_S
            time.sleep(0.01)
        assert time.monotonic() >= begun_s + RUN_SOFT_S / 2  # not at the first blow
        assert os.sched_getscheduler(host.pid) == os.SCHED_OTHER
        assert host.state() == "idle"  # and it lives: slow is better than dead
