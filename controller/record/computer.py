"""What the computer says of its boot: which one it is, and for how long it has slept since.

Monotonic time stands still while a computer sleeps, so that a notebook that is never switched off
would seem to have rested for hours where it were days.
"""

import time
from pathlib import Path
from typing import Final

from controller.record.clocks import Here
from controller.safety.timeline import Moment

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
"""Monotonic times of two kernels can be compared where this is the same."""


def here() -> Here:
    """Return the clocks of this computer."""
    return Here(time.time, boot_id(), asleep_s)


def moment() -> Moment:
    """Return this moment by the clocks of this computer, outside of every loop."""
    clocks = here()
    return Moment(clocks.boot, time.monotonic() + clocks.asleep_clock(), clocks.wall_clock())


def boot_id() -> str:
    """Return which boot of the computer this is; empty on a system that does not say."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def asleep_s() -> float:
    """Return for how long the computer has slept since its boot; 0 on a system that cannot say."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    if clock is None:
        return 0.0
    return max(0.0, time.clock_gettime(clock) - time.clock_gettime(time.CLOCK_MONOTONIC))
