import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.config.locate import shipped_configs
from controller.config.people import load_client, load_unit
from controller.config.programs import load_program, program_names
from controller.config.skin import load_skin
from controller.planning.client import Checklist, Contraindication
from controller.planning.plan import Lower, Plan
from controller.planning.planning import make_plan
from controller.record.plan_json import plan_as_dict
from controller.safety.exposure import ZoneUse
from controller.safety.limits import Quantity, Source
from controller.safety.refusal import Refusal
from controller.safety.skin import PastDose, not_grown_back_um
from tests.controller.first_presets import FIRST, SLOW_SKIN, stronger

CONFIGS = shipped_configs()
SKIN = load_skin(CONFIGS)
DEMO = load_client(CONFIGS, "demo")
CLIENT = replace(DEMO, ref="c-17", practice=False, zones=None)
UNIT = replace(load_unit(CONFIGS, 7, simulated=True), motion_sensor=True)
REAL = replace(UNIT, simulated=False, calibration_due_wall_s=2e9)
PROGRAMS = {name: load_program(CONFIGS, name, SKIN) for name in program_names(CONFIGS)}
REFRESH = PROGRAMS["refresh"]
NOW_S = 1.75e9
DAY_S = 86_400.0


def plan(**changes: object) -> Plan:
    made = answer(**changes)
    assert isinstance(made, Plan), made
    return made


def refusal(**changes: object) -> Refusal:
    made = answer(**changes)
    assert isinstance(made, Refusal)
    assert made.sentence.endswith(".")
    assert made.next_step.endswith(".")
    json.dumps(made.receipt_body, allow_nan=False)
    return made


def answer(**changes: object) -> Plan | Refusal:
    asked: dict[str, object] = {
        "program": REFRESH, "client": CLIENT, "unit": UNIT, "skin": SKIN,
        "history": (), "now_wall_s": NOW_S,
    }  # fmt: skip
    return make_plan(**(asked | changes))  # type: ignore[arg-type]  # changes are by name


def treated(days_ago: float, bound_um: float = 1.0, zone: str = "chin") -> tuple[PastDose, ...]:
    return (PastDose(zone, NOW_S - days_ago * DAY_S, bound_um),)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_every_preset_can_be_planned_and_proves_to_stay_under_its_caps(name: str) -> None:
    made = plan(program=PROGRAMS[name])
    assert [stage.zone for stage in made.stages] == [s.zone for s in PROGRAMS[name].stages]
    for stage in made.stages:
        assert stage.expected_nominal_um <= stage.expected_bound_um <= stage.cap_um
    json.dumps(plan_as_dict(made), allow_nan=False)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_every_preset_can_be_practised_with_the_demo_client(name: str) -> None:
    assert plan(program=PROGRAMS[name], client=DEMO).stages


def test_refresh_for_the_demo_client_takes_about_28_s_of_contact_and_all_of_its_time() -> None:
    made = plan(client=DEMO)
    assert [stage.zone for stage in made.stages] == ["nose", "chin"]
    assert sum(stage.contact_budget_s for stage in made.stages) == pytest.approx(34 / 330 * 275)
    assert {stage.ends_by for stage in made.stages} == {"time"}
    assert all(stage.expected_contact_s == stage.contact_budget_s for stage in made.stages)
    assert made.notes == ()


@pytest.mark.hazard("H01")
def test_a_zone_that_the_cap_ends_after_a_whole_pass_is_planned_with_a_note() -> None:
    made = plan(client=DEMO, program=FIRST["refresh"], skin=SLOW_SKIN)
    assert {stage.ends_by for stage in made.stages} == {"exposure"}
    for stage in made.stages:
        assert 0.5 <= stage.expected_contact_s / stage.contact_budget_s < 1.0
    assert [note.split(":")[0] for note in made.notes] == ["Nose", "Chin"]


@pytest.mark.hazard("H01")
@given(
    name=st.sampled_from(sorted(PROGRAMS)),
    phototype=st.integers(1, 6),
    age=st.integers(18, 79),
    flow=st.floats(1.0, 3.0),
    suction=st.floats(10.0, 15.0),
    past=st.lists(
        st.tuples(st.sampled_from([s.zone for s in SKIN.sites]), st.floats(), st.floats()),
        max_size=4,
    ),
)
def test_whatever_is_planned_stays_inside_every_limit(
    name: str, phototype: int, age: int, flow: float, suction: float,
    past: list[tuple[str, float, float]],
) -> None:  # fmt: skip
    client = replace(CLIENT, phototype=phototype, age_years=age)
    history = tuple(PastDose(*dose) for dose in past)
    made = answer(
        program=stronger(PROGRAMS[name], suction_kpa=15.0, flow_g_per_min=3.0), client=client,
        history=history, reason="asked", lower=Lower(suction, flow),
    )  # fmt: skip
    if isinstance(made, Refusal):
        assert made.code in {"interval", "exposure"}
        return
    for stage in made.stages:
        assert stage.suction_kpa <= suction
        assert stage.flow_g_per_min <= flow
        assert 0.0 <= stage.expected_bound_um <= stage.cap_um <= 0.35 * 18.0
        for receipt in stage.receipts:
            assert receipt.allowed <= min(limit.value for limit in receipt.chain)


