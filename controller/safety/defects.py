"""What a self-test of the unit found, in words for people."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from firmware_protocol.vocabulary import Defect

DEFECTS: Final[Mapping[Defect, str]] = MappingProxyType(
    {
        Defect.SENSOR_LOST: "a sensor does not answer",
        Defect.SWITCH_PRESSED: "the hand switch was not released",
        Defect.NOT_VENTED: "the line did not vent",
        Defect.ZERO_A: "suction sensor A is off its zero",
        Defect.ZERO_B: "suction sensor B is off its zero",
        Defect.SENSORS_DISAGREE: "the two suction sensors disagree",
        Defect.SENSOR_FROZEN: "a sensor shows no noise",
        Defect.VALVE_OPEN: "the crystal valve was not shut",
        Defect.FLOW: "crystals flowed through a shut valve",
        Defect.HOPPER_EMPTY: "the hopper is empty",
        Defect.WASTE_FULL: "the waste canister is full",
        Defect.FILTER_LOADED: "the filter is loaded",
        Defect.PUMP_HOT: "the pump is too hot",
        Defect.SUPPLY_LOW: "the supply is too low",
        Defect.MEMORY_SPOILT: "its memory was damaged",
        Defect.WATCHDOG: "its watchdog restarted it",
    }
)


def told(defects: Defect) -> str:
    """Return what was found as one list of words; nothing where nothing was."""
    return ", ".join(words for defect, words in DEFECTS.items() if defect in defects)
