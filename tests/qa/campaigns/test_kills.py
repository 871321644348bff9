"""The campaign of kills in small, and what its figures and its checks say."""

from pathlib import Path
from typing import Any

import pytest

from controller.record.store import Store
from qa.campaigns.kept import Kept
from qa.campaigns.kills import campaign
from qa.campaigns.kills.shot import PHASES, Job, Told, missing
from qa.campaigns.workers import Where
from tests.controller.record.crashed import crashed

KILLS = 6
ROWS = 4


def result(*wrong: str, phase: str = "treat") -> dict[str, Any]:
    return {
        "wrong": list(wrong), "phase": phase, "number": 0, "flowed_s": 1.0, "treatment": 1,
        "decisions": 8,
    }  # fmt: skip


@pytest.mark.realtime
@pytest.mark.alone
@pytest.mark.hazard("H12", "H51", shows="works")
def test_six_kills_of_real_kernels_lose_nothing_that_a_client_was_told() -> None:
    said = campaign.figures(campaign.run(KILLS, 1, Where(2), None), 1)
    assert said["violations"] == []
    assert set(said["phases"]) == set(PHASES)
    assert said["with_open_valve"] > 0


def test_a_kill_falls_where_its_numbers_say_and_every_phase_has_its_turn() -> None:
    jobs = [Job(1, number) for number in range(len(PHASES))]
    assert [job.phase for job in jobs] == list(PHASES)
    assert all(0.0 <= job.after_s <= PHASES[job.phase] for job in jobs)
    assert Job(1, 3).after_s == Job(1, 3).after_s != Job(2, 3).after_s


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (Told(rows=ROWS + 1), "5 rows were told and 4 are there"),
        (Told(decisions=1), "1 decisions were told, 0 are there"),
        (Told(treatment=2), "treatment 2 was told and is not there"),
    ],
)
def test_what_was_told_and_is_not_there_is_a_violation(
    tmp_path: Path, told: Told, says: str
) -> None:
    crashed(tmp_path / "journal.sqlite3")
    assert missing(tmp_path / "journal.sqlite3", Told(rows=ROWS, treatment=1)) == []
    assert missing(tmp_path / "journal.sqlite3", told) == [says]


def test_a_journal_that_is_not_there_or_not_whole_is_a_violation(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    assert missing(path, Told()) == []  # killed before it was made
    assert missing(path, Told(phase="log")) == ["there is no journal"]
    crashed(path)
    connection = Store(path).connection()
    connection.execute("UPDATE head SET id = id - 1")
    (said,) = missing(path, Told())
    assert "was changed" in said


def test_a_broken_promise_and_a_kill_that_was_not_run_are_violations() -> None:
    said = campaign.figures([result("a row is gone"), result()], 1)
    assert said["violations"] == ["kill 0 (treat): a row is gone"]
    not_run = {"wrong": [], "phase": "arm", "number": 0, "not_run": "no unit"}
    said = campaign.figures([not_run], 1)
    assert said["violations"] == ["kill 0 was not run: no unit"]
    assert "1 violations, seed 1" in campaign.text(said)


def test_a_kill_that_was_not_run_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Kept(tmp_path / "kills.jsonl", campaign.name_of(1)) as kept:
        kept.keep("0", {"wrong": [], "phase": "connect", "not_run": "no unit"})
        kept.keep("1", result())
    monkeypatch.setattr(campaign, "kill", lambda job: result(phase=job.phase))
    with Kept(tmp_path / "kills.jsonl", campaign.name_of(1)) as kept:
        found = campaign.run(2, 1, Where(1), kept)
    assert [one.get("not_run") for one in found] == [None, None]
