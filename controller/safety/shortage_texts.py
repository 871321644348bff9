"""What is missing before a treatment begins, in words: one alarm for each shortage."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from controller.safety.alarms import Alarm, Priority
from controller.safety.supplies import Short

_LOW: Final = Priority.LOW

HOPPER_LOW: Final = Alarm(
    "F04", _LOW, "There are too few crystals for this treatment.",
    "Fill dry crystals of a known lot and start again.", latching=False,
)  # fmt: skip
WASTE_HIGH: Final = Alarm(
    "T03", _LOW, "The waste canister has too little room for a treatment.",
    "Empty the waste canister and start again.", latching=False,
)  # fmt: skip
FILTER_HIGH: Final = Alarm(
    "T04", _LOW, "The filter is nearly clogged.", "Change the filter and start again.",
    latching=False,
)  # fmt: skip
PUMP_WARM: Final = Alarm(
    "U13", _LOW, "The pump is too warm to begin.",
    "Let the unit cool down for ten minutes and start again.", latching=False,
)  # fmt: skip
SUPPLY_LOW: Final = Alarm(
    "U14", _LOW, "The supply voltage of the unit is too low to begin.",
    "Check the mains plug and start again.", latching=False,
)  # fmt: skip
NO_STATUS: Final = Alarm(
    "U15", _LOW, "The unit does not say how full its hopper and its waste canister are.",
    "Check the cable and start again; call service if it happens again.", latching=False,
)  # fmt: skip
UNSTEADY: Final = Alarm(
    "C16", _LOW, "This computer is held up too often to treat with it.",
    "Close other programs, switch power saving off, then start again; "
    "`corneum doctor --jitter` measures it.",
    latching=False,
)  # fmt: skip

OF_SHORT: Final[Mapping[Short, Alarm]] = MappingProxyType(
    {
        Short.STATUS: NO_STATUS,
        Short.HOPPER: HOPPER_LOW,
        Short.WASTE: WASTE_HIGH,
        Short.FILTER: FILTER_HIGH,
        Short.PUMP: PUMP_WARM,
        Short.SUPPLY: SUPPLY_LOW,
    }
)
