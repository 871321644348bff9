"""What the unit must have in store before a treatment begins, from its STATUS.

The device stops by itself when something runs out; looking first spares a client a treatment that
ends in the middle. The marks lie on the safe side of those at which the device trips.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, unique
from types import MappingProxyType
from typing import Final

from controller.safety.reading import Supplies

STATUS_MAX_S: Final = 2.0  # STATUS comes five times a second; one that old says nothing of now
HOPPER_SPARE: Final = 1.25  # crystals pulse, and the last of them do not run out of the cone
WASTE_START_MAX_PERCENT: Final = 90.0  # the device stops at 95
FILTER_START_MAX_KPA: Final = 5.0  # a clean filter takes about 1; the device stops at 6
PUMP_START_MAX_DEG_C: Final = 65.0  # a treatment warms the pump; the device stops at 75
SUPPLY_START_MIN_V: Final = 21.0  # of 24; the pump draws it down by 0.6, the device stops at 20


@unique
class Short(Enum):
    """What is missing; the value is for records."""

    STATUS = "the unit does not say how it is"
    HOPPER = "too few crystals"
    WASTE = "too little room in the waste canister"
    FILTER = "the filter is nearly loaded"
    PUMP = "the pump is warm"
    SUPPLY = "the supply is weak"


@dataclass(frozen=True, slots=True)
class Shortage:
    """One thing that is missing, with the words of this occurrence."""

    short: Short
    detail: str


def shortage(supplies: Supplies | None, needed_g: float, now_s: float) -> Shortage | None:
    """Return the first thing that is missing for a treatment that needs ``needed_g`` of crystals.

    Unknown is missing: a value that is None or not a number does not pass.
    """
    if supplies is None or not now_s - supplies.at_s <= STATUS_MAX_S:
        return Shortage(Short.STATUS, "")
    least_g = needed_g * HOPPER_SPARE
    if not supplies.hopper_g >= least_g:
        held = f"It holds {supplies.hopper_g:.0f} g; fill it to at least {least_g:.0f} g."
        return Shortage(Short.HOPPER, held)
    return next(
        (Shortage(short, say(supplies)) for short, (holds, say) in _CHECKS.items()
         if not holds(supplies)),
        None,
    )  # fmt: skip


_Check = tuple[Callable[[Supplies], bool], Callable[[Supplies], str]]

_CHECKS: Final[Mapping[Short, _Check]] = MappingProxyType(
    {
        Short.WASTE: (
            lambda has: has.waste_percent <= WASTE_START_MAX_PERCENT,
            lambda has: f"It is {has.waste_percent:.0f} percent full.",
        ),
        Short.FILTER: (
            lambda has: has.filter_kpa is not None and has.filter_kpa <= FILTER_START_MAX_KPA,
            lambda has: "" if has.filter_kpa is None else f"It takes {has.filter_kpa:.1f} kPa.",
        ),
        Short.PUMP: (
            lambda has: has.pump_deg_c <= PUMP_START_MAX_DEG_C,
            lambda has: f"It has {has.pump_deg_c:.0f} degrees Celsius.",
        ),
        Short.SUPPLY: (
            lambda has: has.supply_v >= SUPPLY_START_MIN_V,
            lambda has: f"It has {has.supply_v:.1f} V.",
        ),
    }
)
