"""What the device says of readings that are no numbers, or none at all."""

import math

import pytest

from firmware_protocol.messages import UNKNOWN_U16
from simulator.firmware import reports
from simulator.firmware.board import Board
from simulator.firmware.memory import Identity, Memory
from tests.simulator.firmware.samples import at_rest

NO_NUMBERS = (math.nan, math.inf, -math.inf)


def board(**readings: float | None) -> Board:
    identity = Identity(1001, 1, boot_tick_ms=0)
    return Board(identity, lambda: 1, at_rest(**readings), Memory(), 0.0)


@pytest.mark.hazard("H09")
@pytest.mark.parametrize("value", [None, *NO_NUMBERS])
@pytest.mark.parametrize("name", ["suction_a_kpa", "suction_b_kpa", "flow_g_per_min"])
def test_a_reading_that_is_no_number_is_told_as_unknown(name: str, value: float | None) -> None:
    fields = {"suction_a_kpa": "suction_pa", "suction_b_kpa": "suction_b_pa",
              "flow_g_per_min": "flow_mg_per_min"}  # fmt: skip
    said = reports.telemetry(board(**{name: value}), 0)
    assert getattr(said, fields[name]) == UNKNOWN_U16


@pytest.mark.hazard("H05", "H39")
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_supplies_and_a_valve_that_are_no_number_are_told_at_their_worst(value: float) -> None:
    readings = dict.fromkeys(
        ("valve_percent", "waste_percent", "filter_kpa", "pump_deg_c", "hopper_g", "supply_v"),
        value,
    )
    sick = board(**readings)
    assert reports.telemetry(sick, 0).valve_percent == 100
    said = reports.status(sick, 0)
    assert (said.waste_percent, said.pump_deg_c, said.filter_pa) == (100, 0xFF, UNKNOWN_U16 - 1)
    assert (said.hopper_mg, said.supply_mv) == (0, 0)
