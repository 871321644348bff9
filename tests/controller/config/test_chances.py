"""chances.toml: found by the content of a program, told in one sentence where it is wrong."""

import shutil
from pathlib import Path

import pytest

from controller.config.chances import FILE, chance_of, read_chances
from controller.config.check import check_configs, check_file
from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from controller.config.programs import program_hashes
from controller.record.read import plan_alone
from controller.safety.chance import Chance
from controller.safety.refusal import RefusedError

NOW_WALL_S = 1_900_000_000.0
SHA = "ab" * 32
ENTRY = f"""[[programs]]
name = "mine"
sha256 = "{SHA}"
likely_n = 40000
likely_bound_share = 0.0007
worst_n = 4000
worst_bound_share = 0.005
worst_tail = "harm-0.25"
"""
WISH = {"program": "refresh", "client": "demo", "zones": ["nose"]}


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs"
    shutil.copytree(shipped_configs(), folder)
    return folder


def write(configs: Path, text: str) -> Path:
    path = configs / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def sentence_of(path: Path) -> str:
    with pytest.raises(ConfigError) as told:
        read_chances(path)
    return told.value.sentence.removeprefix(f"{path}, ")


def test_a_chance_is_found_by_the_hash_of_the_content(tmp_path: Path) -> None:
    write(tmp_path, ENTRY)
    assert chance_of(tmp_path, SHA) == Chance(
        likely_bound_share=0.0007, likely_n=40000, worst_bound_share=0.005, worst_n=4000,
        worst_tail="harm-0.25",
    )  # fmt: skip
    assert chance_of(tmp_path, "cd" * 32) is None


def test_a_folder_without_the_file_has_no_chance_and_no_mistake(tmp_path: Path) -> None:
    assert chance_of(tmp_path, SHA) is None


@pytest.mark.parametrize(
    ("said", "written", "sentence"),
    [
        (
            "worst_bound_share = 0.005",
            "worst_bound_share = 0.0001",
            "line 7, in [[programs]], worst_bound_share = 0.0001 is out of range; it must be "
            "at least likely_bound_share, 0.0007.",
        ),
        (
            "likely_bound_share = 0.0007",
            "likely_bound_share = 0.0",
            "line 5, in [[programs]], likely_bound_share = 0 is out of range; it must be "
            "above 0 to 1.",
        ),
        (
            '"harm-0.25"',
            '"harm"',
            'line 8, in [[programs]], worst_tail = "harm" is none of the choices;',
        ),
        ("likely_n = 40000", "", "line 1, in [[programs]], likely_n is missing; add it"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(
    tmp_path: Path, said: str, written: str, sentence: str
) -> None:
    path = write(tmp_path, ENTRY.replace(said, written))
    assert sentence_of(path).startswith(sentence)


def test_a_program_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    other = ENTRY.replace(SHA, "cd" * 32)
    assert sentence_of(write(tmp_path, ENTRY + other)) == (
        'line 10, in the 2nd [[programs]], name = "mine" stands there twice; keep one.'
    )
    other = ENTRY.replace('"mine"', '"other"')
    assert sentence_of(write(tmp_path, ENTRY + other)) == (
        f'line 11, in the 2nd [[programs]], sha256 = "{SHA}" stands there twice; keep one.'
    )


def test_a_check_of_a_folder_tells_a_mistake_in_it(configs: Path) -> None:
    path = write(configs, ENTRY.replace("0.0007", "7"))
    (bad,) = [found for found in check_configs(configs, NOW_WALL_S) if found.problem]
    assert bad.file == path
    assert check_file(path, configs, NOW_WALL_S).problem == bad.problem


def test_a_check_names_what_was_simulated_of_another_content(configs: Path) -> None:
    path = write(configs, ENTRY)
    (found,) = [each for each in check_configs(configs, NOW_WALL_S) if each.file == path]
    assert found.problem == ""
    (note,) = found.notes
    assert "what was simulated for mine is of no program that lies here" in note
    known = next(iter(program_hashes(configs)))
    write(configs, ENTRY.replace(SHA, known))
    assert check_file(path, configs, NOW_WALL_S).notes == ()


def test_an_edited_preset_is_planned_and_has_no_chance(configs: Path, tmp_path: Path) -> None:
    sha256 = next(sha for sha, name in program_hashes(configs).items() if name == "refresh")
    write(configs, ENTRY.replace(SHA, sha256))
    record = tmp_path / "none.sqlite3"
    assert plan_alone(WISH, record, configs)["chance"] == {
        "likely_bound_share": 0.0007, "likely_n": 40000, "worst_bound_share": 0.005,
        "worst_n": 4000, "worst_tail": "harm-0.25",
    }  # fmt: skip
    program = configs / "programs" / "refresh.toml"
    program.write_text(program.read_text().replace("suction_kpa = 28.0", "suction_kpa = 27.0"))
    assert plan_alone(WISH, record, configs)["chance"] is None


def test_the_fingerprint_of_a_plan_does_not_cover_its_chance(configs: Path, tmp_path: Path) -> None:
    record = tmp_path / "none.sqlite3"
    write(configs, ENTRY)
    before = plan_alone(WISH, record, configs)["parts"]
    (configs / FILE).unlink()
    assert plan_alone(WISH, record, configs)["parts"] == before


def test_a_file_that_cannot_be_used_is_told_where_a_plan_is_asked_for(
    configs: Path, tmp_path: Path
) -> None:
    path = write(configs, "programs = 3")
    with pytest.raises(RefusedError) as told:
        plan_alone(WISH, tmp_path / "none.sqlite3", configs)
    assert told.value.code == "config"
    assert told.value.sentence.startswith(f"{path}, ")
