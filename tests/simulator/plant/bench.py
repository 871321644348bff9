"""A plant on the bench: a hand that is moved by hand, and a regulator for the pump."""

import random
from collections.abc import Callable

from simulator.plant.hand import ManualHand
from simulator.plant.hands import AbsentHand
from simulator.plant.plant import Drives, Plant, Sensors
from simulator.plant.spec import PlantSpec

TICK = 5  # steps


def dice(seed: int) -> random.Random:
    """Return a source of chance for a plant or a hand."""
    return random.Random(seed)  # noqa: S311  chance for physics, not for secrets


class Bench:
    """One plant with its drives at hand."""

    def __init__(self, spec: PlantSpec | None = None, seed: int = 1) -> None:
        self.hand = ManualHand(AbsentHand())
        self.plant = Plant(spec or PlantSpec(), self.hand, dice(seed))
        self.drives = Drives()
        self.integral = 0.0

    def run(self, seconds: float) -> Sensors:
        return self.plant.advance(self.drives, round(seconds * 1000))

    def until(self, holds: Callable[[], bool], within_s: float) -> float:
        """Return the seconds until the condition holds; fail when it does not in time."""
        for tick in range(round(within_s * 1000 / TICK) + 1):
            if holds():
                return tick * TICK / 1000
            self.plant.advance(self.drives, TICK)
        raise AssertionError(f"not within {within_s} s: {self.plant.truth}")

    def regulate(self, set_kpa: float, seconds: float) -> float:
        """Hold a suction with a plain PI regulator and return the highest suction seen."""
        peak_kpa = 0.0
        self.drives.vent_closed = True
        for _ in range(round(seconds * 1000 / TICK)):
            suction_kpa = self.plant.sensors.suction_a_kpa or 0.0
            error_kpa = set_kpa - suction_kpa
            wanted = 0.06 * error_kpa + self.integral
            if 0.0 < wanted < 1.0:
                self.integral += 0.06 * error_kpa * TICK / 1000
            self.drives.pump = min(max(wanted, 0.0), 1.0)
            self.plant.advance(self.drives, TICK)
            peak_kpa = max(peak_kpa, self.plant.truth.suction_kpa)
        return peak_kpa

    def treat(self, valve: float = 0.4, set_kpa: float = 28.0) -> None:
        """Bring the plant into steady work: sealed, regulated, crystals flowing."""
        self.hand.place()
        self.hand.press()
        self.regulate(set_kpa, 2.0)
        self.drives.valve = valve
        self.regulate(set_kpa, 1.0)
