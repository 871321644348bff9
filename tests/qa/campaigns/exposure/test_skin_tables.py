"""Tables of what a dose does to skin, against skin that was really drawn."""

import json
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from qa.campaigns.exposure import patch_loss, tail_tables
from qa.campaigns.exposure.patch_loss import (
    SHARES,
    STRUCTURES,
    Structure,
    drawn_chance,
    largest,
)
from qa.campaigns.exposure.rows import GRAINS
from qa.campaigns.exposure.tables import (
    BINS_PER_OCTAVE,
    dose_centres,
    log_at,
    skin_tables,
    thickness_weights,
)
from qa.skin.grid import SkinGrid
from qa.skin.tails import CENTRAL, TAILS, Tail
from qa.skin.truth import SkinTruth

SIDE_MM = 50.0
ASKED = (*GRAINS, *TAILS.values())
FIRST_TABLES = (
    (0.3, 9.0, 0.3, -37.33724, -13.01779, 5.714306e-30),
    (2.5, 10.0, 0.35, -10.4676, -4.730622, 5.515163e-05),
    (0.05, 20.0, 0.15, -80, -55.05677, 0),
)
"""Layers of dose and thickness, spread, and the logarithms that were told before the tails."""


def at_dose(
    name: str, layers: float, mean_layers: float, spread: float, tail: Tail = CENTRAL
) -> float:
    """Return one value of a table, between its columns."""
    tables = skin_tables(tail)
    logs = log_at(tables, getattr(tables, name), np.array([layers]), mean_layers, spread)
    return float(np.exp(logs[0]))


@pytest.mark.parametrize("number", [8, 16, 22])
@pytest.mark.parametrize(
    "structure",
    [Structure(0.5, 2.0), Structure(0.25, 2.0), Structure(0.25, 4.0), Structure(0.25, 2.0, 0.25)],
)
def test_the_chance_of_a_connected_lost_area_is_what_drawing_it_again_gives(
    structure: Structure, number: int
) -> None:
    share = float(SHARES[number])
    drawn = drawn_chance(share, structure, np.random.default_rng(1))
    told = float(np.exp(patch_loss.patch_loss(*astuple(structure)).log_chance(np.log(share))))
    count = 40_000.0 / structure.correlation_mm**2
    assert drawn == pytest.approx(told, abs=5.0 * (max(told, 1e-3) / count) ** 0.5)


def test_a_table_was_drawn_for_every_structure_that_campaigns_look_at() -> None:
    for structure in STRUCTURES:
        chances = np.exp(patch_loss.patch_loss(*astuple(structure)).log_chances)
        assert np.all(np.diff(chances) > -0.05)
        assert chances[-1] > 0.99
    wanted = {Structure(each.flake_mm, each.correlation_mm, each.harm_mm2) for each in ASKED}
    assert wanted <= set(STRUCTURES)


def test_what_was_drawn_stays_as_it_is_to_the_byte_when_the_rest_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, part = patch_loss.FILE.read_bytes(), tmp_path / "patch_loss.json"
    entries = json.loads(whole)
    del entries["chances"][STRUCTURES[-1].key]
    part.write_text(json.dumps(entries), encoding="utf-8")
    monkeypatch.setattr(patch_loss, "FILE", part)
    monkeypatch.setattr(patch_loss, "drawn_chance", lambda *_: 0.5)
    patch_loss.main()
    again = part.read_bytes()
    assert again.split(b"harm")[0] == whole.split(b"harm")[0]
    assert json.loads(again)["chances"][STRUCTURES[-1].key] == [0.5] * len(SHARES)


def test_the_largest_group_counts_cells_that_touch_by_their_sides_only() -> None:
    lost = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1], [1, 1, 0, 1]], dtype=bool)
    assert largest(lost) == 4
    assert largest(np.zeros((3, 3), bool)) == 0


def test_the_share_of_skin_of_each_number_of_layers_sums_to_all_of_it() -> None:
    weights = thickness_weights(np.array([4.0, 12.0]), np.array([0.4, 0.2]))
    assert weights.sum(axis=1) == pytest.approx(1.0)
    mean = (weights * (np.arange(weights.shape[1]) + 0.5)).sum(axis=1)
    assert mean == pytest.approx([4.0, 12.0], rel=0.02)


def test_more_dose_never_means_less_loss_and_more_thickness_never_more() -> None:
    tables = skin_tables(CENTRAL)
    for table in (tables.log_breach, tables.log_lost, tables.shallower):
        assert np.all(np.diff(table, axis=1) >= -1e-4)
    thin = at_dose("log_lost", 2.0, 7.0, 0.3)
    thick = at_dose("log_lost", 2.0, 14.0, 0.3)
    assert thick < thin


