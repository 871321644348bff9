"""When a timer is armed: never less than a millisecond ahead.

uvloop's clock shows whole milliseconds, and it hands libuv a delay rounded to the nearest one, half
to even. A delay up to 0.5 ms becomes none, so that a timer which looks, finds its deadline not
reached and arms it again, spins until it is (``findings/uvloop-timers.sh``). Any timer may fire up
to a millisecond early, and nothing may rest on the order of deadlines that are closer than that.
"""

from typing import Final

TIMER_LEAD_S: Final = 0.001
"""The shortest delay that no loop of ours rounds to none."""


def armed_s(deadline_s: float, now_s: float) -> float:
    """Return when a timer for ``deadline_s`` is to fire, on the clock of the loop."""
    return max(deadline_s, now_s + TIMER_LEAD_S)
