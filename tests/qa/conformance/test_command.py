"""``corneum-sim conformance`` on real ports: the whole kit once, its reports and its exit codes."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.simulator.test_serve import served

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

COMMAND = (sys.executable, "-m", "simulator.cli", "conformance")
RUN_MAX_S = 60.0
# Of each part of the protocol one case: all of them run in virtual time, and here in a minute.
SAMPLE = ("C01", "C10", "C16", "C20", "C21", "C30", "C40", "C48", "C57", "C60", "C66", "C75", "C80")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=RUN_MAX_S, check=False
    )


@pytest.mark.hazard("H10", "H11", "H18", "H23", "H33", "H49", shows="works")
def test_the_simulator_conforms_on_a_pty_in_real_time(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    sample = [word for number in SAMPLE for word in ("--case", number)]
    done = _run("--handpiece", "sim:", "--json", "--junit", str(junit), *sample)
    said = json.loads(done.stdout)
    assert said["passed"] == len(SAMPLE)
    assert [case for case in said["cases"] if case["verdict"] != "passed"] == []
    assert (done.returncode, said["error"]) == (0, None)
    suite = ET.parse(junit).getroot()  # noqa: S314  our own run wrote it
    assert suite.get("failures") == "0"


def test_a_served_simulator_without_its_control_socket_leaves_cases_to_a_person() -> None:
    with served("--tcp", "127.0.0.1:0", "--hand", "absent") as unit:
        words = ("--case", "C01", "--case", "C60", "--case", "C70", "--case", "C82")
        done = _run("--handpiece", unit["port"], *words)
    assert done.returncode == 0, done.stderr
    assert "2 passed, 0 failed, 2 not run" in done.stdout
    assert "needs a person" in done.stdout


def test_the_control_socket_of_a_served_simulator_is_a_hand(tmp_path: Path) -> None:
    control = tmp_path / "control"
    with served("--pty", str(tmp_path / "unit"), "--control", str(control)):
        port = str(tmp_path / "unit")
        done = _run("--handpiece", port, "--control", str(control), "--case", "C70", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["passed"]) == (0, 1), said


def test_a_unit_that_is_lost_leaves_the_other_cases_not_run(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    with served("--tcp", "127.0.0.1:0", "--hand", "absent") as unit:
        words = ("--handpiece", unit["port"], "--case", "C01", "--case", "C47", "--case", "C60")
        command = [*COMMAND, *words, "--junit", str(junit)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as kit:
            assert kit.stdout is not None
            assert b"C01 passed" in kit.stdout.readline()
            unit["process"].terminate()
            _, err = kit.communicate(timeout=RUN_MAX_S)
    assert kit.returncode == 3, err
    suite = ET.parse(junit).getroot()  # noqa: S314  our own run wrote it
    assert (suite.get("tests"), suite.get("skipped")) == ("3", "2")


def test_the_kit_runs_under_pytest_by_its_name(tmp_path: Path) -> None:
    words = ("-q", "-p", "no:cacheprovider", "-p", "qa.conformance.plugin", "--pyargs")
    chosen = ("qa.conformance", "--handpiece", "sim:", "-k", "C01 or C60")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "ignore", *words, *chosen],
        capture_output=True, text=True, timeout=RUN_MAX_S, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