@pytest.mark.parametrize(
    ("name", "layers", "spread"),
    [
        ("lognormal", 4.0, 0.23), ("lognormal", 2.5, 0.35), ("lognormal", 4.0, 0.35),
        ("gamma", 4.0, 0.23), ("gamma", 2.5, 0.35),
        ("student-5", 2.5, 0.35),
        ("thin-spots", 4.0, 0.23), ("thin-spots", 3.0, 0.35),
        ("streaks", 2.5, 0.35), ("harm-0.25", 1.5, 0.35),
    ],
)  # fmt: skip
def test_the_tables_say_what_drawn_skin_loses(name: str, layers: float, spread: float) -> None:
    """Plain sampling: correlated fields, Poisson layers, connected areas."""
    rng, tail = np.random.default_rng(3), TAILS[name]
    truth = SkinTruth(10.0, 1.0, spread, 1.0, 0.75, 0.7, 1.0)
    lost, hits, drawn = [], 0, 25
    for _ in range(drawn):
        skin = SkinGrid(SIDE_MM, truth, rng, tail=tail, margin_mm=0.0, cell_mm=tail.flake_mm)
        skin.depth_um[:] = layers
        outcome = skin.settle(rng)
        lost.append(float(outcome.lost.mean()))
        hits += outcome.breached
    told = at_dose("log_lost", layers, 10.0, spread, tail)
    assert np.mean(lost) == pytest.approx(told, rel=0.12)
    expected = at_dose("log_breach", layers, 10.0, spread, tail) * SIDE_MM**2
    low, high = (1.0 - np.exp(-expected * factor) for factor in (0.5, 2.0))
    assert low - 0.1 <= hits / drawn <= high + 0.1  # patches are squares, fields are not


@pytest.mark.parametrize(
    ("layers", "mean_layers", "spread", "breach", "lost", "shallower"), FIRST_TABLES
)
def test_the_central_tail_gives_what_it_gave_before_there_were_others(
    layers: float, mean_layers: float, spread: float, breach: float, lost: float, shallower: float
) -> None:
    tables = skin_tables(CENTRAL)
    logs = (tables.log_breach, tables.log_lost, tables.shallower)
    found = [
        float(log_at(tables, table, np.array([layers]), mean_layers, spread)[0]) for table in logs
    ]
    assert found == pytest.approx([breach, lost, shallower], abs=1e-6, rel=1e-6)


GOOD = [0.5] * 37


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "is missing or cannot be read"),
        ("{", "is missing or cannot be read"),
        ('{"chances": {}}', "is missing or cannot be read"),
        ('{"chances": {"KEY": [0.5, 0.6]}}', "must have 37 chances from 0 to 1"),
        ('{"chances": {"KEY": ["x"]}}', "is missing or cannot be read"),
        (f'{{"chances": {{"KEY": {[*GOOD[1:], 1.5]}}}}}', "must have 37 chances from 0 to 1"),
        (f'{{"chances": {{"KEY": {[*GOOD[1:], "NaN"]}}}}}'.replace("'NaN'", "NaN"), "from 0 to 1"),
        (f'{{"chances": {{"KEY": {[0.0] * 37}}}}}', "must have 3 chances of 0.005 or more"),
    ],
)
def test_a_tail_table_that_is_missing_or_impossible_is_one_sentence_with_the_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, problem: str
) -> None:
    file = tmp_path / "patch_loss.json"
    if text is not None:
        file.write_text(text.replace("KEY", "flake 0.25 mm, patch 2 mm"))
    monkeypatch.setattr(patch_loss, "FILE", file)
    patch_loss.patch_loss.cache_clear()
    with pytest.raises(patch_loss.TailTableError) as told:
        patch_loss.patch_loss(0.25, 2.0)
    patch_loss.patch_loss.cache_clear()
    assert problem in str(told.value)
    assert "qa.campaigns.exposure.patch_loss" in str(told.value)


@pytest.mark.parametrize("name", sorted(set(TAILS) - {"lognormal", "within-0.5", "within-0.74"}))
def test_every_other_tail_has_tables_of_its_own(name: str) -> None:
    usual = at_dose("log_breach", 1.0, 10.0, 0.3)
    other = at_dose("log_breach", 1.0, 10.0, 0.3, TAILS[name])
    assert other > 3.0 * usual or other < usual / 3.0


def test_a_smaller_area_is_never_less_likely_to_be_lost_than_a_larger_one() -> None:
    shares = np.log(SHARES)
    small, whole = (
        patch_loss.patch_loss(0.25, 2.0, harm_mm2).log_chance(shares) for harm_mm2 in (0.25, 1.0)
    )
    assert np.all(small >= whole)


def test_the_command_tells_every_tail_at_every_dose_and_how_long_it_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tail_tables.main(["--json", str(tmp_path / "tails.json")]) == 0
    said, progress = capsys.readouterr()
    lines = said.splitlines()
    for name in TAILS:
        rows = [line.split() for line in lines if line.startswith(f"{name} ")]
        assert [len(row) for row in rows] == [1 + len(tail_tables.DOSES_UM)] * 2
    assert "10 of 10: harm-0.25" in progress
    told = json.loads((tmp_path / "tails.json").read_text(encoding="utf-8"))
    tables = told["tables"]
    for name, values in tables["log10_breach_per_mm2"].items():
        assert np.array(values).shape == tuple(
            len(tables[axis]) for axis in ("thickness_layers", "spread", "dose_layers")
        ), name
    assert set(told["reference"]["log10_breach_per_mm2"]) == set(TAILS)


def test_the_columns_of_a_table_are_a_fixed_factor_apart() -> None:
    centres = dose_centres()
    assert centres[1:] / centres[:-1] == pytest.approx(2.0 ** (1.0 / BINS_PER_OCTAVE))
