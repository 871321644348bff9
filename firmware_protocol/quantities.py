"""The one place where wire counts become floats with units, and back.

On the wire every quantity is an unsigned integer in the unit its field is named for; inside, the
host and the plant use floats in the units of the field: kPa below ambient, g/min, seconds.
"""

import math
from typing import Final

from firmware_protocol.errors import LocalProtocolError

UNKNOWN_U16: Final = 0xFFFF
"""The count that says: this sensor has no valid reading."""

PA_PER_KPA: Final = 1000
MG_PER_G: Final = 1000


def kpa_to_pa(suction_kpa: float) -> int:
    """Return suction in whole pascals below ambient; LocalProtocolError unless 0 to 65.534 kPa."""
    return _count(suction_kpa * PA_PER_KPA, "suction_kpa", suction_kpa)


def pa_to_kpa(suction_pa: int) -> float | None:
    """Return suction in kPa below ambient, or None where the sensor has no valid reading."""
    return None if suction_pa == UNKNOWN_U16 else suction_pa / PA_PER_KPA


def g_per_min_to_mg_per_min(flow_g_per_min: float) -> int:
    """Return crystal flow in whole mg/min; LocalProtocolError unless 0 to 65.534 g/min."""
    return _count(flow_g_per_min * MG_PER_G, "flow_g_per_min", flow_g_per_min)


def mg_per_min_to_g_per_min(flow_mg_per_min: int) -> float | None:
    """Return crystal flow in g/min, or None where the sensor has no valid reading."""
    return None if flow_mg_per_min == UNKNOWN_U16 else flow_mg_per_min / MG_PER_G


def _count(scaled: float, name: str, value: float) -> int:
    if math.isfinite(scaled) and scaled >= 0.0 and round(scaled) < UNKNOWN_U16:
        return round(scaled)
    raise LocalProtocolError(f"{name} {value} is not in 0 to 65.534, the span of the wire")
