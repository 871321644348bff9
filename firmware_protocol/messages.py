"""Every message on the wire, as an immutable tuple of integers with its fields described.

A field has a width, a unit, a range and a meaning. Wire counts become floats with units, and back,
here and nowhere else. The annotations are the catalogue: codecs, documents, vectors and the schema
hash are made from them. Messages are named tuples because one is built per frame: a frozen
dataclass costs four times as much.
"""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntFlag
from functools import reduce
from operator import or_
from typing import Annotated, Final, Literal, NamedTuple

from fastcrc.crc32 import autosar

from firmware_protocol.envelope import FLOW_SET_MAX_MG_PER_MIN, SUCTION_SET_MAX_PA
from firmware_protocol.errors import LocalProtocolError
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

# -- fields ----------------------------------------------------------------------------------------
Code = Literal["B", "H", "I"]

WIDTH_BYTES: Final[dict[Code, int]] = {"B": 1, "H": 2, "I": 4}
WIDTH_MAX: Final[dict[Code, int]] = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFF_FFFF}


@dataclass(frozen=True, slots=True)
class Field:
    """One unsigned little-endian integer of a message.

    ``low`` and ``high`` bound it on both ends, inclusive; ``unknown`` is the one count outside of
    them that is legal and says that there is no valid reading.
    """

    code: Code
    unit: str
    about: str
    low: int = 0
    high: int = -1
    unknown: int | None = None
    words: type[Enum] | None = None
    """The enum that names the counts; its words bound them."""

    @property
    def top(self) -> int:
        """The largest value: of its words, ``high``, or what the width holds beside unknown."""
        if self.words is not None:
            return largest(self.words, (int(member.value) for member in self.words))
        if self.high >= 0:
            return self.high
        return WIDTH_MAX[self.code] - (self.unknown == WIDTH_MAX[self.code])

    @property
    def fills_its_width(self) -> bool:
        """True where no count above ``low`` is illegal, so that there is nothing to check."""
        legal_max = max(self.top, self.unknown or 0)
        return legal_max == WIDTH_MAX[self.code] and self.top >= legal_max - 1


def largest(words: type[Enum], values: Iterable[int]) -> int:
    """Return the largest of some values of an enum: of bits, all together."""
    return reduce(or_, values, 0) if issubclass(words, IntFlag) else max(values)


def u8(
    unit: str, about: str, *, low: int = 0, high: int = -1, words: type[Enum] | None = None
) -> Field:
    """Return an 8-bit field."""
    return Field("B", unit, about, low, high, words=words)


def u16(
    unit: str,
    about: str,
    *,
    low: int = 0,
    high: int = -1,
    unknown: int | None = None,
    words: type[Enum] | None = None,
) -> Field:
    """Return a 16-bit field."""
    return Field("H", unit, about, low, high, unknown, words)


def u32(unit: str, about: str, *, low: int = 0, high: int = -1) -> Field:
    """Return a 32-bit field."""
    return Field("I", unit, about, low, high)


# -- quantities ------------------------------------------------------------------------------------
UNKNOWN_U16: Final = 0xFFFF
"""The count that says: this sensor has no valid reading."""

PA_PER_KPA: Final = 1000
MG_PER_G: Final = 1000


def kpa_to_pa(suction_kpa: float) -> int:
    """Return suction in whole pascals below ambient; LocalProtocolError unless 0 to 65.534 kPa."""
    return _count(suction_kpa * PA_PER_KPA, "suction_kpa", suction_kpa)


def pa_to_kpa(suction_pa: int) -> float | None:
    """Return suction in kPa below ambient, or None where the sensor has no valid reading."""
    return None if suction_pa == UNKNOWN_U16 else suction_pa / PA_PER_KPA


def g_per_min_to_mg_per_min(flow_g_per_min: float) -> int:
    """Return crystal flow in whole mg/min; LocalProtocolError unless 0 to 65.534 g/min."""
    return _count(flow_g_per_min * MG_PER_G, "flow_g_per_min", flow_g_per_min)


def mg_per_min_to_g_per_min(flow_mg_per_min: int) -> float | None:
    """Return crystal flow in g/min, or None where the sensor has no valid reading."""
    return None if flow_mg_per_min == UNKNOWN_U16 else flow_mg_per_min / MG_PER_G


def _count(scaled: float, name: str, value: float) -> int:
    if math.isfinite(scaled) and scaled >= 0.0 and round(scaled) < UNKNOWN_U16:
        return round(scaled)
    raise LocalProtocolError(f"{name} {value} is not in 0 to 65.534, the span of the wire")


