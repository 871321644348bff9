"""Every clamp and every refusal carries the chain, the binding limit, the margin and a sentence."""

import json
import math
from dataclasses import replace

import pytest

from controller.planning.plan import Lower, Plan
from controller.planning.planning import make_plan
from controller.safety.limits import Limit, Quantity, Receipt, Source, resolve
from controller.safety.refusal import Refusal
from controller.treatment.events import Begin, Command, Commit, End, Note, Step
from controller.treatment.states import State
from firmware_protocol.vocabulary import Mode
from firmware_protocol.vocabulary import Refusal as UnitRefusal
from tests.controller.planning.test_plan import CLIENT, NOW_S, REFRESH, SKIN, UNIT, answer
from tests.controller.treatment.couch import (
    ANNA,
    FLOWING,
    STOCKED,
    Couch,
    active,
    couch,
    of,
    plan,
    preparing,
    stage,
)  # fmt: skip

SUCTION = Quantity.SUCTION_KPA
THIN = replace(SKIN, rules=replace(SKIN.rules, cap_share=0.01))


def whole(receipt: Receipt) -> None:
    """A receipt that somebody can understand and a program can read."""
    said = receipt.as_dict()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert receipt.chain
    assert str(said["sentence"]).endswith(".")
    if receipt.limited and math.isfinite(receipt.requested):
        assert receipt.binding in receipt.chain


@pytest.mark.parametrize(
    ("changes", "code", "binding"),
    [
        ({"lower": Lower(suction_kpa=49.0)}, "raised", Source.PROGRAM),
        ({"lower": Lower(flow_g_per_min=11.0)}, "raised", Source.PROGRAM),
        ({"lower": Lower(suction_kpa=3.0)}, "setting", None),
        ({"lower": Lower(suction_kpa=math.nan)}, "setting", None),
        ({"unit": replace(UNIT, suction_max_kpa=8.0)}, "limit", Source.UNIT),
        ({"unit": replace(UNIT, tip=replace(UNIT.tip, suction_max_kpa=5.0))}, "limit", Source.TIP),
        ({"unit": replace(UNIT, flow_max_g_per_min=0.5)}, "limit", Source.UNIT),
        ({"skin": THIN}, "exposure", Source.ZONE),
    ],
)
def test_a_refused_plan_carries_its_receipt(
    changes: dict[str, object], code: str, binding: Source | None
) -> None:
    refused = answer(**changes)
    assert isinstance(refused, Refusal), refused
    assert refused.code == code
    assert isinstance(refused.receipt, Receipt)
    whole(refused.receipt)
    assert refused.receipt.refused
    found = refused.receipt.binding
    assert (None if found is None else found.source) is binding


def test_every_setting_of_a_plan_has_its_receipt_and_is_what_it_allows() -> None:
    made = make_plan(REFRESH, CLIENT, UNIT, SKIN, (), NOW_S, lower=Lower(suction_kpa=24.0))
    assert isinstance(made, Plan)
    for each in made.stages:
        suction, flow, cap, contact, dose = each.receipts
        for receipt in each.receipts:
            whole(receipt)
        assert (suction.allowed, flow.allowed) == (each.suction_kpa, each.flow_g_per_min)
        assert (cap.allowed, contact.allowed) == (each.cap_um, each.expected_contact_s)
        assert dose.allowed == each.suction_max_kpa_s


# -- while treating --------------------------------------------------------------------------------
def chained() -> Couch:
    limits = [Limit(source, SUCTION, 40.0) for source in (Source.FACTORY, Source.SITE)]
    receipt = resolve(SUCTION, 28.0, [*limits, Limit(Source.PROGRAM, SUCTION, 28.0)])
    return active(plan(stage("nose", receipts=(receipt,)), stage("chin")))


