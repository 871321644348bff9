"""How well this process keeps its beat, and what the system granted it for that."""

import math
from dataclasses import dataclass

from controller.api.snapshot import KernelView
from controller.device.precedence import Precedence
from firmware_protocol.envelope import SETPOINT_PERIOD_S


@dataclass(slots=True)
class Timing:
    """The beat of the control loop, on absolute deadlines."""

    late_max_s: float = 0.0
    """The latest beat so far."""
    beats_missed: int = 0
    precedence: Precedence | None = None
    """None where nobody asked the system for any: in tests and in virtual time."""

    def next_due_s(self, due_s: float, now_s: float) -> float:
        """Return when the beat after that of ``due_s`` is due; missed ones are not made up for."""
        due_s += SETPOINT_PERIOD_S
        if now_s > due_s:
            missed = math.ceil((now_s - due_s) / SETPOINT_PERIOD_S)
            self.beats_missed += missed
            due_s += missed * SETPOINT_PERIOD_S
        return due_s

    def woke(self, due_s: float, now_s: float) -> None:
        """Note how late a beat came."""
        self.late_max_s = max(self.late_max_s, now_s - due_s)

    def view(self, pid: int, port: str, uptime_s: float) -> KernelView:
        """Return what is shown of the process."""
        granted = self.precedence
        return KernelView(
            pid,
            port,
            round(uptime_s, 3),
            None if granted is None else granted.scheduling,
            None if granted is None else granted.memory_locked,
            round(self.late_max_s * 1000, 1),
            self.beats_missed,
        )
