"""Jobs over processes: every result once, whoever dies, and none a second time from a file."""

from pathlib import Path

import pytest

from qa.campaigns.kept import FILE_NAME, Kept, OtherCampaignError
from qa.campaigns.workers import Progress, Where, WorkersLostError, spread
from tests.qa.campaigns.jobs import Marked, counted, dies, dies_once, square

TWO = Where(workers=2)
HERE = Where(workers=1)
NUMBERS = {f"job {number}": number for number in range(20)}
SQUARES = {f"job {number}": number * number for number in range(20)}


def _times_run(mark: Path) -> int:
    return len(mark.read_text(encoding="utf-8").splitlines()) if mark.exists() else 0


def _marked(mark: Path) -> dict[str, Marked]:
    return {key: Marked(number, str(mark)) for key, number in NUMBERS.items()}


def test_no_number_of_workers_is_one_for_each_core() -> None:
    assert Where().processes >= 1
    assert TWO.processes == 2


@pytest.mark.realtime
def test_two_processes_give_what_one_gives() -> None:
    assert dict(spread(square, NUMBERS, HERE, "squares")) == SQUARES
    assert dict(spread(square, NUMBERS, TWO, "squares")) == SQUARES


@pytest.mark.realtime
def test_jobs_of_a_worker_that_dies_are_run_again(tmp_path: Path) -> None:
    jobs = {key: Marked(each, str(tmp_path / "died")) for key, each in NUMBERS.items()}
    assert dict(spread(dies_once, jobs, TWO, "squares")) == SQUARES


@pytest.mark.realtime
def test_a_job_at_which_every_worker_dies_is_named() -> None:
    with pytest.raises(WorkersLostError, match="3 times at job 0"):
        dict(spread(dies, {"job 0": 0}, TWO, "squares"))


def test_what_is_kept_is_not_run_again(tmp_path: Path) -> None:
    jobs = _marked(tmp_path / "mark")
    half = dict(list(jobs.items())[:10])
    with Kept(tmp_path / "file.jsonl", "squares") as kept:
        assert len(dict(spread(counted, half, HERE, "squares", kept))) == 10
    with Kept(tmp_path / "file.jsonl", "squares") as kept:
        assert dict(spread(counted, jobs, HERE, "squares", kept)) == SQUARES
    assert _times_run(tmp_path / "mark") == 20


def test_a_line_that_a_kill_has_cut_is_run_again(tmp_path: Path) -> None:
    jobs, path = _marked(tmp_path / "mark"), tmp_path / "folder" / FILE_NAME
    with Kept(path.parent, "squares") as kept:
        dict(spread(counted, jobs, HERE, "squares", kept))
    path.write_bytes(path.read_bytes()[:-4])
    with Kept(path.parent, "squares") as kept:
        assert len(kept.results) == 19
        assert dict(spread(counted, jobs, HERE, "squares", kept)) == SQUARES
    with Kept(path.parent, "squares") as kept:
        assert kept.results == SQUARES
    assert _times_run(tmp_path / "mark") == 21


def test_a_file_of_another_campaign_or_of_other_sources_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    Kept(path, "squares").__exit__()
    with pytest.raises(OtherCampaignError, match="results of 'squares', not of 'cubes'"):
        Kept(path, "cubes")
    path.write_text('{"campaign": "squares", "sources": "old"}\n', encoding="utf-8")
    with pytest.raises(OtherCampaignError, match="other sources"):
        Kept(path, "squares")
    path.write_text("anything\n", encoding="utf-8")
    with pytest.raises(OtherCampaignError, match="no file of results"):
        Kept(path, "squares")


def test_the_progress_tells_how_far_it_is_and_how_long_it_will_take(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = Progress("cells", 3, shown=True)
    for _ in range(3):
        progress.step()
    told = capsys.readouterr().err
    assert "cells: 1 of 3, 0 s left" in told
    assert told.endswith("cells: 3 of 3, 0 s left\n")


def test_where_nobody_watches_only_the_end_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("cells", 2, shown=False)
    for _ in range(2):
        progress.step()
    assert capsys.readouterr().err == "cells: 2 done in 0 s\n"
