"""The envelope that both ends share, stated again: its constants as literals, each with its source.

Host and device take these numbers from one file, so that a slip of the pen there would be followed
by both, and by every test that takes them from it too. Here each stands a second time. Who changes
one changes it here as well, and says where the new one comes from.

[PSI30] Andrews et al., Pharm Res 2013;30:1099-1109, fig. 5: 20 s at 30 kPa strip the stratum
corneum, 60 s at 50 kPa the whole epidermis. [OPC15] OPC UA Safety, part 15: the error limiter.
[D] derived in docs/SAFETY.md, "Where the budgets come from".
"""

from typing import NamedTuple

import pytest

from firmware_protocol import envelope, messages, session


class Stated(NamedTuple):
    """A constant, written out, and where it comes from."""

    value: float
    source: str


ENVELOPE = {
    "SUCTION_SET_MAX_PA": Stated(50_000, "[PSI30] the highest suction that was measured; body"),
    "SUCTION_FACE_MAX_PA": Stated(40_000, "practice works at 13.5 to 41 kPa on the face [D]"),
    "SUCTION_TRIP_PA": Stated(55_000, "between 50 kPa and the relief valve at 60 kPa [D]"),
    "SUCTION_PERMIT_MIN_PA": Stated(8_000, "no seal below it carries crystals away [D]"),
    "FLOW_SET_MIN_MG_PER_MIN": Stated(500, "a flow sensor tells less from none no more (ADR 30)"),
    "FLOW_SET_MAX_MG_PER_MIN": Stated(12_000, "a fifth above the strongest program, 10 g/min [D]"),
    "CONTACT_SUCTION_MIN_PA": Stated(10_000, "critical suction of petechiae, 9.9 to 10.9 kPa [D]"),
    "SETPOINT_PERIOD_S": Stated(0.050, "the control loop beats 20 times a second [D]"),
    "LEASE_DEFAULT_MS": Stated(200, "four periods: two renewals in a row may be lost [D]"),
    "LEASE_MIN_MS": Stated(100, "two periods [D]"),
    "LEASE_MAX_MS": Stated(200, "with the margin 250 ms to the shut valve (ADR 30)"),
    "LEASE_MARGIN_S": Stated(0.050, "the spring shuts the valve: 200 + 50 = 250 ms [D]"),
    "ECHO_AGE_MAX_MS": Stated(100, "older is a delayed line, not a late host [D]"),
    "TELEMETRY_PERIOD_S": Stated(0.020, "50 frames a second [D]"),
    "TELEMETRY_SHIFT_S": Stated(0.005, "a quarter of the period: no tick gives the next (ADR 30)"),
    "STATUS_PERIOD_S": Stated(0.200, "5 frames a second [D]"),
    "STREAM_HEALTHY_FRAMES": Stated(18, "of 20 in a second: two may be lost [D]"),
    "STREAM_HEALTHY_WINDOW_S": Stated(1.0, "20 setpoints [D]"),
    "ARM_WAIT_MAX_S": Stated(10.0, "nobody is there who presses later [D]"),
    "BAD_FRAMES_SHORT_MAX": Stated(5, "[OPC15]"),
    "BAD_FRAMES_SHORT_S": Stated(10.0, "[OPC15]"),
    "BAD_FRAMES_LONG_MAX": Stated(40, "[OPC15]"),
    "BAD_FRAMES_LONG_S": Stated(3600.0, "an hour [OPC15]"),
    "BUDGET_FLOW_S": Stated(0.250, "10 % of the cheek's 16.8 um at 6 um/s is 280 ms [D]"),
    "BUDGET_NO_CONTACT_S": Stated(0.100, "17 mg at 10 g/min, 0.83 mg/m3 in 20 m3 [D]"),
    "BUDGET_SWITCH_S": Stated(0.100, "faster than a simple human reaction of 200 ms [D]"),
    "DWELL_WARN_S": Stated(1.0, "half of the trip [D]"),
    "DWELL_TRIP_S": Stated(2.0, "4 um at 2 um/s; a tenth of the 20 s of [PSI30]"),
    "SEAL_UNBROKEN_MAX_S": Stated(8.0, "a slow stroke takes 6 s; 16 um at 2 um/s [D]"),
    "SUCKED_MAX_S": Stated(20.0, "[PSI30] 20 s at 30 kPa"),
    "SWITCH_HELD_MAX_S": Stated(120.0, "no hand holds on for two minutes without lifting [D]"),
    "PURGE_S": Stated(2.0, "the line between valve and tip empties [D]"),
    "VALVE_CLOSED_MIN_S": Stated(0.300, "a lift and the seal after it take as long (ADR 30)"),
    "VENTED_MAX_PA": Stated(3_000, "the tip lets go of the skin [D]"),
    "VENT_TIMEOUT_S": Stated(2.0, "ten times what a healthy vent takes [D]"),
}
COUNTS = {
    (messages, "UNKNOWN_U16"): Stated(65_535, "the highest count of 16 bits is no reading"),
    (messages, "PA_PER_KPA"): Stated(1000, "SI"),
    (messages, "MG_PER_G"): Stated(1000, "SI"),
    (session, "TICK_SPAN"): Stated(4_294_967_296, "32 bits"),
    (session, "SEQ_SPAN"): Stated(65_536, "16 bits"),
    (session, "SEQ_HALF"): Stated(32_768, "half of 16 bits"),
}
"""Units and spans that both ends reckon with."""


@pytest.mark.hazard("H01", "H03", "H10")
@pytest.mark.parametrize("name", ENVELOPE)
def test_a_constant_of_the_envelope_is_what_its_source_says(name: str) -> None:
    assert getattr(envelope, name) == ENVELOPE[name].value


def test_every_constant_of_the_envelope_is_stated_here_with_a_source() -> None:
    there = {name for name in vars(envelope) if name.isupper()}
    assert set(ENVELOPE) == there
    assert all(each.source for each in (*ENVELOPE.values(), *COUNTS.values()))


@pytest.mark.hazard("H20")
def test_the_units_and_spans_of_the_wire_are_what_they_are_everywhere() -> None:
    for (module, name), stated in COUNTS.items():
        assert getattr(module, name) == stated.value, name
