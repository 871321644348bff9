"""Who this unit is, as it says in IDENT."""

from typing import Final, NamedTuple

from firmware_protocol.vocabulary import Capability

FIRMWARE_VERSION: Final = 0x0100  # 1.0


class Identity(NamedTuple):
    """One unit and one boot of it."""

    serial: int
    boot_id: int
    capabilities: Capability = Capability.SIMULATED
    firmware: int = FIRMWARE_VERSION
    boot_tick_ms: int = 0
    """Tick at power-on; anything, because the tick wraps."""
