"""A plan as everybody sees it: each field by its name, with its own figure."""

from dataclasses import replace
from typing import Any

import pytest

from controller.record import plan_json, treatments
from controller.safety.effect import Effect, in_words
from tests.controller.record.plans import CHIN, NOSE, PLAN, PROVED, RECEIPT

NOSE_JSON = {
    "zone": "nose",
    "display": "The nose",
    "suction_kpa": 27.5,
    "flow_g_per_min": 6.5,
    "contact_budget_s": 11.0,
    "area_cm2": 21.0,
    "cap_um": 3.25,
    "suction_max_kpa_s": 101.0,
    "expected_suction_kpa_s": 9.5,
    "expected_contact_s": 10.5,
    "expected_nominal_um": 0.5,
    "expected_bound_um": 2.25,
    "margin_um": 1.0,
    "ends_by": "exposure",
    "receipts": [RECEIPT],
}
LINE_JSON = {
    "zone": "nose",
    "display": "The nose",
    "quantity": "depth_um",
    "unit": "µm",
    "limit": 3.25,
    "worst": 3.0,
    "margin": 0.25,
    "holds": True,
}
PLAN_JSON: dict[str, Any] = {
    "program": "refresh",
    "display_name": "Refresh",
    "program_version": 3,
    "program_sha256": "ab" * 32,
    "client": "c-0042",
    "unit_serial": 4711,
    "simulated": True,
    "tip": 2,
    "motion_sensor": False,
    "contact_s": 20.5,  # 10.5 of the nose, which has had 2 of them, and 12 of the chin
    "zones": [NOSE_JSON, plan_json.stage_as_dict(CHIN)],
    "proof": {"holds": True, "lines": [LINE_JSON]},
    "notes": ["Wipe it dry."],
}


def test_a_zone_of_a_plan_has_every_figure_under_its_name() -> None:
    assert plan_json.stage_as_dict(NOSE) == NOSE_JSON


def test_a_line_of_the_proof_names_zone_limit_and_what_is_left() -> None:
    assert plan_json.line_as_dict(NOSE.proof[0]) == LINE_JSON


def test_a_plan_has_every_figure_under_its_name() -> None:
    assert plan_json.plan_as_dict(PLAN) == PLAN_JSON


def test_a_proved_plan_adds_its_fingerprint_and_both_clocks_of_its_instant() -> None:
    assert PROVED.as_dict() == {
        **PLAN_JSON,
        "sha256": PROVED.mark.sha256,
        "planned_at_s": 1_900_000_000.25,
        "planned_up_s": 77.5,
        "planned_at": "2030-03-17T17:46:40+00:00",
        "parts": {"wish": "01" * 32, "program": "23" * 32},
    }


def test_a_plan_that_is_asked_for_says_what_it_means_for_the_skin_where_that_is_known() -> None:
    effect = {
        "depth_um": 0.5,
        "bound_um": 2.25,
        "share_percent": 5.0,
        "layers": 0.8,
        "shedding_h": 6.4,
        "seen_by": ["tape strips with a protein assay"],
    }
    nose, chin = PLAN_JSON["zones"]
    told = plan_json.effects_told(PLAN, PLAN_JSON)
    sentence = told.pop("effect")
    assert told == {
        **PLAN_JSON, "zones": [{**nose, "effect": effect}, {**chin, "effect": None}]
    }  # fmt: skip
    assert sentence == in_words([found for found in PLAN.effects if found is not None])
    assert sentence.startswith("This removes about 0.50 µm on average (bound: 2.25 µm): 5.0 %")
    unknown = replace(PLAN, stages=(CHIN,))
    assert plan_json.effects_told(unknown, {"zones": [chin]}) == {
        "zones": [{**chin, "effect": None}], "effect": None,
    }  # fmt: skip


def test_an_instrument_that_sees_a_depth_is_named() -> None:
    seen = Effect(1.0, 2.0, 0.25, 4.0, 32.0, ("OCT", "loss of water"))
    assert plan_json.effect_as_dict(seen) == {
        "depth_um": 1.0,
        "bound_um": 2.0,
        "share_percent": 25.0,
        "layers": 4.0,
        "shedding_h": 32.0,
        "seen_by": ["OCT", "loss of water"],
    }


def test_the_row_of_a_treatment_has_what_zones_had_and_the_worst_second_of_each() -> None:
    had = {
        "nominal_um": 0.125, "bound_um": 0.25, "contact_s": 2.0, "grams": 0.375,
        "suction_kpa_s": 50.0,
    }  # fmt: skip
    body = treatments.beginning_body(PLAN, "port-1.lock", practice=True, resumes=5)
    worst = body.pop("worst_per_s")
    assert body == {
        "client": "c-0042",
        "program": "refresh",
        "display_name": "Refresh",
        "program_version": 3,
        "program_sha256": "ab" * 32,
        "unit": 4711,
        "simulated": True,
        "practice": True,
        "kernel_lock": "port-1.lock",
        "resumes": 5,
        "zones": [["nose", had], ["chin", dict.fromkeys(had, 0.0)]],
    }
    # The highest suction is that of the nose, the highest flow that of the chin.
    one_second = {"contact_s": 1.0, "grams": 8.0 / 60.0}
    nose = {"nominal_um": 0.0076010, "bound_um": 0.1002228, "suction_kpa_s": 1.1107774}
    chin = {"nominal_um": 0.0079811, "bound_um": 0.1052340, "suction_kpa_s": 1.1663163}
    assert worst == [
        ["nose", pytest.approx(one_second | nose, rel=1e-5)],
        ["chin", pytest.approx(one_second | chin, rel=1e-5)],
    ]