def test_the_chain_of_a_stage_goes_from_the_factory_to_the_person() -> None:
    suction = plan(lower=Lower(suction_kpa=24.0)).stages[0].receipts[0]
    assert [limit.source for limit in suction.chain] == [
        Source.FACTORY, Source.UNIT, Source.TIP, Source.SITE, Source.PROGRAM, Source.PERSON,
    ]  # fmt: skip
    assert suction.binding is not None
    assert suction.binding.source is Source.PERSON
    assert suction.sentence() == (
        "Suction was lowered by 4 kPa from 28 kPa to 24 kPa, the limit of your own setting."
    )


def test_a_weaker_unit_lowers_the_plan_and_a_too_weak_one_is_refused() -> None:
    weak = replace(UNIT, suction_max_kpa=20.0)
    made = plan(unit=weak)
    assert made.suction_max_kpa == 20.0
    assert "limit of the calibration of this handpiece" in made.notes[0]
    refused = refusal(unit=replace(UNIT, suction_max_kpa=9.0))
    assert refused.code == "limit"
    assert refused.receipt is not None
    assert refusal(unit=replace(UNIT, flow_max_g_per_min=math.nan)).code == "limit"


@pytest.mark.hazard("H19")
@pytest.mark.parametrize(
    ("lower", "code", "said"),
    [
        (Lower(suction_kpa=28.1), "raised", "Suction 28.1 kPa is above the program's 28 kPa"),
        (Lower(flow_g_per_min=9.0), "raised", "Crystal flow 9 g/min is above the program's 1"),
        (Lower(suction_kpa=math.nan), "setting", "Suction nan cannot be used"),
        (Lower(suction_kpa=math.inf), "setting", "it must be 10 kPa to 28 kPa"),
        (Lower(flow_g_per_min=-1.0), "setting", "it must be 1 g/min."),
    ],
)
def test_a_practitioner_may_only_lower(lower: Lower, code: str, said: str) -> None:
    refused = refusal(lower=lower)
    assert refused.code == code
    assert said in refused.sentence
    if code == "raised":
        assert "may only lower" in refused.sentence
        assert refused.receipt is not None


def test_lowering_one_stage_leaves_a_gentler_one_as_it_is() -> None:
    made = plan(program=PROGRAMS["neck-chest"], lower=Lower(suction_kpa=18.0))
    assert [stage.suction_kpa for stage in made.stages] == [16.0, 16.0, 18.0]


@pytest.mark.parametrize(
    ("zones", "code", "said"),
    [
        (("eyelids",), "zone_excluded", "Eyelids is an exclusion zone and can never be selected."),
        (("tattoo", "chin"), "zone_excluded", "Tattoos is an exclusion zone"),
        (("jaw_left",), "zone_excluded", "Left jaw is excluded for client c-17."),
        (("back_upper_left",), "zone", "Program Refresh has no zone 'back_upper_left'."),
        (("nonsense",), "zone", "Program Refresh has no zone 'nonsense'."),
        ((), "zone", "0 zones were named."),
    ],
)
def test_a_zone_that_may_not_be_treated_is_refused(
    zones: tuple[str, ...], code: str, said: str
) -> None:
    refused = refusal(zones=zones, client=replace(CLIENT, exclusions=("jaw_left",)))
    assert refused.code == code
    assert said in refused.sentence


def test_only_agreed_zones_are_treated() -> None:
    agreed = replace(CLIENT, zones=("chin",))
    assert [stage.zone for stage in plan(client=agreed).stages] == ["chin"]
    assert "not among the zones agreed" in refusal(client=agreed, zones=("nose",)).sentence
    nothing = refusal(client=agreed, program=PROGRAMS["back"])
    assert "has no zone that client c-17 may have" in nothing.sentence


def test_zones_are_treated_in_the_order_of_the_program() -> None:
    assert [s.zone for s in plan(zones=("chin", "forehead")).stages] == ["forehead", "chin"]


def test_excluded_zones_are_left_out_and_the_plan_says_so() -> None:
    made = plan(client=replace(CLIENT, exclusions=("nose", "chin")))
    assert not {"nose", "chin"} & {stage.zone for stage in made.stages}
    assert "Left out for this client: Nose, Chin." in made.notes


