"""Vectors of what a device makes of what it is told: leases, echoes, configurations, closings.

The rows are literals that no code of ours computes, so that they are a witness against it. Only the
check value of a configuration is worked out, because it is made of nothing but the frame.
"""

from typing import Final

from firmware_protocol.config_check import check_value
from firmware_protocol.messages import Config
from firmware_protocol.schema import LIMITS

LEASES: Final = (
    (0, 100), (1, 100), (99, 100), (100, 100), (150, 150), (199, 199), (200, 200), (201, 200),
    (500, 200), (65_535, 200),
)  # fmt: skip
"""What a SETPOINT asks for and what is granted, in milliseconds."""

_SENT: Final = (1000, 1020, 1045, 1060, 1085)
_WRAP: Final = (4_294_967_256, 4_294_967_276, 5)
ECHOES: Final = (
    (_SENT, 1090, 1085, True),
    (_SENT, 1090, 1045, True),
    (_SENT, 1100, 1000, True),
    (_SENT, 1101, 1000, False),
    (_SENT, 1090, 1084, False),
    (_SENT, 1090, 1086, False),
    (_SENT, 1090, 1080, False),
    (_SENT, 1090, 1090, False),
    (_SENT, 1090, 1105, False),
    (_SENT, 1300, 1085, False),
    ((), 1090, 1090, False),
    (_WRAP, 20, 4_294_967_276, True),
    (_WRAP, 20, 5, True),
    (_WRAP, 20, 0, False),
    (_WRAP, 61, 4_294_967_256, False),
)
"""Ticks of the TELEMETRY of this session, the tick now, the echo, and whether it is fresh."""

CONFIGS: Final = (
    (Config(77, 40_000, 10_000, 10_000, 1), True),
    (Config(1, 50_000, 12_000, 0, 255), True),
    (Config(1, 8_000, 500, 8_000, 1), True),
    (Config(4_294_967_295, 8_000, 500, 0, 1), True),
    (Config(0, 40_000, 10_000, 10_000, 1), False),
    (Config(77, 50_001, 10_000, 10_000, 1), False),
    (Config(77, 40_000, 12_001, 10_000, 1), False),
    (Config(77, 20_000, 10_000, 20_001, 1), False),
    (Config(77, 7_999, 10_000, 0, 1), False),
    (Config(77, 0, 10_000, 0, 1), False),
    (Config(77, 40_000, 499, 10_000, 1), False),
    (Config(77, 40_000, 0, 10_000, 1), False),
    (Config(77, 40_000, 10_000, 10_000, 0), False),
)
"""A configuration and whether a unit takes it."""

CLOSINGS: Final = ((5, False), (295, False), (300, True), (1_000, True))
"""Milliseconds since the valve was shut, and whether it may open."""


def rule_vectors() -> dict[str, object]:
    """Return the rows as they stand in the vectors."""
    return {
        "limits": dict(LIMITS),
        "lease": [{"asked_ms": asked, "granted_ms": granted} for asked, granted in LEASES],
        "echo": [
            {"sent": list(sent), "now": now, "echo": echo, "fresh": fresh}
            for sent, now, echo, fresh in ECHOES
        ],
        "config": [
            {"fields": config._asdict(), "check": check_value(config), "accepted": accepted}
            for config, accepted in CONFIGS
        ],
        "closing": [{"shut_ms": shut_ms, "may_open": may} for shut_ms, may in CLOSINGS],
    }
