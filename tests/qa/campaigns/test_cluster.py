"""Campaigns as processes: one that is killed goes on, and a cluster loses a worker and nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.realtime

TOP = Path(__file__).resolve().parents[3]
BEGUN = 3  # results in the file before something is killed
COME_MAX_S = 120.0
GONE_MAX_S = 2.0
LOOK_S = 0.02
CELLS = ("matrix", "--n", "14", "--seed", "9", "--json")
CLIENTS = (
    "treatments",
    "--n",
    "3000",
    "--program",
    "refresh",
    "--only",
    "interlocked; posterior",
    "--json",
)
CAMPAIGNS = pytest.mark.parametrize("words", [CELLS, CLIENTS], ids=lambda words: words[0])


def _python(*words: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, *words],
        stdout=pipe,
        stderr=pipe,
        text=True,
        env=env,
        preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - no thread here
    )


def _hear_ctrl_c() -> None:
    """Whoever starts the tests in the background lets them ignore it, and all below them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def _running(*words: str) -> Iterator[subprocess.Popen[str]]:
    process = _python(*words)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _campaign(*words: str) -> subprocess.Popen[str]:
    return _python("-m", "simulator.cli", "campaign", *words)


def _until_begun(file: Path, process: subprocess.Popen[str]) -> None:
    end_s = time.monotonic() + COME_MAX_S
    while not file.exists() or file.read_bytes().count(b"\n") <= BEGUN:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end_s, "no results in time"
        time.sleep(LOOK_S)


def _outcome(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the figures of a campaign, without how long it took."""
    out, complaint = process.communicate(timeout=COME_MAX_S)
    assert process.returncode == 0, complaint
    found: dict[str, Any] = json.loads(out)
    assert found["runs"] > 0
    return {name: value for name, value in found.items() if name != "took_s"}


@cache
def _undisturbed(words: tuple[str, ...]) -> dict[str, Any]:
    """What a campaign comes to in one process that nobody disturbs."""
    return _outcome(_campaign(*words, "--workers", "1"))


@CAMPAIGNS
def test_a_campaign_that_was_killed_goes_on_and_comes_to_the_same(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    file = tmp_path / "results.jsonl"
    kept = ("--workers", "1", "--resume", str(file))
    first = _campaign(*words, *kept)
    _until_begun(file, first)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    had = file.read_bytes()
    assert _outcome(_campaign(*words, *kept)) == _undisturbed(words)
    assert file.read_bytes().startswith(had[: had.rfind(b"\n") + 1])
    _is_kept_once_each(file)


def _is_kept_once_each(file: Path) -> None:
    keys = [json.loads(line)["key"] for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [(signal.SIGINT, 130, "kept"), (signal.SIGTERM, 130, "kept"), (signal.SIGKILL, -9, "")],
)
def test_a_campaign_that_is_ended_leaves_no_worker_behind_and_can_go_on(
    tmp_path: Path, how: signal.Signals, code: int, said: str
) -> None:
    file = tmp_path / "results.jsonl"
    words = ("matrix", "--full", "--workers", "2", "--resume", str(file))
    with _running("-m", "simulator.cli", "campaign", *words) as campaign:
        _until_begun(file, campaign)
        workers = _children_of(campaign.pid)
        assert len(workers) >= 2
        campaign.send_signal(how)
        _, complaint = campaign.communicate(timeout=COME_MAX_S)
    assert campaign.returncode == code, complaint
    assert said in complaint
    assert "Traceback" not in complaint
    end_s = time.monotonic() + GONE_MAX_S
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < end_s, "a worker works on"
        time.sleep(LOOK_S)


def _children_of(pid: int) -> list[int]:
    """Every process below ``pid``, as Linux tells it."""
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in told]


@CAMPAIGNS
@pytest.mark.skipif(find_spec("distributed") is None, reason="needs the extra campaign")
def test_a_cluster_that_loses_a_worker_in_mid_run_loses_nothing(
    tmp_path: Path, words: tuple[str, ...]
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
        campaign = _campaign(*words, "--dask", address, "--resume", str(file))
        _until_begun(file, campaign)
        assert doomed.poll() is None
        doomed.send_signal(signal.SIGKILL)
        found = _outcome(campaign)
    assert found == _undisturbed(words)
    _is_kept_once_each(file)
