"""Bad input is answered in one sentence that names file, field, value, range and next step."""

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.config.check import check_configs, check_file
from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from controller.config.programs import load_program, read_program
from controller.config.skin import load_skin, read_removal, read_sites

NOW_WALL_S = 1_767_225_600.0  # 2026-01-01, within the calibration of the example
SKIN = load_skin(shipped_configs())
REFRESH = (shipped_configs() / "programs" / "refresh.toml").read_text()


@pytest.fixture
def refresh(tmp_path: Path) -> Path:
    path = tmp_path / "programs" / "refresh.toml"
    path.parent.mkdir()
    path.write_text(REFRESH)
    return path


def sentence_of(path: Path, old: str, new: str) -> str:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        read_program(path, SKIN)
    sentence = caught.value.sentence
    assert sentence.startswith(str(path))
    assert sentence == str(caught.value)
    assert "\n" not in sentence
    assert sentence[-1] in ".?"
    found = re.fullmatch(r"(?:, line (\d+))?(.*)", sentence.removeprefix(str(path)))
    assert found is not None
    lines = path.read_text().splitlines()
    assert (new == "" and found[1]) or new.split("\n", maxsplit=1)[0] in lines[int(found[1]) - 1]
    return found[2].replace(str(path), "FILE")


@pytest.mark.hazard("H20")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "suction_kpa = 28.0", "suction_mmhg = 210",
            ", in [[stages]], suction_mmhg = 210: this is in mmHg, and the file wants suction_kpa "
            "(10 to 50 kPa); 210 mmHg is suction_kpa = 28.",
        ),
        (
            "suction_kpa = 28.0", "suction = 28.0",
            ", in [[stages]], suction = 28.0: a number needs its unit in the name; "
            "write suction_kpa (10 to 50 kPa).",
        ),
        (
            "suction_kpa = 28.0", 'suction_kpa = "28"',
            ', in [[stages]], suction_kpa = "28" is text; write the number without quotes; '
            "it must be 10 to 50 kPa.",
        ),
        (
            "suction_kpa = 28.0", "suction_kpa = true",
            ", in [[stages]], suction_kpa = true is not a number; it must be 10 to 50 kPa.",
        ),
        (
            "suction_kpa = 28.0", "suction_kpa = nan",
            ", in [[stages]], suction_kpa = nan is not a usable number; it must be 10 to 50 kPa.",
        ),
        (
            "flow_g_per_min = 1.0", "flow_g_per_min = inf",
            ", in [[stages]], flow_g_per_min = inf is not a usable number; it must be "
            "1 to 12 g/min.",
        ),
        (
            "flow_g_per_min = 1.0", "flow_g_per_min = -7.0",
            ", in [[stages]], flow_g_per_min = -7 g/min is out of range; it must be 1 to 12 g/min.",
        ),
        (
            "suction_kpa = 28.0", "suction_kpa = 62.0",
            ", in [[stages]], suction_kpa = 62 kPa is out of range; it must be 10 to 50 kPa.",
        ),
        (
            "suction_kpa = 28.0", "suction_kpa = 45.0",
            ", in [[stages]], suction_kpa = 45 kPa is out of range (on the face, forehead); "
            "it must be at most 40 kPa.",
        ),
        (
            "suction_kpa = 28.0", "suction_kpa = 30.0",
            ", in [[stages]], suction_kpa = 30 kPa is stronger than the approved preset; a "
            "practitioner may only lower, so it must be at most 28 kPa, or a supervisor must "
            "approve a new "
            "preset (corneum approve FILE --reason TEXT).",
        ),
        (
            "flow_g_per_min = 1.0", "flow_g_per_min = 8.0",
            ", in [[stages]], flow_g_per_min = 8 g/min is stronger than the approved preset; a "
            "practitioner may only lower, so it must be at most 1 g/min, or a supervisor "
            "must approve a new preset (corneum approve FILE --reason TEXT).",
        ),
        (
            "speed_mm_per_s = 40.0", "speed_mm_per_s = 25.0",
            ", in [[stages]], speed_mm_per_s = 25 mm/s is stronger than the approved preset; a "
            "practitioner may only lower, so it must be at least 40 mm/s, or a supervisor must "
            "approve a new preset (corneum approve FILE --reason TEXT).",
        ),
        (
            "contact_budget_s = 275.0", "contact_budget_s = 900.0",
            ", in [[stages]], contact_budget_s = 900 s is out of range (1 pass at 40 mm/s); "
            "it must be at most 280 s.",
        ),
        (
            "passes = 1", "pases = 2",
            ", in [[stages]], pases = 2: there is no such field; did you mean passes?",
        ),
        (
            "suction_kpa = 28.0", 'suction_inHg = "8"',
            ', in [[stages]], suction_inHg = "8": this is in inHg, and the file wants suction_kpa '
            "(10 to 50 kPa); write suction_kpa.",
        ),
        (
            "passes = 1", "xyzzy = [1]",
            ", in [[stages]], xyzzy = a list: there is no such field; remove it, or use one of "
            "contact_budget_s, flow_g_per_min, passes, speed_mm_per_s, suction_kpa, zones.",
        ),
        (
            "passes = 1", 'passes = "2"',
            ', in [[stages]], passes = "2" is text; write the number without quotes; '
            "it must be 1 to 3.",
        ),
        ("passes = 1", "", ", in [[stages]], passes is missing; add it (1 to 3)."),
        (
            "passes = 1", "passes = 2.5",
            ", in [[stages]], passes = 2.5 is not a whole number; it must be 1 to 3.",
        ),
        (
            '"forehead"', '"forhead"',
            ', in [[stages]], zones[1]: there is no zone "forhead"; did you mean forehead?',
        ),
        (
            '"forehead"', '"eyelids"',
            ', in [[stages]], zones[1]: "eyelids" is an exclusion zone that no program may name; '
            "remove it.",
        ),
        (
            '"forehead"', '"chin"',
            ', in [[stages]], zones[9]: "chin" stands there twice; keep it in one stage.',
        ),
        (
            '"forehead"', '"chest"',
            ', in [[stages]], zones[1]: "chest" is not a zone of the preset refresh; remove it, '
            "or a supervisor must approve a new preset (corneum approve FILE --reason TEXT).",
        ),
        (
            'name = "refresh"', 'name = "other"',
            ', name = "other" differs from the name of the file; rename the file, or write '
            'name = "refresh".',
        ),
        (
            'kind = "published"', 'kind = "rumour"',
            ', in the 1st [[sources]], kind = "rumour" is none of the choices; it must be '
            '"published" or "proposal".',
        ),
    ],
)  # fmt: skip
def test_a_bad_field_is_told_with_its_value_range_and_what_to_do(
    refresh: Path, old: str, new: str, said: str
) -> None:
    assert sentence_of(refresh, old, new) == said


