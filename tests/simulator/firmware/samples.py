"""Sensor samples for tests."""

from typing import Any

from simulator.plant.signals import Sensors


def at_rest(**changes: Any) -> Sensors:  # noqa: ANN401 - by name of a sensor
    """Return a sample of a healthy unit at rest, with changes by name."""
    values: dict[str, Any] = {
        "suction_a_kpa": 0.02,
        "suction_b_kpa": 0.0,
        "flow_g_per_min": 0.03,
        "valve_percent": 0.0,
        "contact": False,
        "motion": False,
        "switch_closed": False,
        "switch_rest": True,
        "hopper_g": 300.0,
        "waste_percent": 4.0,
        "filter_kpa": 0.5,
        "pump_deg_c": 23.0,
        "supply_v": 24.0,
        "tip": 1,
    }
    return Sensors(**(values | changes))
