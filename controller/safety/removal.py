"""How fast the stratum corneum is worn away: a nominal rate, and a bound that gates the valve.

Sources: [PSI30] Andrews et al., Pharm Res 2013;30:1099-1109, fig. 5 (human skin: 20 s at 30 kPa
remove the stratum corneum, 60 s at 50 kPa the whole epidermis); [A4] Andrews et al., Int J Pharm
2011;407:95-104 (removal depends strongly on crystal flow and time, weakly on suction). The values
live in configs/skin/removal.toml, each with its source.
"""

import math
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, NamedTuple

from controller.safety.breach import p95_factor
from controller.safety.interval import Interval
from firmware_protocol import envelope
from firmware_protocol.messages import MG_PER_G, PA_PER_KPA

SUCTION_WORST_KPA: Final = envelope.SUCTION_TRIP_PA / PA_PER_KPA  # above it the device trips
FLOW_WORST_G_PER_MIN: Final = envelope.FLOW_SET_MAX_MG_PER_MIN / MG_PER_G
READING_MAX: Final = 65.535  # kPa or g/min: the wire cannot carry more, so that sums stay finite
MM_PER_CM: Final = 10.0
SUCTION_CREDIT_MIN_KPA: Final = envelope.SUCTION_PERMIT_MIN_PA / PA_PER_KPA
"""The bound never credits a lower suction: below it the valve is shut, so that a lower reading
while crystals flow is a doubtful reading."""


@unique
class Motion(Enum):
    """What is known of the tip while it is on the skin."""

    MOVING = "the motion sensor says that it moves"
    STILL = "the motion sensor does not say that it moves"
    UNSEEN = "nothing: no motion sensor, or nobody watched"


@unique
class Moisture(Enum):
    """What was asked about the skin: moist or warm skin is softer and goes faster."""

    DRY = "dry"
    MOIST = "moist"
    UNKNOWN = "unknown"


class Rate(NamedTuple):
    """Removal under the tip; the bound is never below the nominal value."""

    nominal_um_per_s: float
    bound_um_per_s: float


