"""What goes above the presets needs a supervisor's approval of its very content."""

import shutil
import threading
import tomllib
from pathlib import Path

import pytest

from controller.config.approvals import account_name, approvals_path, approve, read_approvals
from controller.config.check import check_configs
from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from controller.config.presets import INTERVAL_MIN_DAYS, PRESETS, TRAINED
from controller.config.programs import content_sha256, load_program, read_within_limits
from controller.config.skin import load_skin

SKIN = load_skin(shipped_configs())
NOW_WALL_S = 1_767_225_600.0


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    shutil.copytree(shipped_configs(), tmp_path / "configs")
    return tmp_path / "configs"


def copied(configs: Path, name: str, of: str = "refresh", **changes: str) -> Path:
    """Write a copy of a preset under another name, with some lines changed."""
    text = (configs / "programs" / f"{of}.toml").read_text()
    lines = {"name": f'"{name}"', **changes}
    for field, value in lines.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"{field} = ")]
        text = text.replace(line, f"{field} = {value}", 1)
    path = configs / "programs" / f"{name}.toml"
    path.write_text(text)
    return path


def approved(path: Path, reason: str = "seen") -> None:
    file = read_within_limits(path, SKIN)
    approve(approvals_path(path), file.name, content_sha256(file), reason)


def refusal(configs: Path, name: str) -> str:
    """Return why a program is not used, which `config check` says in the same words."""
    with pytest.raises(ConfigError) as caught:
        load_program(configs, name, SKIN)
    checked = {each.file.stem: each.problem for each in check_configs(configs, NOW_WALL_S)}
    assert checked[name] == caught.value.sentence
    return caught.value.sentence


# -- copies ----------------------------------------------------------------------------------------
@pytest.mark.hazard("H19")
@pytest.mark.parametrize(
    ("of", "changes", "said"),
    [
        ("refresh", {"suction_kpa": "36.0"}, "36 kPa is stronger than the approved preset refresh"),
        ("refresh", {"flow_g_per_min": "11.0"}, "it must be at most 1 g/min"),
        ("refresh", {"passes": "3"}, "it must be at most 1, or"),
        ("refresh", {"speed_mm_per_s": "25.0"}, "it must be at least 40 mm/s"),
        ("refresh", {"interval_days": "7"}, "interval_days = 7 days is stronger"),
        ("tone-safe", {"suction_kpa": "28.0"}, "preset tone-safe; a practitioner may only lower"),
        ("first-gentle", {"suction_kpa": "28.0"}, "preset first-gentle"),
        ("even-bright", {"suction_kpa": "36.0"}, "preset even-bright"),
        ("back", {"suction_kpa": "45.0", "display_name": '"Deep"'}, "preset back"),
        ("hands", {"suction_kpa": "30.0", "display_name": '"H"'}, "preset hands"),
    ],
)
def test_a_copy_of_a_preset_under_another_name_may_not_go_above_it(
    configs: Path, of: str, changes: dict[str, str], said: str
) -> None:
    path = copied(configs, "strong", of, **changes)
    sentence = refusal(configs, "strong")
    assert said in sentence
    assert sentence.endswith(
        f"or a supervisor must approve a new preset (corneum approve {path} --reason TEXT)."
    )


@pytest.mark.hazard("H19")
@pytest.mark.parametrize("display", ["Refresh", "refresh", "Soft"])
def test_a_copy_that_stays_within_a_preset_needs_nobody(configs: Path, display: str) -> None:
    copied(configs, "soft", suction_kpa="20.0", display_name=f'"{display}"')
    assert load_program(configs, "soft", SKIN).stages[0].suction_kpa == 20.0


@pytest.mark.hazard("H19")
def test_zones_that_no_preset_treats_together_need_an_approval(configs: Path) -> None:
    path = copied(configs, "odd", "hands", suction_kpa="10.0", display_name='"Odd"')
    path.write_text(path.read_text().replace('"hand_left"', '"hand_left", "chest"'))
    assert '"chest" is not a zone of the preset hands' in refusal(configs, "odd")


def test_every_preset_has_its_interval_and_its_role_approved_as_shipped() -> None:
    assert set(INTERVAL_MIN_DAYS) == set(PRESETS)
    for name in PRESETS:
        program = load_program(shipped_configs(), name, SKIN)
        assert program.interval_days == INTERVAL_MIN_DAYS[name]
        assert (program.role.value == "trained") == (name in TRAINED)


# -- approvals -------------------------------------------------------------------------------------
@pytest.mark.hazard("H19")
def test_an_approved_content_is_used_and_its_check_says_who_approved_it(configs: Path) -> None:
    path = copied(configs, "strong", suction_kpa="36.0")
    approved(path, "patch test of 3 March")
    assert load_program(configs, "strong", SKIN).stages[0].suction_kpa == 36.0
    (found,) = [each for each in check_configs(configs, NOW_WALL_S) if each.file == path]
    assert found.problem == ""
    assert f"by {account_name()} (system account): patch test of 3 March" in found.notes[0]


