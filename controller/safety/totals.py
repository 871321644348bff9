"""The unit's own totals of what it delivered, and the difference between two looks at them.

The host integrates what it sees. For a time that it did not see, the unit's totals say what went
through the valve, as long as they are those of the same boot of the same unit: they start from 0 at
a boot, and wrap as the 32-bit counters that they are.
"""

import math
from typing import Final, NamedTuple

from controller.safety.reading import Reading

WRAP: Final = 2**32 / 1000.0
"""Where a total begins anew: 4,294,967.296 s or g, more than there is between two looks."""


class Totals(NamedTuple):
    """One look at the totals of a unit."""

    boot_id: int
    contact_s: float
    """Open valve on skin since boot."""
    crystal_g: float
    """Crystals through the valve since boot."""


class Delivered(NamedTuple):
    """What a unit delivered between two looks."""

    contact_s: float
    crystal_g: float


def totals_of(reading: Reading | None) -> Totals | None:
    """Return the totals that came with a reading; None where the unit has not told them."""
    if reading is None or reading.supplies is None:
        return None
    has = reading.supplies
    return Totals(reading.boot_id, has.contact_total_s, has.crystal_total_g)


def delivered(before: Totals | None, now: Totals | None) -> Delivered | None:
    """Return what was delivered from ``before`` to ``now``; None where the totals cannot tell."""
    if before is None or now is None or before.boot_id != now.boot_id:
        return None
    seconds, grams = now.contact_s - before.contact_s, now.crystal_g - before.crystal_g
    if not (math.isfinite(seconds) and math.isfinite(grams)):
        return None
    gave = Delivered(seconds % WRAP, grams % WRAP)
    if not (gave.contact_s < WRAP / 2 and gave.crystal_g < WRAP / 2):
        return None  # a total that went back is not of the same boot, whatever its number says
    return gave
