import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.safety.limits import Limit, Quantity, Source, resolve

anything = st.floats(allow_nan=True, allow_infinity=True)
limits = st.lists(
    st.builds(Limit, st.sampled_from(Source), st.sampled_from(Quantity), anything), max_size=10
)


@pytest.mark.hazard("H03")
@given(requested=anything, chain=limits, more=limits)
def test_adding_a_limit_never_raises_an_output(
    requested: float, chain: list[Limit], more: list[Limit]
) -> None:
    before = resolve(Quantity.SUCTION_KPA, requested, chain)
    after = resolve(Quantity.SUCTION_KPA, requested, chain + more)
    assert after.allowed <= before.allowed


@given(requested=anything, chain=limits)
def test_what_is_allowed_is_never_above_the_request_or_a_limit(
    requested: float, chain: list[Limit]
) -> None:
    receipt = resolve(Quantity.FLOW_G_PER_MIN, requested, chain)
    assert receipt.allowed >= 0.0
    assert receipt.allowed == 0.0 or receipt.allowed <= requested
    assert all(receipt.allowed <= max(0.0, each.value) for each in receipt.chain if each.value > 0)
    assert receipt.limited is not (receipt.allowed == requested)


@given(requested=anything, chain=limits)
def test_the_order_of_the_chain_does_not_matter(requested: float, chain: list[Limit]) -> None:
    forward = resolve(Quantity.SUCTION_KPA, requested, chain)
    assert resolve(Quantity.SUCTION_KPA, requested, chain[::-1]).allowed == forward.allowed


@given(requested=anything, chain=limits)
def test_every_receipt_says_one_sentence_with_the_quantity(
    requested: float, chain: list[Limit]
) -> None:
    sentence = resolve(Quantity.SUCTION_KPA, requested, chain).sentence()
    assert sentence.startswith("Suction ")
    assert sentence.endswith(".")
    assert "nan" not in sentence


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0])
def test_a_number_that_cannot_be_used_allows_nothing(bad: float) -> None:
    good = Limit(Source.FACTORY, Quantity.SUCTION_KPA, 50.0)
    request = resolve(Quantity.SUCTION_KPA, bad, [good])
    limit = resolve(
        Quantity.SUCTION_KPA, 28.0, [good, Limit(Source.UNIT, Quantity.SUCTION_KPA, bad)]
    )
    assert (request.allowed, limit.allowed) == (0.0, 0.0)
    assert request.limited
    assert limit.limited
    assert request.sentence() == "Suction is off: what was asked for is not a usable number."
    assert limit.binding is not None
    assert limit.binding.source is Source.UNIT
    assert "of the calibration of this handpiece" in limit.sentence()


def test_a_receipt_names_the_binding_limit_the_margin_and_the_chain() -> None:
    chain = [
        Limit(Source.FACTORY, Quantity.SUCTION_KPA, 50.0),
        Limit(Source.SITE, Quantity.SUCTION_KPA, 40.0),
        Limit(Source.FACTORY, Quantity.FLOW_G_PER_MIN, 12.0),
    ]
    receipt = resolve(Quantity.SUCTION_KPA, 45.0, chain)
    assert receipt.allowed == 40.0
    assert receipt.binding == chain[1]
    assert receipt.margin == -5.0
    assert receipt.chain == tuple(chain[:2])
    assert receipt.sentence() == (
        "Suction was lowered by 5 kPa from 45 kPa to 40 kPa, the limit of this part of the body."
    )


def test_a_receipt_of_a_granted_request_says_how_much_room_there_is() -> None:
    chain = [Limit(Source.SITE, Quantity.SUCTION_KPA, 40.0)]
    assert resolve(Quantity.SUCTION_KPA, 28.0, chain).sentence() == (
        "Suction 28 kPa is allowed, 12 kPa under the limit of this part of the body."
    )
    assert resolve(Quantity.SUCTION_KPA, 40.0, chain).sentence() == (
        "Suction 40 kPa is allowed, and that is the limit of this part of the body."
    )
    assert resolve(Quantity.SUCTION_KPA, 40.0, []).sentence() == (
        "Suction 40 kPa is allowed; nothing limits it here."
    )


def test_round_tens_keep_their_zeros_in_words() -> None:
    chain = [Limit(Source.PROGRAM, Quantity.CONTACT_S, 200.0)]
    assert resolve(Quantity.CONTACT_S, 100.0, chain).sentence() == (
        "Contact time 100 s is allowed, 100 s under the limit of the program."
    )


def test_a_refusal_says_by_how_much_and_of_whom() -> None:
    chain = [Limit(Source.PROGRAM, Quantity.SUCTION_KPA, 28.0)]
    raised = resolve(Quantity.SUCTION_KPA, 49.0, chain).as_refusal()
    assert raised.sentence() == (
        "Suction 49 kPa was refused: it is 21 kPa above 28 kPa, the limit of the program."
    )
    small = resolve(Quantity.SUCTION_KPA, 3.0, chain).as_refusal()
    assert small.sentence() == (
        "Suction 3 kPa was refused: it is less than the handpiece can work with."
    )
    none = resolve(Quantity.SUCTION_KPA, math.nan, chain).as_refusal()
    assert none.sentence() == "Suction was refused: what was asked for is not a usable number."
    device = [*chain, Limit(Source.DEVICE, Quantity.SUCTION_KPA, math.nan)]
    assert resolve(Quantity.SUCTION_KPA, 28.0, device).as_refusal().sentence() == (
        "Suction 28 kPa was refused: the limit of the handpiece itself is not known."
    )


@given(
    quantity=st.sampled_from(Quantity),
    asked=st.floats(0.0, 2000.0),
    limit=st.floats(0.0, 2000.0),
    refused=st.booleans(),
)
@example(quantity=Quantity.CONTACT_S, asked=155.4, limit=146.5, refused=False)
@example(quantity=Quantity.DEPTH_UM, asked=3.1449, limit=3.1351, refused=True)
@example(quantity=Quantity.CONTACT_S, asked=10.2, limit=9.8, refused=False)
def test_the_numbers_of_one_sentence_add_up(
    quantity: Quantity, asked: float, limit: float, *, refused: bool
) -> None:
    receipt = resolve(quantity, asked, [Limit(Source.PROGRAM, quantity, limit)])
    if receipt.binding is None:
        return
    said = (receipt.as_refusal() if refused else receipt).sentence()
    numbers = [float(each) for each in re.findall(r"(?<!\w)\d+(?:\.\d+)?(?= )", said)]
    high, cut, low = numbers if refused else (numbers[1], numbers[0], numbers[2])
    assert high - cut == pytest.approx(low, abs=1e-9), said
