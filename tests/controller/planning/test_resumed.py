"""A resume leaves out what is spent, and goes on with the rest."""

import pytest

from controller.safety.exposure import ZoneUse
from controller.treatment.course import Course
from tests.controller.planning.test_plan import DEMO, plan, refusal


@pytest.mark.hazard("H51")
@pytest.mark.parametrize("share", [0.0, 0.5, 0.77, 0.84, 0.9, 0.99, 1.0, 1.5])
def test_a_zone_that_has_had_most_of_its_cap_never_blocks_the_resume_of_the_others(
    share: float,
) -> None:
    cap_um = plan(client=DEMO).stages[0].cap_um
    made = plan(client=DEMO, resumed={"nose": ZoneUse(0.1, cap_um * share, 5.0, 0.5, 5.0)})
    zones = [stage.zone for stage in made.stages]
    assert zones[-1] == "chin"
    left_out = [note for note in made.notes if note.startswith("Nose is left out: it has had")]
    assert len(left_out) == (0 if "nose" in zones else 1)
    assert Course(made).zone == zones[0]


@pytest.mark.parametrize(
    ("use", "why"),
    [
        (ZoneUse(0.1, 99.0, 5.0, 0.5, 5.0), "the cap leaves too little to open the valve for"),
        (ZoneUse(0.1, 0.1, 999.0, 0.5, 5.0), "its time is used up"),
        (ZoneUse(0.1, 0.1, 5.0, 0.5, 999.0), "the suction dose leaves too little"),
    ],
)
def test_a_zone_that_is_left_out_says_what_it_has_had_and_why_it_is_done(
    use: ZoneUse, why: str
) -> None:
    (note,) = (
        each for each in plan(client=DEMO, resumed={"nose": use}).notes if "left out" in each
    )
    assert note.startswith(f"Nose is left out: it has had {use.bound_um:.2g}")
    assert why in note


def test_only_where_nothing_is_left_a_resume_is_refused_and_says_so_of_every_zone() -> None:
    spent = ZoneUse(1.0, 99.0, 1.0, 1.0)
    refused = refusal(client=DEMO, resumed={"nose": spent, "chin": spent})
    assert refused.code == "nothing_left"
    assert "Nose is left out" in refused.sentence
    assert "Chin is left out" in refused.sentence
