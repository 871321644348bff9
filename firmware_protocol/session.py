"""The number of a session, which both ends compute for themselves."""

from fastcrc.crc32 import autosar


def session_number(host_nonce: int, device_nonce: int) -> int:
    """Return the session of two nonces of 32 bits; never 0, which means none."""
    nonces = host_nonce.to_bytes(4, "little") + device_nonce.to_bytes(4, "little")
    return autosar(nonces) or 1
