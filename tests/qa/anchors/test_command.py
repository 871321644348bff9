"""``corneum-sim anchors``: text, JSON, mistakes, and what it writes."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from controller.config.locate import shipped_configs
from qa.anchors import renew
from qa.anchors.rows import load_anchors
from qa.anchors.told import findings_of
from qa.app import add_anchors
from qa.skin.belief_file import BELIEF_FILE
from tests.qa.anchors.anchors import MEASURED, file_with

FEW = ("--draws", "20000")
MORE = ("--draws", "100000")
"""Where a measurement leaves few of them."""


def run(*words: str) -> tuple[int, str]:
    app = typer.Typer()
    add_anchors(app)
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


def private(folder: Path, more: str = "") -> Path:
    """Copy the shipped skin data, with rows added to the anchors."""
    shutil.copytree(shipped_configs() / "skin", folder / "skin")
    return file_with(folder, more=more)


def test_the_text_tells_before_and_after_what_is_assumed_and_the_controllers_numbers() -> None:
    code, said = run(*FEW)
    assert code == 0
    assert "rate through the mask at 30 kPa, µm/s" in said
    assert said.count("assumed") >= 7
    assert "grain by grain" in said
    assert "Contradicted (chance under 5% at the lowest dose): no tail." in said
    assert "rate_ref_um_per_s      2.5" in said
    assert max(len(line) for line in said.splitlines()) <= 100


def test_the_json_has_everything_of_the_text() -> None:
    code, said = run(*FEW, "--json")
    told = json.loads(said)
    assert code == 0
    assert [each["name"] for each in told["predicted"]] == ["A1", "A2", "A4", "A5"]
    assert set(told["numbers"]) == set(told["standing"])
    assert len(told["headline"]) == 3


def test_a_mistake_is_one_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    configs = private(tmp_path)
    before = (configs / renew.REMOVAL).read_bytes()
    text = (configs / "skin" / "anchors.toml").read_text("utf-8")
    (configs / "skin" / "anchors.toml").write_text(text.replace("time_s = 20.0", "time_s = 0.0"))
    code, said = run("--configs", str(configs), "--renew", *FEW)
    assert code == 2
    assert "time_s" in said
    assert (configs / renew.REMOVAL).read_bytes() == before


def test_a_faster_measurement_is_written_and_a_slower_one_is_refused_by_the_skin_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renew, "BELIEF_FILE", tmp_path / "belief.json")
    faster = private(tmp_path / "faster", MEASURED.format(depth_um=20.0, sd_um=9.0))
    code, said = run("--configs", str(faster), "--renew", *MORE)
    assert (code, "written" in said) == (0, True), said
    removal = tomllib.loads((faster / renew.REMOVAL).read_text("utf-8"))
    assert removal["model"]["rate_ref_um_per_s"] > 3.0
    assert "corneum-sim anchors" in str(removal["sources"])  # comments and sources stay

    slower = private(tmp_path / "slower", MEASURED.format(depth_um=4.0, sd_um=1.0))
    before = (slower / renew.REMOVAL).read_bytes()
    code, said = run("--configs", str(slower), "--renew", *MORE)
    assert (code, "rate_ref_um_per_s" in said) == (2, True), said
    assert (slower / renew.REMOVAL).read_bytes() == before


def test_where_one_file_cannot_be_written_the_other_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renew, "BELIEF_FILE", tmp_path / "gone" / "belief.json")
    faster = private(tmp_path / "faster", MEASURED.format(depth_um=20.0, sd_um=9.0))
    before = (faster / renew.REMOVAL).read_bytes()
    code, said = run("--configs", str(faster), "--renew", *MORE)
    assert (code != 0, "belief.json" in said) == (True, True), said
    assert (faster / renew.REMOVAL).read_bytes() == before
    assert not list((faster / "skin").glob("*.new"))


def test_what_ships_is_what_the_shipped_anchors_say() -> None:
    told = json.loads(BELIEF_FILE.read_text("utf-8"))
    configs = shipped_configs()
    assert told["anchors_sha256"] == renew.sha256_of(configs), "run `make anchors`"
    found = findings_of(load_anchors(configs), configs, told["draws"], told["seed"])
    assert not found.moved
    assert told == renew.belief_of_file(found, configs)
