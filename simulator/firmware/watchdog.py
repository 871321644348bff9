"""The window watchdog: a counter of its own beside the processor that restarts it.

It knows nothing of the firmware but the pulse at the end of each tick, after both channels have
judged. No pulse for too long is a hang; more than one in a tick is a loop that runs wild. Then it
takes the power from the outputs and restarts the processor, whose outputs are off at a restart.
"""

from typing import Final

STALL_MAX_MS: Final = 100  # with the spring of the valve inside of 250 ms; twenty ticks
PULSES_MAX: Final = 1


class Watchdog:
    """Counts in its own time; one per restart."""

    __slots__ = ("_pulses", "_silent_ms")

    def __init__(self) -> None:
        self._pulses = 0
        self._silent_ms = 0

    def elapse(self, dt_ms: int, pulses: int) -> bool:
        """Let a time pass, with the pulses so far, and return whether to restart the processor."""
        news, self._pulses = pulses - self._pulses, pulses
        self._silent_ms = 0 if news else self._silent_ms + dt_ms
        return news > PULSES_MAX or self._silent_ms > STALL_MAX_MS
