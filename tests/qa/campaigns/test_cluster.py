"""Campaigns as processes: one that is killed goes on, and a cluster loses a worker and nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from simulator.qa.sweep.run import figures, sample, sweep
from simulator.qa.workers import Where

pytestmark = pytest.mark.realtime

TOP = Path(__file__).resolve().parents[3]
CELLS, SEED = 14, 9
BEGUN = 3  # results in the file before something is killed
COME_MAX_S = 120.0
LOOK_S = 0.02
WORDS = ("campaign", "matrix", "--n", str(CELLS), "--seed", str(SEED), "--json")


def _python(*words: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *words], stdout=pipe, stderr=pipe, text=True, env=env)


@contextmanager
def _running(*words: str) -> Iterator[subprocess.Popen[str]]:
    process = _python(*words)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _campaign(*words: str) -> subprocess.Popen[str]:
    return _python("-m", "simulator.qa.cli", *WORDS, *words)


def _until_begun(file: Path, process: subprocess.Popen[str]) -> None:
    end_s = time.monotonic() + COME_MAX_S
    while not file.exists() or file.read_bytes().count(b"\n") <= BEGUN:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end_s, "no results in time"
        time.sleep(LOOK_S)


def _outcome(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, complaint = process.communicate(timeout=COME_MAX_S)
    assert process.returncode == 0, complaint
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What the campaign comes to in one process that nobody disturbs."""
    return figures(sweep(sample(SEED, CELLS), SEED, Where(workers=1)))


def test_a_campaign_that_was_killed_goes_on_and_comes_to_the_same(
    tmp_path: Path, expected: dict[str, Any]
) -> None:
    file = tmp_path / "results.jsonl"
    words = ("--workers", "1", "--resume", str(file))
    first = _campaign(*words)
    _until_begun(file, first)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    had = file.read_bytes()
    found = _outcome(_campaign(*words))
    assert found["runs"] == CELLS
    assert found["results_sha256"] == expected["results_sha256"]
    assert file.read_bytes().startswith(had[: had.rfind(b"\n") + 1])
    assert file.read_bytes().count(b"\n") == CELLS + 1


@pytest.mark.skipif(find_spec("distributed") is None, reason="needs the extra campaign")
def test_a_cluster_that_loses_a_worker_in_mid_run_loses_nothing(
    tmp_path: Path, expected: dict[str, Any]
) -> None:
    told, file = tmp_path / "scheduler.json", tmp_path / "results.jsonl"
    place = ("--scheduler-file", str(told))
    worker = ("-m", "distributed.cli.dask_worker", *place, "--nthreads", "1", "--no-nanny")
    quiet = ("--no-dashboard",)
    with (
        _running("-m", "distributed.cli.dask_scheduler", "--port", "0", *quiet, *place),
        _running(*worker, *quiet) as doomed,
        _running(*worker, *quiet),
    ):
        while not told.exists():
            time.sleep(LOOK_S)
        address = json.loads(told.read_text(encoding="utf-8"))["address"]
        campaign = _campaign("--dask", address, "--resume", str(file))
        _until_begun(file, campaign)
        assert doomed.poll() is None
        doomed.send_signal(signal.SIGKILL)
        found = _outcome(campaign)
    assert found["runs"] == CELLS
    assert found["results_sha256"] == expected["results_sha256"]
    keys = [json.loads(line)["key"] for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    assert sorted(keys) == sorted(set(keys))
