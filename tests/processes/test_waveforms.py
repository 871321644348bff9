"""Waveforms of real processes: a treatment, its recorder killed and stopped, its kernel killed."""

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from controller.archive import waveforms
from controller.archive.recording import CUT_SHORT
from controller.archive.waveforms import NotWaveformsError
from controller.config.paths import journal_path
from controller.record.chain import BODY
from tests.processes.service import Kernel, corneum, kernel, unit

pytestmark = pytest.mark.realtime

WAIT_MAX_S = 40.0
LOSS_MAX_S = 1.0


def until(holds: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + WAIT_MAX_S
    while not holds():
        assert time.monotonic() < end_s, f"not in time: {what}"
        time.sleep(0.05)


def rows(state: Path) -> list[dict[str, Any]]:
    """Return the rows about waveforms, read beside the kernel."""
    with closing(sqlite3.connect(f"file:{journal_path(state)}?mode=ro", uri=True)) as connection:
        found = connection.execute(
            f"SELECT {BODY} FROM journal WHERE kind = 'waveform' ORDER BY id"  # noqa: S608
        )
        return [json.loads(body) for (body,) in found]


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def keeper_of(host: Kernel) -> int:
    """Return the recorder of a kernel."""
    for pid in children(host.pid):
        with contextlib.suppress(OSError):
            if b"archive.recorder" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    return 0


def begin(host: Kernel) -> None:
    host.ask("treat", program="patch-test", client="demo")


def is_over(host: Kernel) -> bool:
    treatment = host.ask("status")["treatment"]
    return treatment is not None and treatment["outcome"] is not None


def file_of(state: Path) -> Path:
    return state / "waveforms" / "treatment-000001.mcap"


def test_a_treatment_leaves_a_file_whose_hash_is_in_the_record(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with unit(tmp_path, hand="average") as device, kernel(device, state) as host:
        begin(host)
        until(lambda: is_over(host), "the end")
        until(lambda: bool(rows(state)), "the row")
        mode = file_of(state).stat().st_mode & 0o777
    (row,) = rows(state)
    assert mode == 0o600
    assert row["samples"] > 300
    done = corneum(state, "records", "verify", "--json")
    assert done.said["waveforms"] == {"whole": 1, "others": []}
    data = bytearray(file_of(state).read_bytes())
    data[len(data) // 2] ^= 1
    file_of(state).write_bytes(bytes(data))
    done = corneum(state, "records", "verify")
    assert done.code == 1
    assert "treatment 1: its file is not what was recorded" in done.out


def test_a_recorder_killed_again_and_again_costs_no_second_and_the_treatment_nothing(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    with unit(tmp_path, hand="average") as device, kernel(device, state) as host:
        begin(host)
        for _ in range(3):
            until(lambda: bool(children(keeper_of(host))), "a worker")
            time.sleep(0.7)
            for pid in children(keeper_of(host)):
                os.kill(pid, signal.SIGKILL)
        until(lambda: is_over(host), "the end")
        outcome = host.ask("status")["treatment"]["outcome"]
        until(lambda: bool(rows(state)), "the row")
    (row,) = rows(state)
    read = waveforms.read(file_of(state))
    assert outcome == "completed"
    assert read.whole
    assert all(gap.seconds <= LOSS_MAX_S for gap in read.gaps)
    assert row["gaps"] == len(read.gaps)


def test_a_recorder_that_is_stopped_for_good_ends_no_treatment_and_is_told(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with unit(tmp_path, hand="average") as device, kernel(device, state) as host:
        begin(host)
        until(lambda: keeper_of(host) > 0, "a recorder")
        time.sleep(1.0)
        os.killpg(keeper_of(host), signal.SIGSTOP)
        until(lambda: is_over(host), "the end")
        assert host.ask("status")["treatment"]["outcome"] == "completed"
        until(lambda: bool(rows(state)), "the row")
    (row,) = rows(state)
    assert row["why"] == "The recorder did not finish the file in time."
    done = corneum(state, "records", "recover", "1")
    assert done.code == 0
    assert waveforms.read(file_of(state)).whole


def test_a_killed_kernel_leaves_a_file_up_to_its_last_reading(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with unit(tmp_path, hand="average") as device, kernel(device, state) as host:
        begin(host)
        until(lambda: host.state() == "active", "the first crystals")
        time.sleep(1.0)
        host.send(signal.SIGKILL)
        died_s = time.time()
        host.process.wait(10.0)

        def finished() -> bool:
            with contextlib.suppress(NotWaveformsError):
                return waveforms.read(file_of(state)).finished
            return False

        until(finished, "a finished file")
    read = waveforms.read(file_of(state))
    assert read.end["how"] == CUT_SHORT
    assert died_s - read.columns["/suction"].log_time_ns[-1] / 1e9 <= LOSS_MAX_S
    assert rows(state) == []
    done = corneum(state, "records", "verify")
    assert done.code == 0
    assert "treatment 1: no row of the record names its file" in done.out


def test_a_disk_that_takes_no_waveforms_ends_no_treatment_and_is_told(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "waveforms").write_text("a file where the folder should be")
    with unit(tmp_path, hand="average") as device, kernel(device, state) as host:
        begin(host)
        until(lambda: is_over(host), "the end")
        assert host.ask("status")["treatment"]["outcome"] == "completed"
        until(lambda: bool(rows(state)), "the row")
    assert "cannot be written (" in rows(state)[0]["why"]
