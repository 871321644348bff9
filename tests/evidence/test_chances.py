"""What plans say of rare depths is of the presets as they ship, and of what a campaign counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from controller.config.chances import FILE, chance_of, read_chances
from controller.config.locate import shipped_configs
from controller.config.programs import program_hashes, program_names
from qa.campaigns.exposure.rows import Group
from qa.skin.tails import TAILS
from tools import chances

CONFIGS = shipped_configs()
NOW = {name: sha256 for sha256, name in program_hashes(CONFIGS).items()}
GROUP = Group.TAIL.value
ROW: dict[str, Any] = {
    "group": GROUP, "what": "refresh, average hand, gamma", "limits": "interlocked",
    "account": "posterior", "tail": "gamma", "n": 40000, "breached": 19,
    "breached_bound": 0.0006969036, "breach_estimate": 4.3e-4, "depth_um": 0.1, "handpiece_s": 7.0,
}  # fmt: skip
CAMPAIGN = {"command": "corneum-sim campaign treatments", "seed": 1, "rows": [ROW]}


def kept(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((chances.FOLDER / f"{name}.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize(
    ("campaign", "tails"), [(chances.LIKELY, [chances.LIKELY]), (chances.ALL, list(TAILS))]
)
def test_every_preset_was_simulated_as_it_ships(campaign: str, tails: list[str]) -> None:
    """A preset named here was edited since: it needs a new campaign (docs/QA.md)."""
    assert chances.unsimulated(kept(campaign), NOW, tails) == []


@pytest.mark.parametrize("name", program_names(CONFIGS))
def test_the_plan_of_a_preset_has_its_chance(name: str) -> None:
    assert chance_of(CONFIGS, NOW[name]) is not None


def test_each_preset_was_simulated_with_every_tail() -> None:
    rows = kept(chances.ALL)["rows"]
    assert {(row["program"], row["tail"]) for row in rows} == {
        (name, tail) for name in program_names(CONFIGS) for tail in TAILS
    }


def test_the_worst_figure_is_no_better_than_any_tail() -> None:
    rows = [*kept(chances.ALL)["rows"], *kept(chances.LIKELY)["rows"]]
    for entry in read_chances(CONFIGS / FILE):
        for row in rows:
            if row["program"] == entry.name and (row["tail"], row["n"]) != ("gamma", 4000):
                assert row["breached_bound"] <= entry.worst_bound_share


def test_of_tails_that_were_never_seen_the_one_with_the_larger_estimate_is_the_worst() -> None:
    never = {"breached_bound": 7.5e-4}
    rows = [{"tail": tail, "breach_estimate": at, **never} for tail, at in (("a", 1), ("b", 2))]
    assert chances.worst_of([*rows, {"tail": "c", "breach_estimate": 0.0, **never}])["tail"] == "b"


def write(folder: Path, programs: dict[str, str]) -> None:
    others = [
        {**ROW, "tail": tail.words, "n": 4000, "breached_bound": 0.001 + 0.001 * number}
        for number, tail in enumerate(TAILS.values())
    ]
    for name, rows in ((chances.LIKELY, [ROW]), (chances.ALL, others)):
        text = chances.kept({**CAMPAIGN, "rows": rows}, programs)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def test_an_entry_has_both_bounds_rounded_up_and_the_worst_tail(tmp_path: Path) -> None:
    write(tmp_path, {"refresh": NOW["refresh"]})
    path = tmp_path / "chances.toml"
    path.write_text(chances.chances_file(tmp_path), encoding="utf-8")
    (entry,) = read_chances(path)
    assert (entry.name, entry.sha256) == ("refresh", NOW["refresh"])
    assert (entry.likely_n, entry.likely_bound_share) == (40000, 0.000697)
    assert (entry.worst_n, entry.worst_tail) == (4000, "harm-0.25")
    assert 0.01 <= entry.worst_bound_share <= 0.0101


def test_a_preset_that_lacks_a_tail_has_no_entry(tmp_path: Path) -> None:
    write(tmp_path, {"refresh": NOW["refresh"]})
    assert "[[programs]]" in chances.chances_file(tmp_path)
    path = tmp_path / "tails.json"
    found = json.loads(path.read_text("utf-8"))
    found["rows"] = [row for row in found["rows"] if row["tail"] != "streaks"]
    path.write_text(json.dumps(found), encoding="utf-8")
    assert "[[programs]]" not in chances.chances_file(tmp_path)


def test_a_preset_that_was_edited_since_its_campaign_has_no_entry(tmp_path: Path) -> None:
    write(tmp_path, {"refresh": "ab" * 32})
    assert "[[programs]]" not in chances.chances_file(tmp_path)


def test_only_what_pages_need_is_kept_of_a_campaign() -> None:
    grain = {**ROW, "group": Group.GRAIN.value}
    found = json.loads(chances.kept({**CAMPAIGN, "rows": [ROW, grain]}, {"refresh": "ab"}))
    assert found["programs"] == {"refresh": "ab"}
    (row,) = found["rows"]
    assert tuple(row) == chances.FIELDS
    assert row["program"] == "refresh"


def test_a_result_that_does_not_say_what_was_simulated_is_not_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chances, "FOLDER", tmp_path)
    result = tmp_path / "result.json"
    result.write_text(json.dumps(CAMPAIGN), encoding="utf-8")
    assert chances.main(["gamma", str(result)]) == 1
    assert "does not say which programs were simulated" in capsys.readouterr().err
    assert not (tmp_path / "gamma.json").exists()
    assert chances.main(["gamma", str(result), "--of", str(CONFIGS)]) == 0
    assert kept("gamma")["programs"] == {"refresh": NOW["refresh"]}


def test_a_part_renews_its_programs_and_leaves_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chances, "FOLDER", tmp_path)
    back = {**ROW, "what": "back, average hand, gamma"}
    whole = {**CAMPAIGN, "rows": [back, ROW]}
    part = {
        **CAMPAIGN, "command": "of one", "rows": [{**ROW, "breached": 3}],
        "programs": {"back": "56", "refresh": "78"},
    }  # fmt: skip
    (tmp_path / "gamma.json").write_text(
        chances.kept(whole, {"back": "12", "refresh": "34"}), encoding="utf-8"
    )
    result = tmp_path / "part.json"
    result.write_text(json.dumps(part), encoding="utf-8")
    assert chances.main(["gamma", str(result), "--part"]) == 0
    found = kept("gamma")
    assert found["command"] == CAMPAIGN["command"]
    assert found["programs"] == {"back": "12", "refresh": "78"}
    assert [(row["program"], row["breached"]) for row in found["rows"]] == [
        ("back", 19), ("refresh", 3),
    ]  # fmt: skip
    result.write_text(json.dumps({**part, "seed": 2}), encoding="utf-8")
    assert chances.main(["gamma", str(result), "--part"]) == 1
    assert "another --n or --seed" in capsys.readouterr().err