@pytest.mark.hazard("H19")
@pytest.mark.parametrize("item", Contraindication)
def test_every_yes_and_every_open_question_of_the_checklist_refuses(item: Contraindication) -> None:
    present = refusal(client=replace(CLIENT, checklist=Checklist(present=(item,))))
    assert (present.code, present.next_step) == ("checklist", item.advice.value)
    assert item.words in present.sentence
    unasked = refusal(client=replace(CLIENT, checklist=Checklist(unanswered=(item,))))
    assert f"{item.key} = true or false" in unasked.next_step


@pytest.mark.hazard("H25")
@pytest.mark.parametrize(
    ("days", "age", "code"),
    [
        (0.0, 34, "interval"), (6.99, 34, "interval"), (7.0, 34, "reason_needed"),
        (9.99, 34, "reason_needed"), (10.0, 34, None), (10.0, 65, "interval"),
        (10.5, 65, "reason_needed"), (15.0, 65, None), (-3.0, 34, "interval"),
        (math.nan, 34, "interval"), (math.inf, 34, "interval"), (-math.inf, 34, "interval"),
    ],
)  # fmt: skip
def test_the_same_zone_rests_seven_days_and_needs_a_reason_under_ten(
    days: float, age: int, code: str | None
) -> None:
    made = answer(history=treated(days), client=replace(CLIENT, age_years=age))
    assert (made.code if isinstance(made, Refusal) else None) == code
    elsewhere = answer(history=treated(days, zone="chest"), client=replace(CLIENT, age_years=age))
    assert isinstance(elsewhere, Plan)


@pytest.mark.hazard("H25")
def test_a_reason_lets_an_early_treatment_pass_but_never_under_the_hard_limit() -> None:
    assert "Reason given: wedding." in plan(history=treated(8.0), reason=" wedding ").notes
    assert refusal(history=treated(8.0), reason="  ").code == "reason_needed"
    refused = refusal(history=treated(5.0), reason="wedding")
    assert refused.sentence == (
        "Chin was treated 5.0 days ago, and the same zone needs at least 7 days."
    )
    assert refused.next_step == "Choose other zones, or come back in 2.0 days."


def test_a_treatment_before_the_advised_interval_is_noted() -> None:
    notes = plan(history=treated(12.0)).notes
    assert "Chin was treated 12.0 days ago; this program advises 14 days." in notes


@pytest.mark.hazard("H01")
def test_the_cap_has_a_link_for_the_share_one_for_the_risk_and_one_for_the_skin() -> None:
    nose, cheek = plan(zones=("nose", "cheek_left")).stages
    for stage in (nose, cheek):
        cap = stage.receipt(Quantity.DEPTH_UM)
        assert cap is not None
        assert [limit.source for limit in cap.chain] == [
            Source.SITE, Source.RISK, Source.SKIN, Source.ZONE,
        ]  # fmt: skip
    assert nose.receipts[2].sentence() == (
        "Exposure cap was lowered by 0.06 µm from 3.15 µm to 3.09 µm, the limit of the chance "
        "that a point loses its whole stratum corneum."
    )
    assert cheek.cap_um == pytest.approx(0.35 * 12.0)


@pytest.mark.hazard("H01")
def test_what_has_not_grown_back_lowers_the_cap() -> None:
    fresh = next(stage for stage in plan().stages if stage.zone == "chin")
    later = next(s for s in plan(history=treated(12.0, 6.5)).stages if s.zone == "chin")
    grown_um = 12.0 * 24.0 / 47.0
    assert later.cap_um == pytest.approx(fresh.cap_um - (6.5 - grown_um))
    assert later.receipts[2].binding is not None
    assert later.receipts[2].binding.source is Source.ZONE
    assert refusal(history=treated(12.0, 60.0)).code == "exposure"
    assert refusal(history=treated(400.0, math.nan)).code == "exposure"


@given(
    doses=st.lists(st.tuples(st.floats(0.0, 400.0), st.floats(0.0, 10.0)), max_size=6),
    extra=st.tuples(st.floats(0.0, 400.0), st.floats(0.0, 10.0)),
)
def test_a_further_treatment_never_leaves_more_skin(
    doses: list[tuple[float, float]], extra: tuple[float, float]
) -> None:
    def missing_um(given_doses: list[tuple[float, float]]) -> float:
        history = [PastDose("chin", NOW_S - days * DAY_S, um) for days, um in given_doses]
        return not_grown_back_um(SKIN.rules, history, "chin", NOW_S)

    assert 0.0 <= missing_um(doses) <= missing_um([*doses, extra]) + 1e-9
    assert missing_um(doses) <= sum(um for _, um in doses) + 1e-9


