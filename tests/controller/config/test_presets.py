"""The thirteen presets against the table of what ships, row by row."""

import tomllib
from typing import NamedTuple

import pytest

from controller.config.locate import shipped_configs
from controller.config.presets import PRESETS, preset_of
from controller.config.programs import budget_s, load_program, program_names
from controller.config.skin import load_skin
from controller.planning.program import Program, Role
from controller.safety.skin import Region
from tests.controller.first_presets import FIRST_APPROVED

CONFIGS = shipped_configs()
SKIN = load_skin(CONFIGS)
FACE_CM2 = 330.0


class Row(NamedTuple):
    """One row of the preset table; two stages stand as two rows."""

    program: str
    display: str
    suction_kpa: float
    flow_g_per_min: float
    passes: int
    speed_mm_per_s: float
    area_cm2: float
    contact_budget_s: float
    dose_mg_per_cm2: float
    interval_days: float


ROWS = (
    Row("patch-test", "Patch test", 15, 1.2, 1, 40, 4, 3, 16.7, 7),
    Row("first-gentle", "First / Gentle", 18, 1.4, 1, 40, FACE_CM2, 275, 19.4, 21),
    Row("refresh", "Refresh", 28, 1, 1, 40, FACE_CM2, 275, 13.9, 14),
    Row("clarify", "Clarify", 30, 1, 1, 40, FACE_CM2, 275, 13.9, 14),
    Row("texture-refine", "Texture refine", 30, 1, 1, 40, 200, 167, 13.9, 14),
    Row("even-bright", "Even & bright", 30, 1, 1, 40, FACE_CM2, 275, 13.9, 14),
    Row("tone-safe", "Tone-safe", 13, 1, 1, 50, FACE_CM2, 220, 11.1, 28),
    Row("fine-skin", "Fine skin", 16, 1.4, 1, 40, 324, 275, 19.4, 21),
    Row("neck-chest", "Neck & chest", 16, 1.6, 1, 40, 130, 108, 22.2, 21),
    Row("neck-chest", "Neck & chest", 20, 1.6, 1, 40, 220, 183, 22.2, 21),
    Row("hands", "Hands", 24, 1.2, 2, 35, 200, 381, 38.1, 14),
    Row("back", "Back", 36, 1.1, 1, 50, 800, 534, 12.2, 14),
    Row("body-smooth", "Body smooth", 34, 1.3, 1, 45, 500, 370, 16, 14),
    Row("maintain", "Maintain", 24, 1, 1, 35, FACE_CM2, 314, 15.9, 28),
)
"""What ships: the crystals of a zone in mg/cm² are flow * passes / speed over half a window."""

NAMES = sorted({row.program for row in ROWS})


def programs() -> dict[str, Program]:
    return {name: load_program(CONFIGS, name, SKIN) for name in program_names(CONFIGS)}


PROGRAMS = programs()


def test_there_are_exactly_the_thirteen_presets() -> None:
    assert len(NAMES) == 13
    assert sorted(PROGRAMS) == NAMES == sorted(PRESETS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.program}-{row.suction_kpa}")
def test_a_preset_has_the_values_of_its_row(row: Row) -> None:
    program = PROGRAMS[row.program]
    stages = [stage for stage in program.stages if stage.suction_kpa == row.suction_kpa]
    assert stages
    for stage in stages:
        assert (stage.flow_g_per_min, stage.passes) == (row.flow_g_per_min, row.passes)
        assert stage.speed_mm_per_s == row.speed_mm_per_s
    assert program.display_name == row.display
    assert program.interval_days == row.interval_days
    assert sum(site_area_cm2(stage.zone) for stage in stages) == pytest.approx(row.area_cm2)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.program}-{row.suction_kpa}")