def test_lowering_carries_the_chain_of_the_plan_and_the_own_setting() -> None:
    one = chained()
    note = of(Note, one.person(Command.LOWER, suction_kpa=20.0))[0]
    (receipt,) = one.conduct.receipts
    whole(receipt)
    assert [limit.source for limit in receipt.chain] == [
        Source.FACTORY, Source.SITE, Source.PROGRAM, Source.PERSON,
    ]  # fmt: skip
    assert (receipt.allowed, receipt.margin) == (20.0, -8.0)
    assert note.body["receipts"] == [receipt.as_dict()]
    again = of(Note, one.person(Command.LOWER, suction_kpa=12.0))[0]
    assert again.body["receipts"][0]["allowed"] == 12.0


@pytest.mark.parametrize("before_kpa", [None, 20.0])
def test_raising_is_refused_with_a_receipt_in_the_answer_the_row_and_the_view(
    before_kpa: float | None,
) -> None:
    one = chained()
    if before_kpa is not None:
        one.person(Command.LOWER, suction_kpa=before_kpa)
    actions = one.person(Command.LOWER, suction_kpa=30.0)
    (declined,), (note,) = of(Refusal, actions), of(Note, actions)
    receipt = declined.receipt
    whole(receipt)
    assert receipt.binding.source is (Source.PERSON if before_kpa else Source.PROGRAM)
    assert note.kind == "declined"
    assert note.body["receipts"] == [receipt.as_dict()]
    assert receipt in one.conduct.receipts
    one.person(Command.LOWER, suction_kpa=10.0)
    assert not [each for each in one.conduct.receipts if each.refused]


def test_the_setpoint_of_the_next_zone_says_what_the_own_setting_makes_of_it() -> None:
    one = active(plan(stage("nose", contact_budget_s=0.5), stage("chin", suction_kpa=15.0)))
    one.person(Command.LOWER, suction_kpa=20.0)
    one.see_for(0.6, Mode.ACTIVE, **FLOWING)
    row = next(note for note in of(Note, one.done) if note.kind == "zone")
    (said,) = row.body["receipts"]
    assert (said["requested"], said["allowed"], said["limited"]) == (15.0, 15.0, False)
    assert one.conduct.course.suction_kpa == 15.0


def test_what_the_unit_itself_refuses_is_told_with_the_limit_that_is_not_known() -> None:
    for made in (None, plan(*chained().conduct.plan.stages)):
        one = preparing(made)
        actions = one.answer(Step.CONFIGURE, End.FAILED, refusal=UnitRefusal.OUT_OF_ENVELOPE)
        assert one.at(State.REFUSED)
        note = next(each for each in of(Note, actions) if each.kind == "refused")
        suction, flow = one.conduct.receipts
        for receipt in (suction, flow):
            whole(receipt)
            assert receipt.binding is not None
            assert receipt.binding.source is Source.DEVICE
            assert receipt.allowed == 0.0
        assert note.body["receipts"] == [suction.as_dict(), flow.as_dict()]


# -- what has to be in store before a treatment begins ---------------------------------------------
@pytest.mark.hazard("H28", "H29", "H30", "H45")
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("hopper_g", 2.0, "F04"),
        ("waste_percent", 95.0, "T03"),
        ("filter_kpa", 7.0, "T04"),
        ("pump_deg_c", 70.0, "U13"),
        ("supply_v", 20.0, "U14"),
    ],
)
def test_a_treatment_that_would_run_out_does_not_begin(field: str, value: float, code: str) -> None:
    one = couch()
    one.step(Begin(ANNA))
    short = STOCKED._replace(**{field: value})  # type: ignore[arg-type]  # by name
    one.see(Mode.DISARMED, supplies=short._replace(at_s=one.now_s))
    assert one.at(State.REFUSED)
    assert one.conduct._raised.keys() == {code}
    ended = [row for row in of(Commit, one.done) if row.kind == "ended"]
    assert ended[0].body["outcome"] == "refused"


def test_a_unit_that_does_not_say_how_it_is_has_three_seconds_to() -> None:
    one = couch()
    one.step(Begin(ANNA))
    one.see_for(2.5, Mode.DISARMED, supplies=None)
    assert one.at(State.PREPARING)
    one.see_for(1.0, Mode.DISARMED, supplies=None)
    assert one.at(State.REFUSED)
    assert one.conduct._raised.keys() == {"U15"}
