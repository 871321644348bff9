"""HELLO and IDENT: is this the right unit, and does it speak our version?"""

from controller.device.answers import UnitBusyError, VersionMismatchError, WrongUnitError
from controller.safety.reading import Identity
from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR
from firmware_protocol.messages import Hello, Ident
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vocabulary import Capability, Refusal


def hello(nonce: int) -> Hello:
    """Return our HELLO."""
    return Hello(PROTOCOL_MAJOR, PROTOCOL_MINOR, SCHEMA_HASH, nonce)


def identity_of(ident: Ident) -> Identity:
    """Return who answered."""
    firmware = f"{ident.firmware >> 8}.{ident.firmware & 0xFF}"
    return Identity(ident.serial, ident.boot_id, firmware, Capability(ident.capabilities))


def check_greeting(ident: Ident, serial: int | None) -> None:
    """Refuse another version, another unit than ``serial``, and a unit that others have armed.

    Raises:
        VersionMismatchError: names the version of both ends.
        WrongUnitError: names both serial numbers.
        UnitBusyError: the unit is armed by another session.
    """
    same = (ident.major, ident.schema) == (PROTOCOL_MAJOR, SCHEMA_HASH)
    if not same or ident.refusal == Refusal.VERSION:
        raise VersionMismatchError(
            f"unit {ident.serial} speaks protocol {ident.major}.{ident.minor} (schema "
            f"{ident.schema:08x}), this program speaks {PROTOCOL_MAJOR}.{PROTOCOL_MINOR} (schema "
            f"{SCHEMA_HASH:08x})",
            "install the program version that belongs to this unit's firmware, or update the unit",
        )
    if serial is not None and ident.serial != serial:
        raise WrongUnitError(
            f"unit {ident.serial} answered, but this connection is bound to unit {serial}",
            f"plug unit {serial} in again, or start anew for unit {ident.serial}",
        )
    if ident.refusal != Refusal.NONE:
        raise UnitBusyError(
            f"unit {ident.serial} is armed by another host",
            "stop the treatment there; without its host the unit disarms within half a second",
        )
