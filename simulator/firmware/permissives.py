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
    lease, armed, switch, contact, suction, no_trip, exposure, requested, channel_b = conditions
    return (
        (lease is True)
        | (armed is True) << 1
        | (switch is True) << 2
        | (contact is True) << 3
        | (suction is True) << 4
        | (no_trip is True) << 5
        | (exposure is True) << 6
        | (requested is True) << 7
        | (channel_b is True) << 8
    )