@pytest.mark.hazard("H19")
def test_dark_or_old_skin_gets_a_smaller_cap_and_a_suggestion() -> None:
    asked = {
        "client": replace(CLIENT, phototype=5), "zones": ("chin",),
        "program": FIRST["refresh"], "skin": SLOW_SKIN,
    }  # fmt: skip
    made = plan(**asked, lower=Lower(flow_g_per_min=4.0))
    dark = made.stages[0]
    assert dark.cap_um == pytest.approx(0.5 * 0.35 * 9.0)
    assert dark.ends_by == "exposure"
    assert dark.receipts[3].quantity is Quantity.CONTACT_S
    assert made.notes[-1] == (
        "Chin: the exposure cap of 1.57 µm ends this zone after about 30 of 44 s of contact; "
        "all of it fits at 2.9 g/min."
    )
    fits = plan(**asked, lower=Lower(flow_g_per_min=2.9))
    assert fits.stages[0].ends_by == "time"
    one_step_more = plan(**asked, lower=Lower(flow_g_per_min=3.0))
    assert one_step_more.stages[0].ends_by == "exposure"
    assert refusal(client=replace(CLIENT, age_years=80)).code == "age"


def test_less_than_one_whole_pass_is_refused_with_the_smallest_change_that_fits() -> None:
    asked = {
        "client": replace(CLIENT, phototype=5), "zones": ("chin",),
        "program": FIRST["texture-refine"], "skin": SLOW_SKIN,
    }  # fmt: skip
    refused = refusal(**asked)
    assert refused.code == "exposure"
    assert refused.next_step == "Lower the crystal flow to 4.5 g/min, or leave out chin."
    fits = plan(**asked, lower=Lower(flow_g_per_min=4.5))
    assert fits.stages[0].ends_by == "exposure"
    assert refusal(**asked, lower=Lower(flow_g_per_min=4.6)).code == "exposure"


@pytest.mark.hazard("H52")
def test_the_practice_client_needs_a_simulated_unit_and_has_no_history() -> None:
    assert refusal(client=DEMO, unit=REAL).code == "practice_client"
    assert plan(client=DEMO, history=treated(0.1)).stages


@pytest.mark.hazard("H27")
@pytest.mark.parametrize("due_s", [None, math.nan, NOW_S - 1.0])
def test_a_real_unit_without_a_valid_calibration_is_refused(due_s: float | None) -> None:
    assert refusal(unit=replace(REAL, calibration_due_wall_s=due_s)).code == "calibration"
    assert plan(unit=REAL).simulated is False


@pytest.mark.hazard("H12")
def test_a_resumed_treatment_goes_on_from_what_was_used() -> None:
    used = {"nose": ZoneUse(0.4, 2.4, 40.0, 5.0), "chin": ZoneUse(0.1, 1.0, 20.0, 2.3)}
    made = plan(client=DEMO, program=FIRST["refresh"], skin=SLOW_SKIN, resumed=used)
    assert [stage.zone for stage in made.stages] == ["chin"]
    assert any(note.startswith("Nose is left out: it has had 2.4 µm") for note in made.notes)
    ledger = made.ledgers()[0]
    assert ledger.use == used["chin"]
    stage = made.stages[0]
    assert used["chin"].contact_s < stage.expected_contact_s <= stage.contact_budget_s
    assert stage.expected_bound_um > used["chin"].bound_um
    both = {zone: ZoneUse(1.0, 99.0, 1.0, 1.0) for zone in ("nose", "chin")}
    assert refusal(client=DEMO, resumed=both).code == "nothing_left"


def test_the_ledgers_of_a_plan_are_fresh_and_know_what_the_unit_may_be_wrong_by() -> None:
    made = plan(client=DEMO)
    first, again = made.ledgers(), made.ledgers()
    first[0].add(7.0, 28.0, 1.0)
    assert again[0].bound_um == 0.0
    sure = plan(
        client=DEMO,
        unit=replace(UNIT, suction_uncertainty_kpa=0.0, flow_uncertainty_percent=0.0),
    ).ledgers()
    sure[0].add(7.0, 28.0, 1.0)
    assert first[0].nominal_um == sure[0].nominal_um
    assert first[0].bound_um > sure[0].bound_um


def test_a_plan_tells_the_device_its_highest_setpoints() -> None:
    made = plan(program=PROGRAMS["neck-chest"])
    assert (made.suction_max_kpa, made.flow_max_g_per_min, made.tip) == (20.0, 1.6, 1)
    as_dict = plan_as_dict(made)
    assert as_dict["contact_s"] == pytest.approx(291.0)
    assert as_dict["program_sha256"] == PROGRAMS["neck-chest"].sha256


@pytest.mark.hazard("H53")
def test_a_checklist_is_fine_only_when_everything_was_asked_and_denied() -> None:
    denied = {item.key: False for item in Contraindication}
    assert Checklist.of(denied).ok
    assert not Checklist.of({**denied, "pregnancy": True}).ok
    assert not Checklist.of({}).ok
