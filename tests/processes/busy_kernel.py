"""A kernel whose loop can be made busy: SIGUSR1 spins it for a second. Only for tests.

Run as a module in place of `controller.kernel`; the kernel itself has no such door.
"""

import os
import signal
import sys
import time

from controller.kernel.process import main

SPIN_S = 1.0


def spin(_number: int, _frame: object) -> None:
    """Do nothing, busily, at ordinary priority.

    Scenes play beside each other: one that spins ahead of everything holds up the others' bytes
    until the kernel's own bound takes it down (0.5 s), and their leases lapse before their time.
    """
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    end_s = time.monotonic() + SPIN_S
    while time.monotonic() < end_s:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, spin)
    sys.exit(main())
