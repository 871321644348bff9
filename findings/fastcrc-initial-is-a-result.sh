#!/usr/bin/env bash
# The second argument of fastcrc continues a finished checksum; it is not the start value of the register.
#
# Version: fastcrc 0.5.0. Source: the package's signature `autosar(data, initial=None)`; behaviour measured below.
# Expected: `initial` is the register's start value, as `init` in the CRC catalogues and in most C code.
# Seen: f(b, f(a)) == f(a + b): what goes in is a *result*, after the final XOR. A register that starts at S corresponds to
# `initial = S ^ xorout` (0xFFFFFFFF for CRC-32/AUTOSAR); firmware that loads the same number into its register never agrees with the host.
# The good guess that fails: `autosar(frame, seed)` here and `crc = seed;` in C.
# Here: docs/PROTOCOL.md names the state to continue from for each seed, and the vectors pin the result.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check -qq install 'fastcrc==0.5.0'
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from fastcrc.crc32 import autosar

print("fastcrc", version("fastcrc"))
POLY_REFLECTED = 0xC8DF352F


def register(data: bytes, start: int) -> int:
    """The textbook register, bit by bit: start value in, final XOR out."""
    value = start
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (POLY_REFLECTED if value & 1 else 0)
    return value ^ 0xFFFFFFFF


data, seed = b"123456789", 0x12345678
assert autosar(data) == register(data, 0xFFFFFFFF) == 0x1697D06A
assert autosar(data, autosar(b"")) == autosar(data), "a finished result of nothing continues"
assert autosar(b"6789", autosar(b"12345")) == autosar(data)
assert autosar(data, seed) != register(data, seed), "changed: initial is the register now"
assert autosar(data, seed) == register(data, seed ^ 0xFFFFFFFF)
print(f"autosar(data, {seed:#010x}) = {autosar(data, seed):#010x}; a register that starts there gives {register(data, seed):#010x}")
PY
