"""What is proved about a plan: per stage and limit, how far the worst case stays inside."""

from dataclasses import dataclass

from controller.safety.limits import Quantity


@dataclass(frozen=True, slots=True)
class Line:
    """One limit of one stage: ``worst`` is the most that can come of it, ``limit`` what may.

    The worst case is over what the unit's readings may be wrong by, and over the latencies of
    telemetry, setpoint and valve; each number rounded towards the bad side.
    """

    zone: str
    display: str
    quantity: Quantity
    limit: float
    worst: float

    @property
    def margin(self) -> float:
        """What is left between the worst case and the limit; below zero where it does not hold."""
        return self.limit - self.worst

    @property
    def holds(self) -> bool:
        """True only for a known worst case that is not above a known limit."""
        return self.worst <= self.limit


@dataclass(frozen=True, slots=True)
class Proof:
    """Every line of a plan, stage by stage."""

    lines: tuple[Line, ...]

    @property
    def holds(self) -> bool:
        """True when something was proved and all of it holds."""
        return bool(self.lines) and all(line.holds for line in self.lines)
