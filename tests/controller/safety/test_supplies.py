import math

import pytest

from controller.safety.shortage_texts import OF_SHORT
from controller.safety.supplies import HOPPER_SPARE, STATUS_MAX_S, Short, shortage
from tests.controller.treatment.couch import STOCKED

NEEDED_G = 80.0


def test_a_unit_with_enough_of_everything_lacks_nothing() -> None:
    assert shortage(STOCKED, NEEDED_G, STATUS_MAX_S) is None
    assert shortage(STOCKED._replace(hopper_g=NEEDED_G * HOPPER_SPARE), NEEDED_G, 0.0) is None


@pytest.mark.hazard("H28", "H29", "H30", "H45", "H17", "H39")
@pytest.mark.parametrize(
    ("field", "value", "short"),
    [
        ("hopper_g", 99.0, Short.HOPPER),
        ("hopper_g", math.nan, Short.HOPPER),
        ("waste_percent", 90.1, Short.WASTE),
        ("waste_percent", math.nan, Short.WASTE),
        ("filter_kpa", 5.1, Short.FILTER),
        ("filter_kpa", None, Short.FILTER),
        ("filter_kpa", math.nan, Short.FILTER),
        ("pump_deg_c", 65.1, Short.PUMP),
        ("pump_deg_c", math.nan, Short.PUMP),
        ("supply_v", 20.9, Short.SUPPLY),
        ("supply_v", math.nan, Short.SUPPLY),
    ],
)
def test_what_is_missing_or_not_known_is_named(
    field: str, value: float | None, short: Short
) -> None:
    found = shortage(STOCKED._replace(**{field: value}), NEEDED_G, 0.0)  # type: ignore[arg-type]
    assert found is not None
    assert found.short is short
    words = OF_SHORT[short].saying(found.detail).sentence
    assert words.endswith(".")


@pytest.mark.hazard("H30")
def test_the_hopper_is_told_in_grams() -> None:
    found = shortage(STOCKED._replace(hopper_g=12.0), NEEDED_G, 0.0)
    assert found is not None
    assert found.detail == "It holds 12 g; fill it to at least 100 g."


@pytest.mark.parametrize("now_s", [STATUS_MAX_S + 0.1, math.nan])
def test_an_old_status_says_nothing(now_s: float) -> None:
    found = shortage(STOCKED, NEEDED_G, now_s)
    assert found is not None
    assert found.short is Short.STATUS
    assert shortage(None, NEEDED_G, 0.0) == found


def test_every_shortage_has_words_that_say_how_to_go_on() -> None:
    assert set(OF_SHORT) == set(Short)
    assert all("start again" in alarm.next_step for alarm in OF_SHORT.values())
