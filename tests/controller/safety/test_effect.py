"""What a removed depth means, in numbers and in the words of a practitioner."""

import math

import pytest

from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.config.skin_models import Confidence
from controller.safety.effect import (
    Effect,
    Stratum,
    effect_of,
    hours_in_words,
    in_words,
    layers_in_words,
    percent_in_words,
    seen_by,
    stratum_of,
)
from controller.safety.instruments import INSTRUMENTS

FACE = Stratum(thickness_um=10.0, layers=9.0, shed_h_per_layer=14.0)
BODY = Stratum(thickness_um=11.0, layers=15.0, shed_h_per_layer=28.0)
UNSEEN = "No instrument in use can see that little in one person."


def said(stratum: Stratum, depth_um: float, bound_um: float) -> str:
    return in_words([effect_of(stratum, depth_um, bound_um)])


def test_a_depth_is_a_share_of_the_thickness_and_as_much_of_the_layers_and_of_their_shedding() -> (
    None
):
    found = effect_of(FACE, 0.25, 2.38)
    assert (found.depth_um, found.bound_um) == (0.25, 2.38)
    assert found.share == pytest.approx(0.025)
    assert found.layers == pytest.approx(0.225)
    assert found.shedding_h == pytest.approx(3.15)
    assert found.seen_by == ()


@pytest.mark.parametrize("depth_um", [math.nan, math.inf, -0.1, 10.0, 12.0])
def test_what_is_no_depth_and_what_is_deeper_than_the_skin_is_all_of_it(depth_um: float) -> None:
    found = effect_of(FACE, depth_um, 12.0)
    assert (found.share, found.layers, found.shedding_h) == (1.0, 9.0, 126.0)
    assert len(found.seen_by) == 3


def test_nothing_is_told_as_nothing_before_and_after() -> None:
    nothing = effect_of(FACE, 0.0, 0.0)
    assert in_words([nothing]) == "This removes nothing."
    assert in_words([nothing], given=True) == "Nothing was removed."
    assert in_words([]) == "This removes nothing."


@pytest.mark.parametrize(
    ("stratum", "depth_um", "bound_um", "words"),
    [
        (
            FACE, 0.002, 0.02,
            "This removes less than 0.01 µm on average (bound: 0.02 µm): less than 0.1 % of "
            "the stratum corneum, less than a fiftieth of one layer of corneocytes, what skin "
            f"sheds by itself in about 10 minutes. {UNSEEN}",
        ),
        (
            FACE, 0.05, 0.47,
            "This removes about 0.05 µm on average (bound: 0.47 µm): 0.5 % of the stratum corneum, "
            "a twentieth of one layer of corneocytes, what skin sheds by itself in about 40 "
            f"minutes. {UNSEEN}",
        ),
        (
            BODY, 0.31, 2.88,
            "This removes about 0.31 µm on average (bound: 2.88 µm): 2.8 % of the stratum corneum, "
            "two fifths of one layer of corneocytes, what skin sheds by itself in about 12 hours. "
            f"{UNSEEN}",
        ),
        (
            FACE, 1.12, 8.0,
            "This removes about 1.12 µm on average (bound: 8.00 µm): 11 % of the stratum corneum, "
            "one layer of corneocytes, what skin sheds by itself in about 14 hours. Tape strips "
            "with a protein assay can see it.",
        ),
        (
            FACE, 10.0, 40.0,
            "This removes about 10.00 µm on average (bound: 40.00 µm): all of the stratum corneum, "
            "9.0 layers of corneocytes, what skin sheds by itself in about 5 days. Tape strips "
            "with a protein assay, confocal Raman and optical coherence tomography (OCT) can see "
            "it.",
        ),
    ],
    ids=["far below a layer", "a gentle preset", "the body", "one layer", "a breach"],
)  # fmt: skip
def test_a_depth_is_said_in_one_sentence(
    stratum: Stratum, depth_um: float, bound_um: float, words: str
) -> None:
    assert said(stratum, depth_um, bound_um) == words


def test_zones_that_differ_are_said_as_a_range_and_untreated_ones_are_left_out() -> None:
    zones = [effect_of(FACE, 0.2, 1.9), effect_of(FACE, 0.0, 0.0), effect_of(FACE, 0.6, 5.0)]
    assert in_words(zones, given=True) == (
        "This removed about 0.20 to 0.60 µm on average (bound: 1.90 to 5.00 µm): 2.0 to 6.0 % of "
        "the stratum corneum, a fifth to half of one layer of corneocytes, what skin sheds by "
        "itself in about 3 to 8 hours. Tape strips with a protein assay can see the deepest of it."
    )


def test_layers_are_a_fraction_up_to_one_and_a_number_above() -> None:
    assert layers_in_words([1.0]) == "one layer"
    assert layers_in_words([1.06]) == "1.1 layers"
    assert layers_in_words([1.5, 2.5]) == "1.5 to 2.5 layers"
    assert layers_in_words([0.5, 2.5]) == "half of one layer to 2.5 layers"


def test_a_time_has_the_unit_in_which_it_is_a_small_number() -> None:
    assert hours_in_words([0.74]) == "40 minutes"
    assert hours_in_words([0.75]) == "1 hour"
    assert hours_in_words([0.5, 2.0]) == "30 minutes to 2 hours"
    assert hours_in_words([1.0, 2.0]) == "1 to 2 hours"
    assert hours_in_words([47.4]) == "47 hours"
    assert hours_in_words([48.0]) == "2 days"


def test_a_share_never_rounds_to_nothing() -> None:
    assert percent_in_words(0.0) == "0.0"
    assert percent_in_words(0.0004) == "less than 0.1"
    assert percent_in_words(0.0005) == "0.1"
    assert percent_in_words(0.0994) == "9.9"
    assert percent_in_words(0.0996) == "10"


def test_an_instrument_sees_from_its_floor_on_and_tewl_sees_no_depth_in_one_person() -> None:
    assert seen_by(0.499) == ()
    assert seen_by(0.5) == ("tape strips with a protein assay",)
    assert seen_by(2.6) == ("tape strips with a protein assay", "confocal Raman")
    assert not [name for name in seen_by(1000.0) if "TEWL" in name]


def test_every_instrument_says_where_its_floor_comes_from() -> None:
    for each in INSTRUMENTS.values():
        assert each.confidence in Confidence.__args__  # type: ignore[attr-defined] # a Literal
        assert len(each.cite) > 15


def test_a_zone_of_the_face_sheds_twice_as_fast_as_one_of_the_body() -> None:
    skin = load_skin(shipped_configs())
    nose, arm = skin.site("nose"), skin.site("arm_left")
    assert nose is not None
    assert arm is not None
    assert stratum_of(skin, nose) == Stratum(9.0, 8.0, 14.0)
    assert stratum_of(skin, arm) == Stratum(11.0, 15.0, 28.0)


def test_an_effect_is_a_value() -> None:
    assert effect_of(FACE, 1.0, 2.0) == Effect(
        1.0, 2.0, 0.1, 0.9, 12.6, ("tape strips with a protein assay",)
    )