def test_the_contact_budget_is_that_of_the_row_and_follows_the_formula(row: Row) -> None:
    """Area * passes / (window * (1 - overlap) * speed), to 2 % or the rounding of the table."""
    program = PROGRAMS[row.program]
    stages = [stage for stage in program.stages if stage.suction_kpa == row.suction_kpa]
    total_s = sum(stage.contact_budget_s for stage in stages)
    assert total_s == pytest.approx(row.contact_budget_s)
    area_cm2 = sum(site_area_cm2(stage.zone) for stage in stages)
    formula_s = area_cm2 * 100.0 * row.passes / (6.0 * 0.5 * row.speed_mm_per_s)
    assert budget_s(area_cm2, row.passes, row.speed_mm_per_s) == pytest.approx(formula_s)
    assert abs(total_s - formula_s) <= max(0.5, 0.02 * formula_s)
    dose = row.flow_g_per_min / 60.0 * formula_s / area_cm2 * 1000.0
    assert dose == pytest.approx(row.dose_mg_per_cm2, rel=0.02)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.program}-{row.suction_kpa}")
def test_the_approved_values_are_those_that_ship(row: Row) -> None:
    program = PROGRAMS[row.program]
    for stage in program.stages:
        preset = preset_of(row.program, stage.zone)
        assert preset is not None
        if preset.suction_kpa == row.suction_kpa:
            assert preset[1:] == row[2:6]


@pytest.mark.hazard("H19")
def test_no_version_of_a_preset_is_above_what_was_approved_first() -> None:
    assert set(PRESETS) == set(FIRST_APPROVED)
    for name, presets in PRESETS.items():
        for preset, first in zip(presets, FIRST_APPROVED[name], strict=True):
            suction_kpa, flow_g_per_min, passes, speed_mm_per_s = first
            assert preset.suction_kpa <= suction_kpa
            assert preset.flow_g_per_min <= flow_g_per_min
            assert preset.passes <= passes
            assert preset.speed_mm_per_s >= speed_mm_per_s


def test_the_hands_alone_have_two_passes_and_texture_refine_alone_needs_training() -> None:
    two = {name for name, each in PROGRAMS.items() if max(s.passes for s in each.stages) > 1}
    trained = {name for name, each in PROGRAMS.items() if each.role is Role.TRAINED}
    assert (two, trained) == ({"hands"}, {"texture-refine"})


def test_the_zones_of_the_face_sum_to_330_cm2() -> None:
    face = [site for site in SKIN.sites if site.region is Region.FACE and site.selectable]
    assert sum(site.area_cm2 for site in face) == FACE_CM2
    assert {site.zone for site in face} == {stage.zone for stage in PROGRAMS["refresh"].stages}


@pytest.mark.hazard("H19")
def test_no_preset_is_above_the_limit_of_its_region_or_names_an_exclusion_zone() -> None:
    for program in PROGRAMS.values():
        for stage in program.stages:
            site = SKIN.site(stage.zone)
            assert site is not None
            assert site.selectable
            assert stage.suction_kpa <= site.suction_max_kpa
            assert stage.suction_kpa <= (32.0 if site.region is Region.FACE else 36.0)


@pytest.mark.parametrize("name", NAMES)
def test_each_number_of_a_preset_has_a_source_that_says_what_it_is(name: str) -> None:
    table = tomllib.loads((CONFIGS / "programs" / f"{name}.toml").read_text())
    about = {source["about"] for source in table["sources"]}
    assert {"flow_g_per_min", "speed_mm_per_s", "contact_budget_s"} <= about
    flow = next(each for each in table["sources"] if each["about"] == "flow_g_per_min")
    assert flow["kind"] == "proposal"
    assert all(source["cite"] for source in table["sources"])


@pytest.mark.parametrize("name", NAMES)
def test_a_name_makes_no_medical_claim(name: str) -> None:
    words = f"{name} {PROGRAMS[name].display_name}".lower()
    assert not any(claim in words for claim in ("acne", "scar", "keratosis", "melasma", "rosacea"))


def test_the_hash_follows_the_values_and_not_the_layout() -> None:
    hashes = {program.sha256 for program in PROGRAMS.values()}
    assert len(hashes) == 13
    assert all(len(sha256) == 64 for sha256 in hashes)
    assert programs() == PROGRAMS


def site_area_cm2(zone: str) -> float:
    site = SKIN.site(zone)
    return 0.0 if site is None else site.area_cm2