@pytest.mark.hazard("H19")
@pytest.mark.parametrize("edit", ["suction_kpa = 35.0", "flow_g_per_min = 7.5"])
def test_any_edit_voids_an_approval_and_the_refusal_says_so(configs: Path, edit: str) -> None:
    path = copied(configs, "strong", suction_kpa="36.0")
    approved(path)
    field = edit.split(" ", maxsplit=1)[0]
    (line,) = [line for line in path.read_text().splitlines() if line.startswith(f"{field} =")]
    path.write_text(path.read_text().replace(line, edit))
    assert "it was edited after its approval of" in refusal(configs, "strong")
    (said,) = [each for each in check_configs(configs, NOW_WALL_S) if each.file.stem == "approvals"]
    assert "is of no program that lies here" in said.notes[0]


@pytest.mark.hazard("H19")
def test_an_approval_of_one_program_is_none_for_a_copy_of_it(configs: Path) -> None:
    approved(copied(configs, "strong", suction_kpa="36.0"))
    copied(configs, "other", suction_kpa="36.0")
    assert "stronger than the approved preset" in refusal(configs, "other")


@pytest.mark.hazard("H19")
def test_an_approval_that_names_another_program_approves_nothing_and_is_told(
    configs: Path,
) -> None:
    path = copied(configs, "strong", suction_kpa="36.0")
    approved(path)
    file = approvals_path(path)
    file.write_text(file.read_text().replace('program = "strong"', 'program = "stronk"'))
    assert "stronger than the approved preset" in refusal(configs, "strong")
    (said,) = [each for each in check_configs(configs, NOW_WALL_S) if each.file == file]
    assert "approvals[1].program" in said.problem
    assert "did you mean strong?" in said.problem


@pytest.mark.hazard("H19")
@pytest.mark.parametrize(
    ("of", "value", "said"),
    [("refresh", "42.0", "it must be at most 40 kPa"), ("back", "51.0", "it must be 10 to 50 kPa")],
)
def test_no_approval_goes_above_the_limits_of_site_and_unit(
    configs: Path, of: str, value: str, said: str
) -> None:
    path = copied(configs, "strong", of, suction_kpa="36.0")
    approved(path)
    path.write_text(path.read_text().replace("suction_kpa = 36.0", f"suction_kpa = {value}"))
    assert said in refusal(configs, "strong")
    with pytest.raises(ConfigError, match=said):
        approved(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[approvals]]\nprogram = 'strong'", "is missing; add it"),
        ("=", "has no name before the ="),
        ("[[aprovals]]\n", "did you mean approvals?"),
    ],
)
def test_a_damaged_file_of_approvals_approves_nothing_and_is_named(
    configs: Path, text: str, said: str
) -> None:
    path = copied(configs, "strong", suction_kpa="36.0")
    approvals_path(path).write_text(text)
    with pytest.raises(ConfigError, match=r"approvals\.toml") as caught:
        load_program(configs, "strong", SKIN)
    assert said in caught.value.sentence
    with pytest.raises(ConfigError, match=r"approvals\.toml"):
        approved(path)
    assert approvals_path(path).read_text() == text
    assert load_program(configs, "refresh", SKIN).name == "refresh"


def test_behind_an_empty_list_of_approvals_none_can_be_added(configs: Path) -> None:
    path = copied(configs, "strong", suction_kpa="36.0")
    approvals_path(path).write_text("approvals = []\n")
    with pytest.raises(ConfigError, match=r"holds approvals = \[\], after which no approval can"):
        approved(path)
    approvals_path(path).write_text("# nobody yet\n")
    approved(path)
    assert len(read_approvals(approvals_path(path))) == 1


def test_approvals_that_are_given_at_once_all_stand_there_afterwards(configs: Path) -> None:
    path = approvals_path(configs / "programs" / "x.toml")
    threads = [
        threading.Thread(target=approve, args=(path, "mine", f"{n:064x}", f'"{n}" \\ é 😀\n'))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.sha256 for each in read_approvals(path)} == {f"{n:064x}" for n in range(8)}
    assert {each.reason for each in read_approvals(path)} == {f'"{n}" \\ é 😀' for n in range(8)}
    assert tomllib.loads(path.read_text())["approvals"][0]["identified_by"] == "system account"


@pytest.mark.parametrize("reason", ["", " \n", "x" * 201, "\ud800"])
def test_an_approval_has_a_reason_of_bounded_length(configs: Path, reason: str) -> None:
    path = copied(configs, "strong", suction_kpa="36.0")
    with pytest.raises(ConfigError, match="must have 1 to 200"):
        approved(path, reason)
    assert not approvals_path(path).exists()


def test_an_approval_that_cannot_be_written_was_not_given(configs: Path) -> None:
    path = copied(configs, "strong", suction_kpa="36.0")
    approvals_path(path).symlink_to("no/such/folder/approvals.toml")
    with pytest.raises(ConfigError, match="cannot be"):
        approved(path)
