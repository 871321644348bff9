"""Every name in every file is one that exists, and a check says what a treatment would say."""

import shutil
from pathlib import Path

import pytest

from controller.config.check import Checked, check_configs
from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from controller.config.people import load_client, load_unit
from controller.config.skin import load_skin
from controller.config.suggest import near

NOW_WALL_S = 1_767_225_600.0  # 2026-01-01
SKIN = load_skin(shipped_configs())


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    shutil.copytree(shipped_configs(), tmp_path / "configs")
    shutil.copy(
        tmp_path / "configs/handpieces/unit-example.toml",
        tmp_path / "configs/handpieces/unit-4711.toml",
    )
    return tmp_path / "configs"


def edited(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def checked(configs: Path, path: Path, now_wall_s: float = NOW_WALL_S) -> Checked:
    (found,) = [each for each in check_configs(configs, now_wall_s) if each.file == path]
    return found


# -- clients ---------------------------------------------------------------------------------------
@pytest.mark.hazard("H19")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("exclusions = []", 'exclusions = ["noze"]', 'there is no zone "noze"; did you mean nose?'),
        ("exclusions = []", 'exclusions = ["xyzzy"]', 'there is no zone "xyzzy"; use one of '),
        ("exclusions = []", 'exclusions = ["Nose"]', "is not a name"),
        ("exclusions = []", 'exclusions = ["nose", "nose"]', '"nose" stands there twice'),
        ('    "nose", "chin"', '    "noes", "chin"', "did you mean nose?"),
        ('    "nose", "chin"', '    "chin", "chin"', 'zones: "chin" stands there twice'),
        ('    "nose", "chin"', '    "eyelids", "chin"', "that nobody can agree to"),
        ("pregnancy = false", "pregnacy = false", "did you mean pregnancy?"),
        ("practice = true", "practise = true", "there is no such field; did you mean practice?"),
    ],
)  # fmt: skip
def test_a_name_in_a_client_file_that_does_not_exist_is_refused(
    configs: Path, old: str, new: str, said: str
) -> None:
    path = edited(configs / "clients" / "demo.toml", old, new)
    assert said in checked(configs, path).problem
    for skin in (None, SKIN):
        with pytest.raises(ConfigError) as caught:
            load_client(configs, "demo", skin)
        assert said in caught.value.sentence


def test_an_exclusion_that_can_never_be_selected_anyway_may_be_named(configs: Path) -> None:
    path = edited(configs / "clients" / "demo.toml", "exclusions = []", 'exclusions = ["eyelids"]')
    assert checked(configs, path).problem == ""


@pytest.mark.hazard("H19")
def test_a_question_without_an_answer_is_told_and_an_answer_of_yes_is_a_note(configs: Path) -> None:
    path = edited(configs / "clients" / "demo.toml", "pregnancy = false", "")
    assert "no answer to pregnancy" in checked(configs, path).problem
    edited(path, "keloid_history = false", "keloid_history = true\npregnancy = false")
    found = checked(configs, path)
    assert found.problem == ""
    assert "keloid" in found.notes[0]


# -- handpieces ------------------------------------------------------------------------------------
@pytest.mark.hazard("H27")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("serial = 4711", "serial = 4712", "differs from the 4711 of the"),
        ("serial = 4711", "", "is missing; a calibration belongs"),
        ("uncertainty_kpa = 0.8", "uncertainty_kpa = 0.0", "it must be above 0 to 5 kPa"),
        ("uncertainty_percent = 8.0", "uncertainty_percent = 0.0", "must be above 0 to 50 %"),
        ("window_mm = 6.0", "windows_mm = 6.0", "did you mean window_mm?"),
    ],
)  # fmt: skip
def test_a_handpiece_file_that_proves_nothing_is_refused_by_check_and_treatment(
    configs: Path, old: str, new: str, said: str
) -> None:
    path = edited(configs / "handpieces" / "unit-4711.toml", old, new)
    assert said in checked(configs, path).problem
    with pytest.raises(ConfigError):
        load_unit(configs, 4711, simulated=False)


@pytest.mark.hazard("H27")
def test_a_calibration_that_is_out_of_date_or_has_no_date_is_told_by_the_check(
    configs: Path,
) -> None:
    path = configs / "handpieces" / "unit-4711.toml"
    day_s = 86_400.0
    assert checked(configs, path, NOW_WALL_S + 30 * day_s).problem == ""
    assert "calibration_due = 2026-01-31 has passed" in (
        checked(configs, path, NOW_WALL_S + 32 * day_s).problem
    )
    edited(path, "calibration_due = 2026-01-31", "")
    assert "calibration_due is missing" in checked(configs, path).problem


def test_the_file_of_simulated_handpieces_does_not_describe_a_real_one(configs: Path) -> None:
    path = configs / "handpieces" / "simulated.toml"
    shutil.copy(configs / "handpieces" / "unit-4711.toml", path)
    assert "name it unit-4711.toml" in checked(configs, path, 1.7e9).problem
    with pytest.raises(ConfigError):
        load_unit(configs, 1001, simulated=True)


def test_a_file_that_no_treatment_reads_says_so(configs: Path) -> None:
    found = checked(configs, configs / "handpieces" / "unit-example.toml", 2e9)
    assert found.problem == ""
    assert "is read by no treatment: a file is used as unit-4711.toml" in found.notes[0]


def test_what_is_assumed_where_a_file_does_not_say_is_a_note(configs: Path) -> None:
    path = edited(configs / "handpieces" / "unit-4711.toml", "crystal_um = 100.0", "")
    assert "crystal_um; it counts as 150" in checked(configs, path).notes[0]


# -- folders and programs --------------------------------------------------------------------------
def test_a_folder_or_file_that_nobody_reads_because_of_its_name_is_told(configs: Path) -> None:
    shutil.copytree(configs / "clients", configs / "client")
    shutil.copy(configs / "clients/demo.toml", configs / "clients/Other.TOML")
    problems = [each.problem for each in check_configs(configs, NOW_WALL_S) if each.problem]
    assert any("did you mean clients?" in problem for problem in problems)
    assert any("its name must end in .toml" in problem for problem in problems)
    assert len(problems) == 2


def test_a_source_of_a_value_that_does_not_exist_is_told(configs: Path) -> None:
    path = edited(configs / "programs/refresh.toml", 'about = "passes"', 'about = "pases"')
    said = 'in the 2nd [[sources]], about: there is no value "pases" of a program; did you mean'
    assert said in checked(configs, path).problem


@pytest.mark.parametrize(
    ("said", "meant"),
    [("NOSE", "nose"), ("cheek-left", "cheek_left"), ("Cheek left", "cheek_left"), ("qqq", None)],
)
def test_case_and_separators_do_not_hide_what_was_meant(said: str, meant: str | None) -> None:
    assert near(said, ["nose", "cheek_left", "cheek_right"]) == meant
