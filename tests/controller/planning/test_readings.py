"""Measured patches in a plan: what they do to it, and what the plan says of them."""

from dataclasses import replace

import pytest

from controller.config.locate import shipped_configs
from controller.config.people import load_client, load_unit
from controller.planning.case import Case
from controller.planning.fingerprint import Fingerprint, fingerprint
from controller.planning.plan import Plan
from controller.planning.planning import Given, case_of, plan_steps, wanted_of
from controller.planning.steps import finished
from controller.safety.instruments import INSTRUMENTS
from controller.safety.patch_reading import PatchReading
from controller.safety.refusal import Refusal
from tests.controller.first_presets import FIRST, SLOW_SKIN

CONFIGS = shipped_configs()
SKIN = replace(SLOW_SKIN, model=replace(SLOW_SKIN.model, error_ln_sd=0.9, rate_ln_sd=0.75))
CLIENT = replace(load_client(CONFIGS, "demo"), ref="c-17", practice=False, zones=None)
UNIT = replace(load_unit(CONFIGS, 7, simulated=True), motion_sensor=True)
REFRESH = FIRST["refresh"]
NOW_S = 1.75e9
TAPE = INSTRUMENTS["tape-strip-protein"]


def reading(removed_um: float, day: int = 1, expected_um: float = 5.0) -> PatchReading:
    return PatchReading(
        f"2025-05-{day:02}", NOW_S - 30 * 86_400.0, "chin", TAPE, expected_um, removed_um, 0.3
    )


def case(*readings: PatchReading) -> Case:
    client = replace(CLIENT, patch_readings=readings)
    wanted = wanted_of(None, ("chin",), None, None)
    return case_of(Given(REFRESH, client, UNIT, SKIN), (), NOW_S, wanted)


def plan(*readings: PatchReading) -> Plan:
    made = finished(plan_steps(case(*readings), advise=False))
    assert isinstance(made, Plan), made
    return made


def note(*readings: PatchReading) -> str:
    (said,) = [each for each in plan(*readings).notes if each.startswith("The patch reading")]
    return said


def contact_s(*readings: PatchReading) -> float:
    return plan(*readings).stages[0].expected_contact_s


def mark(*readings: PatchReading) -> Fingerprint:
    return finished(fingerprint(case(*readings), plan(*readings), None))


@pytest.mark.hazard("H01")
def test_a_reading_that_says_faster_ends_a_zone_earlier_at_once() -> None:
    assert contact_s(reading(10.0)) < contact_s()
    assert note(reading(10.0)) == (
        "The patch readings of client c-17 say that this skin goes faster: the bound is 4.64 "
        "instead of 4.40 times the nominal rate."
    )


@pytest.mark.hazard("H01")
def test_one_reading_that_says_slower_leaves_the_plan_as_it_is() -> None:
    assert plan(reading(1.0)).stages == plan().stages
    assert note(reading(1.0)).endswith("as it is: one visit alone makes no treatment longer.")


@pytest.mark.hazard("H01")
def test_two_visits_that_agree_charge_half_and_lengthen_by_a_factor_of_two_at_most() -> None:
    twice = (reading(1.0), reading(1.1, day=8))
    assert plan(*twice).model.bound_factor == 0.5
    assert contact_s() < contact_s(*twice) <= 2.0 * contact_s()
    assert note(*twice) == (
        "The patch readings of client c-17 agree over 2 visits that this skin goes no faster than "
        "expected: the bound is 2.20 instead of 4.40 times the nominal rate, at most a factor of 2 "
        "for each visit after the first."
    )


@pytest.mark.hazard("H01")
def test_two_visits_that_do_not_agree_leave_the_plan_as_it_is() -> None:
    apart = (reading(1.0), reading(4.5, day=8))
    assert plan(*apart).stages == plan().stages
    assert note(*apart).endswith("they do not agree within their noise; measure once more.")


def test_a_reading_that_says_a_little_faster_is_told_to_change_nothing() -> None:
    assert note(reading(5.5)).endswith("as it is: they lie within what the bound allows for.")


@pytest.mark.hazard("H01")
def test_a_reading_in_the_noise_changes_nothing_and_the_plan_says_so() -> None:
    tiny = reading(0.004, expected_um=0.039)
    assert plan(tiny).stages == plan().stages
    assert note(tiny) == (
        "The patch reading of 2025-05-01, Chin, changes nothing: 0.004 µm where 0.039 µm were "
        "expected, and tape strips with a protein assay can see only what is at least 0.5 µm."
    )


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("began_wall_s", [NOW_S + 1.0, float("nan"), float("inf")])
def test_a_reading_of_a_day_that_has_not_come_is_refused(began_wall_s: float) -> None:
    readings = (reading(10.0), replace(reading(10.0, day=9), began_wall_s=began_wall_s))
    refused = finished(plan_steps(case(*readings), advise=False))
    assert isinstance(refused, Refusal)
    assert refused.code == "patch_reading"
    assert refused.sentence == (
        "clients/c-17.toml, patch_readings[2].date = 2025-05-09 has not come yet; it must be the "
        "day of the measurement, today at the latest."
    )


@pytest.mark.hazard("H01")
@pytest.mark.parametrize(
    "changes",
    [
        {"date": "2025-05-02"}, {"zone": "nose"}, {"removed_um": 11.0}, {"expected_um": 4.9},
        {"ln_sd": 0.31}, {"instrument": replace(TAPE, noise_um=0.6)},
    ],
)  # fmt: skip
def test_the_fingerprint_of_a_plan_covers_each_field_of_a_reading(changes: object) -> None:
    other = replace(reading(10.0), **changes)  # type: ignore[arg-type]  # changes are by name
    seen = dict(mark(reading(10.0)).parts)
    assert "client" in mark(other).differing(seen)


def test_the_fingerprint_covers_what_the_readings_make_of_the_bound() -> None:
    assert set(mark(reading(10.0)).differing(dict(mark().parts))) == {"client", "limits"}
