"""Many simulated clients at once, and the rare ones more often where that saves treatments.

What a client's skin is comes from `qa.skin.truth`. One client has the same skin, thick
or thin, moist or dry, in every zone; the zones differ by their published means.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa.skin.sites import thickness_of
from qa.skin.truth import (
    BETWEEN_CV,
    HYDRATION_LN_SD,
    Account,
    SkinTruths,
    draw_truths,
    ln_rate_of,
    ln_sd_of,
)

Array = NDArray[np.float64]

ANY_ZONE: Final = "cheek_left"  # thickness is drawn there and told as a share of its mean
UNIT_FLOW_SHARE: Final = 0.10  # what the flow of a calibrated unit may be off by, evenly


@dataclass(frozen=True, slots=True)
class Clients:
    """One value of each per client."""

    skin: SkinTruths
    """With a thickness of 1 for a client of the published mean."""
    unit_flow: Array
    """True over measured crystal flow of the unit."""
    weight: Array
    """What the client counts for: 1, or less where rare ones were drawn more often."""

    def part(self, which: slice) -> "Clients":
        """Return some of the clients."""
        skin = SkinTruths(*(getattr(self.skin, field.name)[which] for field in fields(SkinTruths)))
        return Clients(skin, self.unit_flow[which], self.weight[which])

    def with_median(self, name: str) -> "Clients":
        """Return the same clients with one hidden parameter at its median for all of them."""
        values = getattr(self.skin, name)
        same = np.full_like(values, np.median(values))
        return replace(self, skin=replace(self.skin, **{name: same}))

    def __len__(self) -> int:
        """Return how many clients there are."""
        return len(self.weight)


@dataclass(frozen=True, slots=True)
class Tilt:
    """How far thickness, moisture and rate are shifted, in standard deviations of their logarithm.

    Importance sampling: the weight of a client is the ratio of the densities.
    """

    thickness: float = 0.0
    hydration: float = 0.0
    rate: float = 0.0


NO_TILT: Final = Tilt()
TOWARDS_BREACH: Final[Mapping[Account, Tilt]] = MappingProxyType(
    {
        Account.LOWEST: Tilt(thickness=-1.8, hydration=1.5),
        Account.POSTERIOR: Tilt(thickness=-0.6, hydration=0.5, rate=1.0),
        Account.WIDE: Tilt(thickness=-0.6, hydration=0.5, rate=1.0),
    }
)
"""Thin and moist skin and, where the rate is drawn, a high one: the smallest error of `refresh`."""


def draw_clients(
    n: int, account: Account, rng: np.random.Generator, tilt: Tilt = NO_TILT
) -> Clients:
    """Draw ``n`` clients."""
    skin = draw_truths(ANY_ZONE, n, rng, account, tilt.rate)
    between = ln_sd_of(BETWEEN_CV)
    share = skin.thickness_mean_um / thickness_of(ANY_ZONE)
    thick = (np.log(share) + between**2 / 2.0) / between
    log_weight = _log_weight(thick, tilt.thickness)
    share = share * np.exp(between * tilt.thickness)
    wet = np.log(skin.hydration) / HYDRATION_LN_SD
    log_weight = log_weight + _log_weight(wet, tilt.hydration)
    hydration = skin.hydration * np.exp(HYDRATION_LN_SD * tilt.hydration)
    mean, sd = ln_rate_of(account)
    if sd > 0.0:
        high = (np.log(skin.rate_um_per_s) - mean) / sd - tilt.rate
        log_weight = log_weight + _log_weight(high, tilt.rate)
    return Clients(
        replace(skin, thickness_mean_um=share, hydration=hydration),
        rng.uniform(1.0 - UNIT_FLOW_SHARE, 1.0 + UNIT_FLOW_SHARE, n),
        np.exp(log_weight),
    )


def _log_weight(deviate: Array, shift: float) -> Array:
    """Return the log ratio of densities at a deviate that is then moved by ``shift``."""
    return -shift * deviate - shift**2 / 2.0
