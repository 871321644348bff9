"""The exposure ledger of a zone: what was removed, nominally and at the bound that gates."""

import math
from dataclasses import dataclass
from typing import Final

from controller.safety.removal import FLOW_WORST_G_PER_MIN, READING_MAX, RemovalModel
from firmware_protocol.quantities import MG_PER_G

LEFT_MAX_MG: Final = 0xFFFF  # the width of exposure_left_mg on the wire
SECONDS_PER_MIN: Final = 60.0
CHARGE_MAX_S: Final = 3600.0  # one charge; longer than any treatment is not a time but a mistake


@dataclass(frozen=True, slots=True)
class ZoneUse:
    """What a zone has received in this treatment; also what a resumed treatment starts from."""

    nominal_um: float = 0.0
    bound_um: float = 0.0
    contact_s: float = 0.0
    grams: float = 0.0


@dataclass(slots=True)
class ZoneLedger:
    """Adds up the removal in one zone; nothing ever takes away from it.

    ``bound_um`` is the 95th centile with uneven strokes; the valve may be open only while it is
    below ``cap_um``. What cannot be computed uses up everything that was left.
    """

    zone: str
    cap_um: float
    area_cm2: float
    model: RemovalModel
    nominal_um: float = 0.0
    bound_um: float = 0.0
    contact_s: float = 0.0
    grams: float = 0.0

    def add(self, flow_g_per_min: float | None, suction_kpa: float | None, open_s: float) -> None:
        """Charge ``open_s`` seconds of open valve on skin; an unknown reading is the worst case."""
        if not (0.0 <= open_s <= CHARGE_MAX_S):
            self.bound_um = max(self.bound_um, self.cap_um)
            return
        rate = self.model.spread_rate_um_per_s(flow_g_per_min, suction_kpa, self.area_cm2)
        self.nominal_um += rate.nominal_um_per_s * open_s
        self.bound_um += rate.bound_um_per_s * open_s
        self.contact_s += open_s
        self.grams += _known_flow(flow_g_per_min) * open_s / SECONDS_PER_MIN

    def charge(
        self, seconds: float, suction_kpa: float | None = None, flow_g_per_min: float | None = None
    ) -> None:
        """Charge a time that nobody watched as if the valve had been open all through it."""
        self.add(flow_g_per_min, suction_kpa, seconds)

    @property
    def left_um(self) -> float:
        """What the bound may still rise by; 0 when the cap is reached or not known."""
        left = self.cap_um - self.bound_um
        return left if left > 0.0 else 0.0

    @property
    def reached(self) -> bool:
        """True unless there is provably something left under the cap."""
        return not (self.bound_um < self.cap_um)

    @property
    def use(self) -> ZoneUse:
        """A frozen copy of what was used."""
        return ZoneUse(self.nominal_um, self.bound_um, self.contact_s, self.grams)

    def left_s(self, flow_g_per_min: float | None, suction_kpa: float | None) -> float:
        """Return the seconds of contact that still fit under the cap; infinite without flow."""
        rate = self.model.spread_rate_um_per_s(flow_g_per_min, suction_kpa, self.area_cm2)
        if rate.bound_um_per_s <= 0.0:
            return math.inf if not self.reached else 0.0
        return self.left_um / rate.bound_um_per_s

    def left_mg(self, flow_g_per_min: float | None = None, suction_kpa: float | None = None) -> int:
        """Return the crystals that still fit under the cap, in whole mg, rounded down.

        This is what SETPOINT tells the device, which meters crystals by itself. At a flow of zero
        nothing fits: a setpoint without flow permits none.
        """
        flow = _known_flow(flow_g_per_min)
        if not (flow > 0.0):
            return 0
        left_g = self.left_s(flow, suction_kpa) * flow / SECONDS_PER_MIN
        return math.floor(min(float(LEFT_MAX_MG), left_g * MG_PER_G))


def _known_flow(flow_g_per_min: float | None) -> float:
    if flow_g_per_min is not None and 0.0 <= flow_g_per_min < math.inf:
        return min(flow_g_per_min, READING_MAX)
    return FLOW_WORST_G_PER_MIN
