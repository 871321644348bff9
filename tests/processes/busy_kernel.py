"""A kernel whose loop can be made busy: SIGUSR1 spins it for a second. Only for tests.

Run as a module in place of `controller.kernel`; the kernel itself has no such door.
"""

import signal
import sys
import time

from controller.kernel.process import main

SPIN_S = 1.0


def spin(_number: int, _frame: object) -> None:
    """Do nothing, busily."""
    end_s = time.monotonic() + SPIN_S
    while time.monotonic() < end_s:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, spin)
    sys.exit(main())
