"""What the kernel's process asks of the system, so that other programs do not hold up its loop.

The lease is renewed every 50 ms and lapses after 200. On a loaded computer an ordinary process may
wait for the processor, for a page that was swapped out, or for a collection of its own; each ends a
treatment that nothing was wrong with. What is asked for, and granted or not, is said in the ready
line, in the status and in the record. Nothing depends on it: without, the same limits hold, and the
preparation measures whether this computer keeps time (`controller.safety.jitter`).

A real-time process that never rests would lock everybody else out. Three things bound it: the
priority is not inherited by a child; the system ends a process that runs for `RUN_HARD_S` without
resting; and before that, at `RUN_SOFT_S`, the process gives its priority up by itself.
"""

import asyncio
import contextlib
import ctypes
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

PRIORITY: Final = 10
"""Of 1 to 99: above everything ordinary, below the threads by which a kernel serves interrupts."""

NICE: Final = -10
"""Where real-time priority is refused: more than nine times the share of an ordinary process."""

RUN_SOFT_S: Final = 0.5
"""A loop that beats every 50 ms rests ten times in this; one that has not is broken."""

RUN_HARD_S: Final = 2.0
"""By then code that hears no signal holds the loop, and the lease has long lapsed."""

SWITCH_S: Final = 0.0005
"""How long the loop waits for the interpreter while the thread of the journal has it; 5 ms is
Python's own, a tenth of a beat for each of the several switches of one."""

SLACK_NS: Final = 1
"""How late the system may wake us to save power; 50 µs is usual."""

GC_YOUNG: Final = 50_000
GC_MIDDLE: Final = 20
GC_OLD: Final = 1_000
"""New objects until a young collection, and how many of those until an older one. What lives for
ever is frozen after the start, so each collection walks only what came since: well below 1 ms."""

_MCL_CURRENT_FUTURE_ONFAULT: Final = 1 | 2 | 4
"""What is used stays in memory; what is only mapped, as most of a thread's stack, is not brought
in: that would cost 20 MB."""

_PR_SET_TIMERSLACK: Final = 29
_TASKS: Final = Path("/proc/self/task")


@dataclass(frozen=True, slots=True)
class Precedence:
    """What was granted; ``refused`` says the rest in words."""

    scheduling: str
    """``real-time 10``, ``nice -10`` or ``ordinary``."""
    memory_locked: bool
    refused: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it for the ready line and the record."""
        return {
            "scheduling": self.scheduling,
            "memory_locked": self.memory_locked,
            "refused": list(self.refused),
        }


class System(Protocol):
    """What is asked; each raises OSError where it is refused or not known here."""

    def real_time(self, priority: int) -> None:
        """Schedule every thread of this process before all ordinary ones; 0 is ordinary."""

    def nice(self, value: int) -> None:
        """Give every thread of this process a larger share."""

    def bound_running(self, soft_s: float, hard_s: float) -> None:
        """Bound for how long this process may run in real time without resting."""

    def lock_memory(self) -> None:
        """Keep in memory what this process uses."""

    def timer_slack(self, slack_ns: int) -> None:
        """Be woken on time."""


class Linux:
    """The calls of Linux. Priorities belong to threads there, so each thread is asked for."""

    def real_time(self, priority: int) -> None:
        """Schedule every thread of this process before all ordinary ones; 0 is ordinary."""
        if sys.platform != "linux":
            raise _unknown_here()
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK if priority else os.SCHED_OTHER
        for thread in _threads():
            os.sched_setscheduler(thread, policy, os.sched_param(priority))

    def nice(self, value: int) -> None:
        """Give every thread of this process a larger share."""
        for thread in _threads():
            os.setpriority(os.PRIO_PROCESS, thread, value)

    def bound_running(self, soft_s: float, hard_s: float) -> None:
        """Bound for how long this process may run in real time without resting."""
        if sys.platform != "linux":
            raise _unknown_here()
        _, before_us = resource.getrlimit(resource.RLIMIT_RTTIME)
        hard_us = int(hard_s * 1e6)
        if before_us != resource.RLIM_INFINITY:
            hard_us = min(hard_us, before_us)
        limits = (min(int(soft_s * 1e6), hard_us), hard_us)
        try:
            resource.setrlimit(resource.RLIMIT_RTTIME, limits)
        except ValueError as error:  # how Python tells that the hard limit is lower
            raise OSError(str(error)) from error

    def lock_memory(self) -> None:
        """Keep in memory what this process uses."""
        _call("mlockall", _MCL_CURRENT_FUTURE_ONFAULT)

    def timer_slack(self, slack_ns: int) -> None:
        """Be woken on time."""
        _call("prctl", _PR_SET_TIMERSLACK, slack_ns, 0, 0, 0)


def take_precedence(system: System | None = None) -> Precedence:
    """Ask for all of it and return what was granted. Called once, when the threads are there."""
    asked = Linux() if system is None else system
    refused: list[str] = []
    scheduling = _scheduled(asked, refused)
    locked = _granted(asked.lock_memory, "locked memory", refused)
    _granted(lambda: asked.timer_slack(SLACK_NS), "exact timers", refused)
    return Precedence(scheduling, locked, tuple(refused))


def _scheduled(system: System, refused: list[str]) -> str:
    def real_time() -> None:
        system.bound_running(RUN_SOFT_S, RUN_HARD_S)  # first: never in real time without a bound
        system.real_time(PRIORITY)

    if _granted(real_time, "real-time priority", refused):
        _give_up_when_running_on(system)
        return f"real-time {PRIORITY}"
    with contextlib.suppress(OSError):  # some of the threads may have got it
        system.real_time(0)
    if _granted(lambda: system.nice(NICE), "a larger share of the processor", refused):
        return f"nice {NICE}"
    return "ordinary"


def _granted(ask: Callable[[], None], what: str, refused: list[str]) -> bool:
    try:
        ask()
    except OSError as error:
        refused.append(f"{what}: {error.strerror or error}")
        return False
    return True


def _give_up_when_running_on(system: System) -> None:
    """Go back to ordinary at the soft bound: slow is better than dead, and the unit is safe."""

    def give_up(_number: int, _frame: object) -> None:
        with contextlib.suppress(OSError):
            system.real_time(0)

    signal.signal(signal.SIGXCPU, give_up)


def settle_memory() -> None:
    """Collect once, and leave out of every later collection what lives for ever."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG, GC_MIDDLE, GC_OLD)
    sys.setswitchinterval(SWITCH_S)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the loop of this process: uvloop's where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - not on every system
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _threads() -> Iterable[int]:
    return [int(entry.name) for entry in _TASKS.iterdir()]


def _call(name: str, *arguments: int) -> None:
    """Call the C library; OSError says why it refused."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        raise _unknown_here()
    if function(*(ctypes.c_ulong(each) for each in arguments)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _unknown_here() -> OSError:
    return OSError("this system has no such thing")
