"""The page that a newcomer reads first names the files that a setpoint and a reading go through."""

import re
from pathlib import Path

import pytest

from tools.way import Way, way, ways

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "ONE_TREATMENT.md").read_text("utf-8")
CHAPTERS = {"setpoint": "## A setpoint", "reading": "## A reading"}
FILES_MAX = 20
CHANGES_MAX = 10
RETURNS_MAX = 5


@pytest.fixture(scope="module")
def followed() -> dict[str, Way]:
    return ways()


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_page_names_each_file_in_the_order_in_which_it_is_gone_through(
    name: str, followed: dict[str, Way]
) -> None:
    chapter = PAGE.partition(CHAPTERS[name])[2].partition("\n## ")[0]
    named = dict.fromkeys(re.findall(r"`([a-z_/]+\.py)`", chapter))
    assert tuple(named) == followed[name].files


def test_a_setpoint_comes_to_no_more_files_and_rooms_than_this(followed: dict[str, Way]) -> None:
    one = followed["setpoint"]
    assert len(one.files) <= FILES_MAX
    assert one.changes <= CHANGES_MAX
    assert one.returns <= RETURNS_MAX


def test_a_call_that_is_never_made_is_named() -> None:
    with pytest.raises(ValueError, match="no call of b"):
        way([("a.py:f", ("a.py",))], ("a.py:f", "b.py:f"))
