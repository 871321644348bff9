import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from controller.config.people import load_client, load_unit
from controller.planning.client import Contraindication
from controller.planning.unit import Reuse

CONFIGS = shipped_configs()


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    return tmp_path / "configs"


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_demo_client_is_for_practice_and_has_answered_every_question() -> None:
    demo = load_client(CONFIGS, "demo")
    assert demo.practice
    assert demo.checklist.ok


@pytest.mark.parametrize("ref", ["nobody", "../programs/refresh", "", "demo/"])
def test_an_unknown_client_is_told_in_one_sentence(ref: str) -> None:
    with pytest.raises(ConfigError, match=r"There is no client .*; check the reference"):
        load_client(CONFIGS, ref)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("phototype = 2", "phototype = 7", "phototype = 7 is out of range; it must be 1 to 6."),
        ("age_years = 34", "age_years = 17", "it must be 18 to 120 years."),
        ("pregnancy = false", 'pregnancy = "no"', "checklist.pregnancy"),
        ("pregnancy = false", "pregnant = false", "pregnant: there is no such question"),
        ('ref = "demo"', 'ref = "anna"', "differs from the name of the file"),
        ('ref = "demo"', 'ref = "Anna B"', "is not a name"),
    ],
)
def test_a_bad_client_file_is_told_in_one_sentence(
    configs: Path, old: str, new: str, said: str
) -> None:
    rewrite(configs / "clients" / "demo.toml", old, new)
    with pytest.raises(ConfigError) as caught:
        load_client(configs, "demo")
    assert said in caught.value.sentence


def test_a_question_that_was_not_asked_stays_open(configs: Path) -> None:
    rewrite(configs / "clients" / "demo.toml", "pregnancy = false\n", "")
    checklist = load_client(configs, "demo").checklist
    assert checklist.unanswered == (Contraindication.PREGNANCY,)
    assert not checklist.ok


def test_any_simulated_unit_is_known_and_has_its_own_serial_number() -> None:
    unit = load_unit(CONFIGS, 123, simulated=True)
    assert (unit.serial, unit.simulated, unit.calibration_due_wall_s) == (123, True, None)


@pytest.mark.hazard("H27")
def test_a_real_unit_without_a_file_is_refused() -> None:
    with pytest.raises(ConfigError, match="Handpiece 123 is not known"):
        load_unit(CONFIGS, 123, simulated=False)


@pytest.mark.hazard("H26")
def test_a_real_unit_that_does_not_say_what_becomes_of_its_tips_has_them_for_single_use(
    configs: Path,
) -> None:
    folder = configs / "handpieces"
    example, real = folder / "unit-example.toml", folder / "unit-4711.toml"
    shutil.copy(example, real)
    assert load_unit(configs, 4711, simulated=False).tip.reuse is Reuse.SINGLE
    rewrite(real, 'use = "single"', 'use = "sterilise"')
    assert load_unit(configs, 4711, simulated=False).tip.reuse is Reuse.STERILISE
    rewrite(real, 'use = "sterilise"', "")
    assert load_unit(configs, 4711, simulated=False).tip.reuse is Reuse.SINGLE
    assert load_unit(CONFIGS, 123, simulated=True).tip.reuse is None
    shutil.copy(example, real)
    rewrite(real, 'use = "single"', 'use = "often"')
    with pytest.raises(ConfigError, match=r'tip.use = "often" is none .*"single" or "sterilise"'):
        load_unit(configs, 4711, simulated=False)


@pytest.mark.hazard("H27")
def test_a_calibration_is_bound_to_its_serial_number(configs: Path) -> None:
    folder = configs / "handpieces"
    shutil.copy(folder / "unit-example.toml", folder / "unit-4711.toml")
    shutil.copy(folder / "unit-example.toml", folder / "unit-4712.toml")
    unit = load_unit(configs, 4711, simulated=False)
    assert unit.calibration_due_wall_s == 1769903999.0
    with pytest.raises(ConfigError, match="serial = 4711 is not the 4712 that answered"):
        load_unit(configs, 4712, simulated=False)
    with pytest.raises(ConfigError, match="describes a real handpiece, and a simulated one"):
        load_unit(configs, 4711, simulated=True)


def test_loading_configuration_does_not_bring_in_numpy() -> None:
    code = (
        "import sys, controller.config.check, controller.record.plan_json; "
        "import controller.planning.planning; "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'asyncio', 'difflib', 'rich')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