@dataclass(frozen=True, slots=True)
class RemovalModel:
    """rate = rate_ref * (flow / flow_ref)^a * (min(suction, choke) / suction_ref)^p * (size)^b.

    The bound is the 95th centile of a lognormal model error. It credits neither the plateau above
    ``choke_kpa`` nor crystals finer than the reference, it takes skin that may be moist as moist,
    and it adds what the unit's readings may be wrong by. The coverage factors are how much more
    than the mean of a zone an uneven hand leaves in one place, with and without a sensor that shows
    when the tip stands still. Removal is spread with the reference window, whatever the tip: the
    same crystals through a smaller window remove the same volume.

    Crystals and skin are unknown until they are said; unknown is the worst of its range.
    """

    rate_ref_um_per_s: float
    suction_ref_kpa: float
    flow_ref_g_per_min: float
    suction_exponent: float
    flow_exponent: float
    choke_kpa: float
    crystal_ref_um: float
    crystal_max_um: float
    size_exponent: float
    moist_factor: float
    error_ln_sd: float
    coverage_factor: float
    coverage_factor_blind: float
    window_ref_mm: float
    rate_ln_sd: float = 0.0
    """What of ``error_ln_sd`` is the rate itself, of which a measured patch tells something."""
    bound_factor: float = 1.0
    """What measured patches of one client make of the bound; see ``patch_reading``."""
    crystal_um: float | None = None
    moisture: Moisture = Moisture.UNKNOWN
    suction_uncertainty_kpa: float = 0.0
    flow_uncertainty_percent: float = 0.0

    @property
    def p95_factor(self) -> float:
        """The 95th centile of the model error over its median."""
        return p95_factor(self.error_ln_sd)

    def rate_um_per_s(self, flow_g_per_min: float | None, suction_kpa: float | None) -> Rate:
        """Return the removal rate under the tip; an unknown reading counts as the worst case.

        Unknown is None, not finite, or negative.
        """
        nominal, bound = self._under_the_tip(flow_g_per_min, suction_kpa)
        return Rate(nominal, bound)

    def _under_the_tip(
        self, flow_g_per_min: float | None, suction_kpa: float | None
    ) -> tuple[float, float]:
        """Return the two fields of a rate; the ledger asks for a hundred of them a second."""
        flow = _or_worst(flow_g_per_min, FLOW_WORST_G_PER_MIN)
        suction = _or_worst(suction_kpa, SUCTION_WORST_KPA)
        nominal = self._rate(flow, min(suction, self.choke_kpa))
        nominal *= self._size_factor(self._crystal_um())
        flow_high = flow * (1.0 + self.flow_uncertainty_percent / 100.0)
        suction_high = max(suction, SUCTION_CREDIT_MIN_KPA) + self.suction_uncertainty_kpa
        bound = self._worst_factor() * self._rate(flow_high, suction_high)
        return nominal, max(bound, nominal)

    def bound_interval_um_per_s(self, flow_g_per_min: Interval, suction_kpa: Interval) -> Interval:
        """Return the bound under the tip over all that flow and suction may truly be."""
        flow_part = flow_g_per_min.over(self.flow_ref_g_per_min).power(self.flow_exponent)
        suction_part = suction_kpa.over(self.suction_ref_kpa).power(self.suction_exponent)
        factor = Interval.around(self.rate_ref_um_per_s * self._worst_factor())
        return factor.times(flow_part).times(suction_part)

    def spread_rate_um_per_s(
        self,
        flow_g_per_min: float | None,
        suction_kpa: float | None,
        area_cm2: float,
        motion: Motion,
    ) -> Rate:
        """Return the removal rate averaged over a zone; the bound in the worst place of it."""
        nominal, bound = self._under_the_tip(flow_g_per_min, suction_kpa)
        nominal_share = self.window_share(area_cm2)
        worst_share = self.place_share(area_cm2, motion)
        return Rate(nominal * nominal_share, bound * worst_share)

    def place_share(self, area_cm2: float, motion: Motion) -> float:
        """Return the part of the time that the worst place of a zone is under the tip, at most 1.

        One place cannot have more than under a tip that stands still: it has all of it.
        """
        if motion is Motion.STILL:
            return 1.0
        moving = motion is Motion.MOVING
        factor = self.coverage_factor if moving else self.coverage_factor_blind
        return min(1.0, self.window_share(area_cm2) * factor)

    def window_share(self, area_cm2: float) -> float:
        """Return the part of a zone that is under the tip at a time, 0 to 1; 1 where unknown."""
        window_cm2 = math.pi / 4.0 * (self.window_ref_mm / MM_PER_CM) ** 2
        return window_cm2 / area_cm2 if area_cm2 >= window_cm2 else 1.0

    def suction_high_kpa(self, suction_kpa: float | None) -> float:
        """Return what the suction on the skin may truly be; an unknown one is the worst case."""
        return _or_worst(suction_kpa, SUCTION_WORST_KPA) + self.suction_uncertainty_kpa

    def _worst_factor(self) -> float:
        size = self._size_factor(max(self._crystal_um(), self.crystal_ref_um))
        skin = 1.0 if self.moisture is Moisture.DRY else self.moist_factor
        return self.bound_factor * self.p95_factor * size * skin

    def _crystal_um(self) -> float:
        known = self.crystal_um
        return known if known is not None and 0.0 < known < math.inf else self.crystal_max_um

    def _size_factor(self, crystal_um: float) -> float:
        return math.pow(crystal_um / self.crystal_ref_um, self.size_exponent)

    def _rate(self, flow_g_per_min: float, suction_kpa: float) -> float:
        flow_part = math.pow(flow_g_per_min / self.flow_ref_g_per_min, self.flow_exponent)
        suction_part = math.pow(suction_kpa / self.suction_ref_kpa, self.suction_exponent)
        return self.rate_ref_um_per_s * flow_part * suction_part


def _or_worst(reading: float | None, worst: float) -> float:
    if reading is not None and 0.0 <= reading < math.inf:
        return min(reading, READING_MAX)
    return worst
