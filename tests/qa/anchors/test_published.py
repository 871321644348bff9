"""What published treatments say of the tails: little, and only where they can."""

from controller.config.locate import shipped_configs
from qa.anchors.published import predict
from qa.anchors.rows import Treatment, load_anchors
from qa.skin.tails import TAILS

DEEP = {
    "name": "deep", "dose": "lowest", "faces": 100, "sessions": 1, "passes": 40,
    "speed_mm_per_s": 20.0, "suction_kpa": 40.0, "flow_g_per_min": 12.0, "seen": "s", "cite": "c",
}  # fmt: skip


def test_nothing_published_contradicts_a_tail_so_that_none_may_be_left_out() -> None:
    treatments = load_anchors(shipped_configs()).treatments
    assert any(treatment.dose == "lowest" for treatment in treatments)
    told = [
        predict(treatment, name, tail, 1)
        for treatment in treatments
        if treatment.dose == "lowest"
        for name, tail in TAILS.items()
    ]
    assert not [each.tail for each in told if each.contradicted]


def test_a_hundred_uninjured_faces_at_a_large_dose_contradict_every_tail() -> None:
    deep = Treatment.model_validate(DEEP)
    assert all(predict(deep, name, tail, 1).contradicted for name, tail in TAILS.items())


def test_a_dose_that_is_only_usual_contradicts_nothing() -> None:
    usual = Treatment.model_validate({**DEEP, "dose": "usual"})
    told = predict(usual, "gamma", TAILS["gamma"], 1)
    assert told.uninjured < 0.05
    assert not told.contradicted


def test_the_tails_are_told_apart_at_a_dose_between() -> None:
    between = Treatment.model_validate({**DEEP, "passes": 8, "flow_g_per_min": 10.0})
    chances = {name: predict(between, name, TAILS[name], 1).chance for name in TAILS}
    assert chances["lognormal"] < chances["gamma"] < chances["student-5"]
    assert chances["lognormal"] < chances["harm-0.25"]
