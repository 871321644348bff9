"""The check value of a configuration: the device says it back, and the host compares."""

import struct
from typing import Final

from fastcrc.crc32 import autosar

from firmware_protocol.messages import Config

_FIELDS: Final = struct.Struct("<IHHHB")


def check_value(config: Config) -> int:
    """Return CRC-32/AUTOSAR over the packed fields of a configuration."""
    return autosar(_FIELDS.pack(*config))
