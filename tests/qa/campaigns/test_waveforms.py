"""A sample of the campaign of kills while waveforms are recorded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from qa.campaigns.waveforms import campaign
from qa.campaigns.waveforms.shots import LOSS_MAX_S, VICTIMS, Result, Shot

SAMPLE = 20


@pytest.mark.realtime
@pytest.mark.hazard("H12")
def test_twenty_kills_at_random_moments_cost_no_second_of_waveform() -> None:
    call = [str(Path(sys.executable).with_name("corneum-sim")), "campaign", "waveforms"]
    done = subprocess.run(
        [*call, "--n", str(SAMPLE), "--json"], capture_output=True, text=True, check=False
    )
    said = json.loads(done.stdout)
    assert said["violations"] == []
    assert done.returncode == 0
    assert said["kills"] == dict.fromkeys(VICTIMS, SAMPLE // len(VICTIMS))
    assert all(lost_s <= LOSS_MAX_S for lost_s in said["lost_max_s"].values())


def test_who_is_killed_and_when_follows_from_the_seed() -> None:
    assert Shot(1, 6) == Shot(1, 6)
    assert Shot(1, 6).after_s == Shot(1, 6).after_s != Shot(2, 6).after_s
    assert {Shot(1, number).victim for number in range(4)} == set(VICTIMS)


def test_a_loss_that_is_told_is_a_violation_and_so_is_one_that_could_not_be_run() -> None:
    results: list[Result] = [
        {"victim": "worker", "lost_s": 1.4, "wrong": "1.4 s are lost"},
        {"victim": "all", "lost_s": None, "wrong": "not run: no memory"},
        {"victim": "kernel", "lost_s": 0.2, "wrong": ""},
    ]
    said = campaign.figures(results, 1)
    assert said["violations"] == ["0: 1.4 s are lost", "1: not run: no memory"]
    assert said["lost_max_s"] == {"worker": 1.4, "recorder": None, "kernel": 0.2, "all": None}
    assert campaign.lines(said)[1] == "  kill 0: 1.4 s are lost"