def test_a_file_that_does_not_parse_names_line_and_field(refresh: Path) -> None:
    said = sentence_of(refresh, "passes = 1", "passes = = 2")
    assert said == (
        ", passes = = 2 cannot be read; write one value: a number, true or false, or text in "
        "quotes."
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe", "is not UTF-8 text (byte 0); save it as UTF-8."),
        (b"#" * 300_000, "is larger than 256 KiB, which no configuration is;"),
        (b"", "name is missing; add it."),
    ],
)
def test_a_file_that_is_no_configuration_is_told_so(refresh: Path, data: bytes, said: str) -> None:
    refresh.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        read_program(refresh, SKIN)
    assert said in caught.value.sentence


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read \(No such file or directory\)"):
        read_program(tmp_path / "gone.toml", SKIN)
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        read_program(tmp_path, SKIN)


@pytest.mark.parametrize(
    "name", ["refrsh", "../clients/demo", "", "REFRESH", "x" * 500, "refresh\n"]
)
def test_an_unknown_program_is_answered_with_the_programs_there_are(name: str) -> None:
    with pytest.raises(ConfigError, match=r"There is no program .* texture-refine") as caught:
        load_program(shipped_configs(), name, SKIN)
    assert ("did you mean refresh?" in str(caught.value)) is (
        name in {"refrsh", "REFRESH", "refresh\n"}
    )


def test_a_folder_without_programs_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There are no programs in"):
        load_program(tmp_path, "refresh", SKIN)


