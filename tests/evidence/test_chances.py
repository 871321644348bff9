"""What plans say of rare depths is of the presets as they ship, and of what a campaign counted."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from controller.config.chances import FILE, chance_of, read_chances
from controller.config.locate import shipped_configs
from controller.config.programs import program_hashes, program_names
from qa.skin.tails import TAILS
from tools import chances
from tools.campaign_figures import as_text, each_tail, kept_figures

CONFIGS = shipped_configs()
NOW = {name: sha256 for sha256, name in program_hashes(CONFIGS).items()}


@pytest.mark.parametrize(
    ("campaign", "tails"), [(chances.LIKELY, [chances.LIKELY]), (chances.ALL, list(TAILS))]
)
def test_every_preset_was_simulated_as_it_ships(campaign: str, tails: list[str]) -> None:
    """A preset named here was edited since: it needs a new campaign (docs/QA.md)."""
    assert chances.unsimulated(kept_figures(campaign), NOW, tails) == []


@pytest.mark.parametrize("name", program_names(CONFIGS))
def test_the_plan_of_a_preset_has_its_chance(name: str) -> None:
    assert chance_of(CONFIGS, NOW[name]) is not None


def test_each_preset_was_simulated_with_every_tail() -> None:
    rows = each_tail(kept_figures(chances.ALL))
    assert {(row["program"], row["tail"]) for row in rows} == {
        (name, tail) for name in program_names(CONFIGS) for tail in TAILS
    }


def test_the_worst_figure_is_no_better_than_any_tail() -> None:
    rows = [row for name in (chances.ALL, chances.LIKELY) for row in each_tail(kept_figures(name))]
    for entry in read_chances(CONFIGS / FILE):
        for row in rows:
            if row["program"] == entry.name and (row["tail"], row["n"]) != ("gamma", 4000):
                assert row["breached_bound"] <= entry.worst_bound_share


def test_of_tails_that_were_never_seen_the_one_with_the_larger_estimate_is_the_worst() -> None:
    never = {"breached_bound": 7.5e-4}
    rows = [{"tail": tail, "breach_estimate": at, **never} for tail, at in (("a", 1), ("b", 2))]
    assert chances.worst_of([*rows, {"tail": "c", "breach_estimate": 0.0, **never}])["tail"] == "b"


def write(folder: Path, programs: dict[str, str], tails: Iterable[str] = TAILS) -> None:
    every = {tail: [19, 0.001 + 0.001 * number, 1e-4, 0.1] for number, tail in enumerate(TAILS)}
    for name, n, counted in (
        (chances.LIKELY, 40000, {"gamma": [19, 0.000697, 4.3e-4, 0.1]}),
        (chances.ALL, 4000, {tail: every[tail] for tail in tails}),
    ):
        figures = {
            "campaign": name, "seed": 1, "n": n, "results": [{"programs": programs}],
            "rows": [{"program": "refresh", "tails": counted}],
        }  # fmt: skip
        (folder / f"{name}.json").write_text(as_text(figures), encoding="utf-8")


def test_an_entry_has_both_bounds_and_the_worst_tail(tmp_path: Path) -> None:
    write(tmp_path, {"refresh": NOW["refresh"]})
    path = tmp_path / "chances.toml"
    path.write_text(chances.chances_file(tmp_path), encoding="utf-8")
    (entry,) = read_chances(path)
    assert (entry.name, entry.sha256) == ("refresh", NOW["refresh"])
    assert (entry.likely_n, entry.likely_bound_share) == (40000, 0.000697)
    assert (entry.worst_n, entry.worst_tail) == (4000, "harm-0.25")
    assert entry.worst_bound_share == pytest.approx(0.01)


def test_a_preset_that_lacks_a_tail_has_no_entry(tmp_path: Path) -> None:
    write(tmp_path, {"refresh": NOW["refresh"]})
    assert "[[programs]]" in chances.chances_file(tmp_path)
    write(tmp_path, {"refresh": NOW["refresh"]}, [tail for tail in TAILS if tail != "streaks"])
    assert "[[programs]]" not in chances.chances_file(tmp_path)


def test_a_preset_that_was_edited_since_its_campaign_has_no_entry(tmp_path: Path) -> None:
    write(tmp_path, {"refresh": "ab" * 32})
    assert "[[programs]]" not in chances.chances_file(tmp_path)
