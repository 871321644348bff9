"""Packs and unpacks the messages from host to device.

Generated from the catalogue by `python -m tools.generate`; do not edit. One Struct holds header and
payload, and a range is checked only where it is narrower than its width.
"""
# ruff: noqa: PLR2004 (the numbers are those of the catalogue)
# fmt: off

from collections.abc import Callable
from struct import Struct
from typing import Final

from firmware_protocol import messages as m
from firmware_protocol.catalogue import Direction, Seed
from firmware_protocol.errors import BadFrameError, LocalProtocolError, Reject
from firmware_protocol.frame import RESIDUE, SEEDS, Frame, cobs_encode, crc32
from firmware_protocol.schema import complaint

_FIXED_SEED: Final = SEEDS[Direction.TO_DEVICE, Seed.FIXED]
_SCHEMA_SEED: Final = SEEDS[Direction.TO_DEVICE, Seed.SCHEMA]
_crc_bytes = Struct("<I").pack
_new = tuple.__new__

_hello_pack = Struct("<HIHBBII").pack
_hello_unpack = Struct("<HIHBBII4x").unpack
_hello = m.Hello


def _pack_hello(message: m.Hello, session: int, seq: int, flags: int) -> bytes:
    (major, minor, schema, host_nonce) = message
    raw = _hello_pack(0x0501 | flags << 8, session, seq, major, minor, schema, host_nonce)
    return cobs_encode(raw + _crc_bytes(crc32(raw, _FIXED_SEED))) + b"\0"


