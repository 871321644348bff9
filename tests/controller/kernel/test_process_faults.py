"""A kernel that cannot start, or cannot go on, says why in one line and one sentence."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from controller.api.fault_files import FOLDER
from controller.config.paths import run_dir
from tests.processes.service import unit

pytestmark = pytest.mark.realtime

RUN_MAX_S = 60.0  # a busy machine
NOBODY_UID = 65_534
REFUSED, USAGE, PORT, FAULT = 1, 2, 3, 70
KERNEL = (sys.executable, "-m", "controller.kernel")


def _ran(call: Sequence[str], **more: str) -> tuple[int, dict[str, Any], str]:
    """Run a kernel to its end; returns its exit code, its last line and its only sentence."""
    done = subprocess.run(
        call, capture_output=True, text=True, timeout=RUN_MAX_S, check=False,
        env={**os.environ, **more},
    )  # fmt: skip
    (sentence,) = done.stderr.splitlines()
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert said["ready"] is False
    assert f"{said['error']['sentence']} {said['error']['next_step']}" == sentence
    return done.returncode, said["error"], sentence


def _broken(name: str, *words: str) -> tuple[str, ...]:
    """Return the call of a kernel in whose process something nobody foresaw is raised."""
    script = (
        "import sys, controller.kernel.process as process\n"
        "def broken(*_): raise KeyError('of anna-b')\n"
        f"process.{name} = broken\n"
        "sys.exit(process.main(sys.argv[1:]))"
    )
    return (sys.executable, "-c", script, *words)


@pytest.mark.hazard("H40")
def test_where_a_file_lies_in_place_of_the_locks_it_is_named(tmp_path: Path) -> None:
    run_dir(tmp_path).touch()
    code, error, _ = _ran([*KERNEL, "--port", "/dev/null", "--state", str(tmp_path)])
    assert (code, error["code"]) == (REFUSED, "record")
    assert str(run_dir(tmp_path)) in error["sentence"]
    assert "move it away" in error["next_step"]


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs two accounts"
)
@pytest.mark.hazard("H40")
def test_locks_of_another_account_are_told_with_whose_they_are_and_the_way_back(
    tmp_path: Path,
) -> None:
    run_dir(tmp_path).mkdir()
    os.chown(run_dir(tmp_path), NOBODY_UID, NOBODY_UID)
    ordinary = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")  # root as any other account
    code, error, _ = _ran([*ordinary, *KERNEL, "--port", "/dev/null", "--state", str(tmp_path)])
    assert (code, error["code"]) == (REFUSED, "record")
    assert f"{run_dir(tmp_path)}" in error["sentence"]
    assert "belongs to nobody" in error["next_step"]
    assert f"sudo chown -R root {tmp_path}" in error["next_step"]


def test_an_account_without_a_home_is_told_the_variable(tmp_path: Path) -> None:
    script = (
        "import pwd, sys\n"
        "def none(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = none\n"
        "from controller.kernel.process import main\n"
        "sys.exit(main(['--port', '/dev/null']))"
    )
    without = ["env", "-u", "HOME", "-u", "XDG_STATE_HOME", "-u", "CORNEUM_STATE"]
    code, _, sentence = _ran([*without, sys.executable, "-c", script])
    assert code == PORT
    assert "CORNEUM_STATE" in sentence


def test_a_wrong_command_line_is_a_usage_error() -> None:
    code, error, _ = _ran([*KERNEL, "--state", "x"])
    assert (code, error["code"]) == (USAGE, "usage")
    assert "--port" in error["sentence"]


@pytest.mark.hazard("H12")
def test_a_fault_as_it_starts_is_called_our_own_and_leaves_a_file(tmp_path: Path) -> None:
    call = _broken("claimed_port", "--port", "/dev/null", "--state", str(tmp_path))
    code, error, sentence = _ran(call)
    (left,) = (tmp_path / FOLDER).iterdir()
    assert (code, error["code"]) == (FAULT, "fault")
    assert "a fault of the kernel itself and no mistake of yours: KeyError" in sentence
    assert str(left) in sentence
    assert "anna" not in sentence + left.read_text()


@pytest.mark.hazard("H12")
def test_a_fault_once_it_has_a_line_ends_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with unit(tmp_path) as device:
        call = _broken("sweep", "--port", device.port, "--state", str(state))
        code, error, _ = _ran(call)
        assert device.witness.events("valve") == []
    assert (code, error["code"]) == (FAULT, "fault")
    assert len(list((state / FOLDER).iterdir())) == 1
    left = {path.name for path in run_dir(state).iterdir()}
    assert not [name for name in left if name.endswith((".sock", ".json"))]


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&- <&-", ">/dev/full"])
def test_outputs_that_cannot_be_written_change_no_exit_code(closed: str, tmp_path: Path) -> None:
    words = " ".join([*KERNEL, "--port", "/dev/null", "--state", str(tmp_path)])
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {words} {closed}"],
        stderr=subprocess.PIPE,
        timeout=RUN_MAX_S,
        check=False,
    )
    assert done.returncode == PORT
    assert b"Traceback" not in done.stderr
