"""The vocabulary: one list of words everywhere, and a file that is written says what was read."""

import json
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from controller.config.lines import line_of, lines_of
from qa.scenarios.document import scenarios_page
from qa.scenarios.dump import dump_scenario
from qa.scenarios.load import parse_scenario
from qa.scenarios.mistakes import EXPECTATION_OF, STEP_OF
from qa.scenarios.model import SEED_MAX, Scenario
from qa.scenarios.moments import SUBJECTS, Moment
from qa.scenarios.sentences import condition_words
from qa.scenarios.timeline import AT_POWER_ON
from qa.scenarios.words import STEP_NAMES

TOP = Path(__file__).resolve().parents[3]

words = st.text(min_size=1, max_size=40)
seconds = st.floats(0.0, 3600.0, allow_nan=False)
moments = st.builds(
    lambda tip, number, after_s: {"tip": tip, "number": number, "after_s": after_s},
    st.sampled_from(["on-skin", "lifted"]),
    st.none() | st.integers(1, 9999),
    seconds,
)
steps = st.one_of(
    st.builds(lambda t_s: {"do": "press", "after_s": t_s}, seconds),
    st.builds(lambda when: {"do": "kill-kernel", "when": when}, moments),
    st.builds(lambda why: {"do": "treat", "reason": why, "resume": True}, words),
    st.builds(lambda loss: {"do": "noise-line", "loss": loss}, st.floats(0.0, 1.0)),
)
expectations = st.one_of(
    st.builds(lambda count: {"check": "happens", "what": {"stop": "any"}, "exactly": count},
              st.integers(0, 99_999)),
    st.builds(lambda where: {"check": "journal", "row": "trip", "at_least": 0, "where": where},
              st.dictionaries(words, words | st.booleans() | st.integers(-9, 9), max_size=3)),
)  # fmt: skip
scenarios = st.builds(
    lambda title, seed, due, done, followed: Scenario.model_validate(
        {
            "name": "any",
            "title": title,
            "seed": seed,
            "unit": {} if due is None else {"calibration_due": due},
            "clients": [{"ref": "anna", "contraindications": ["pregnancy"]}],
            "steps": done,
            "expect": followed,
        }
    ),
    words,
    st.integers(0, SEED_MAX),
    st.none() | st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.lists(steps, min_size=1, max_size=4),
    st.lists(expectations, min_size=1, max_size=3),
)


@given(scenario=scenarios)
def test_what_is_written_is_what_was_read(scenario: Scenario) -> None:
    text = dump_scenario(scenario)
    assert parse_scenario(text) == scenario
    assert dump_scenario(parse_scenario(text)) == text


def test_what_is_a_default_is_not_written() -> None:
    text = (
        '#:schema ../schemas/scenario.json\nname = "a"\ntitle = "b"\n\n[[steps]]\ndo = "press"\n'
        'when = { tip = "lifted", number = 3 }\n\n[[expect]]\ncheck = "finally"\n'
        'holds = { valve = "shut" }\n'
    )
    assert dump_scenario(parse_scenario(text)) == text


def test_the_words_of_the_steps_are_those_of_the_conditions() -> None:
    assert set(STEP_OF) == set(STEP_NAMES)
    assert len(STEP_NAMES) == len(set(STEP_NAMES))


def test_every_subject_has_a_value_at_power_on_and_a_sentence() -> None:
    assert set(AT_POWER_ON) == set(SUBJECTS)
    assert condition_words(Moment(valve="shut")) == "the valve is shut"
    for subject in SUBJECTS:
        if subject in ("trip", "fault", "stop", "restart", "alarm", "refused"):
            assert condition_words(Moment.model_validate({subject: "any"}))


def test_the_page_and_the_schema_have_every_word() -> None:
    page = scenarios_page()
    for name in (*STEP_OF, *EXPECTATION_OF, *SUBJECTS, *Scenario.model_fields):
        assert f"`{name}`" in page or f"[[{name}]]" in page or name in ("steps", "expect", "unit")
    schema = json.loads((TOP / "configs" / "schemas" / "scenario.json").read_text(encoding="utf-8"))
    assert set(schema["$defs"]) >= {"Treat", "Within", "Moment"}


def test_the_example_of_the_page_can_be_read() -> None:
    example = scenarios_page().split("```toml\n")[1].split("```")[0]
    assert parse_scenario(example).name == "hand-lets-go"


def test_lines_are_found_in_any_shape_of_toml() -> None:
    text = '\n'.join([
        'a = "x # no comment"',
        "b = [",
        "  { c = 1, d = [2, 3] },  # [not a header]",
        "  { c = '''",
        "a = 9",
        "''' },",
        "]",
        "[t.u]",
        '"quoted key" = 1',
        "[[t.v]]",
        "w.x = { y = 1 }",
        "[[t.v]]",
        "[t.v.z]",
        "q = 1979-05-27T07:32:00Z",
    ])  # fmt: skip
    lines = lines_of(text)
    found = {
        ("a",): 1, ("b",): 2, ("b", 0, "d", 1): 3, ("b", 1): 4, ("b", 1, "c"): 4, ("t", "u"): 8,
        ("t", "u", "quoted key"): 9, ("t", "v", 0, "w", "x", "y"): 11, ("t", "v", 1): 12,
        ("t", "v", 1, "z", "q"): 14,
    }  # fmt: skip
    assert {place: lines[place] for place in found} == found
    assert line_of(lines, ("t", "v", 1, "z", "none")) == 13
    assert line_of(lines, ("none",)) == 1
    assert line_of({}, ()) == 1
