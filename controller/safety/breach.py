"""The chance that a point of a zone loses its whole stratum corneum, and the depth that keeps it.

Three things vary at once. The local thickness is lognormal. Layers are struck away one by one, so
that their number at a point is Poisson around the mean depth. And nobody knows the rate better than
to a lognormal error, of which the ledger counts the 95th centile. The share of breached points is
the mean over all three: a sum over the layers that a point can have, which is exact, and a fixed
trapezoid over the error.

Sources: layers, Ya-Xian et al. 1999, Arch Dermatol Res 291:555-559; heterogeneity within a site,
Robertson & Rees 2010, Acta Derm Venereol; the values and what is assumed are in configs/skin.
"""

import math
from functools import lru_cache
from typing import Final, NamedTuple

P95_Z: Final = 1.645
"""Standard deviations from the median to the 95th centile."""

LAYERS_MAX: Final = 400
"""Thicker than a heel; the sum over layers ends before it where the tail is spent."""

_TAIL: Final = 1e-9  # what is left out of the thickness is taken as breached like the last layer
_Z_STEP: Final = 0.5
_NODES: Final = tuple(-5.0 + _Z_STEP * number for number in range(23))  # to +6
_WEIGHTS: Final = tuple(math.exp(-z * z / 2.0) * _Z_STEP / math.sqrt(2.0 * math.pi) for z in _NODES)
_SPENT: Final = 1e-12  # a chance that adds nothing to one in a hundred
_HALVINGS: Final = 16  # of the depth: finer than anything that is shown


class Layered(NamedTuple):
    """The stratum corneum of a zone: its mean, its layers, how it varies from point to point."""

    thickness_um: float
    layer_um: float
    """Mean thickness of one layer."""
    local_cv: float
    """Standard deviation of the local thickness over its mean, between people and within one."""


def local_cv(between_cv: float, within_share: float) -> float:
    """Return the spread at a point from that between people and the share that lies within one.

    ``within_share`` of all variance lies within a site of one person.
    """
    return between_cv / math.sqrt(1.0 - within_share)


def p95_factor(error_ln_sd: float) -> float:
    """Return how far the 95th centile of the model error lies above its median."""
    return math.exp(P95_Z * error_ln_sd)


def breach_risk(bound_um: float, skin: Layered, error_ln_sd: float) -> float:
    """Return the share of points without stratum corneum when the ledger's bound is ``bound_um``.

    0 to 1; 1 where the depth is not a usable number.
    """
    if not (0.0 <= bound_um < math.inf):
        return 1.0
    if bound_um <= 0.0:
        return 0.0
    shares = _layer_shares(skin)
    median_layers = bound_um / skin.layer_um / p95_factor(error_ln_sd)
    risk = sum(
        weight * _gone(median_layers * math.exp(error_ln_sd * z), shares)
        for z, weight in zip(_NODES, _WEIGHTS, strict=True)
    )
    return min(1.0, risk)


@lru_cache(maxsize=256)
def depth_at_risk_um(skin: Layered, error_ln_sd: float, risk_max_share: float) -> float:
    """Return the greatest bound at which ``breach_risk`` is still within ``risk_max_share``.

    Rounded down, and never more than the mean thickness; 0 where the table makes no sense.
    """
    if not (skin.thickness_um > 0.0 and skin.layer_um > 0.0 and skin.local_cv > 0.0):
        return 0.0
    low_um, high_um = 0.0, skin.thickness_um
    for _ in range(_HALVINGS):
        middle_um = (low_um + high_um) / 2.0
        if breach_risk(middle_um, skin, error_ln_sd) <= risk_max_share:
            low_um = middle_um
        else:
            high_um = middle_um
    return low_um


@lru_cache(maxsize=256)
def _layer_shares(skin: Layered) -> tuple[float, ...]:
    """Return the share of points with 1, 2, 3, ... layers: a part of a layer counts as one."""
    variance = math.log1p(skin.local_cv * skin.local_cv)
    mean_ln = math.log(skin.thickness_um / skin.layer_um) - variance / 2.0
    shares: list[float] = []
    below = 0.0
    while below < 1.0 - _TAIL and len(shares) < LAYERS_MAX:
        z = (math.log(len(shares) + 1.0) - mean_ln) / math.sqrt(variance)
        upto = 0.5 * math.erfc(-z / math.sqrt(2.0))
        shares.append(upto - below)
        below = upto
    shares[-1] += 1.0 - below
    return tuple(shares)


def _gone(removed_layers: float, shares: tuple[float, ...]) -> float:
    """Return the share of points at which a Poisson number of layers is at least those there."""
    term = math.exp(-removed_layers)
    fewer = term  # the chance that fewer than one layer was struck away, then than two, ...
    gone = 0.0
    for number, share in enumerate(shares, start=1):
        if not (1.0 - fewer > _SPENT):
            break
        gone += share * (1.0 - fewer)
        term *= removed_layers / number
        fewer += term
    return gone
