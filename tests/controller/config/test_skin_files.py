"""The skin data: every value with source and confidence, and nothing starts without all of it."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from controller.config.skin import load_skin, read_removal, read_sites
from controller.config.skin_models import (
    COVERAGE_FACTOR_BLIND_MIN,
    COVERAGE_FACTOR_MIN,
    ModelFile,
    RulesFile,
    SheddingFile,
    SiteFile,
)

SKIN = shipped_configs() / "skin"
REMOVAL, SITES = (SKIN / "removal.toml").read_text(), (SKIN / "sites.toml").read_text()
CONFIDENCES = {"published", "recalled", "derived", "assumed"}
BESIDE = {"zone", "display", "region", "source", "confidence"}


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs"
    shutil.copytree(shipped_configs(), folder)
    return folder


def sentence_of(configs: Path, name: str, text: str) -> str:
    """Write one of the two files and return what loading says about it."""
    path = configs / "skin" / name
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_skin(configs)
    sentence = caught.value.sentence
    assert str(path) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return re.sub(r"^line \d+, ", "", sentence.replace(f"{path}, ", "").replace(str(path), ""))


def test_both_files_are_versioned_and_every_value_says_where_it_comes_from() -> None:
    removal, sites = tomllib.loads(REMOVAL), tomllib.loads(SITES)
    assert removal["version"]
    assert sites["version"]
    about = {source["about"]: source for source in removal["sources"]}
    values = {f"model.{name}" for name in ModelFile.model_fields}
    values |= {f"rules.{name}" for name in RulesFile.model_fields}
    values |= {f"shedding.{name}" for name in SheddingFile.model_fields}
    assert set(about) == values
    for source in (*removal["sources"], *sites["sources"]):
        assert source["confidence"] in CONFIDENCES
        assert len(source["cite"]) > 15
    for site in sites["sites"]:
        assert site["confidence"] in CONFIDENCES
        assert len(site["source"]) > 15
        for field in set(SiteFile.model_fields) - BESIDE - {"sc_nom_um"}:
            naming = [
                source
                for source in sites["sources"]
                if source["about"] == field and site["zone"] in source.get("zones", [site["zone"]])
            ]
            assert len(naming) == 1, (site["zone"], field)
    for zone in sites["exclusions"]:
        assert zone["confidence"] in CONFIDENCES
        assert zone["why"]


def test_what_is_guessed_is_called_assumed() -> None:
    removal = {source["about"]: source for source in tomllib.loads(REMOVAL)["sources"]}
    for value in (
        "model.flow_ref_g_per_min",
        "model.size_exponent", "rules.suction_max_kpa_s", "rules.breach_max_share",
    ):  # fmt: skip
        assert removal[value]["confidence"] == "assumed"


@pytest.mark.hazard("H20")
@pytest.mark.parametrize("about", [f"model.{name}" for name in ModelFile.model_fields])
def test_a_value_of_the_model_without_a_source_refuses(configs: Path, about: str) -> None:
    block = re.compile(rf'\[\[sources\]\]\nabout = "{re.escape(about)}"\n.*\n.*\n')
    assert sentence_of(configs, "removal.toml", block.sub("", REMOVAL)) == (
        f"{about} has no source; add a [[sources]] entry with confidence."
    )


@pytest.mark.hazard("H20")
@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "removal.toml", 'about = "model.choke_kpa"', 'about = "model.coke_kpa"',
            "model.choke_kpa has no source; add a [[sources]] entry with confidence.",
        ),
        (
            "removal.toml", '[[sources]]\nabout = "model.choke_kpa"',
            '[[sources]]\nabout = "model.joke"\nconfidence = "assumed"\ncite = "nobody"\n\n'
            '[[sources]]\nabout = "model.choke_kpa"',
            "model.joke has a source and no value; remove the entry, or correct it.",
        ),
        (
            "removal.toml", '[[sources]]\nabout = "model.choke_kpa"',
            '[[sources]]\nabout = "rules.layer_um"\nconfidence = "assumed"\ncite = "nobody"\n\n'
            '[[sources]]\nabout = "model.choke_kpa"',
            "rules.layer_um has two sources; keep one.",
        ),
        (
            "removal.toml", 'confidence = "derived"', 'confidence = "sure"',
            'in the 1st [[sources]], confidence = "sure" is none of the choices; it must be '
            '"published" or "recalled" or "derived" or "assumed".',
        ),
        (
            "sites.toml", 'zones = ["forearm_inner"]', 'zones = ["arm_left"]',
            "forearm_inner.area_cm2 has no source; add a [[sources]] entry with confidence.",
        ),
        (
            "sites.toml", 'zones = ["forearm_inner"]', 'zones = ["forearm_inner", "knee"]',
            "knee.area_cm2 has a source and no value; remove the entry, or correct it.",
        ),
        (
            "removal.toml", "choke_kpa = 48.0", "",
            "model.choke_kpa is missing; add it (45 to 55 kPa).",
        ),
        (
            "sites.toml", "layers = 9.0", "",
            "in the 1st [[sites]], layers is missing; add it (5 to 30).",
        ),
        (
            "sites.toml", 'confidence = "published"\n\n[[exclusions]]', "\n[[exclusions]]",
            "in the 1st [[exclusions]], confidence is missing; add it "
            '("published" or "recalled" or "derived" or "assumed").',
        ),
        ("removal.toml", 'version = "2026.3"', "", "version is missing; add it."),
    ],
)  # fmt: skip
def test_a_wrong_table_is_told_in_one_sentence(
    configs: Path, name: str, old: str, new: str, said: str
) -> None:
    text = REMOVAL if name == "removal.toml" else SITES
    if name == "sites.toml" and old.startswith("confidence"):
        head, _, tail = text.partition("[[exclusions]]")
        text = head + "[[exclusions]]" + tail.replace(old, new, 1)
    else:
        text = text.replace(old, new, 1)
    assert sentence_of(configs, name, text) == said


def test_a_risk_that_no_depth_can_keep_refuses(configs: Path) -> None:
    path = configs / "skin" / "removal.toml"
    path.write_text(REMOVAL.replace("breach_max_share = 0.01", "breach_max_share = 1e-30"))
    with pytest.raises(ConfigError, match=r"forehead: no depth keeps a point of this skin within"):
        load_skin(configs)


@pytest.mark.parametrize("name", ["removal.toml", "sites.toml"])
def test_a_missing_table_refuses(configs: Path, name: str) -> None:
    (configs / "skin" / name).unlink()
    with pytest.raises(ConfigError, match=rf"{name} cannot be read \(No such file or directory\)"):
        load_skin(configs)


def test_the_files_are_read_alone_as_well() -> None:
    assert read_removal(SKIN / "removal.toml").version == tomllib.loads(REMOVAL)["version"]
    assert read_sites(SKIN / "sites.toml").version == tomllib.loads(SITES)["version"]


def test_the_coverage_factors_as_shipped_are_the_least_that_a_file_may_have() -> None:
    model = tomllib.loads(REMOVAL)["model"]
    assert model["coverage_factor"] == COVERAGE_FACTOR_MIN
    assert model["coverage_factor_blind"] == COVERAGE_FACTOR_BLIND_MIN
    assert COVERAGE_FACTOR_MIN <= COVERAGE_FACTOR_BLIND_MIN
