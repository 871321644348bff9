"""Documents rest on figures of campaigns, and figures on results that a command makes again."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from qa.campaigns.exposure.rows import Group
from qa.campaigns.kept import Kept
from tools import campaigns
from tools.campaign_figures import (
    CAMPAIGNS,
    FOLDER,
    HALF_DONE,
    PICTURES,
    RESTS_ON,
    RESULT,
    UnfitResultError,
    as_text,
    each_tail,
    figures_of,
    kept_figures,
    misfits,
    programs_of,
    rounded_up,
    with_part,
)
from tools.evidence import collected
from tools.evidence.results import Outcome
from tools.evidence.versions import Commit
from tools.evidence.workshop import Workshop

GAMMA: Final = CAMPAIGNS["gamma"]
TRIAL: Final = ("make", "--only", "gamma", "--program", "patch-test", "--n", "4")
FOLDER_MAX_BYTES: Final = 120_000


def run(folder: Path, *more: str) -> int:
    return campaigns.main([*TRIAL, "--folder", str(folder), *more])


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of a few treatments; nothing may change it."""
    folder = tmp_path_factory.mktemp("trial")
    assert run(folder, "--workers", "1") == 0
    return folder


@pytest.fixture
def result(trial: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trial, tmp_path / "results"))


@pytest.fixture
def kept(result: Path, tmp_path: Path) -> Path:
    """A folder with the figures of the trial, as if it were a whole campaign."""
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "gamma.json").write_text(as_text(figures_of(GAMMA, result)), encoding="utf-8")
    return folder


def change(path: Path, **values: Any) -> None:  # noqa: ANN401 - as JSON has it
    path.write_text(json.dumps(json.loads(path.read_text()) | values), encoding="utf-8")


def test_the_same_seed_gives_the_same_bytes_whoever_works(trial: Path, tmp_path: Path) -> None:
    assert run(tmp_path, "--workers", "2") == 0
    first, second = (folder / "gamma" / RESULT for folder in (trial, tmp_path))
    assert first.read_bytes() == second.read_bytes()


def test_versions_stand_beside_a_result_and_nothing_half_done_stays(trial: Path) -> None:
    there = {path.name for path in (trial / "gamma").iterdir()}
    assert there == {RESULT, RESTS_ON}
    versions = json.loads((trial / "gamma" / RESTS_ON).read_text())
    assert set(versions) == {"python", "corneum", "numpy", "scipy", "sources"}
    assert figures_of(GAMMA, trial)["results"][0]["rests_on"] == versions


def test_a_result_that_is_there_is_not_made_again(
    result: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (result / "gamma" / RESULT).stat().st_mtime_ns
    assert run(result, "--resume") == 0
    assert "gamma: is there already" in capsys.readouterr().err
    assert (result / "gamma" / RESULT).stat().st_mtime_ns == before


def test_what_was_half_done_is_gone_on_with(
    trial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stops_after_one(self: Kept, key: str, found: object) -> None:
        keep(self, key, found)
        raise KeyboardInterrupt

    keep = Kept.keep
    with monkeypatch.context() as patch:
        patch.setattr(Kept, "keep", stops_after_one)
        assert run(tmp_path, "--workers", "1") == campaigns.INTERRUPTED
    assert "the same command with --resume goes on" in capsys.readouterr().err
    assert len((tmp_path / "gamma" / HALF_DONE).read_text().splitlines()) == 2  # head and a block
    assert not (tmp_path / "gamma" / RESULT).exists()
    assert run(tmp_path, "--workers", "1", "--resume") == 0
    first, second = (folder / "gamma" / RESULT for folder in (trial, tmp_path))
    assert first.read_bytes() == second.read_bytes()


def test_results_of_other_sources_are_not_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gamma").mkdir()
    (tmp_path / "gamma" / HALF_DONE).write_text('{"campaign": "another", "sources": ""}\n')
    assert run(tmp_path, "--resume") == campaigns.REFUSED
    assert "Or leave out --resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["make", "--n", "4"], "another --folder"),
        (["make", "--program", "refresh"], "--program needs --only"),
        (["make", "--only", "beta"], "invalid choice"),
    ],
)
def test_words_that_cannot_be_meant_are_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        campaigns.main(words)
    assert said in capsys.readouterr().err


# -- figures -------------------------------------------------------------------------------------
def test_figures_that_follow_from_a_result_fit(result: Path, kept: Path) -> None:
    assert list(misfits(result, kept)) == []


def test_without_results_there_is_nothing_to_compare(tmp_path: Path) -> None:
    assert list(misfits(tmp_path)) == []


def test_a_number_that_does_not_follow_is_found(result: Path, kept: Path) -> None:
    path = result / "gamma" / RESULT
    found = json.loads(path.read_text())
    found["rows"][0]["breached"] += 1
    path.write_text(json.dumps(found))
    (sentence,) = misfits(result, kept)
    assert "docs/exposure/gamma.json does not follow from the result" in sentence


