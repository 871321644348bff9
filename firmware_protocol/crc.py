"""The check sum of every frame and what it is seeded with.

CRC-32/AUTOSAR: polynomial 0xF4ACFB13, reflected, initial value and final XOR 0xFFFFFFFF, check
value 0x1697D06A over "123456789" (AUTOSAR E2E profile 4; OPC UA Safety, part 15). Hamming distance
8 up to 34 bytes and 6 up to 4092 bytes. A CRC-16 is not enough under byte stuffing: three flipped
bits on the encoded line can pass it.
"""

from typing import Final

from fastcrc.crc32 import autosar

from firmware_protocol.catalogue import Direction, Seed
from firmware_protocol.schema import SCHEMA_HASH

crc32 = autosar

DIRECTION_BYTE: Final = {Direction.TO_DEVICE: b"\x01", Direction.TO_HOST: b"\x02"}
"""Part of every seed, so that an echo of our own frames is never taken for the peer's."""


def seed_for(direction: Direction, schema: int | None) -> int:
    """Return the seed of a direction; without a schema hash it is the fixed one."""
    prefix = b"" if schema is None else schema.to_bytes(4, "little")
    return crc32(prefix + DIRECTION_BYTE[direction])


SEEDS: Final = {
    (direction, seed): seed_for(direction, SCHEMA_HASH if seed is Seed.SCHEMA else None)
    for direction in Direction
    for seed in Seed
}

RESIDUE: Final = crc32(crc32(b"").to_bytes(4, "little"))
"""The CRC over any data followed by its own CRC, whatever the seed: one compare checks a frame."""
