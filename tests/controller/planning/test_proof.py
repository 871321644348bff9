"""The proof of a plan: what it says holds in the worst case, and what it refuses can be helped."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.planning.edits import STEP
from controller.planning.plan import Lower, Plan
from controller.planning.proof import Line, Proof
from controller.record.plan_json import plan_as_dict
from controller.safety.exposure import OVERSHOOT_S
from controller.safety.limits import Quantity, Receipt, Source
from controller.safety.refusal import Refusal
from controller.safety.removal import Moisture, Motion
from controller.safety.skin import DAY_S, PastDose, Skin
from tests.controller.first_presets import FIRST, SLOW_SKIN, stronger
from tests.controller.planning.test_plan import (
    CLIENT,
    DEMO,
    NOW_S,
    PROGRAMS,
    REFRESH,
    SKIN,
    UNIT,
    answer,
    plan,
    refusal,
)

DARK = replace(CLIENT, phototype=5)
BLIND = replace(UNIT, motion_sensor=False)
PROVED = {
    Quantity.DEPTH_UM, Quantity.SUCTION_KPA_S, Quantity.SUCTION_KPA, Quantity.FLOW_G_PER_MIN,
    Quantity.CONTACT_S, Quantity.DWELL_S,
}  # fmt: skip


def line(made: Plan, quantity: Quantity) -> Line:
    return next(each for each in made.proof.lines if each.quantity is quantity)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_every_preset_is_proved_limit_by_limit_and_stage_by_stage(name: str) -> None:
    made = plan(program=PROGRAMS[name])
    assert made.proof.holds
    for stage in made.stages:
        lines = [each for each in made.proof.lines if each.zone == stage.zone]
        assert {each.quantity for each in lines} == PROVED
        assert len(lines) == len(PROVED)
        assert all(each.margin >= 0.0 for each in lines)
    said = plan_as_dict(made)["proof"]
    json.dumps(said, allow_nan=False)
    assert isinstance(said, dict)
    assert said["holds"] is True


@pytest.mark.hazard("H01")
@settings(max_examples=60)
@given(
    name=st.sampled_from(sorted(PROGRAMS)),
    phototype=st.integers(1, 6),
    flow=st.floats(1.0, 3.0) | st.none(),
    skin=st.sampled_from([SKIN, SLOW_SKIN]),
    unsure=st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 20.0)),
    motion_sensor=st.booleans(),
    moisture=st.sampled_from(Moisture),
    wrong_by=st.tuples(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0)),
)
def test_whatever_the_unit_truly_does_within_its_uncertainty_no_limit_is_left(  # noqa: PLR0913, PLR0917 - all that may vary
    name: str, phototype: int, flow: float | None, skin: Skin, unsure: tuple[float, float],
    motion_sensor: bool, moisture: Moisture, wrong_by: tuple[float, float],  # noqa: FBT001
) -> None:  # fmt: skip
    """A hand that works until the ledger ends the zone, and stands still from then on."""
    kpa, percent = unsure
    unit = replace(
        UNIT, suction_uncertainty_kpa=kpa, flow_uncertainty_percent=percent,
        motion_sensor=motion_sensor,
    )  # fmt: skip
    client = replace(CLIENT, phototype=phototype, skin=moisture)
    program = PROGRAMS[name] if flow is None else stronger(PROGRAMS[name], flow_g_per_min=flow)
    made = answer(program=program, client=client, unit=unit, skin=skin)
    if isinstance(made, Refusal):
        assert made.code == "exposure"
        return
    assert made.proof.holds
    for stage in made.stages:
        zone = made.ledger(stage)
        true_flow = stage.flow_g_per_min * (1.0 + wrong_by[0] * percent / 100.0)
        true_kpa = stage.suction_kpa + wrong_by[1] * kpa
        exact = replace(zone.model, suction_uncertainty_kpa=0.0, flow_uncertainty_percent=0.0)
        truth = replace(zone, model=exact)
        truth.add(true_flow, true_kpa, stage.expected_contact_s, Motion.MOVING)
        truth.add(true_flow, true_kpa, OVERSHOOT_S, Motion.STILL)
        assert truth.bound_um <= stage.cap_um
        assert truth.suction_kpa_s <= stage.suction_max_kpa_s
        lines = {each.quantity: each for each in stage.proof}
        assert truth.bound_um <= lines[Quantity.DEPTH_UM].worst * (1.0 + 1e-12)
        assert truth.suction_kpa_s <= lines[Quantity.SUCTION_KPA_S].worst * (1.0 + 1e-12)
        assert true_kpa <= lines[Quantity.SUCTION_KPA].worst
        assert true_flow <= lines[Quantity.FLOW_G_PER_MIN].worst
        assert truth.contact_s <= lines[Quantity.CONTACT_S].worst * (1.0 + 1e-12)


@pytest.mark.hazard("H02")
def test_the_time_in_one_place_is_what_the_ledger_or_the_guard_leaves() -> None:
    first = {"program": FIRST["refresh"], "skin": SLOW_SKIN, "zones": ("chin",)}
    strong = line(plan(**first), Quantity.DWELL_S)
    assert strong.worst < 2.0 < strong.limit == 2.25
    weak = line(plan(program=PROGRAMS["neck-chest"]), Quantity.DWELL_S)
    assert (weak.worst, weak.limit) == (2.1, 2.25)
    blind = line(plan(unit=BLIND, zones=("chin",)), Quantity.DWELL_S)
    assert (blind.worst, blind.limit) == (8.1, 8.25)


REFUSED = {
    "depth": (
        {
            "program": FIRST["texture-refine"], "client": DARK, "zones": ("chin",),
            "skin": SLOW_SKIN,
        },
        "exposure", Quantity.FLOW_G_PER_MIN, "one whole pass takes",
    ),
    "depth in many zones": (
        {"program": FIRST["refresh"], "client": DARK, "skin": SLOW_SKIN},
        "exposure", Quantity.FLOW_G_PER_MIN,
        "s of contact fit under the exposure cap of",
    ),
    "suction dose": (
        {
            "zones": ("chin", "nose"),
            "skin": replace(SKIN, rules=replace(SKIN.rules, suction_max_kpa_s=20.0)),
        },
        "suction", Quantity.SUCTION_KPA, "fit under the suction dose of 20 kPa s",
    ),
    "suction trip": (
        {
            "program": stronger(PROGRAMS["back"], suction_kpa=50.0, flow_g_per_min=3.0),
            "skin": SLOW_SKIN,
            "unit": replace(UNIT, suction_uncertainty_kpa=4.0),
        },
        "proof", Quantity.SUCTION_KPA,
        "Upper back, left: in the worst case suction reaches 58 kPa, 3 kPa above the limit of "
        "55 kPa.",
    ),
    "flow of the envelope": (
        {
            "program": FIRST["back"], "skin": SLOW_SKIN,
            "unit": replace(UNIT, flow_uncertainty_percent=25.0),
        },
        "proof", Quantity.FLOW_G_PER_MIN,
        "Upper back, left: in the worst case crystal flow reaches 12.5 g/min, 0.5 g/min above the "
        "limit of 12 g/min.",
    ),
}  # fmt: skip


@pytest.mark.hazard("H01", "H03", "H19")
@pytest.mark.parametrize("why", REFUSED)
def test_a_refusal_names_stage_limit_and_margin_and_the_smallest_change_that_fits(
    why: str,
) -> None:
    asked, code, quantity, said = REFUSED[why]
    refused = refusal(**asked)
    assert refused.code == code
    assert said in refused.sentence
    receipt = refused.receipt
    assert isinstance(receipt, Receipt)
    assert receipt.refused
    assert receipt.margin < 0.0
    words = "crystal flow" if quantity is Quantity.FLOW_G_PER_MIN else "suction"
    assert refused.next_step.startswith(f"Lower the {words} to ")
    value = float(refused.next_step.split(" to ")[1].split()[0])

    def lowered(to: float) -> Plan | Refusal:
        flow = quantity is Quantity.FLOW_G_PER_MIN
        lower = Lower(flow_g_per_min=to) if flow else Lower(suction_kpa=to)
        return answer(**asked, lower=lower)

    assert isinstance(lowered(value), Plan)
    one_step_more = lowered(round(value + STEP[quantity], 6))
    assert isinstance(one_step_more, Refusal)
    assert one_step_more.code == code


def test_where_the_first_setting_cannot_help_the_other_is_lowered_or_the_zone_left_out() -> None:
    rules = replace(SKIN.rules, suction_max_kpa_s=5.0)
    nothing = refusal(skin=replace(SKIN, rules=rules), zones=("chin",))
    assert nothing.next_step == "Leave out chin."
    slow = stronger(REFRESH, suction_kpa=14.0, flow_g_per_min=1.0, passes=1, contact_budget_s=213.0)
    asked = {
        "program": slow, "zones": ("chin",), "client": replace(CLIENT, skin=Moisture.MOIST),
        "unit": replace(UNIT, crystal_um=None), "skin": SLOW_SKIN,
    }  # fmt: skip
    other = refusal(**asked)
    assert other.code == "exposure"
    assert other.next_step == "Lower the suction to 12.5 kPa, or leave out chin."
    assert isinstance(answer(**asked, lower=Lower(suction_kpa=12.5)), Plan)
    assert refusal(**asked, lower=Lower(suction_kpa=13.0)).code == "exposure"


@pytest.mark.hazard("H25")
def test_a_second_treatment_of_the_day_starts_from_what_the_day_has_used() -> None:
    """The interval refuses it, whatever is left; this is the ledger's own answer beneath."""
    rules = replace(SKIN.rules, interval_refuse_days=0.0, interval_reason_days=0.0)
    skin = replace(SLOW_SKIN, rules=rules)
    history = (
        PastDose("chin", NOW_S - 3600.0, 0.5, 0.1, 20.0),
        PastDose("chin", NOW_S - 7200.0, 0.2, 0.05, 10.0),
        PastDose("chin", NOW_S - 2 * DAY_S, 2.0, 0.4, 90.0),
    )
    first = stronger(FIRST["refresh"], flow_g_per_min=4.0)
    asked = {"zones": ("chin",), "reason": "asked", "program": first}
    made = plan(**asked, skin=skin, history=history)
    (stage,) = made.stages
    fresh = plan(**asked, skin=SLOW_SKIN).stages[0]
    assert stage.used.bound_um == pytest.approx(0.7)
    assert stage.used.nominal_um == pytest.approx(0.15)
    assert stage.used.suction_kpa_s == 30.0
    assert stage.used.contact_s == 0.0
    assert made.ledgers()[0].use == stage.used
    assert stage.cap_um == pytest.approx(fresh.cap_um - (2.0 - 48.0 / 47.0))
    assert stage.expected_suction_kpa_s > fresh.expected_suction_kpa_s
    assert made.proof.holds
    full = (PastDose("chin", NOW_S - 3600.0, 0.0, 0.0, math.nan),)
    assert refusal(skin=skin, history=full, zones=("chin",), reason="asked").code == "suction"


