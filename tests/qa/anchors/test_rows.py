"""What a file of anchors may say, and how a mistake in it is told."""

from pathlib import Path

import pytest

from controller.config.errors import ConfigError
from qa.anchors.rows import PARAMETERS, load_anchors
from tests.qa.anchors.anchors import MEASURED, file_with, shipped


def test_the_shipped_file_has_a_prior_of_every_parameter_and_the_published_anchors() -> None:
    file = shipped()
    assert [prior.name for prior in file.priors] == list(PARAMETERS)
    assert [(anchor.name, anchor.likelihood) for anchor in file.anchors] == [
        ("A1", "removed"),
        ("A2", "removed"),
        ("A4", "order"),
        ("A5", "none"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('likelihood = "removed"\nremoved = "stratum corneum"', 'likelihood = "removed"',
         '"removed" needs removed'),
        ("suction_kpa = 30.0\ntime_s = 20.0", "time_s = 20.0", "the dose has no suction_kpa"),
        ("suction_kpa = 30.0\ntime_s = 20.0", "suction_kpa = 30.0",
         "the dose has time_s, or passes and speed_mm_per_s, and not both"),
        ("time_s = 20.0", "time_s = 20.0\npasses = 4",
         "the dose has time_s, or passes and speed_mm_per_s, and not both"),
        ("time_s = 20.0", "passes = 4", "a moving tip has both passes and speed_mm_per_s"),
        ("time_s = 20.0", "time_s = -20.0", "time_s"),
        ("suction_kpa = 30.0", "suction_mmhg = 225.0", "suction_mmhg"),
        ("suction_kpa = 50.0", "suction_kpa = 500.0", "100"),
        ('flatter = "suction_exponent"', 'flatter = "flow_exponent"',
         "steeper and flatter are the same"),
        ('removed = "epidermis"', 'removed = "epidermis"\nkept = "epidermis"',
         'kept = "epidermis" goes with removed = "stratum corneum" only'),
        ('name = "A2"', 'name = "A1"', '"A1" stands there twice'),
        ("median = 1.26\nsd = 0.587", "median = 1.26", '"lognormal" has median and sd'),
        ("low = 0.2\nhigh = 1.2", "low = 1.2\nhigh = 0.2", "low is not below high"),
        ('name = "gradient"', 'name = "rate_um_per_s"', '"rate_um_per_s" has 2 entries'),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_one_sentence_with_file_and_place(
    tmp_path: Path, before: str, after: str, words: str
) -> None:
    with pytest.raises(ConfigError) as told:
        load_anchors(file_with(tmp_path, (before, after)))
    assert words in told.value.sentence
    assert "anchors.toml" in told.value.sentence
    assert "\n" not in told.value.sentence


def test_a_missing_file_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"anchors\.toml"):
        load_anchors(tmp_path)


def test_a_row_may_be_added_at_the_end(tmp_path: Path) -> None:
    more = MEASURED.format(depth_um=4.0, sd_um=0.5)
    assert load_anchors(file_with(tmp_path, more=more)).anchors[-1].depth_um == 4.0
