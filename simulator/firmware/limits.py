"""The limits that the firmware judges its own sensors by; the shared ones are in the envelope.

Each is of the unit, not of the skin: what its parts need, and how fast they move. [D] derived from
the time budgets of the hazard register: the spring shuts the valve in 30 to 50 ms and the line
empties in 80 ms.
"""

from typing import Final

FLOW_NONE_G_PER_MIN: Final = 0.5  # below it is noise of the flow sensor: six times 0.08 g/min
FLOW_EXCESS_RATIO: Final = 1.3  # measured above this much of the setpoint is out of control [D]
FLOW_EXCESS_G_PER_MIN: Final = 1.0
FLOW_MISSING_RATIO: Final = 0.2  # measured below this much of the setpoint is no flow [D]
VALVE_SHUT_PERCENT: Final = 1.0  # on its seat
VALVE_AJAR_PERCENT: Final = 5.0  # certainly not on its seat
SENSORS_DISAGREE_KPA: Final = 2.0  # H07
SENSORS_DISAGREE_RATIO: Final = 0.05
SUPPLY_MIN_V: Final = 20.0  # of 24; the coils of valve and vent let go below 14
PUMP_MAX_DEG_C: Final = 75.0  # diaphragm and bearings of a 24 V diaphragm pump
WASTE_FULL_PERCENT: Final = 95.0
FILTER_MAX_KPA: Final = 6.0  # pressure drop; a clean filter shows about 1
HOPPER_EMPTY_G: Final = 0.5
