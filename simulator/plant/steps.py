"""The fixed time steps of the plant, and what follows from them."""

import math
from typing import Final

STEP_S: Final = 0.001  # the finest time that drives may change at
STEPS_PER_SAMPLE: Final = 5  # sensors and hand go at 5 ms, as the firmware ticks
SAMPLE_S: Final = STEPS_PER_SAMPLE * STEP_S
SAMPLES_PER_SLOW: Final = 20  # temperature and filter load follow every 100 ms


def sample_share(time_constant_s: float) -> float:
    """Return the share of the way that a first-order lag makes in one sample."""
    return 1.0 - math.exp(-SAMPLE_S / time_constant_s)
