"""Packs and unpacks the messages from device to host.

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

_FIXED_SEED: Final = SEEDS[Direction.TO_HOST, Seed.FIXED]
_SCHEMA_SEED: Final = SEEDS[Direction.TO_HOST, Seed.SCHEMA]
_crc_bytes = Struct("<I").pack
_new = tuple.__new__

_ident_pack = Struct("<HIHHBBBIIIIHB").pack
_ident_unpack = Struct("<HIHHBBBIIIIHB4x").unpack
_ident = m.Ident


def _pack_ident(message: m.Ident, session: int, seq: int, flags: int) -> bytes:
    (
        request_seq, refusal, major, minor, schema, serial, boot_id, device_nonce, firmware,
        capabilities,
    ) = message
    raw = _ident_pack(
        0x0502 | flags << 8, session, seq, request_seq, refusal, major, minor, schema, serial,
        boot_id, device_nonce, firmware, capabilities,
    )
    return cobs_encode(raw + _crc_bytes(crc32(raw, _FIXED_SEED))) + b"\0"


def _unpack_ident(raw: bytes) -> Frame:
    if crc32(raw, _FIXED_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (
        head, session, seq, request_seq, refusal, major, minor, schema, serial, boot_id,
        device_nonce, firmware, capabilities,
    ) = _ident_unpack(raw)
    if head & 0xfdff != 0x0502:
        raise BadFrameError(Reject.FLAGS)
    message = _new(_ident, (
        request_seq, refusal, major, minor, schema, serial, boot_id, device_nonce, firmware,
        capabilities,
    ))
    return _new(Frame, (message, session, seq, head >> 8))


_result_pack = Struct("<HIHHBBI").pack
_result_unpack = Struct("<HIHHBBI4x").unpack
_result = m.Result


def _pack_result(message: m.Result, session: int, seq: int, flags: int) -> bytes:
    (request_seq, outcome, refusal, detail) = message
    if not (outcome <= 1 and refusal <= 14):
        raise LocalProtocolError(complaint(message))
    raw = _result_pack(0x0503 | flags << 8, session, seq, request_seq, outcome, refusal, detail)
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_result(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (head, session, seq, request_seq, outcome, refusal, detail) = _result_unpack(raw)
    if head & 0xfdff != 0x0503:
        raise BadFrameError(Reject.FLAGS)
    if not (outcome <= 1 and refusal <= 14):
        raise BadFrameError(Reject.RANGE)
    message = _new(_result, (request_seq, outcome, refusal, detail))
    return _new(Frame, (message, session, seq, head >> 8))


_logrecord_pack = Struct("<HIHHIIHII").pack
_logrecord_unpack = Struct("<HIHHIIHII4x").unpack
_logrecord = m.LogRecord


def _pack_logrecord(message: m.LogRecord, session: int, seq: int, flags: int) -> bytes:
    (request_seq, record_seq, tick_ms, code, arg, newest_seq) = message
    if not (code <= 12):
        raise LocalProtocolError(complaint(message))
    raw = _logrecord_pack(
        0x0119 | flags << 8, session, seq, request_seq, record_seq, tick_ms, code, arg, newest_seq,
    )
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_logrecord(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (
        head, session, seq, request_seq, record_seq, tick_ms, code, arg, newest_seq,
    ) = _logrecord_unpack(raw)
    if head & 0xfdff != 0x0119:
        raise BadFrameError(Reject.FLAGS)
    if not (code <= 12):
        raise BadFrameError(Reject.RANGE)
    message = _new(_logrecord, (request_seq, record_seq, tick_ms, code, arg, newest_seq))
    return _new(Frame, (message, session, seq, head >> 8))


_witnesshead_pack = Struct("<HIHHIIIIBB").pack
_witnesshead_unpack = Struct("<HIHHIIIIBB4x").unpack
_witnesshead = m.WitnessHead


def _pack_witnesshead(message: m.WitnessHead, session: int, seq: int, flags: int) -> bytes:
    (request_seq, row, hash_high, hash_middle, hash_low, decided, kept) = message
    if not (kept <= 4):
        raise LocalProtocolError(complaint(message))
    raw = _witnesshead_pack(
        0x011c | flags << 8, session, seq, request_seq, row, hash_high, hash_middle, hash_low,
        decided, kept,
    )
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_witnesshead(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (
        head, session, seq, request_seq, row, hash_high, hash_middle, hash_low, decided, kept,
    ) = _witnesshead_unpack(raw)
    if head & 0xfdff != 0x011c:
        raise BadFrameError(Reject.FLAGS)
    if not (kept <= 4):
        raise BadFrameError(Reject.RANGE)
    message = _new(_witnesshead, (
        request_seq, row, hash_high, hash_middle, hash_low, decided, kept,
    ))
    return _new(Frame, (message, session, seq, head >> 8))


_telemetry_pack = Struct("<HIHIBBHBBHHHHHHHH").pack
_telemetry_unpack = Struct("<HIHIBBHBBHHHHHHHH4x").unpack
_telemetry = m.Telemetry


def _pack_telemetry(message: m.Telemetry, session: int, seq: int, flags: int) -> bytes:
    (
        tick_ms, mode, cause, permits, inputs, valve_percent, suction_pa, suction_b_pa,
        flow_mg_per_min, lease_left_ms, loop_counter, last_request_seq, set_suction_pa,
        set_flow_mg_per_min,
    ) = message
    if not (mode <= 8 and cause <= 24 and permits <= 511 and valve_percent <= 100):
        raise LocalProtocolError(complaint(message))
    raw = _telemetry_pack(
        0x0440, session, seq, tick_ms, mode, cause, permits, inputs, valve_percent, suction_pa,
        suction_b_pa, flow_mg_per_min, lease_left_ms, loop_counter, last_request_seq,
        set_suction_pa, set_flow_mg_per_min,
    )
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_telemetry(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (
        head, session, seq, tick_ms, mode, cause, permits, inputs, valve_percent, suction_pa,
        suction_b_pa, flow_mg_per_min, lease_left_ms, loop_counter, last_request_seq,
        set_suction_pa, set_flow_mg_per_min,
    ) = _telemetry_unpack(raw)
    if head != 0x0440:
        raise BadFrameError(Reject.FLAGS)
    if not (mode <= 8 and cause <= 24 and permits <= 511 and valve_percent <= 100):
        raise BadFrameError(Reject.RANGE)
    message = _new(_telemetry, (
        tick_ms, mode, cause, permits, inputs, valve_percent, suction_pa, suction_b_pa,
        flow_mg_per_min, lease_left_ms, loop_counter, last_request_seq, set_suction_pa,
        set_flow_mg_per_min,
    ))
    return _new(Frame, (message, session, seq, 4))


_status_pack = Struct("<HIHIIIIBHBHHH").pack
_status_unpack = Struct("<HIHIIIIBHBHHH4x").unpack
_status = m.Status


def _pack_status(message: m.Status, session: int, seq: int, flags: int) -> bytes:
    (
        tick_ms, crystal_total_mg, contact_total_ms, hopper_mg, waste_percent, filter_pa,
        pump_deg_c, supply_mv, bad_frames, defects,
    ) = message
    if not (waste_percent <= 100):
        raise LocalProtocolError(complaint(message))
    raw = _status_pack(
        0x0041, session, seq, tick_ms, crystal_total_mg, contact_total_ms, hopper_mg, waste_percent,
        filter_pa, pump_deg_c, supply_mv, bad_frames, defects,
    )
    return cobs_encode(raw + _crc_bytes(crc32(raw, _SCHEMA_SEED))) + b"\0"


def _unpack_status(raw: bytes) -> Frame:
    if crc32(raw, _SCHEMA_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (
        head, session, seq, tick_ms, crystal_total_mg, contact_total_ms, hopper_mg, waste_percent,
        filter_pa, pump_deg_c, supply_mv, bad_frames, defects,
    ) = _status_unpack(raw)
    if head != 0x0041:
        raise BadFrameError(Reject.FLAGS)
    if not (waste_percent <= 100):
        raise BadFrameError(Reject.RANGE)
    message = _new(_status, (
        tick_ms, crystal_total_mg, contact_total_ms, hopper_mg, waste_percent, filter_pa,
        pump_deg_c, supply_mv, bad_frames, defects,
    ))
    return _new(Frame, (message, session, seq, 0))


_stopped_pack = Struct("<HIHIBBH").pack
_stopped_unpack = Struct("<HIHIBBH4x").unpack
_stopped = m.Stopped


def _pack_stopped(message: m.Stopped, session: int, seq: int, flags: int) -> bytes:
    (tick_ms, mode, valve_percent, suction_pa) = message
    if not (mode <= 8 and valve_percent <= 100):
        raise LocalProtocolError(complaint(message))
    raw = _stopped_pack(0x047e | flags << 8, session, seq, tick_ms, mode, valve_percent, suction_pa)
    return cobs_encode(raw + _crc_bytes(crc32(raw, _FIXED_SEED))) + b"\0"


def _unpack_stopped(raw: bytes) -> Frame:
    if crc32(raw, _FIXED_SEED) != RESIDUE:
        raise BadFrameError(Reject.CRC)
    (head, session, seq, tick_ms, mode, valve_percent, suction_pa) = _stopped_unpack(raw)
    if head & 0xf8ff != 0x007e:
        raise BadFrameError(Reject.FLAGS)
    if not (mode <= 8 and valve_percent <= 100):
        raise BadFrameError(Reject.RANGE)
    message = _new(_stopped, (tick_ms, mode, valve_percent, suction_pa))
    return _new(Frame, (message, session, seq, head >> 8))


PACK: Final[dict[type[m.Message], Callable[..., bytes]]] = {
    m.Ident: _pack_ident,
    m.Result: _pack_result,
    m.LogRecord: _pack_logrecord,
    m.WitnessHead: _pack_witnesshead,
    m.Telemetry: _pack_telemetry,
    m.Status: _pack_status,
    m.Stopped: _pack_stopped,
}
UNPACK: Final[dict[int, Callable[[bytes], Frame]]] = {
    0x02: _unpack_ident,
    0x03: _unpack_result,
    0x19: _unpack_logrecord,
    0x1c: _unpack_witnesshead,
    0x40: _unpack_telemetry,
    0x41: _unpack_status,
    0x7e: _unpack_stopped,
}
