"""Where a limit is met exactly it still holds, and the smallest step beyond it does not.

Mutation testing found that nothing else tells `<=` from `<` in these places.
"""

import math
from dataclasses import replace

import pytest

from controller.safety.exposure import CHARGE_MAX_S, LEFT_MAX_MG, ZoneLedger
from controller.safety.interlocks import is_stale, is_stalled
from controller.safety.limits import Limit, Quantity, Source, resolve
from controller.safety.removal import (
    FLOW_WORST_G_PER_MIN,
    READING_MAX,
    SUCTION_WORST_KPA,
    Moisture,
    RemovalModel,
)

MODEL = RemovalModel(
    rate_ref_um_per_s=0.75,
    suction_ref_kpa=30.0,
    flow_ref_g_per_min=10.0,
    suction_exponent=0.7,
    flow_exponent=1.0,
    choke_kpa=48.0,
    crystal_ref_um=100.0,
    crystal_max_um=150.0,
    size_exponent=0.5,
    moist_factor=2.0,
    error_ln_sd=0.9,
    coverage_factor=1.5,
    coverage_factor_blind=3.0,
    window_ref_mm=6.0,
    crystal_um=100.0,
    moisture=Moisture.DRY,
)


def ledger(cap_um: float = 5.0) -> ZoneLedger:
    """A zone that has had nothing yet."""
    return ZoneLedger("chin", cap_um, math.inf, 20.0, MODEL)


@pytest.mark.hazard("H10", "H14")
def test_telemetry_and_beat_may_be_exactly_as_old_as_they_may_be_and_no_older() -> None:
    assert not is_stale(0.0, 0.150)
    assert is_stale(0.0, math.nextafter(0.150, 1.0))
    assert not is_stalled(0.0, 0.150)
    assert is_stalled(0.0, math.nextafter(0.150, 1.0))


@pytest.mark.hazard("H01")
def test_an_hour_is_the_longest_time_that_is_charged_as_a_time() -> None:
    longest, longer = ledger(), ledger()
    longest.add(0.0, 20.0, CHARGE_MAX_S)
    assert (longest.contact_s, longest.reached) == (3600.0, False)
    longer.add(0.0, 20.0, math.nextafter(CHARGE_MAX_S, math.inf))
    assert (longer.contact_s, longer.reached) == (0.0, True)


@pytest.mark.hazard("H01")
def test_the_crystals_of_a_known_flow_are_weighed_and_those_of_an_unknown_one_at_the_most() -> None:
    known, unknown = ledger(), ledger()
    known.add(6.0, 20.0, 20.0)
    assert known.grams == pytest.approx(2.0)
    unknown.add(None, 20.0, 20.0)
    assert unknown.grams == pytest.approx(FLOW_WORST_G_PER_MIN / 3.0)


@pytest.mark.hazard("H51")
def test_a_time_that_nobody_watched_is_charged_at_what_is_known_of_it_or_at_the_worst() -> None:
    watched, told, worst = ledger(), ledger(), ledger()
    watched.add(6.0, 20.0, 0.5)
    told.charge(0.5, 20.0, 6.0)
    worst.charge(0.5)
    assert told.use == watched.use
    assert worst.bound_um > told.bound_um
    worst_known = ledger()
    worst_known.add(FLOW_WORST_G_PER_MIN, SUCTION_WORST_KPA, 0.5)
    assert worst.bound_um == pytest.approx(worst_known.bound_um)


@pytest.mark.hazard("H01")
def test_without_flow_there_is_time_without_end_and_none_where_nothing_is_left() -> None:
    assert ledger().left_s(0.0, 20.0) == math.inf
    assert ledger(cap_um=0.0).left_s(0.0, 20.0) == 0.0


@pytest.mark.hazard("H01")
def test_a_weak_flow_has_its_share_of_crystals_too() -> None:
    zone = ledger()
    assert zone.left_mg(0.5, 20.0) > 0
    assert zone.left_mg(0.0, 20.0) == 0
    assert ledger(cap_um=1e6).left_mg(6.0, 20.0) == LEFT_MAX_MG


@pytest.mark.hazard("H09")
def test_a_reading_above_what_the_wire_carries_counts_as_the_most_it_carries() -> None:
    at_most, above = (MODEL.rate_um_per_s(kpa, kpa) for kpa in (READING_MAX, 1e9))
    assert above == at_most
    assert MODEL.rate_um_per_s(0.0, 20.0).bound_um_per_s == 0.0


@pytest.mark.hazard("H01")
@pytest.mark.parametrize("area_cm2", [0.0, 0.2, math.pi * 0.09, -1.0, math.nan])
def test_a_zone_no_larger_than_the_window_is_under_it_all_the_time(area_cm2: float) -> None:
    assert MODEL.window_share(area_cm2) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("requested", "sentence"),
    [
        (0.0, "Suction 0 kPa is allowed, 20 kPa under the limit of the program."),
        (0.5, "Suction 0.5 kPa is allowed, 19.5 kPa under the limit of the program."),
        (20.0, "Suction 20 kPa is allowed, and that is the limit of the program."),
        (-0.5, "Suction is off: what was asked for is not a usable number."),
    ],
)
def test_a_sentence_says_the_least_and_the_most_that_can_be_asked(
    requested: float, sentence: str
) -> None:
    limit = Limit(Source.PROGRAM, Quantity.SUCTION_KPA, 20.0)
    assert resolve(Quantity.SUCTION_KPA, requested, [limit]).sentence() == sentence


def test_a_limit_that_is_not_known_switches_off_and_says_whose_it_is() -> None:
    receipt = resolve(
        Quantity.SUCTION_KPA, 20.0, [Limit(Source.TIP, Quantity.SUCTION_KPA, math.nan)]
    )
    said = "the limit of the tip that is fitted is not known."
    assert receipt.sentence() == f"Suction is off: {said}"
    assert receipt.as_refusal().sentence() == f"Suction 20 kPa was refused: {said}"


def test_where_nothing_limits_there_is_room_without_end() -> None:
    receipt = resolve(Quantity.SUCTION_KPA, 5.0, [Limit(Source.TIP, Quantity.CONTACT_S, 1.0)])
    assert (receipt.allowed, receipt.margin, receipt.chain) == (5.0, math.inf, ())


@pytest.mark.hazard("H01")
def test_what_the_unit_may_be_wrong_by_is_added_to_the_bound_in_full() -> None:
    unsure = replace(MODEL, flow_uncertainty_percent=10.0, suction_uncertainty_kpa=1.5)
    assert unsure.rate_um_per_s(5.0, 20.0).bound_um_per_s == pytest.approx(
        MODEL.rate_um_per_s(5.5, 21.5).bound_um_per_s, rel=1e-9
    )
    assert unsure.rate_um_per_s(5.0, 20.0).nominal_um_per_s == pytest.approx(
        MODEL.rate_um_per_s(5.0, 20.0).nominal_um_per_s, rel=1e-9
    )
