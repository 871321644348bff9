"""What the kernel asks of the system, what is said of it, and what bounds it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.device.precedence import (
    NICE,
    PRIORITY,
    RUN_HARD_S,
    RUN_SOFT_S,
    Precedence,
    take_precedence,
)

ROOT = Path(__file__).resolve().parents[3]


class Desk:
    """A system that grants what a test says, and remembers what it was asked for."""

    def __init__(self, *grants: str) -> None:
        self.grants = grants
        self.asked: list[tuple[str, object]] = []

    def real_time(self, priority: int) -> None:
        self._asked("real_time", priority)

    def nice(self, value: int) -> None:
        self._asked("nice", value)

    def bound_running(self, soft_s: float, hard_s: float) -> None:
        self._asked("bound_running", (soft_s, hard_s))

    def lock_memory(self) -> None:
        self._asked("lock_memory", None)

    def timer_slack(self, slack_ns: int) -> None:
        self._asked("timer_slack", slack_ns)

    def _asked(self, what: str, value: object) -> None:
        self.asked.append((what, value))
        if what not in self.grants:
            raise PermissionError(1, "Operation not permitted")


ALL = ("real_time", "nice", "bound_running", "lock_memory", "timer_slack")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Put back the handler that a grant installs."""
    before = signal.getsignal(signal.SIGXCPU)
    yield
    signal.signal(signal.SIGXCPU, before)


def test_with_every_right_it_runs_in_real_time_with_locked_memory() -> None:
    desk = Desk(*ALL)
    assert take_precedence(desk) == Precedence(f"real-time {PRIORITY}", memory_locked=True)
    assert ("nice", NICE) not in desk.asked


def test_it_is_never_in_real_time_without_a_bound() -> None:
    desk = Desk("real_time", "nice", "lock_memory", "timer_slack")
    assert take_precedence(desk).scheduling == f"nice {NICE}"
    assert ("real_time", PRIORITY) not in desk.asked
    desk = Desk(*ALL)
    take_precedence(desk)
    bound = desk.asked.index(("bound_running", (RUN_SOFT_S, RUN_HARD_S)))
    assert bound < desk.asked.index(("real_time", PRIORITY))


def test_an_ordinary_account_is_told_what_was_refused() -> None:
    granted = take_precedence(Desk("bound_running"))
    assert granted.scheduling == "ordinary"
    assert not granted.memory_locked
    assert [each.partition(":")[0] for each in granted.refused] == [
        "real-time priority",
        "a larger share of the processor",
        "locked memory",
        "exact timers",
    ]
    assert all("not permitted" in each for each in granted.refused)


def _may_run_in_real_time() -> bool:
    script = "import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"
    asked = subprocess.run([sys.executable, "-c", script], stderr=subprocess.DEVNULL, check=False)
    return asked.returncode == 0


needs_real_time = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not _may_run_in_real_time(),
    reason="this account may not run in real time",
)

SPIN = """
import os, subprocess, sys, threading, time
from controller.device.precedence import take_precedence
threading.Thread(target=time.sleep, args=(30.0,), daemon=True).start()
print(take_precedence().scheduling, flush=True)
threads = [int(name) for name in os.listdir("/proc/self/task")]
def policies():
    return {os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK for thread in threads}
print(policies())
subprocess.run([sys.executable, "-c", "import os; print({os.sched_getscheduler(0)}, flush=True)"])
began_s = time.monotonic()
while time.monotonic() - began_s < 1.0:
    pass
print(policies())
"""

HANG = """
from controller.device.precedence import take_precedence
take_precedence()
sum(iter(int, 1))
"""


def run(script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script on our sources to its end."""
    return subprocess.run(
        [sys.executable, "-uc", script], capture_output=True, text=True, timeout=30, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip


@pytest.mark.realtime
@pytest.mark.alone
@needs_real_time
def test_every_thread_is_granted_no_child_is_and_a_loop_that_never_rests_gives_it_up() -> None:
    done = run(SPIN)
    assert done.stdout.splitlines() == [
        f"real-time {PRIORITY}",
        f"{{{os.SCHED_RR}}}",
        f"{{{os.SCHED_OTHER}}}",
        f"{{{os.SCHED_OTHER}}}",
    ], done.stderr


@pytest.mark.realtime
@pytest.mark.alone
@needs_real_time
def test_code_that_hears_no_signal_is_ended_by_the_system() -> None:
    """`sum` over what never ends stays in C, where no handler of Python's ever runs."""
    assert run(HANG).returncode == -signal.SIGKILL
