"""What the parameters of removal say that one would have seen in a published experiment.

Theory of operation. Under the tip the first of the stratum corneum goes at the rate R, and depth z
of a stratum corneum of thickness h at R / (1 + gradient z / h), since cohesion grows with depth.
So all of it is gone after h (1 + gradient / 2) / R seconds, and depth z after the part of that
which the integral gives. Living epidermis below goes at a constant multiple of R. R goes with
powers of suction (up to the choke) and crystal flow, with the mask, and from specimen to specimen.
"""

from collections.abc import Mapping
from math import pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa.anchors.rows import Anchor
from qa.skin.truth import CHOKE_KPA, REFERENCE_KPA

Array = NDArray[np.float64]
Draws = Mapping[str, Array]
"""One array for each parameter of `qa.anchors.rows.PARAMETERS`, all of one length."""

WINDOW_MM: Final = 6.0
ORDER_WIDTH: Final = 0.1
"""How far two exponents have to differ for "more steeply" to be seen: a logistic of this width."""


def seconds_under_tip(anchor: Anchor) -> float:
    """Return how long a point was under the tip; a moving one passes with its mean chord."""
    if anchor.passes is not None and anchor.speed_mm_per_s is not None:
        return anchor.passes * pi / 4.0 * WINDOW_MM / anchor.speed_mm_per_s
    return anchor.time_s or 0.0


def rate_um_per_s(anchor: Anchor, draws: Draws, specimens: Array) -> Array:
    """Return the rate at which the first of the stratum corneum goes, for each draw.

    ``specimens`` has the factor of the specimen of this experiment.
    """
    suction = min(anchor.suction_kpa or 0.0, CHOKE_KPA) / REFERENCE_KPA
    rate = draws["rate_um_per_s"] * specimens * suction ** draws["suction_exponent"]
    if anchor.flow_g_per_min is not None:
        share = anchor.flow_g_per_min / draws["flow_g_per_min"]
        rate = rate * share ** draws["flow_exponent"]
    if not anchor.masked:
        rate = rate * draws["open_over_masked"]
    return rate


def seconds_to(depth: str, rate: Array, draws: Draws) -> Array:
    """Return when all of the stratum corneum, or of the epidermis with it, is gone."""
    corneum_s = draws["corneum_um"] * (1.0 + draws["gradient"] / 2.0) / rate
    if depth == "stratum corneum":
        return corneum_s
    return corneum_s + draws["epidermis_um"] / (draws["epidermis_over_corneum"] * rate)


def depth_um(rate: Array, seconds: float, draws: Draws) -> Array:
    """Return the depth after a time, in the stratum corneum and beyond."""
    thick, slower = draws["corneum_um"], np.maximum(draws["gradient"], 1e-9)
    corneum_s = seconds_to("stratum corneum", rate, draws)
    within_s = np.minimum(seconds, corneum_s)
    within = thick * (np.sqrt(1.0 + 2.0 * slower * rate * within_s / thick) - 1.0) / slower
    beyond = np.maximum(seconds - corneum_s, 0.0) * draws["epidermis_over_corneum"] * rate
    return within + beyond


def likelihood(anchor: Anchor, draws: Draws, specimens: Array) -> Array:
    """Return how likely what was seen is for each draw, up to a constant."""
    if anchor.likelihood == "none":
        return np.ones_like(specimens)
    if anchor.likelihood == "order":
        steeper, flatter = draws[str(anchor.steeper)], draws[str(anchor.flatter)]
        return 1.0 / (1.0 + np.exp((flatter - steeper) / ORDER_WIDTH))
    rate, seconds = rate_um_per_s(anchor, draws, specimens), seconds_under_tip(anchor)
    if anchor.likelihood == "depth":
        seen_um, sd_um = anchor.depth_um or 0.0, anchor.depth_sd_um or 1.0
        off = (depth_um(rate, seconds, draws) - seen_um) / sd_um
        return np.exp(-(off**2) / 2.0)
    fits = seconds_to(str(anchor.removed), rate, draws) <= seconds
    if anchor.kept is not None:
        fits &= seconds_to(anchor.kept, rate, draws) > seconds
    return fits.astype(np.float64)
