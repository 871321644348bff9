"""The tap on real ports: a host talks through it and does not notice, and every byte is kept."""

import json
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qa.traffic.recording import read_recording
from qa.traffic.words import Teller
from tests.simulator.test_serve import served

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

COMMAND = (sys.executable, "-m", "simulator.cli")
READY_MAX_S = 20.0
RUN_MAX_S = 60.0


def tapped(port: str, out: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "record", "--port", port, "--out", str(out), "--json", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def port_of(tap: subprocess.Popen[str]) -> str:
    assert tap.stdout is not None
    assert select.select([tap.stdout], [], [], READY_MAX_S)[0]
    return str(json.loads(tap.stdout.readline())["port"])


def test_a_host_conforms_through_the_tap_and_every_frame_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "line.jsonl"
    words = ("--case", "C01", "--case", "C48", "--case", "C60")
    with served("--hand", "absent") as unit, tapped(unit["port"], out) as tap:
        kit = subprocess.run(
            [*COMMAND, "conformance", "--handpiece", port_of(tap), *words],
            capture_output=True, text=True, timeout=RUN_MAX_S, check=False,
        )  # fmt: skip
        tap.send_signal(signal.SIGINT)
        _, err = tap.communicate(timeout=RUN_MAX_S)
    assert kit.returncode == 0, kit.stdout + kit.stderr
    assert (tap.returncode, "pieces in" in err) == (0, True), err
    recording = read_recording(out)
    assert recording.end == "stopped"
    teller = Teller()
    for chunk in recording.chunks:
        teller.take(chunk)
    assert teller.bad == {}
    assert {"Hello", "Ident", "Arm", "Setpoint", "Telemetry", "Stop", "Stopped"} <= set(
        teller.frames
    )
    done = subprocess.run(
        [*COMMAND, "replay", str(out)], capture_output=True, text=True, timeout=RUN_MAX_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_loss_of_the_unit_ends_the_tap_with_its_reason(tmp_path: Path) -> None:
    out = tmp_path / "line.jsonl"
    with served("--tcp", "127.0.0.1:0", "--hand", "absent") as unit:
        tap = tapped(unit["port"], out, "--pty", str(tmp_path / "tap"))
        assert port_of(tap) == str(tmp_path / "tap")
        unit["process"].send_signal(signal.SIGTERM)
        _, err = tap.communicate(timeout=RUN_MAX_S)
    assert tap.returncode == 3
    assert "lost: " in err
    assert read_recording(out).end.startswith("lost: ")


def test_a_port_that_is_not_there_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "line.jsonl"
    tap = tapped("/dev/no-such-port", out)
    _, err = tap.communicate(timeout=RUN_MAX_S)
    assert tap.returncode == 3
    assert "/dev/no-such-port" in err
    assert not out.exists()
