"""The fingerprint of a plan: what changes it, what does not, and how a difference is named."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controller.config.locate import shipped_configs
from controller.config.people import load_client, load_unit
from controller.config.programs import load_program
from controller.config.skin import load_skin
from controller.planning.case import Case, Wanted
from controller.planning.fingerprint import (
    WORDS,
    Fingerprint,
    canonical,
    change_in_words,
    fingerprint,
)
from controller.planning.plan import Lower, Plan
from controller.planning.planning import Given, case_of, plan_steps
from controller.planning.steps import finished
from controller.planning.tips import TipPast, TipUse
from controller.planning.unit import Reuse
from controller.safety.exposure import ZoneUse
from controller.safety.skin import PastDose, Shedding
from tests.controller.first_presets import FIRST, SLOW_SKIN

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = shipped_configs()
SKIN = load_skin(CONFIGS)
NOW_S = 1.75e9
DAY_S = 86_400.0
DOSES = (PastDose("chin", NOW_S - 20 * DAY_S, 1.0), PastDose("nose", NOW_S - 30 * DAY_S, 0.5))
CASE = case_of(
    Given(
        load_program(CONFIGS, "refresh", SKIN),
        replace(load_client(CONFIGS, "demo"), practice=False),
        replace(load_unit(CONFIGS, 7, simulated=True), motion_sensor=True),
        SKIN,
    ),
    DOSES,
    NOW_S,
    Wanted(Lower(), None, "", ()),
)
TIP = TipPast("A-1", (TipUse(3, "c-1", NOW_S - DAY_S, Reuse.STERILISE, cleaned=True),))


def planned(case: Case) -> Plan:
    made = finished(plan_steps(case, advise=False))
    assert isinstance(made, Plan), made
    return made


def mark(case: Case = CASE, tip: TipPast | None = TIP) -> Fingerprint:
    return finished(fingerprint(case, planned(case), tip))


def wanting(**changes: object) -> Case:
    return replace(CASE, wanted=replace(CASE.wanted, **changes))  # type: ignore[arg-type] # by name


def with_first_site(**changes: object) -> Case:
    first, *rest = SKIN.sites
    changed = replace(first, **changes)  # type: ignore[arg-type] # changes are by name
    return replace(CASE, skin=replace(SKIN, sites=(changed, *rest)))


CHANGES: dict[str, tuple[str, Callable[[], Fingerprint]]] = {
    "a lower suction": ("wish", lambda: mark(wanting(lower=Lower(suction_kpa=27.9)))),
    "fewer zones": ("wish", lambda: mark(wanting(zones=("nose",)))),
    "a reason": ("wish", lambda: mark(wanting(reason="by agreement"))),
    "a stage": (
        "program",
        lambda: mark(replace(CASE, program=replace(CASE.program, stages=CASE.program.stages[:-1]))),
    ),
    "the interval of the program": (
        "program",
        lambda: mark(replace(CASE, program=replace(CASE.program, interval_days=15.0))),
    ),
    "the age": ("client", lambda: mark(replace(CASE, client=replace(CASE.client, age_years=71)))),
    "an exclusion": (
        "client",
        lambda: mark(replace(CASE, client=replace(CASE.client, exclusions=("nose",)))),
    ),
    "the calibration": (
        "unit",
        lambda: mark(replace(CASE, unit=replace(CASE.unit, suction_uncertainty_kpa=1.01))),
    ),
    "no motion sensor": (
        "unit",
        lambda: mark(replace(CASE, unit=replace(CASE.unit, motion_sensor=False))),
    ),
    "another unit": ("unit", lambda: mark(replace(CASE, unit=replace(CASE.unit, serial=8)))),
    "the thickness of a site that is not treated": (
        "sites",
        lambda: mark(with_first_site(sc_nom_um=SKIN.sites[0].sc_nom_um * 1.001)),
    ),
    "the rate": (
        "removal",
        lambda: mark(
            replace(CASE, skin=replace(SKIN, model=replace(SKIN.model, rate_ref_um_per_s=0.1)))
        ),
    ),
    "a rule of caps": (
        "removal",
        lambda: mark(replace(CASE, skin=replace(SKIN, rules=replace(SKIN.rules, cap_share=0.3)))),
    ),
    "a dose more": (
        "history",
        lambda: mark(replace(CASE, history=(*DOSES, PastDose("brow", NOW_S - 99 * DAY_S, 0.1)))),
    ),
    "what a resumed zone has had": (
        "history",
        lambda: mark(wanting(resumed=(("nose", ZoneUse(contact_s=1.0)),))),
    ),
    "another tip": ("tip", lambda: mark(tip=replace(TIP, label="A-2"))),
    "a tip that is not clean": (
        "tip",
        lambda: mark(tip=replace(TIP, uses=(replace(TIP.uses[0], cleaned=False),))),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_anything_that_planning_looks_at_changes_the_hash_and_is_named(
    what: str,
) -> None:
    part, changed = CHANGES[what]
    after, before = changed(), mark()
    assert after.sha256 != before.sha256
    assert set(after.differing(dict(before.parts))) - {"limits"} == {part}


def test_another_limit_from_the_same_inputs_is_named_as_that() -> None:
    plan = planned(CASE)
    first, *rest = plan.stages
    other = replace(plan, stages=(replace(first, cap_um=first.cap_um - 1e-9), *rest))
    after = finished(fingerprint(CASE, other, TIP))
    assert after.differing(dict(mark().parts)) == ("limits",)


def test_the_instant_is_part_of_the_hash_though_of_no_part() -> None:
    one, other = mark(), replace(mark(), planned_at_wall_s=NOW_S + 1e-6)
    assert one.sha256 != other.sha256
    assert not one.differing(dict(other.parts))


@pytest.mark.parametrize(
    "changed",
    [
        lambda: replace(CASE, program=replace(CASE.program, display_name="Fresh", note="new")),
        lambda: with_first_site(display="Nose, tip of", source="another paper"),
        lambda: replace(CASE, history=tuple(reversed(DOSES))),
    ],
    ids=["words of the program", "words of a site", "the order of the doses"],
)
def test_words_for_people_and_the_order_of_rows_change_nothing(changed: Callable[[], Case]) -> None:
    assert mark(changed()) == mark()


def test_a_sentence_of_the_plan_changes_nothing() -> None:
    plan = replace(planned(CASE), notes=("something else is said",))
    stages = tuple(replace(stage, display="elsewhere") for stage in plan.stages)
    assert finished(fingerprint(CASE, replace(plan, stages=stages), TIP)) == mark()


def test_what_a_depth_is_compared_with_in_words_changes_nothing() -> None:
    slower = replace(SKIN, shedding=Shedding(body_h_per_layer=47.0, face_h_per_layer=47.0))
    changed = replace(CASE, skin=slower)
    assert planned(changed).effects != planned(CASE).effects
    assert mark(changed) == mark()


def test_the_asker_who_searches_for_advice_and_the_kernel_who_does_not_agree() -> None:
    ends_early = replace(CASE, program=FIRST["refresh"], skin=SLOW_SKIN)
    advised = finished(plan_steps(ends_early, advise=True))
    assert isinstance(advised, Plan)
    assert advised.notes != planned(ends_early).notes
    assert finished(fingerprint(ends_early, advised, TIP)) == mark(ends_early)


def test_another_process_with_other_seeds_of_its_hashes_comes_to_the_same() -> None:
    code = "from tests.controller.planning.test_fingerprint import mark; print(mark().sha256)"
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == mark().sha256


def test_every_part_has_words_and_a_part_that_nobody_named_counts_as_changed() -> None:
    assert [name for name, _ in mark().parts] == list(WORDS)
    assert mark().differing({}) == tuple(WORDS)
    assert change_in_words(("program", "tip")) == (
        "Changed since the plan was seen: the program file, the tip, or what the record says of it."
    )
    assert "is not the plan" in change_in_words(())


def test_a_number_that_is_not_finite_has_a_form_and_what_has_none_is_an_error() -> None:
    assert canonical((float("inf"), float("nan"), 0.1, None, True)) == [
        "inf", "nan", 0.1, None, True
    ]  # fmt: skip
    with pytest.raises(TypeError, match="set has no canonical form"):
        canonical({1})
