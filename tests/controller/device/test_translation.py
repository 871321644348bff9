"""Every field of the wire reaches its own place in a reading, in the unit of that place."""

from controller.device.translation import reading_of, supplies_of
from controller.safety.reading import Reading, Supplies
from firmware_protocol.messages import UNKNOWN_U16, Status, Telemetry
from firmware_protocol.vocabulary import Cause, Defect, Input, Mode, Permit

TELEMETRY = Telemetry(
    tick_ms=5001, mode=Mode.ACTIVE, cause=Cause.DWELL, permits=32, inputs=3, valve_percent=56,
    suction_pa=20_100, suction_b_pa=20_200, flow_mg_per_min=8_300, lease_left_ms=240,
    loop_counter=11, last_request_seq=12, set_suction_pa=20_500, set_flow_mg_per_min=8_600,
)  # fmt: skip
READING = Reading(
    at_s=1.25, tick_ms=5001, mode=Mode.ACTIVE, cause=Cause.DWELL, permits=Permit(32),
    inputs=Input(3), valve_percent=56.0, suction_kpa=20.1, suction_b_kpa=20.2, flow_g_per_min=8.3,
    lease_left_s=0.24, loop_counter=11, last_request_seq=12, set_suction_kpa=20.5,
    set_flow_g_per_min=8.6, boot_id=7,
)  # fmt: skip
STATUS = Status(
    tick_ms=5001, crystal_total_mg=1_500, contact_total_ms=2_500, hopper_mg=90_000,
    waste_percent=40, filter_pa=1_700, pump_deg_c=30, supply_mv=24_100, bad_frames=2,
    defects=Defect.PUMP_HOT,
)  # fmt: skip
SUPPLIES = Supplies(
    at_s=1.25, crystal_total_g=1.5, contact_total_s=2.5, hopper_g=90.0, waste_percent=40.0,
    filter_kpa=1.7, pump_deg_c=30.0, supply_v=24.1, bad_frames=2, defects=Defect.PUMP_HOT,
)  # fmt: skip


def test_every_field_of_telemetry_is_in_the_reading() -> None:
    reading = reading_of(TELEMETRY, 1.25, None, 7)
    assert reading == READING
    assert [type(field) for field in reading] == [type(field) for field in READING]
    assert reading_of(TELEMETRY, 1.25, SUPPLIES, 7) == READING._replace(supplies=SUPPLIES)


def test_a_sensor_without_a_valid_reading_is_unknown_and_no_other_with_it() -> None:
    def seen(telemetry: Telemetry) -> Reading:
        return reading_of(telemetry, 1.25, None, 7)

    blind_a, blind_b = READING._replace(suction_kpa=None), READING._replace(suction_b_kpa=None)
    assert seen(TELEMETRY._replace(suction_pa=UNKNOWN_U16)) == blind_a
    assert seen(TELEMETRY._replace(suction_b_pa=UNKNOWN_U16)) == blind_b
    no_flow = READING._replace(flow_g_per_min=None)
    assert seen(TELEMETRY._replace(flow_mg_per_min=UNKNOWN_U16)) == no_flow


def test_every_field_of_the_status_is_in_the_supplies() -> None:
    supplies = supplies_of(STATUS, 1.25)
    assert supplies == SUPPLIES
    assert [type(field) for field in supplies] == [type(field) for field in SUPPLIES]
    unknown = supplies_of(STATUS._replace(filter_pa=UNKNOWN_U16), 1.25)
    assert unknown == SUPPLIES._replace(filter_kpa=None)
