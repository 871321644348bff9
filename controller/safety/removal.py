"""How fast the stratum corneum is worn away: a nominal rate, and a bound that gates the valve.

Sources: [PSI30] Andrews et al., Pharm Res 2013;30:1099-1109, fig. 5 (human skin: 20 s at 30 kPa
remove the stratum corneum, 60 s at 50 kPa the whole epidermis); [A4] Andrews et al., Int J Pharm
2011;407:95-104 (removal depends strongly on crystal flow and time, weakly on suction). The values
live in configs/skin/removal.toml, each with its source.
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from firmware_protocol import envelope
from firmware_protocol.quantities import MG_PER_G, PA_PER_KPA

SUCTION_WORST_KPA: Final = envelope.SUCTION_TRIP_PA / PA_PER_KPA  # above it the device trips
FLOW_WORST_G_PER_MIN: Final = envelope.FLOW_SET_MAX_MG_PER_MIN / MG_PER_G
READING_MAX: Final = 65.535  # kPa or g/min: the wire cannot carry more, so that sums stay finite
MM_PER_CM: Final = 10.0
SUCTION_CREDIT_MIN_KPA: Final = envelope.SUCTION_PERMIT_MIN_PA / PA_PER_KPA
"""The bound never credits a lower suction: below it the valve is shut, so that a lower reading
while crystals flow is a doubtful reading."""


class Rate(NamedTuple):
    """Removal under the tip; the bound is never below the nominal value."""

    nominal_um_per_s: float
    bound_um_per_s: float


@dataclass(frozen=True, slots=True)
class RemovalModel:
    """rate = rate_ref * (flow / flow_ref)^a * (min(suction, choke) / suction_ref)^p.

    The bound is the 95th centile of the model error, it does not credit the plateau above
    ``choke_kpa``, and it adds what the unit's readings may be wrong by. ``coverage_factor`` is how
    much more than the mean an uneven hand leaves in one place. Removal is spread with the reference
    window, whatever the tip: the same crystals through a smaller window remove the same volume.
    """

    rate_ref_um_per_s: float
    suction_ref_kpa: float
    flow_ref_g_per_min: float
    suction_exponent: float
    flow_exponent: float
    choke_kpa: float
    p95_factor: float
    coverage_factor: float
    window_ref_mm: float
    suction_uncertainty_kpa: float = 0.0
    flow_uncertainty_percent: float = 0.0

    def rate_um_per_s(self, flow_g_per_min: float | None, suction_kpa: float | None) -> Rate:
        """Return the removal rate under the tip; an unknown reading counts as the worst case.

        Unknown is None, not finite, or negative.
        """
        flow = _or_worst(flow_g_per_min, FLOW_WORST_G_PER_MIN)
        suction = _or_worst(suction_kpa, SUCTION_WORST_KPA)
        nominal = self._rate(flow, min(suction, self.choke_kpa))
        flow_high = flow * (1.0 + self.flow_uncertainty_percent / 100.0)
        suction_high = max(suction, SUCTION_CREDIT_MIN_KPA) + self.suction_uncertainty_kpa
        bound = self.p95_factor * self._rate(flow_high, suction_high)
        return Rate(nominal, max(bound, nominal))

    def spread_rate_um_per_s(
        self, flow_g_per_min: float | None, suction_kpa: float | None, area_cm2: float
    ) -> Rate:
        """Return the removal rate averaged over a zone; the bound with the coverage factor.

        One place cannot be removed faster than under a tip that stands still, so that the bound of
        a zone smaller than the window is that of the tip.
        """
        rate = self.rate_um_per_s(flow_g_per_min, suction_kpa)
        share = self.window_share(area_cm2)
        bound_share = min(1.0, share * self.coverage_factor)
        return Rate(rate.nominal_um_per_s * share, rate.bound_um_per_s * bound_share)

    def window_share(self, area_cm2: float) -> float:
        """Return the part of a zone that is under the tip at a time, 0 to 1; 1 where unknown."""
        window_cm2 = math.pi / 4.0 * (self.window_ref_mm / MM_PER_CM) ** 2
        return window_cm2 / area_cm2 if area_cm2 >= window_cm2 else 1.0

    def _rate(self, flow_g_per_min: float, suction_kpa: float) -> float:
        flow_part = math.pow(flow_g_per_min / self.flow_ref_g_per_min, self.flow_exponent)
        suction_part = math.pow(suction_kpa / self.suction_ref_kpa, self.suction_exponent)
        return self.rate_ref_um_per_s * flow_part * suction_part


def _or_worst(reading: float | None, worst: float) -> float:
    if reading is not None and 0.0 <= reading < math.inf:
        return min(reading, READING_MAX)
    return worst
