"""Supply voltage and pump temperature: slow, followed every 100 ms."""

import math
from dataclasses import dataclass
from typing import Final

from simulator.plant.faults import Effects
from simulator.plant.spec import PlantSpec
from simulator.plant.steps import SAMPLE_S, SAMPLES_PER_SLOW

SLOW_S: Final = SAMPLE_S * SAMPLES_PER_SLOW
OVERHEAT_S: Final = 0.5  # a fault heats the sensor within the time budget of its hazard


@dataclass(slots=True)
class Electrics:
    """Temperature of the pump; the supply follows the load at once."""

    pump_deg_c: float
    fault_deg_c: float = 0.0

    def warm(self, spec: PlantSpec, effects: Effects, pump_speed: float) -> None:
        """Let ``SLOW_S`` pass."""
        settled = spec.ambient_deg_c + spec.pump_rise_deg_c * pump_speed
        self.pump_deg_c += (settled - self.pump_deg_c) * -math.expm1(-SLOW_S / spec.pump_thermal_s)
        share = -math.expm1(-SLOW_S / OVERHEAT_S)
        self.fault_deg_c += (effects.overheat_deg_c - self.fault_deg_c) * share


def supply_v(spec: PlantSpec, effects: Effects, pump_speed: float) -> float:
    """Return the voltage at the outputs."""
    return effects.supply_share * (spec.supply_nominal_v - spec.supply_droop_v * pump_speed)