WITNESSED_MAX: Final = 4
"""Journals of which a unit keeps a row: a clinic has one or two, and each that moves a spare."""


# -- messages --------------------------------------------------------------------------------------
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
    boot_id: Annotated[int, u32("", "changes at every boot; a simulator draws it from its seed")]
    device_nonce: Annotated[
        int, u32("", "fresh random number of the device; a simulator draws it from its seed")
    ]
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
    """Run the self-test. Answered at once; the detail is the token that ARM must show, in READY."""


class Arm(NamedTuple):
    """Arm the treatment: needs READY, its token, a healthy setpoint stream, a released switch."""

    token: Annotated[int, u32("", "detail of the SELFTEST result; void after any stop or trip")]
    treatment: Annotated[int, u32("", "the treatment of CONFIG")]


class Reset(NamedTuple):
    """Leave SAFE for DISARMED: cause gone, switch released.

    The host first lets a local person acknowledge the cause. The unit cannot see whether it did.
    """

    cause: Annotated[int, u8("", "the latched cause that was acknowledged", words=Cause)]


class LogRead(NamedTuple):
    """Ask for one record of the device's event log; LOG_RECORD answers for a missing one too.

    Number 0 asks for ``newest_seq`` alone. The refusal NO_SUCH_RECORD is not used. A unit without
    LOG_READ takes it for an unknown message that may be ignored and gives no answer; no capability
    tells so.
    """

    record_seq: Annotated[int, u32("", "number of the record, from 1")]


class LogRecord(NamedTuple):
    """One record of the device's event log; of a missing one number, tick, code and arg are 0."""

    request_seq: Annotated[int, u16("", "sequence of the request that this answers")]
    record_seq: Annotated[int, u32("", "number of the record; 0 when there is no such record")]
    tick_ms: Annotated[int, u32("ms", "device clock at the event; wraps")]
    code: Annotated[int, u16("", "LogCode; 0 when there is no such record", words=LogCode)]
    arg: Annotated[int, u32("", "per code")]
    newest_seq: Annotated[int, u32("", "number of the newest record")]


class WitnessKeep(NamedTuple):
    """Keep the end of a journal: memory only, which moves nothing and permits nothing.

    Refused with WRONG_MODE while a treatment is armed or comes to its end, and with WITNESS_AHEAD
    where the unit keeps a later row of this journal, or another hash of the same row: a record that
    went back is what a witness shows. ``decided`` replaces that too, and is counted.
    """

    journal_high: Annotated[int, u32("", "name of the journal: its first 8 hexadecimal digits")]
    journal_low: Annotated[int, u32("", "its last 8")]
    row: Annotated[int, u32("", "number of the newest row", low=1)]
    hash_high: Annotated[int, u32("", "hash of that row: hexadecimal digits 1 to 8")]
    hash_middle: Annotated[int, u32("", "digits 9 to 16")]
    hash_low: Annotated[int, u32("", "digits 17 to 24; the other 40 do not travel")]
    decided: Annotated[int, u8("", "1: a technician has decided that the record is right", high=1)]


class WitnessAsk(NamedTuple):
    """Ask which row of a journal the unit keeps; answered in every mode, and changes nothing."""

    journal_high: Annotated[int, u32("", "name of the journal: its first 8 hexadecimal digits")]
    journal_low: Annotated[int, u32("", "its last 8")]


class WitnessHead(NamedTuple):
    """The row of a journal that the unit keeps; of an unknown journal all but ``kept`` are 0."""

    request_seq: Annotated[int, u16("", "sequence of the request that this answers")]
    row: Annotated[int, u32("", "number of the row; 0 when the unit does not know the journal")]
    hash_high: Annotated[int, u32("", "hash of that row: hexadecimal digits 1 to 8")]
    hash_middle: Annotated[int, u32("", "digits 9 to 16")]
    hash_low: Annotated[int, u32("", "digits 17 to 24")]
    decided: Annotated[int, u8("", "how often a decision has put it back; saturates")]
    kept: Annotated[int, u8("", "journals that the unit keeps a row of", high=WITNESSED_MAX)]


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
    | WitnessKeep | WitnessAsk | WitnessHead | Setpoint | Telemetry | Status | Stop | Stopped
)  # fmt: skip
"""Any message. Host to device: Hello, Config, SelfTest, Arm, Reset, LogRead, WitnessKeep,
WitnessAsk, Setpoint, Stop."""


_FIELDS: Final = struct.Struct("<IHHHB")


def check_value(config: Config) -> int:
    """Return CRC-32/AUTOSAR over the packed fields of a configuration."""
    return autosar(_FIELDS.pack(*config))
