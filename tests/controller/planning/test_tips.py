"""One tip, one client: what the past of a tip allows."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.config.locate import shipped_configs
from controller.config.people import load_client, load_unit
from controller.planning.tips import (
    LABEL_MAX,
    VISIT_MAX_S,
    TipPast,
    TipUse,
    label_of,
    tip_refusal,
)
from controller.planning.unit import Reuse, Unit
from controller.safety.refusal import Refusal

CONFIGS = shipped_configs()
DEMO = load_client(CONFIGS, "demo")
ANNA = replace(DEMO, ref="c-17", practice=False)
UNIT = load_unit(CONFIGS, 7, simulated=True)
NOW_S = 1.9e9


def unit(reuse: Reuse | None) -> Unit:
    return replace(UNIT, tip=replace(UNIT.tip, reuse=reuse))


SINGLE, REUSABLE = unit(Reuse.SINGLE), unit(Reuse.STERILISE)


def use(
    client: str = "c-17", ago_s: float = 60.0, *, cleaned: bool = False, number: int = 4,
    reuse: Reuse = Reuse.STERILISE,
) -> TipUse:  # fmt: skip
    return TipUse(number, client, NOW_S - ago_s, reuse, cleaned)


def answer(of: Unit, *uses: TipUse) -> Refusal | None:
    return tip_refusal(of, ANNA, TipPast("A-1", uses), NOW_S)


def code(of: Unit, *uses: TipUse) -> str:
    refusal = answer(of, *uses)
    return "" if refusal is None else refusal.code


@pytest.mark.hazard("H26")
def test_a_tip_that_nobody_has_named_touches_nobody() -> None:
    refusal = tip_refusal(SINGLE, ANNA, None, NOW_S)
    assert refusal is not None
    assert refusal.sentence == "Nobody has said which tip is fitted to handpiece 7."
    assert "--tip LABEL" in refusal.next_step


@pytest.mark.hazard("H26")
def test_a_tip_for_single_use_touches_one_client_whatever_was_done_to_it() -> None:
    assert code(SINGLE) == ""
    assert code(SINGLE, use("c-99")) == "tip_used"
    assert code(SINGLE, use("c-99", cleaned=True)) == "tip_used"
    assert code(SINGLE, use("c-99", ago_s=1e8), use()) == "tip_used"
    refusal = answer(SINGLE, use("c-99"))
    assert refusal is not None
    assert refusal.sentence == (
        "Tip A-1 was used for another client (treatment 4) and is for single use."
    )
    assert refusal.next_step == "Fit a fresh tip and name it by its label: --tip LABEL."
    assert "c-99" not in refusal.sentence


@pytest.mark.hazard("H26")
def test_another_tip_touches_the_next_client_after_a_recorded_sterilisation_only() -> None:
    assert code(REUSABLE, use("c-99", cleaned=True)) == ""
    assert code(REUSABLE, use("c-99")) == "tip_unclean"
    assert code(REUSABLE, use("c-99", cleaned=True), use("c-98")) == "tip_unclean"
    refusal = answer(REUSABLE, use("c-99"))
    assert refusal is not None
    assert refusal.next_step.endswith("corneum sterilised A-1.")


@pytest.mark.hazard("H26")
def test_a_tip_that_was_for_single_use_once_stays_so() -> None:
    assert code(REUSABLE, use("c-99", cleaned=True, reuse=Reuse.SINGLE)) == "tip_used"


@pytest.mark.hazard("H26")
@pytest.mark.parametrize("of", [SINGLE, REUSABLE])
def test_the_same_client_keeps_a_tip_for_one_visit(of: Unit) -> None:
    assert code(of, use(ago_s=0.0)) == code(of, use(ago_s=VISIT_MAX_S)) == ""
    assert code(of, use(ago_s=VISIT_MAX_S + 1.0), use(ago_s=10.0))
    assert code(REUSABLE, use(ago_s=1e7, cleaned=True), use(ago_s=10.0)) == ""
    refusal = answer(SINGLE, use(ago_s=1e6))
    assert refusal is not None
    assert "at an earlier visit (treatment 4)" in refusal.sentence


@pytest.mark.hazard("H26", "H31")
@pytest.mark.parametrize("ago_s", [-1.0, -1e9, math.nan, math.inf, -math.inf])
def test_a_clock_that_makes_no_sense_ends_the_visit(ago_s: float) -> None:
    assert code(SINGLE, use(ago_s=ago_s)) == "tip_used"
    assert code(REUSABLE, use(ago_s=ago_s)) == "tip_unclean"


@given(
    st.lists(st.builds(use, st.sampled_from(["c-17", "c-99"]), cleaned=st.booleans()), max_size=6)
)
def test_a_further_use_never_makes_a_tip_fit(uses: list[TipUse]) -> None:
    if code(SINGLE, *uses):
        assert code(SINGLE, *uses, use())
    if code(REUSABLE, *uses):
        assert code(REUSABLE, *uses, use())


def test_where_no_skin_is_touched_no_tip_is_asked_for() -> None:
    assert tip_refusal(SINGLE, DEMO, None, NOW_S) is None
    assert tip_refusal(UNIT, ANNA, None, NOW_S) is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("a-1042", "A-1042"),
        (" (01) 0761 (21) x7 ", "(01)0761(21)X7"),
        ("x" * LABEL_MAX, "X" * LABEL_MAX),
        ("x" * (LABEL_MAX + 1), None),
        ("", None),
        (" \t\n", None),
        ("ab\x00", None),
        ("Ä-1", None),
    ],
)
def test_a_label_is_the_same_typed_and_scanned(text: str, label: str | None) -> None:
    assert label_of(text) == label
