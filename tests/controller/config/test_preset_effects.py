"""What is said of the presets: what each removes is computed, and no text promises more."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.config.locate import shipped_configs
from controller.config.programs import load_program, program_names
from controller.config.skin import load_skin
from controller.record.read import plan_alone
from controller.safety import chance
from controller.safety.chance import Chance
from controller.safety.effect import in_words
from tools.programs_page import plan_of_preset

CONFIGS = shipped_configs()
SKIN = load_skin(CONFIGS)
NAMES = sorted(program_names(CONFIGS))
DOCS = Path(__file__).resolve().parents[3] / "docs"
PROMISE = re.compile(
    r"%|per ?cent|\bresults?\b|\bvisibl|\bimprove|\bremoves about|\bbeats?\b|do as well", re.I
)


def texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever a table holds
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


@pytest.mark.parametrize("name", NAMES)
def test_no_text_of_a_preset_promises_an_effect(name: str) -> None:
    table = tomllib.loads((CONFIGS / "programs" / f"{name}.toml").read_text("utf-8"))
    assert not [text for text in texts(table) if PROMISE.search(text)]


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_programs_says_of_each_preset_what_the_model_expects(name: str) -> None:
    plan = plan_of_preset(CONFIGS, SKIN, load_program(CONFIGS, name, SKIN))
    assert [stage.zone for stage in plan.stages] == [stage.zone for stage in plan.program.stages]
    effects = [effect for effect in plan.effects if effect is not None]
    assert len(effects) == len(plan.stages)
    row = f"| {plan.program.display_name} `{name}` | {in_words(effects)} |"
    lines = (DOCS / "PROGRAMS.md").read_text("utf-8").splitlines()
    assert len([line for line in lines if line.startswith(row)]) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_removes_less_than_the_guide_says_of_every_one(name: str) -> None:
    """A quarter of one layer, six hours of shedding, and nothing that an instrument can see."""
    plan = plan_of_preset(CONFIGS, SKIN, load_program(CONFIGS, name, SKIN))
    for effect in plan.effects:
        assert effect is not None
        assert effect.layers < 0.25
        assert effect.shedding_h < 6.0
        assert effect.seen_by == ()


@pytest.mark.parametrize("name", NAMES)
def test_the_guide_says_how_many_times_the_bound_is_the_nominal_depth(name: str) -> None:
    plan = plan_of_preset(CONFIGS, SKIN, load_program(CONFIGS, name, SKIN))
    times = {round(stage.expected_bound_um / stage.expected_nominal_um) for stage in plan.stages}
    assert times == {12}
    assert "it is about 12 times the nominal value" in (DOCS / "PRACTITIONER.md").read_text("utf-8")


def test_the_guide_quotes_what_a_plan_says(tmp_path: Path) -> None:
    plan = plan_alone({"program": "refresh", "client": "demo"}, tmp_path / "none.sqlite3")
    text = (DOCS / "PRACTITIONER.md").read_text("utf-8")
    guide = " ".join(text.replace("\n> ", " ").split())
    assert plan["effect"] in guide
    assert chance.in_words(Chance(**plan["chance"])) in guide
