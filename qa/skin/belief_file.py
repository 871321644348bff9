"""What is known of the removal rate, as `corneum-sim anchors --renew` has written it."""

import json
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BELIEF_FILE: Final = Path(__file__).with_name("belief.json")


class RateBelief(NamedTuple):
    """Rate and exponents as a normal distribution of three: of the rate its logarithm."""

    means: Floats
    """ln of the rate on open skin in µm/s, exponent of suction, exponent of crystal flow."""
    covariance: Floats


@cache
def rate_belief() -> RateBelief:
    """Return the posterior of the rate."""
    said = json.loads(BELIEF_FILE.read_text(encoding="utf-8"))["belief"]
    return RateBelief(np.array([said["ln_rate"], *said["exponents"]]), np.array(said["covariance"]))