@pytest.mark.hazard("H19")
def test_a_preset_may_be_lowered_in_its_file(refresh: Path) -> None:
    refresh.write_text(REFRESH.replace("suction_kpa = 28.0", "suction_kpa = 24.0"))
    program = read_program(refresh, SKIN)
    assert {stage.suction_kpa for stage in program.stages} == {24.0}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("error_ln_sd = 0.9", "error_ln_sd = 0.5", "model.error_ln_sd = 0.5 is out of range"),
        ("coverage_factor = 2.5", "coverage_factor = 1.8", "model.coverage_factor = 1.8 is out"),
        ("factor_blind = 3.5", "factor_blind = 2.0", "model.coverage_factor_blind = 2 is out of"),
        ("moist_factor = 2.0", "moist_factor = 1.0", "model.moist_factor = 1 is out of range"),
        ("crystal_max_um = 150.0", "crystal_max_um = 100.0", "it must be 150 to 300 µm."),
        ("breach_max_share = 0.01", "breach_max_share = 0.1", "rules.breach_max_share = 0.1 is"),
        ("suction_max_kpa_s = 100.0", "suction_max_kpa_s = 200.0", "it must be above 0 to 100 kPa"),
        ("cap_share = 0.35", "cap_share = 0.5", "rules.cap_share = 0.5 is out of range"),
        ("interval_refuse_days = 7.0", "interval_refuse_days = 3.0", "it must be 7 to 365 days."),
        ("rate_ref_um_per_s = 2.54", "rate_ref_um_per_s = 0.75", "it must be 2.54 to 20 µm/s."),
        ("flow_exponent = 0.86", "flow_exponent = 1.0", "it must be 0.7 to 0.86."),
    ],
)
def test_the_skin_rules_may_only_be_made_stricter(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "removal.toml"
    text = (shipped_configs() / "skin" / "removal.toml").read_text()
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        read_removal(path)
    assert said in caught.value.sentence


def test_a_face_site_may_not_have_the_suction_of_the_body(tmp_path: Path) -> None:
    path = tmp_path / "sites.toml"
    text = (shipped_configs() / "skin" / "sites.toml").read_text()
    path.write_text(text.replace("suction_max_kpa = 40.0", "suction_max_kpa = 45.0", 1))
    with pytest.raises(
        ConfigError, match=r"line \d+, in the 1st \[\[sites\]\], suction_max_kpa = 45 kPa is out of"
    ):
        read_sites(path)
    path.write_text(text.replace('zone = "chin"', 'zone = "nose"', 1))
    with pytest.raises(ConfigError, match=r'zone = "nose" stands there twice'):
        read_sites(path)


def test_a_whole_folder_is_checked_and_every_bad_file_is_told(tmp_path: Path) -> None:
    configs = tmp_path / "configs"
    shutil.copytree(shipped_configs(), configs)
    assert not [found for found in check_configs(configs, NOW_WALL_S) if found.problem]
    (configs / "programs" / "back.toml").write_text("x")
    (configs / "clients" / "demo.toml").write_text("phototype = 7")
    (configs / "handpieces" / "simulated.toml").write_text("tip = 3")
    bad = {found.file.name for found in check_configs(configs, NOW_WALL_S) if found.problem}
    assert bad == {"back.toml", "demo.toml", "simulated.toml"}
    (configs / "skin" / "sites.toml").write_text("")
    assert "sites.toml" in {
        found.file.name for found in check_configs(configs, NOW_WALL_S) if found.problem
    }


def test_one_file_is_checked_as_what_it_is(tmp_path: Path) -> None:
    shipped = shipped_configs()
    for path in sorted(shipped.rglob("*.toml")):
        if path.parent.name != "scenarios" and path.name != "anchors.toml":
            assert check_file(path, shipped, NOW_WALL_S).problem == ""
    bad = tmp_path / "bad.toml"
    bad.write_text(REFRESH.replace("= 28.0", "= 35.0"))
    assert "stronger than the approved preset" in check_file(bad, shipped, NOW_WALL_S).problem
    bad.write_text("=")
    assert "has no name before the =" in check_file(bad, shipped, NOW_WALL_S).problem
    bad.write_text("[rules]")
    assert "is missing; add it" in check_file(bad, shipped, NOW_WALL_S).problem


@pytest.mark.parametrize(
    ("name", "sent_on"),
    [
        ("scenarios/line-cut.toml", "is a scenario for the simulator, not a configuration; check"),
        ("scenarios/line-cut.toml", "with corneum-sim run"),
        ("skin/anchors.toml", "is what publications say of the removal rate, not a configuration;"),
        ("skin/anchors.toml", "check it with corneum-sim anchors --configs FOLDER"),
    ],
)
def test_a_file_of_the_simulator_is_sent_on_to_its_command(name: str, sent_on: str) -> None:
    shipped = shipped_configs()
    assert sent_on in check_file(shipped / name, shipped, NOW_WALL_S).problem


def test_a_folder_may_hold_the_files_of_the_simulator_whatever_they_say(tmp_path: Path) -> None:
    configs = tmp_path / "configs"
    shutil.copytree(shipped_configs(), configs)
    whole = check_configs(configs, NOW_WALL_S)
    for name in ("scenarios/line-cut.toml", "skin/anchors.toml"):
        (configs / name).write_text("no = ")
    assert check_configs(configs, NOW_WALL_S) == whole


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(REFRESH.encode()) - 1), byte=st.binary(min_size=1, max_size=1))
def test_a_damaged_file_is_read_or_refused_and_never_crashes(
    refresh: Path, at: int, byte: bytes
) -> None:
    data = REFRESH.encode()
    refresh.write_bytes(data[:at] + byte + data[at + 1 :])
    found = check_file(refresh, shipped_configs(), NOW_WALL_S)
    if found.problem:
        assert found.problem.startswith(str(refresh))
        return
    program = read_program(refresh, SKIN)
    assert all(stage.suction_kpa <= 28.0 for stage in program.stages)
    assert all(stage.flow_g_per_min <= 1.0 for stage in program.stages)
