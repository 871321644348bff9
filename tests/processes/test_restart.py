"""The kernel is killed in mid-treatment and started again: nothing goes on by itself."""

import json
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from controller.config.paths import journal_path
from controller.record.recovery import UNSEEN_S
from controller.record.verify import verify
from tests.controller.record.edits import bodies
from tests.processes.scenes import bring_to
from tests.processes.service import Kernel, Unit, corneum, kernel, unit

pytestmark = pytest.mark.realtime

WATCHED_S = 0.8


def _rows(state: Path, kind: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(journal_path(state))) as connection:
        return [json.loads(body) for body in bodies(connection, kind)]


def _stays_as_it_is(device: Unit, host: Kernel) -> None:
    """Whoever presses now gets nothing."""
    since_s = device.now_s
    device.hand("place", "release", "press")
    time.sleep(WATCHED_S)
    device.hand("release", "lift")
    assert device.witness.modes(since_s) == []
    assert device.witness.openings(since_s) == []
    assert host.state() == "idle"


@pytest.mark.hazard("H12", "H51", "H18", shows="works")
def test_a_killed_kernel_finds_its_treatment_charges_the_worst_and_waits_for_a_person(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    with unit(tmp_path, hand="average") as device:
        device.hand("lift")
        with kernel(device, state) as host:
            bring_to("ACTIVE", device, host)
            host.send(signal.SIGKILL)
            host.process.wait()
        device.witness.wait_for("mode", 5.0, mode="SAFE")
        really_open_s = device.witness.open_for_s()

        with kernel(device, state) as host:
            _found_and_charged(host, state, really_open_s)
            _stays_as_it_is(device, host)
            _acknowledged_and_reset(device, state)
            _stays_as_it_is(device, host)
            _resumed(device, state, really_open_s)
    assert verify(journal_path(state)).ok


def _found_and_charged(host: Kernel, state: Path, really_open_s: float) -> None:
    left = {"treatment": 1, "client": "demo", "program": "patch-test"}
    assert host.ask("status")["unfinished"] == [left]
    (row,) = _rows(state, "interrupted")
    (zone,) = row["zones"]
    assert zone["contact_s"] >= UNSEEN_S
    assert zone["contact_s"] >= really_open_s


def _acknowledged_and_reset(device: Unit, state: Path) -> None:
    refused = corneum(state, "reset", "--port", device.port)
    assert (refused.code, refused.out) == (1, "")
    assert "acknowledge" in refused.err.lower()
    assert device.witness.mode == "SAFE"
    for verb in ("ack", "reset"):
        done = corneum(state, verb, "--port", device.port)
        assert (done.code, done.err) == (0, "")
    device.witness.wait_for("reset", 5.0, cause="LEASE_LAPSED")
    assert device.witness.mode == "DISARMED"


def _resumed(device: Unit, state: Path, really_open_s: float) -> None:
    device.hand("auto")
    words = ("treat", "patch-test", "--client", "demo", "--resume", "--json")
    done = corneum(state, *words, "--port", device.port)
    assert done.code == 0, done.err
    (zone,) = done.said["zones"]
    assert done.said["outcome"] == "completed"
    assert zone["contact_s"] >= UNSEEN_S
    assert device.witness.open_for_s() > really_open_s  # there was something left to do
    assert device.witness.open_for_s() <= zone["budget_s"] + 0.1
    shown = corneum(state, "status", "--port", device.port)
    assert shown.code == 0
    assert "completed" in shown.out
    assert "unfinished" not in shown.out
