"""Measured patches in a client's file: what is read, and what is refused in one sentence."""

import shutil
from pathlib import Path

import pytest

from controller.config.check import check_configs
from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from controller.config.people import load_client
from controller.safety.instruments import INSTRUMENTS
from controller.safety.patch_reading import PatchReading

READING = """
[[patch_readings]]
date = 2026-03-03
zone = "forearm_inner"
instrument = "tape-strip-protein"
expected_um = 1.2
removed_um = 2.4
ln_sd = 0.3
"""
MARCH_3_S = 1_772_496_000.0


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    shutil.copytree(shipped_configs(), tmp_path / "configs")
    return tmp_path / "configs"


def add(configs: Path, text: str) -> Path:
    path = configs / "clients" / "demo.toml"
    path.write_text(path.read_text() + text)
    return path


def sentence_of(configs: Path, text: str) -> str:
    path = add(configs, text)
    with pytest.raises(ConfigError) as caught:
        load_client(configs, "demo")
    assert caught.value.sentence.startswith(f"{path}, line ")
    return caught.value.sentence


def test_the_readings_of_a_client_are_read(configs: Path) -> None:
    add(configs, READING + READING.replace("03-03", "04-01").replace("2.4", "1.0"))
    one, two = load_client(configs, "demo").patch_readings
    assert one == PatchReading(
        "2026-03-03", MARCH_3_S - 14 * 3600.0, "forearm_inner", INSTRUMENTS["tape-strip-protein"],
        expected_um=1.2, removed_um=2.4, ln_sd=0.3,
    )  # fmt: skip
    assert (two.date, two.removed_um) == ("2026-04-01", 1.0)


@pytest.mark.hazard("H39")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("date = 2026-03-03", "", "date is missing; add it (a date such as "),
        ("2026-03-03", '"3 March"', 'date = "3 March" is no date; write year-month-day'),
        ("2026-03-03", "2026-03-03T09:00:00Z", "has a time; write the date alone"),
        ('zone = "forearm_inner"', "", "zone is missing; add it"),
        ("forearm_inner", "forearm_iner", '"forearm_iner" is not among those that are known; did '
         "you mean forearm_inner?"),
        ("forearm_inner", "lips", '"lips" is not among those that are known'),
        ('instrument = "tape-strip-protein"', "", "instrument is missing; add it"),
        ("tape-strip-protein", "ruler", 'instrument = "ruler" is not among those that are known; '
         "use one of confocal-raman, oct, tape-strip-protein, tewl."),
        ("1.2", "nan", "expected_um = nan is not a usable number; it must be above 0 to 20 µm."),
        ("2.4", "inf", "removed_um = inf is not a usable number; it must be above 0 to 20 µm."),
        ("2.4", "0.0", "removed_um = 0 µm is out of range; it must be above 0 to 20 µm."),
        ("0.3", "0.1", "ln_sd = 0.1 is out of range; it must be 0.2 to 1."),
        ("0.3", "1.5", "ln_sd = 1.5 is out of range; it must be 0.2 to 1."),
        ("2.4", "12.1", "removed_um = 12.1 µm where 1.2 µm were expected is more than 10 times "
         "off, and a mistake of the reading; measure again, or leave it out."),
        ("2.4", "0.11", "removed_um = 0.11 µm where 1.2 µm were expected is more than 10 times"),
    ],
)  # fmt: skip
def test_a_reading_that_cannot_be_used_is_refused_in_one_sentence(
    configs: Path, old: str, new: str, said: str
) -> None:
    sentence = sentence_of(configs, READING.replace(old, new))
    assert said in sentence
    assert "in [[patch_readings]], " in sentence
    assert sentence.endswith((".", "?"))


def test_the_old_table_is_refused_with_what_to_write_instead(configs: Path) -> None:
    old = "\n[patch_reading]\nnominal_um = 0.039\nremoved_um = 0.004\nln_sd = 0.3\n"
    assert sentence_of(configs, old).endswith(
        "patch_reading is no longer read; write a table [[patch_readings]] for each reading, with "
        "date, zone, instrument, expected_um, removed_um, ln_sd (expected_um is what nominal_um "
        "was)."
    )


def test_more_readings_than_are_weighed_are_refused(configs: Path) -> None:
    assert "has 9 entries; patch_readings must have at most 8." in sentence_of(configs, READING * 9)


@pytest.mark.parametrize(
    ("now_wall_s", "said"),
    [(MARCH_3_S - 14 * 3600.0, ""), (MARCH_3_S - 15 * 3600.0, "has not come yet")],
)
def test_a_check_tells_of_a_day_that_has_come_nowhere_on_earth(
    configs: Path, now_wall_s: float, said: str
) -> None:
    path = add(configs, READING)
    (found,) = (each for each in check_configs(configs, now_wall_s) if each.file == path)
    assert said in found.problem
    assert bool(said) == bool(found.problem)
