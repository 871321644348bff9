"""Every message on the wire, as an immutable tuple of integers with its fields described.

The annotations are the catalogue: codecs, documents, vectors and the schema hash are made from
them. Messages are named tuples because one is built per frame: a frozen dataclass costs four times
as much. Names carry the wire unit; `quantities` turns them into floats.
"""

from typing import Annotated, NamedTuple

from firmware_protocol.envelope import FLOW_SET_MAX_MG_PER_MIN, SUCTION_SET_MAX_PA
from firmware_protocol.fields import u8, u16, u32
from firmware_protocol.quantities import UNKNOWN_U16
from firmware_protocol.vocabulary import (
    Cause,
    Defect,
    Input,
    LogCode,
    Mode,
    Outcome,
    Permit,
    Refusal,
    StopKind,
    Wish,
)


class Hello(NamedTuple):
    """The host opens a session. Fixed seed, so that any version can read it."""

    major: Annotated[int, u8("", "protocol major version; must match")]
    minor: Annotated[int, u8("", "protocol minor version of the host; the smaller one is spoken")]
    schema: Annotated[int, u32("", "schema hash of the host's catalogue")]
    host_nonce: Annotated[int, u32("", "fresh random number of the host")]


class Ident(NamedTuple):
    """The device answers HELLO and says what it is. Fixed seed; its layout never changes."""

    request_seq: Annotated[int, u16("", "sequence of the HELLO that this answers")]
    refusal: Annotated[int, u8("", "NONE, VERSION, or BUSY while another session is armed")]
    major: Annotated[int, u8("", "protocol major version of the device")]
    minor: Annotated[int, u8("", "protocol minor version of the device; the smaller one is spoken")]
    schema: Annotated[int, u32("", "schema hash of the device's catalogue")]
    serial: Annotated[int, u32("", "serial number of the unit")]
    boot_id: Annotated[int, u32("", "changes at every boot")]
    device_nonce: Annotated[int, u32("", "fresh random number of the device")]
    firmware: Annotated[int, u16("", "firmware version, major * 256 + minor")]
    capabilities: Annotated[int, u8("", "bit set of Capability")]


class Result(NamedTuple):
    """The device's answer to a one-shot that has no answer of its own."""

    request_seq: Annotated[int, u16("", "sequence of the request that this answers")]
    outcome: Annotated[int, u8("", "Outcome", words=Outcome)]
    refusal: Annotated[int, u8("", "Refusal, NONE when done", words=Refusal)]
    detail: Annotated[int, u32("", "per request: SELFTEST the arm token, CONFIG its check value")]


class Config(NamedTuple):
    """What this treatment may use; the device narrows its own envelope to it, never widens."""

    treatment: Annotated[int, u32("", "number of the treatment, repeated in each SETPOINT")]
    suction_max_pa: Annotated[int, u16("Pa", "highest setpoint of this treatment")]
    flow_max_mg_per_min: Annotated[int, u16("mg/min", "highest setpoint of this treatment")]
    suction_min_pa: Annotated[int, u16("Pa", "the suction permissive for this treatment")]
    tip: Annotated[int, u8("", "tip identity that the host planned with")]


class SelfTest(NamedTuple):
    """Run the self-test. Answered at once; the detail is the token that READY will accept."""


class Arm(NamedTuple):
    """Arm the treatment: needs READY, its token, a healthy setpoint stream, a released switch."""

    token: Annotated[int, u32("", "detail of the SELFTEST result; void after any stop or trip")]
    treatment: Annotated[int, u32("", "the treatment of CONFIG")]


class Reset(NamedTuple):
    """Leave SAFE for DISARMED: cause gone, switch released, acknowledged by a local person."""

    cause: Annotated[int, u8("", "the latched cause that was acknowledged", words=Cause)]


class LogRead(NamedTuple):
    """Ask for one record of the device's event log."""

    record_seq: Annotated[int, u32("", "number of the record, from 1")]


class LogRecord(NamedTuple):
    """One record of the device's event log."""

    request_seq: Annotated[int, u16("", "sequence of the request that this answers")]
    record_seq: Annotated[int, u32("", "number of the record; 0 when there is no such record")]
    tick_ms: Annotated[int, u32("ms", "device clock at the event; wraps")]
    code: Annotated[int, u16("", "LogCode", words=LogCode)]
    arg: Annotated[int, u32("", "per code")]
    newest_seq: Annotated[int, u32("", "number of the newest record")]


