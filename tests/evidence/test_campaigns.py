import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from qa.campaigns.exposure.goals import Verdict
from tools.evidence.__main__ import TOP
from tools.evidence.campaigns import MATRIX, POSTERIOR, SHORT, STORM, TREATMENTS, Campaign, run
from tools.evidence.results import Outcome
from tools.evidence.versions import Commit
from tools.evidence.workshop import Done, Workshop

CAMPAIGNS = (MATRIX, STORM, TREATMENTS, POSTERIOR)


def shop_of(folder: Path, *, quick: bool = True) -> Workshop:
    return Workshop(TOP, folder, Commit("", "", ()), lambda _: None, quick=quick)


@dataclass(frozen=True)
class Telling(Workshop):
    """A workshop in which a command ends with a code and these figures."""

    code: int = 0
    told: dict[str, Any] = field(default_factory=dict)

    def python(self, name: str, words: Sequence[str], time_max_s: float) -> Done:
        del words, time_max_s
        return Done(self.code, json.dumps(self.told), "the end", f"logs/{name}.txt")


def telling(folder: Path, code: int, **told: Any) -> Workshop:  # noqa: ANN401 - as JSON has it
    return Telling(TOP, folder, Commit("", "", ()), lambda _: None, code=code, told=told)


@pytest.mark.realtime
@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.name)
def test_a_quick_bundle_has_a_sample_of_each_campaign(campaign: Campaign, tmp_path: Path) -> None:
    result = run(campaign, shop_of(tmp_path))
    assert result.outcome is Outcome.PASSED, result
    assert ", 0 violations" in result.says
    assert result.says.endswith(", seed 1 (a sample)")
    figures = json.loads((tmp_path / "campaigns" / f"{campaign.name}.json").read_text())
    assert figures["runs"] > 0
    assert f"campaign {campaign.quick[0]}" in result.command


@pytest.mark.parametrize(
    ("campaign", "told", "named"),
    [
        (MATRIX, {"wrong": [{"cell": "valve-leak active 0.5 1", "wrong": ["late"]}]}, "valve-leak"),
        (STORM, {"broken": [{"storm": 7, "rule": "P1"}]}, "7"),
        (TREATMENTS, {"goals": [{"sentence": "rare: a", "verdict": "holds"},
                                {"sentence": "rare: b", "verdict": "falls short"},
                                {"sentence": "rare: c", "verdict": "undecided"}]}, "rare: b"),
    ],
)  # fmt: skip
def test_what_broke_in_a_campaign_is_named_and_fails_the_bundle(
    campaign: Campaign, told: dict[str, Any], named: str, tmp_path: Path
) -> None:
    result = run(campaign, telling(tmp_path, 1, runs=10, violations=1, **told))
    assert result.outcome is Outcome.FAILED
    assert "1 violations" in result.says
    assert len(result.failures) == 1
    assert named in result.failures[0]


def test_a_missed_goal_is_called_as_the_campaign_calls_it() -> None:
    assert Verdict.SHORT.value == SHORT


def test_goals_that_too_few_treatments_decide_are_counted_and_break_nothing(
    tmp_path: Path,
) -> None:
    goals = [{"sentence": "rare: a", "verdict": "undecided"}]
    told = {"runs": 10, "violations": 0, "goals": goals}
    one = run(TREATMENTS, telling(tmp_path, 0, undecided=1, **told))
    more = run(TREATMENTS, telling(tmp_path, 0, undecided=2, **told))
    assert {one.outcome, more.outcome} == {Outcome.PASSED}
    assert one.says == "10 simulated treatments, 0 violations, 1 goal undecided, seed 1"
    assert "2 goals undecided" in more.says


def test_a_campaign_that_says_nothing_has_failed(tmp_path: Path) -> None:
    result = run(STORM, telling(tmp_path, 2))
    assert (result.outcome, result.says) == (Outcome.FAILED, "the end")
