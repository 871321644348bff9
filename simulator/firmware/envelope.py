"""The device's own envelope: the factory's, narrowed by the configuration of a treatment."""

from typing import Final, NamedTuple

from firmware_protocol.envelope import (
    FLOW_SET_MAX_MG_PER_MIN,
    FLOW_SET_MIN_MG_PER_MIN,
    SUCTION_PERMIT_MIN_PA,
    SUCTION_SET_MAX_PA,
)
from firmware_protocol.messages import Config


class Envelope(NamedTuple):
    """What the outputs may do at most, and the least suction that permits flow."""

    treatment: int
    suction_max_pa: int
    flow_max_mg_per_min: int
    suction_min_pa: int
    tip: int
    """What the limits were made for; arming needs this one fitted."""


UNCONFIGURED: Final = Envelope(0, 0, 0, SUCTION_PERMIT_MIN_PA, 0)
"""Before CONFIG nothing may be driven, whatever a setpoint says."""


def narrow(config: Config) -> Envelope | None:
    """Return the envelope of a treatment; None where it widens the factory's or can never flow."""
    suction_min_pa = max(config.suction_min_pa, SUCTION_PERMIT_MIN_PA)
    if not (
        config.treatment > 0
        and config.tip > 0
        and suction_min_pa <= config.suction_max_pa <= SUCTION_SET_MAX_PA
        and FLOW_SET_MIN_MG_PER_MIN <= config.flow_max_mg_per_min <= FLOW_SET_MAX_MG_PER_MIN
    ):
        return None
    return Envelope(
        config.treatment,
        config.suction_max_pa,
        config.flow_max_mg_per_min,
        suction_min_pa,
        config.tip,
    )