class Setpoint(NamedTuple):
    """The lease: what the outputs may do from now for ``lease_ms``. Absolute and complete."""

    lease_ms: Annotated[int, u16("ms", "lifetime from receipt; the device clamps it to 100 to 200")]
    loop_counter: Annotated[int, u16("", "raised by the host's deciding loop; must advance")]
    echo_tick_ms: Annotated[int, u32("ms", "tick_ms of the newest TELEMETRY of this session")]
    suction_pa: Annotated[int, u16("Pa", "suction to hold, below ambient", high=SUCTION_SET_MAX_PA)]
    flow_mg_per_min: Annotated[
        int, u16("mg/min", "crystal flow to hold", high=FLOW_SET_MAX_MG_PER_MIN)
    ]
    wish: Annotated[int, u8("", "bit set of Wish", words=Wish)]
    treatment: Annotated[int, u32("", "the treatment of CONFIG; another one is dropped")]
    exposure_left_mg: Annotated[int, u16("mg", "crystals that may still flow in this zone")]


class Telemetry(NamedTuple):
    """The device's fast state, 50 times a second."""

    tick_ms: Annotated[int, u32("ms", "device clock; wraps")]
    mode: Annotated[int, u8("", "Mode", words=Mode)]
    cause: Annotated[int, u8("", "latched first cause of a trip", words=Cause)]
    permits: Annotated[int, u16("", "bit set of Permit", words=Permit)]
    inputs: Annotated[int, u8("", "bit set of Input", words=Input)]
    valve_percent: Annotated[int, u8("%", "measured opening of the crystal valve", high=100)]
    suction_pa: Annotated[int, u16("Pa", "sensor of channel A", unknown=UNKNOWN_U16)]
    suction_b_pa: Annotated[int, u16("Pa", "sensor of channel B", unknown=UNKNOWN_U16)]
    flow_mg_per_min: Annotated[int, u16("mg/min", "measured crystal flow", unknown=UNKNOWN_U16)]
    lease_left_ms: Annotated[int, u16("ms", "what is left of the lease")]
    loop_counter: Annotated[int, u16("", "of the last setpoint that was accepted")]
    last_request_seq: Annotated[int, u16("", "the last one-shot that was executed")]
    set_suction_pa: Annotated[int, u16("Pa", "setpoint in force after the device's own limits")]
    set_flow_mg_per_min: Annotated[int, u16("mg/min", "setpoint in force after its own limits")]


class Status(NamedTuple):
    """The device's slow state, five times a second."""

    tick_ms: Annotated[int, u32("ms", "device clock; wraps")]
    crystal_total_mg: Annotated[int, u32("mg", "crystals through the valve since boot; wraps")]
    contact_total_ms: Annotated[int, u32("ms", "time with open valve on skin since boot; wraps")]
    hopper_mg: Annotated[int, u32("mg", "crystals left in the hopper")]
    waste_percent: Annotated[int, u8("%", "fill of the waste canister", high=100)]
    filter_pa: Annotated[int, u16("Pa", "pressure drop over the filter", unknown=UNKNOWN_U16)]
    pump_deg_c: Annotated[int, u8("degC", "temperature of the pump")]
    supply_mv: Annotated[int, u16("mV", "supply voltage")]
    bad_frames: Annotated[int, u16("", "corrupt frames since the session began; saturates")]
    defects: Annotated[int, u16("", "Defect: what the newest self-test found", words=Defect)]


class Stop(NamedTuple):
    """Stop now. Valid in every state and session, from anyone, repeated until confirmed.

    NORMAL is also how a treatment ends in order: valve shut, purge, vent, DISARMED.
    """

    kind: Annotated[int, u8("", "StopKind", words=StopKind)]


class Stopped(NamedTuple):
    """The device's answer to every STOP. Fixed seed, so that it needs no session."""

    tick_ms: Annotated[int, u32("ms", "device clock; wraps")]
    mode: Annotated[int, u8("", "Mode after the stop", words=Mode)]
    valve_percent: Annotated[int, u8("%", "measured opening of the crystal valve", high=100)]
    suction_pa: Annotated[int, u16("Pa", "sensor of channel A", unknown=UNKNOWN_U16)]


Message = (
    Hello | Ident | Result | Config | SelfTest | Arm | Reset | LogRead | LogRecord
    | Setpoint | Telemetry | Status | Stop | Stopped
)  # fmt: skip
"""Any message. Host to device: Hello, Config, SelfTest, Arm, Reset, LogRead, Setpoint, Stop."""
