"""What bench.json says: measured, judged by its goal, and never faked."""

import json
from pathlib import Path

import pytest

from tests.benchmarks import wire
from tests.benchmarks.figures import MISSING, Figure, at_least, at_most, write


def test_a_goal_is_judged_by_the_value_or_by_the_ratio() -> None:
    row = Figure("exchange", 30.0, "us", "raw over it", 0.8)
    assert at_most(row, 40.0).holds is True
    assert at_least(row, 40.0).holds is False
    assert at_least(row, 0.7, of_ratio=True).goal == "at least 0.7 times"


def test_what_was_not_measured_holds_nothing() -> None:
    assert at_most(Figure("pymodbus", None, "us", MISSING), 1.0).holds is None


def test_the_file_has_the_words_that_scripts_rely_on(tmp_path: Path) -> None:
    write([Figure("exchange", 30.0, "us")], tmp_path / "bench.json")
    (row,) = json.loads((tmp_path / "bench.json").read_text())
    assert list(row) == ["figure", "value", "unit", "reference", "ratio", "goal", "holds"]


def test_a_peer_that_is_not_installed_is_reported_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {
        "ours_us": 2.0, "floor_us": 1.0, "ratio": 2.0, "checked_us": 1.8, "ratio_checked": 1.1,
    }  # fmt: skip
    monkeypatch.setattr(wire, "module", lambda *_words: figures)
    rows = wire.codec_rows(tmp_path, lambda _what: None)
    assert [row.reference for row in rows if row.value is None] == [MISSING]