def test_another_hash_is_found_where_the_figures_are_the_same(result: Path, kept: Path) -> None:
    change(result / "gamma" / RESULT, handpiece_s=1.0)
    (sentence,) = misfits(result, kept)
    assert sentence.startswith("gamma: the figures are the same, but the result has the SHA-256")


def test_another_seed_is_found(result: Path, kept: Path) -> None:
    change(result / "gamma" / RESULT, seed=2)
    (sentence,) = misfits(result, kept)
    assert "another n or seed" in sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "cannot be read as JSON"), ("[]", "one JSON object"),
     ('{"rows": [{}]}', "does not say which programs were simulated")],
)  # fmt: skip
def test_a_result_that_is_none_is_one_sentence(
    text: str, said: str, result: Path, kept: Path
) -> None:
    (result / "gamma" / RESULT).write_text(text)
    (sentence,) = misfits(result, kept)
    assert said in sentence


def test_a_trial_is_not_kept(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (FOLDER / "gamma.json").read_bytes()
    words = ("keep", "--only", "gamma", "--folder", str(result))
    assert campaigns.main(words) == campaigns.REFUSED
    assert "a trial with n 4 and seed 1 is not kept" in capsys.readouterr().err
    assert (FOLDER / "gamma.json").read_bytes() == before


def test_a_part_renews_its_programs_and_leaves_the_others() -> None:
    before = kept_figures("gamma")
    part: dict[str, Any] = {
        **before,
        "results": [{"sha256": "ab", "programs": {"refresh": "cd"}}],
        "rows": [{"program": "refresh", "tails": {"gamma": [3, 0.1, 0.1, 0.1]}}],
    }
    found = with_part(part, before)
    assert [result["sha256"] for result in found["results"]][1:] == ["ab"]
    assert programs_of(found) == programs_of(before) | {"refresh": "cd"}
    assert [row["program"] for row in found["rows"]] == [row["program"] for row in before["rows"]]
    rows = {row["program"]: row for row in each_tail(found)}
    assert rows["refresh"]["breached"] == 3
    assert rows["back"] in list(each_tail(before))


def test_a_part_of_another_n_does_not_fit() -> None:
    before = kept_figures("gamma")
    with pytest.raises(UnfitResultError, match="take the same"):
        with_part({**before, "n": 7}, before)


def test_the_whole_campaign_is_renewed_as_a_whole() -> None:
    before = kept_figures("treatments")
    with pytest.raises(UnfitResultError, match="kept as a whole"):
        with_part(before, before)


def test_a_bound_stays_a_bound_when_it_is_rounded() -> None:
    assert rounded_up(0.00069690363) == 0.000697
    assert rounded_up(0.0011854112621515049) == 0.00119


# -- what git holds ------------------------------------------------------------------------------
def test_each_campaign_has_its_figures_with_command_seed_and_hash() -> None:
    for campaign in CAMPAIGNS.values():
        figures = kept_figures(campaign.name)
        assert (figures["n"], figures["seed"]) == (campaign.n, campaigns.SEED)
        for result in figures["results"]:
            assert len(result["sha256"]) == 64
            assert f"--n {campaign.n} --seed {campaigns.SEED}" in result["command"]


def test_git_holds_figures_and_pictures_and_no_results() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {*(f"{name}.json" for name in CAMPAIGNS), *PICTURES}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < FOLDER_MAX_BYTES


def test_every_question_but_those_of_tails_is_in_the_whole_campaign() -> None:
    rows = kept_figures("treatments")["rows"]
    assert {row["group"] for row in rows} == {group.name for group in Group} - {"TAIL"}


def test_a_bundle_has_the_results_that_were_made_and_says_which_were_not(
    trial: Path, tmp_path: Path
) -> None:
    top = tmp_path / "top"
    shutil.copytree(trial, top / "build" / "campaigns")
    shutil.copytree(FOLDER, top / "docs" / "exposure")
    figures = as_text(figures_of(GAMMA, trial))
    (top / "docs" / "exposure" / "gamma.json").write_text(figures, encoding="utf-8")
    shop = Workshop(top, tmp_path / "bundle", Commit("", "", ()), lambda _: None)
    made = collected.exposure(shop)
    assert made.outcome is Outcome.NOT_MEASURED
    assert made.says.endswith("results of 1; not made here: tails, presets, treatments")
    assert (shop.bundle / "exposure" / "results" / "gamma" / RESULT).is_file()
    shutil.rmtree(shop.bundle)
    shutil.copyfile(FOLDER / "gamma.json", top / "docs" / "exposure" / "gamma.json")
    assert collected.exposure(shop).outcome is Outcome.FAILED
