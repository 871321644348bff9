"""What the skin of one simulated client is, and how fast crystals remove it. Needs numpy.

Everything here is hidden from the controller and drawn from the published ranges, not from what a
controller assumes of them. Two kinds of spread stay apart. What varies between clients, hands and
strokes is always drawn: thickness, layers, moisture, the angle of the tip. What nobody has measured
well, the rate itself and its exponents, is as one of three accounts has it.
"""

from dataclasses import dataclass
from enum import Enum, unique
from math import log, sqrt
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from qa.skin.belief_file import rate_belief
from qa.skin.sites import thickness_of

Floats = NDArray[np.float64]
FloatOrFloats = TypeVar("FloatOrFloats", float, Floats)

BETWEEN_CV: Final = 0.23
"""Between subjects, one site: 0.20 to 0.27 in Sandby-Møller et al. 2003."""

WITHIN_SHARE: Final = (0.50, 0.74)
"""Of the total variance, the part within one site: Robertson & Rees 2010."""

LAYER_UM: Final = (0.5, 1.0, 1.3)
"""Lowest, usual and highest thickness of one layer. Three numbers are all that is published, so the
distribution is the triangle over them; a lognormal would leave the range at both ends."""

HYDRATION_LN_SD: Final = 0.3
"""Moist or warm skin gives way up to twice as fast: Kendall 2004, Wildnauer 1971."""

ANGLE_LN_SD: Final = 0.35
"""0.5 to 2 between grazing and steep impact: Hutchings 1981."""

RATE_LOWEST_UM_PER_S: Final = 0.75
"""15 um in the whole of 20 s at 30 kPa (Andrews et al. 2013, Pharm Res 30:1099-1109, figure 5): the
stratum corneum was gone by then, so that this is the least that the rate can have been."""

RATE_WIDE_UM_PER_S: Final = (0.4, 8.0)
"""The middle 95 %: from less than the least, to what ten passes of a moving tip would mean if they
removed the whole stratum corneum (Gill et al. 2009; how many it took was not read)."""

RATE_WIDE_MEDIAN_UM_PER_S: Final = sqrt(RATE_WIDE_UM_PER_S[0] * RATE_WIDE_UM_PER_S[1])
RATE_WIDE_LN_SD: Final = log(RATE_WIDE_UM_PER_S[1] / RATE_WIDE_UM_PER_S[0]) / (2.0 * 1.96)

SUCTION_EXPONENT: Final = (0.2, 0.7, 1.2)
"""Lowest, middle and highest exponent of suction at a fixed flow."""

FLOW_EXPONENT: Final = (0.7, 1.0)
"""Lowest, and highest: crystals that meet shield the skin."""

REFERENCE_KPA: Final = 30.0
REFERENCE_G_PER_MIN: Final = 10.0
"""The experiments do not tell their crystal flow. ASSUMED, and part of what the rate lacks."""

CHOKE_KPA: Final = 48.0
"""From here on the air in the nozzle is as fast as sound, and crystals get no faster."""

JET_EXPONENT: Final = 0.4
"""The speed of a crystal that a jet carries over 10 to 30 mm grows with suction to this power."""


@unique
class Account(Enum):
    """What is taken for the removal rate, which nobody has measured on this device."""

    LOWEST = "lowest plausible rate"
    """The least that the one published experiment allows, for everybody: only what varies between
    clients is drawn."""
    POSTERIOR = "posterior"
    """Drawn, with the exponents, from what the published anchors leave (`qa.anchors`)."""
    WIDE = "wide"
    """Drawn from all that anybody might believe, the exponents too."""


@dataclass(frozen=True, slots=True)
class SkinTruth:
    """One zone of one client."""

    thickness_mean_um: float
    layer_um: float
    within_cv: float
    """Standard deviation over mean of the thickness from place to place."""
    hydration: float
    """Factor on the rate."""
    rate_um_per_s: float
    """Mean depth per second under the tip, at the references and a hydration and angle of 1."""
    suction_exponent: float
    flow_exponent: float


@dataclass(frozen=True, slots=True)
class SkinTruths:
    """The same zone of many clients: each field is an array with one value for each."""

    thickness_mean_um: Floats
    layer_um: Floats
    within_cv: Floats
    hydration: Floats
    rate_um_per_s: Floats
    suction_exponent: Floats
    flow_exponent: Floats

    def one(self, number: int) -> SkinTruth:
        """Return one client."""
        return SkinTruth(
            thickness_mean_um=float(self.thickness_mean_um[number]),
            layer_um=float(self.layer_um[number]),
            within_cv=float(self.within_cv[number]),
            hydration=float(self.hydration[number]),
            rate_um_per_s=float(self.rate_um_per_s[number]),
            suction_exponent=float(self.suction_exponent[number]),
            flow_exponent=float(self.flow_exponent[number]),
        )


