"""The permissives of the crystal valve: nine conditions, all needed, unknown is false."""

from typing import Final

from firmware_protocol.vocabulary import Permit

ALL: Final = int(Permit.ALL)


def bits(  # noqa: PLR0913 - one condition per permissive, in the order of the bits of `Permit`
    *,
    lease: bool,
    armed: bool,
    switch: bool,
    contact: bool,
    suction: bool,
    no_trip: bool,
    exposure: bool,
    requested: bool,
    channel_b: bool,
) -> int:
    """Return the bit set of ``Permit``; only a condition that *is* True sets its bit."""
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
