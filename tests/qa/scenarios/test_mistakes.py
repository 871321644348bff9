"""A mistake in a scenario file is told with its line, its field and what is allowed."""

from pathlib import Path
from typing import NamedTuple

import pytest

from qa.scenarios.load import load_scenario, parse_scenario, scenario_files
from qa.scenarios.mistakes import ScenarioError

HEAD = 'name = "a"\ntitle = "b"\n'  # lines 1 and 2
STEPS = '[[steps]]\ndo = "treat"\n'  # lines 3 and 4
EXPECT = '[[expect]]\ncheck = "finally"\nholds = { valve = "shut" }\n'  # lines 5 to 7
WHOLE = HEAD + STEPS + EXPECT


class Case(NamedTuple):
    """A text, and the line, the field and parts of the sentence."""

    text: str
    line: int
    field: str
    says: tuple[str, ...]


def _step(text: str) -> str:
    return f"{HEAD}{STEPS}[[steps]]\n{text}\n{EXPECT}"  # the step begins in line 5


def _expect(text: str) -> str:
    return f"{WHOLE}[[expect]]\n{text}\n"  # the expectation begins in line 8


CASES = (
    Case('name = "a', 1, "", ("text that is not closed",)),
    Case(f"{HEAD}= 3\n", 3, "", ("has no name before the =",)),
    Case(f"{HEAD}hand = slow\n{STEPS}{EXPECT}", 3, "", ('write hand = "slow"',)),
    Case(f'{HEAD}hnad = "slow"\n{STEPS}{EXPECT}', 3, "hnad", ("did you mean hand?",)),
    Case(f'{HEAD}hand = "clumsy"\n{STEPS}{EXPECT}', 3, "hand", ('"average"', '"still"')),
    Case(f"{HEAD}seed = -1\n{STEPS}{EXPECT}", 3, "seed", ("out of range",)),
    Case(f'{HEAD}seed = "1"\n{STEPS}{EXPECT}', 3, "seed", ("without quotes",)),
    Case(f'{HEAD}hazards = [\n  "H04",\n  "H4",\n]\n{STEPS}{EXPECT}', 5, "hazards[2]",
         ("two digits",)),
    Case(f'title = "b"\n{STEPS}{EXPECT}', 1, "name", ("missing",)),
    Case(HEAD + EXPECT, 1, "steps", ("missing",)),
    Case(HEAD + STEPS, 1, "expect", ("missing",)),
    Case(f"{HEAD}[unit]\nsuction_max_kpa = 500.0\n{STEPS}{EXPECT}", 4, "unit.suction_max_kpa",
         ("500 kPa", "10 to 50 kPa")),
    Case(f'{HEAD}[[clients]]\nref = "demo"\n{STEPS}{EXPECT}', 4, "clients[1].ref", ("taken",)),
    Case(_step('do = "presss"'), 6, "steps[2].do", ('did you mean "press"?', '"lift"')),
    Case(_step("after_s = 1.0"), 5, "steps[2].do", ("missing", '"treat"')),
    Case(_step('do = "fault"'), 5, "steps[2].name", ("missing",)),
    Case(_step('do = "fault"\nname = "clogg"'), 7, "steps[2].name", ('did you mean "clog"?',)),
    Case(_step('do = "press"\nafter_ms = 30'), 7, "steps[2].after_ms",
         ("in ms", "after_s = 0.03")),
    Case(_step('do = "lower"\nsuction = 12'), 7, "steps[2].suction",
         ("needs its unit", "suction_kpa")),
    Case(_step('do = "press"\nat_s = 1.0\nafter_s = 1.0'), 5, "steps[2]",
         ("one time", "at_s and after_s")),
    Case(_step('do = "press"\nafter_s = -1.0'), 7, "steps[2].after_s", ("0 to 3600 s",)),
    Case(_step('do = "press"\nafter_s = nan'), 7, "steps[2].after_s", ("not a usable number",)),
    Case(_step('do = "press"\nwhen = { tip = "lifed" }'), 7, "steps[2].when.tip",
         ('"on-skin", "lifted"', 'did you mean "lifted"?')),
    Case(_step('do = "press"\nwhen = { number = 2 }'), 7, "steps[2].when",
         ("exactly one", "has none")),
    Case(_step('do = "press"\nwhen = { tip = "lifted", valve = "shut" }'), 7, "steps[2].when",
         ("exactly one", "has valve and tip")),
    Case(_step('do = "press"\n[steps.when]\ntip = "lifted"\nnumber = 0'), 9,
         "steps[2].when.number", ("1 to 9999",)),
    Case(_step('do = "press"\nat_s = 5.0\n[[steps]]\ndo = "lift"\nat_s = 3.0'), 10,
         "steps[3].at_s", ("before the 5 s of steps[2]",)),
    Case(_expect('check = "allways"'), 9, "expect[2].check", ('"never"',)),
    Case(_expect('check = "within"\nof = { tip = "lifted" }\nholds = { valve = "shut" }'), 8,
         "expect[2].within_s", ("missing", "0 to 3600 s")),
    Case(_expect('check = "finally"\nholds = { mode = "safe" }'), 10, "expect[2].holds.mode",
         ('"SAFE"',)),
    Case(_expect('check = "happens"\nwhat = { tip = "lifted" }'), 8, "expect[2]",
         ("exactly, at_least, at_most",)),
    Case(_expect('check = "journal"\nrow = "no row"\nexactly = 1'), 10, "expect[2].row",
         ('"treatment"',)),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_told_with_its_line_its_field_and_what_is_allowed(case: Case) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(case.text, Path("a.toml"))
    (mistake,) = refused.value.mistakes
    assert (mistake.line, mistake.field) == (case.line, case.field)
    for words in case.says:
        assert words in mistake.what
    assert str(mistake).startswith(f"a.toml:{case.line}: {case.field}")
    assert str(mistake).count("\n") == 0


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = _step('do = "press"\nafter_s = -1.0').replace('"finally"', '"finaly"') + "x = 1\n"
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(text)
    assert [mistake.field for mistake in refused.value.mistakes] == [
        "steps[2].after_s",
        "expect[1].check",
    ]


def test_the_name_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "b.toml"
    path.write_text(WHOLE, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r'b\.toml:1: name = "a" differs .* write "b"'):
        load_scenario(path)


@pytest.mark.parametrize(
    ("data", "says"), [(b"\xff", "not UTF-8"), (b"#" * 1_100_000, "larger than")]
)
def test_a_file_that_is_no_text_of_ours_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(data)
    with pytest.raises(ScenarioError, match=says):
        load_scenario(path)


def test_a_file_that_is_not_there_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(tmp_path / "none.toml")
    with pytest.raises(ScenarioError, match="no scenario"):
        scenario_files([tmp_path])