def test_suction_may_end_a_zone_before_its_time_and_the_plan_says_so() -> None:
    rules = replace(SKIN.rules, suction_max_kpa_s=30.0)
    skin = replace(SLOW_SKIN, rules=rules)
    made = plan(program=FIRST["refresh"], skin=skin, zones=("chin",))
    assert made.stages[0].ends_by == "suction"
    assert made.notes[-1] == (
        "Chin: the suction dose of 30 kPa s ends this zone after about 27 of 44 s of contact."
    )
    contact = made.stages[0].receipt(Quantity.CONTACT_S)
    assert contact is not None
    assert contact.binding is not None
    assert contact.binding.source is Source.SUCTION


def test_what_nobody_has_said_or_can_see_is_noted() -> None:
    made = plan(
        client=replace(DEMO, skin=Moisture.UNKNOWN),
        unit=replace(BLIND, crystal_um=None),
        program=stronger(FIRST["refresh"], flow_g_per_min=2.0),
        skin=SLOW_SKIN,
    )
    moist, crystals, blind = made.notes[:3]
    assert moist.startswith("Nobody has said whether the skin of client demo is dry")
    assert crystals.startswith("The size of the crystals is not known and counts as 150 µm")
    assert blind.startswith("The handpiece has no motion sensor: uneven strokes count 3 times")
    assert made.motion_sensor is False


@pytest.mark.hazard("H39")
def test_what_is_not_known_proves_nothing() -> None:
    assert not Proof(()).holds
    unknown = Line("chin", "Chin", Quantity.DEPTH_UM, 3.0, math.nan)
    assert not unknown.holds
    assert not Proof((unknown,)).holds
    assert not Line("chin", "Chin", Quantity.DEPTH_UM, math.nan, 1.0).holds
    assert Line("chin", "Chin", Quantity.DEPTH_UM, 3.0, 3.0).holds