def _unpack_hello(raw: bytes) -> Frame:
    if crc32(raw, _FIXED_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (head, session, seq, major, minor, schema, host_nonce) = _hello_unpack(raw)
    if head & 0xfdff != 0x0501:
        raise BadFrameError(Reject.FLAGS)
    message = _new(_hello, (major, minor, schema, host_nonce))
    return _new(Frame, (message, session, seq, head >> 8))


_config_pack = Struct("<HIHIHHHB").pack
_config_unpack = Struct("<HIHIHHHB4x").unpack
_config = m.Config


def _pack_config(message: m.Config, session: int, seq: int, flags: int) -> bytes:
    (treatment, suction_max_pa, flow_max_mg_per_min, suction_min_pa, tip) = message
    raw = _config_pack(
        0x0510 | flags << 8, session, seq, treatment, suction_max_pa, flow_max_mg_per_min,
        suction_min_pa, tip,
    )
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_config(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (
        head, session, seq, treatment, suction_max_pa, flow_max_mg_per_min, suction_min_pa, tip,
    ) = _config_unpack(raw)
    if head & 0xfdff != 0x0510:
        raise BadFrameError(Reject.FLAGS)
    message = _new(_config, (treatment, suction_max_pa, flow_max_mg_per_min, suction_min_pa, tip))
    return _new(Frame, (message, session, seq, head >> 8))


_selftest_pack = Struct("<HIH").pack
_selftest_unpack = Struct("<HIH4x").unpack
_selftest = m.SelfTest


def _pack_selftest(message: m.SelfTest, session: int, seq: int, flags: int) -> bytes:
    raw = _selftest_pack(0x0511 | flags << 8, session, seq)
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_selftest(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (head, session, seq) = _selftest_unpack(raw)
    if head & 0xfdff != 0x0511:
        raise BadFrameError(Reject.FLAGS)
    message = _new(_selftest, ())
    return _new(Frame, (message, session, seq, head >> 8))


_arm_pack = Struct("<HIHII").pack
_arm_unpack = Struct("<HIHII4x").unpack
_arm = m.Arm


def _pack_arm(message: m.Arm, session: int, seq: int, flags: int) -> bytes:
    (token, treatment) = message
    raw = _arm_pack(0x0512 | flags << 8, session, seq, token, treatment)
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_arm(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (head, session, seq, token, treatment) = _arm_unpack(raw)
    if head & 0xfdff != 0x0512:
        raise BadFrameError(Reject.FLAGS)
    message = _new(_arm, (token, treatment))
    return _new(Frame, (message, session, seq, head >> 8))


_reset_pack = Struct("<HIHB").pack
_reset_unpack = Struct("<HIHB4x").unpack
_reset = m.Reset


def _pack_reset(message: m.Reset, session: int, seq: int, flags: int) -> bytes:
    (cause,) = message
    if not (cause <= 24):
        raise LocalProtocolError(complaint(message))
    raw = _reset_pack(0x0514 | flags << 8, session, seq, cause)
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_reset(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (head, session, seq, cause) = _reset_unpack(raw)
    if head & 0xfdff != 0x0514:
        raise BadFrameError(Reject.FLAGS)
    if not (cause <= 24):
        raise BadFrameError(Reject.RANGE)
    message = _new(_reset, (cause,))
    return _new(Frame, (message, session, seq, head >> 8))


_logread_pack = Struct("<HIHI").pack
_logread_unpack = Struct("<HIHI4x").unpack
_logread = m.LogRead


def _pack_logread(message: m.LogRead, session: int, seq: int, flags: int) -> bytes:
    (record_seq,) = message
    raw = _logread_pack(0x0118 | flags << 8, session, seq, record_seq)
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_logread(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (head, session, seq, record_seq) = _logread_unpack(raw)
    if head & 0xfdff != 0x0118:
        raise BadFrameError(Reject.FLAGS)
    message = _new(_logread, (record_seq,))
    return _new(Frame, (message, session, seq, head >> 8))


_witnesskeep_pack = Struct("<HIHIIIIIIB").pack
_witnesskeep_unpack = Struct("<HIHIIIIIIB4x").unpack
_witnesskeep = m.WitnessKeep


def _pack_witnesskeep(message: m.WitnessKeep, session: int, seq: int, flags: int) -> bytes:
    (journal_high, journal_low, row, hash_high, hash_middle, hash_low, decided) = message
    if not (row >= 1 and decided <= 1):
        raise LocalProtocolError(complaint(message))
    raw = _witnesskeep_pack(
        0x011a | flags << 8, session, seq, journal_high, journal_low, row, hash_high, hash_middle,
        hash_low, decided,
    )
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_witnesskeep(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (
        head, session, seq, journal_high, journal_low, row, hash_high, hash_middle, hash_low,
        decided,
    ) = _witnesskeep_unpack(raw)
    if head & 0xfdff != 0x011a:
        raise BadFrameError(Reject.FLAGS)
    if not (row >= 1 and decided <= 1):
        raise BadFrameError(Reject.RANGE)
    message = _new(_witnesskeep, (
        journal_high, journal_low, row, hash_high, hash_middle, hash_low, decided,
    ))
    return _new(Frame, (message, session, seq, head >> 8))


_witnessask_pack = Struct("<HIHII").pack
_witnessask_unpack = Struct("<HIHII4x").unpack
_witnessask = m.WitnessAsk


def _pack_witnessask(message: m.WitnessAsk, session: int, seq: int, flags: int) -> bytes:
    (journal_high, journal_low) = message
    raw = _witnessask_pack(0x011b | flags << 8, session, seq, journal_high, journal_low)
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_witnessask(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (head, session, seq, journal_high, journal_low) = _witnessask_unpack(raw)
    if head & 0xfdff != 0x011b:
        raise BadFrameError(Reject.FLAGS)
    message = _new(_witnessask, (journal_high, journal_low))
    return _new(Frame, (message, session, seq, head >> 8))


_setpoint_pack = Struct("<HIHHHIHHBIH").pack
_setpoint_unpack = Struct("<HIHHHIHHBIH4x").unpack
_setpoint = m.Setpoint


def _pack_setpoint(message: m.Setpoint, session: int, seq: int, flags: int) -> bytes:
    (
        lease_ms, loop_counter, echo_tick_ms, suction_pa, flow_mg_per_min, wish, treatment,
        exposure_left_mg,
    ) = message
    if not (suction_pa <= 50000 and flow_mg_per_min <= 12000 and wish <= 3):
        raise LocalProtocolError(complaint(message))
    raw = _setpoint_pack(
        0x0430, session, seq, lease_ms, loop_counter, echo_tick_ms, suction_pa, flow_mg_per_min,
        wish, treatment, exposure_left_mg,
    )
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_setpoint(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (
        head, session, seq, lease_ms, loop_counter, echo_tick_ms, suction_pa, flow_mg_per_min, wish,
        treatment, exposure_left_mg,
    ) = _setpoint_unpack(raw)
    if head != 0x0430:
        raise BadFrameError(Reject.FLAGS)
    if not (suction_pa <= 50000 and flow_mg_per_min <= 12000 and wish <= 3):
        raise BadFrameError(Reject.RANGE)
    message = _new(_setpoint, (
        lease_ms, loop_counter, echo_tick_ms, suction_pa, flow_mg_per_min, wish, treatment,
        exposure_left_mg,
    ))
    return _new(Frame, (message, session, seq, 4))


_stop_pack = Struct("<HIHB").pack
_stop_unpack = Struct("<HIHB4x").unpack
_stop = m.Stop


def _pack_stop(message: m.Stop, session: int, seq: int, flags: int) -> bytes:
    (kind,) = message
    if not (kind <= 1):
        raise LocalProtocolError(complaint(message))
    raw = _stop_pack(0x047f | flags << 8, session, seq, kind)
    return cobs_encode(raw + _crc_bytes(crc32(raw, _FIXED_SEED))) + b"\0"


def _unpack_stop(raw: bytes) -> Frame:
    if crc32(raw, _FIXED_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (head, session, seq, kind) = _stop_unpack(raw)
    if head & 0xf8ff != 0x007f:
        raise BadFrameError(Reject.FLAGS)
    if not (kind <= 1):
        raise BadFrameError(Reject.RANGE)
    message = _new(_stop, (kind,))
    return _new(Frame, (message, session, seq, head >> 8))


PACK: Final[dict[type[m.Message], Callable[..., bytes]]] = {
    m.Hello: _pack_hello,
    m.Config: _pack_config,
    m.SelfTest: _pack_selftest,
    m.Arm: _pack_arm,
    m.Reset: _pack_reset,
    m.LogRead: _pack_logread,
    m.WitnessKeep: _pack_witnesskeep,
    m.WitnessAsk: _pack_witnessask,
    m.Setpoint: _pack_setpoint,
    m.Stop: _pack_stop,
}
UNPACK: Final[dict[int, Callable[[bytes], Frame]]] = {
    0x01: _unpack_hello,
    0x10: _unpack_config,
    0x11: _unpack_selftest,
    0x12: _unpack_arm,
    0x14: _unpack_reset,
    0x18: _unpack_logread,
    0x1a: _unpack_witnesskeep,
    0x1b: _unpack_witnessask,
    0x30: _unpack_setpoint,
    0x7f: _unpack_stop,
}
