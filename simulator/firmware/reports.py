"""What the device says of itself: TELEMETRY, STATUS and STOPPED, made from the board."""

from math import isfinite
from typing import Final

from firmware_protocol.messages import MG_PER_G, PA_PER_KPA, UNKNOWN_U16, Status, Stopped, Telemetry
from firmware_protocol.vocabulary import Input
from simulator.firmware.board import Board
from simulator.plant.signals import Sensors

_U8: Final = 0xFF
_U16: Final = 0xFFFF
_KNOWN_MAX: Final = UNKNOWN_U16 - 1
_CLOSED: Final = int(Input.SWITCH_CLOSED)
_REST: Final = int(Input.SWITCH_REST)
_CONTACT: Final = int(Input.CONTACT)
_VALVE: Final = int(Input.VALVE_COMMANDED)
_PUMP: Final = int(Input.PUMP_COMMANDED)
_VENT: Final = int(Input.VENT_OPEN)
_MOTION: Final = int(Input.MOTION)
_CONFIGURED: Final = int(Input.CONFIGURED)


def telemetry(board: Board, last_request_seq: int) -> Telemetry:
    """Return the fast state."""
    a, sensors = board.a, board.a.sensors
    setpoints = a.setpoints
    return Telemetry(
        board.tick_ms,
        board.mode,
        board.cause,
        a.permits,
        _inputs(board, sensors),
        _count(sensors.valve_percent, 100),
        _milli(sensors.suction_a_kpa),
        _milli(sensors.suction_b_kpa),
        _milli(sensors.flow_g_per_min),
        a.lease_left_ms,
        setpoints.loop_counter or 0,
        last_request_seq,
        int(setpoints.suction_pa),
        int(setpoints.flow_mg_per_min),
    )


def status(board: Board, bad_frames: int) -> Status:
    """Return the slow state."""
    sensors, totals = board.a.sensors, board.a.totals
    return Status(
        tick_ms=board.tick_ms,
        crystal_total_mg=totals.crystal_total_mg,
        contact_total_ms=totals.contact_total_ms,
        hopper_mg=_count(sensors.hopper_g * MG_PER_G, 0xFFFF_FFFF, unknown=0),
        waste_percent=_count(sensors.waste_percent, 100),
        filter_pa=_count(sensors.filter_kpa * PA_PER_KPA, _KNOWN_MAX),
        pump_deg_c=_count(sensors.pump_deg_c, _U8),
        supply_mv=_count(sensors.supply_v * 1000, _U16, unknown=0),
        bad_frames=min(bad_frames, _U16),
        defects=board.defects,
    )


def stopped(board: Board) -> Stopped:
    """Return the answer to a STOP."""
    sensors = board.a.sensors
    return Stopped(
        tick_ms=board.tick_ms,
        mode=board.mode,
        valve_percent=_count(sensors.valve_percent, 100),
        suction_pa=_milli(sensors.suction_a_kpa),
    )


def _inputs(board: Board, sensors: Sensors) -> int:
    a = board.a
    bits = _CLOSED if sensors.switch_closed else 0
    bits |= _REST if sensors.switch_rest else 0
    bits |= _CONTACT if sensors.contact else 0
    bits |= _VALVE if a.valve > 0.0 else 0
    bits |= _PUMP if a.pump > 0.0 else 0
    bits |= 0 if a.vent_closed else _VENT
    bits |= _MOTION if sensors.motion else 0
    return bits | (_CONFIGURED if a.setpoints.envelope.treatment else 0)


def _milli(value: float | None) -> int:
    if value is None:
        return UNKNOWN_U16
    return _count(value * 1000.0, _KNOWN_MAX, unknown=UNKNOWN_U16)


def _count(value: float, top: int, unknown: int | None = None) -> int:
    """Return ``value`` rounded and kept inside 0 to ``top``; what is no number is the worst."""
    if not isfinite(value):
        return top if unknown is None else unknown
    count = int(value + 0.5)
    return 0 if count < 0 else min(count, top)
