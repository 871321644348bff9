"""The campaign of treatments in real time: its bound, its verdict, and a few runs of it."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from qa.campaigns.kept import Kept
from qa.campaigns.realtime.campaign import (
    NEEDLESS_MAX,
    Conditions,
    figures,
    lines,
    run,
    share_high,
)
from qa.campaigns.realtime.competitors import competitors
from qa.campaigns.realtime.treatment import JITTER, ORDINARY

CONDITIONS = Conditions(seed=1, busy=0, workers=1)
LAPSED = "tripped: device LEASE_LAPSED"
RUNS = 5
RUN_MAX_S = 240.0
SEEN_MAX_S = 5.0
LOOK_S = 0.02


def results(ordinary: int, *ends: str) -> list[dict[str, Any]]:
    return [{"end": end, "late_max_ms": 3.0} for end in (*[ORDINARY] * ordinary, *ends)]


def test_the_bound_is_exact() -> None:
    assert share_high(0, 300) == pytest.approx(1.0 - 0.05 ** (1 / 300), rel=1e-9)
    assert share_high(1, 10) == pytest.approx(0.39416, abs=1e-5)
    assert share_high(10, 10) == pytest.approx(1.0)
    assert share_high(0, 0) == 1.0


def test_299_without_a_needless_stop_show_the_goal_and_one_fewer_does_not() -> None:
    assert figures(results(299), CONDITIONS)["shown"]
    said = figures(results(298), CONDITIONS)
    assert not said["shown"]
    assert said["violations"] == []  # too few to show it, and none against it
    assert "not shown by so few" in lines(said)[1]


def test_a_needless_stop_misses_the_goal_until_enough_went_well() -> None:
    assert figures(results(299, LAPSED), CONDITIONS)["violations"] == ["needless stops"]
    said = figures(results(472, LAPSED), CONDITIONS)
    assert said["needless_share_high"] <= NEEDLESS_MAX
    assert said["violations"] == []
    assert said["causes"] == {LAPSED: 1}
    assert any(LAPSED in line for line in lines(said))


def test_refusals_for_jitter_are_no_stops_and_have_a_goal_of_their_own() -> None:
    few = figures(results(95, *[JITTER] * 5), CONDITIONS)
    assert (few["needless"], few["refused_for_jitter"], few["violations"]) == (0, 5, [])
    many = figures(results(94, *[JITTER] * 6), CONDITIONS)
    assert many["violations"] == ["refused for jitter"]


def test_what_was_not_run_is_no_stop_and_makes_the_campaign_fail(tmp_path: Path) -> None:
    not_run = "not run: a process was not ready"
    said = figures(results(299, not_run), CONDITIONS)
    assert (said["needless"], said["not_run"], said["violations"]) == (0, 1, ["not run"])
    with Kept(tmp_path / "kept.jsonl", CONDITIONS.name) as kept:
        kept.keep("0", {"end": not_run, "number": 0})
        kept.results["1"] = {"end": ORDINARY}
        run(0, CONDITIONS, kept)
        assert list(kept.results) == ["1"]


@pytest.mark.realtime
def test_competitors_want_all_they_can_get_and_end_with_their_block() -> None:
    def spinning() -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes()
            except OSError:  # gone meanwhile
                continue
            if b"os.getppid() ==" in words and str(path) not in before:
                found.append(str(path))
        return found

    before: list[str] = []
    before = spinning()
    with competitors(2):
        # A process that has just begun another program shows no words for a moment.
        end_s = time.monotonic() + SEEN_MAX_S
        while len(spinning()) != 2:
            assert time.monotonic() < end_s, spinning()
            time.sleep(LOOK_S)
    assert spinning() == []


@pytest.mark.realtime
@pytest.mark.alone
@pytest.mark.hazard("H14")
def test_a_few_treatments_beside_two_busy_processes_end_ordinarily(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    said = _campaign("--n", str(RUNS), "--workers", "2", "--resume", str(kept))
    assert (said["ordinary"], said["needless"], said["refused_for_jitter"]) == (RUNS, 0, 0), said
    again = _campaign("--n", str(RUNS), "--workers", "2", "--resume", str(kept))
    assert again["ordinary"] == RUNS
    assert again["took_s"] < 5.0  # nothing was run a second time


def _campaign(*words: str) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("corneum-sim")), "campaign", "realtime", "--json"]
    done = subprocess.run(
        [*command, *words], capture_output=True, text=True, timeout=RUN_MAX_S, check=False
    )
    assert done.stdout, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said