def draw_truth(zone: str, rng: np.random.Generator, account: Account = Account.LOWEST) -> SkinTruth:
    """Return the skin of one client; UnknownZoneError where nothing is known about the zone."""
    return draw_truths(zone, 1, rng, account).one(0)


def draw_truths(
    zone: str,
    count: int,
    rng: np.random.Generator,
    account: Account = Account.LOWEST,
    rate_tilt: float = 0.0,
) -> SkinTruths:
    """Return the skin of many clients.

    ``rate_tilt`` shifts a rate that is drawn by so many standard deviations, for whoever wants high
    ones more often and weighs them.

    The same generator gives the same clients in every account: only the rate and its exponents
    differ.
    """
    mean_um, between = thickness_of(zone), ln_sd_of(BETWEEN_CV)
    thickness = mean_um * np.exp(between * rng.standard_normal(count) - between**2 / 2)
    layer = rng.triangular(*LAYER_UM, count)
    share = rng.uniform(*WITHIN_SHARE, count)
    hydration = np.exp(HYDRATION_LN_SD * rng.standard_normal(count))
    deviates = rng.standard_normal((3, count))
    deviates[0] += rate_tilt
    rate, suction, flow = rates_of(account, deviates)
    return SkinTruths(
        thickness_mean_um=thickness,
        layer_um=layer,
        within_cv=within_cv_of(share),
        hydration=hydration,
        rate_um_per_s=rate,
        suction_exponent=suction,
        flow_exponent=flow,
    )


def ln_rate_of(account: Account) -> tuple[float, float]:
    """Return mean and standard deviation of the logarithm of the rate in an account."""
    if account is Account.LOWEST:
        return log(RATE_LOWEST_UM_PER_S), 0.0
    if account is Account.WIDE:
        return log(RATE_WIDE_MEDIAN_UM_PER_S), RATE_WIDE_LN_SD
    belief = rate_belief()
    return float(belief.means[0]), float(belief.covariance[0, 0] ** 0.5)


def rates_of(account: Account, deviates: Floats) -> tuple[Floats, Floats, Floats]:
    """Return rates, exponents of suction and of flow; the first deviate is the rate's alone."""
    mean, sd = ln_rate_of(account)
    rate = np.exp(mean + sd * deviates[0])
    low, middle, high = SUCTION_EXPONENT
    if account is Account.LOWEST:
        return rate, np.full_like(rate, middle), np.full_like(rate, FLOW_EXPONENT[1])
    even = ndtr(deviates)
    if account is Account.WIDE:
        flow_low, flow_high = FLOW_EXPONENT
        return rate, low + (high - low) * even[1], flow_low + (flow_high - flow_low) * even[2]
    belief = rate_belief()
    lower = np.linalg.cholesky(belief.covariance)
    suction, flow = (belief.means[:, None] + lower @ deviates)[1:]
    return rate, np.clip(suction, low, high), np.clip(flow, *FLOW_EXPONENT)


def draw_angles(count: int, rng: np.random.Generator) -> Floats:
    """Return the factor on the rate that the angle of the tip makes, one for each stroke."""
    return np.exp(ANGLE_LN_SD * rng.standard_normal(count))


def rate_under_tip(
    truth: SkinTruth | SkinTruths, flow_g_per_min: FloatOrFloats, suction_kpa: FloatOrFloats
) -> FloatOrFloats:
    """Return the mean depth per second (um/s) under the whole window of the tip, at an angle of 1.

    The jet gives a crystal its speed, up to the choke; what it removes goes with a power of that
    speed, so that the exponent of suction is the product of the two.
    """
    speed = (np.clip(suction_kpa, 0.0, CHOKE_KPA) / REFERENCE_KPA) ** JET_EXPONENT
    energy = speed ** (truth.suction_exponent / JET_EXPONENT)
    crystals = (np.maximum(flow_g_per_min, 0.0) / REFERENCE_G_PER_MIN) ** truth.flow_exponent
    return truth.rate_um_per_s * truth.hydration * crystals * energy  # type: ignore[no-any-return]  # numpy's powers are untyped


def within_cv_of(share: FloatOrFloats) -> FloatOrFloats:
    """Return the relative spread within a site whose part of the total variance is ``share``."""
    return BETWEEN_CV * np.sqrt(share / (1.0 - share))  # type: ignore[no-any-return]  # as above


def ln_sd_of(cv: float) -> float:
    """Return the standard deviation of the logarithm of a lognormal with this relative spread."""
    return sqrt(log(1.0 + cv * cv))
