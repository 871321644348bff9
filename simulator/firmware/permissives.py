"""The permissives of the crystal valve: nine conditions, all needed, unknown is false."""

from typing import Final, NamedTuple

from firmware_protocol.vocabulary import Permit


class Conditions(NamedTuple):
    """One condition per permissive, in the order of the bits of ``Permit``."""

    lease: bool
    armed: bool
    switch: bool
    contact: bool
    suction: bool
    no_trip: bool
    exposure: bool
    requested: bool
    channel_b: bool


ALL: Final = int(Permit.ALL)


def bits(conditions: Conditions) -> int:
    """Return the bit set of ``Permit``; only a condition that *is* True sets its bit."""
    found = 0
    bit = 1
    for holds in conditions:
        if holds is True:
            found |= bit
        bit <<= 1
    return found
