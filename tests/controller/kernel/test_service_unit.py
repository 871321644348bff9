"""The service file of the kernel: systemd reads it, and it grants what the kernel asks for."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from controller.config.locate import shipped_configs
from controller.device.precedence import NICE, PRIORITY, RUN_HARD_S

FILE = shipped_configs() / "deploy" / "corneum-kernel@.service"
INSTANCE = "corneum-kernel@dev-ttyUSB0.service"
VERIFY_MAX_S = 60.0
ANALYZE = shutil.which("systemd-analyze")


def service() -> "configparser.SectionProxy":
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have cases
    parser.read_string(FILE.read_text())
    return parser["Service"]


def test_it_grants_what_the_kernel_asks_for_and_bounds_it() -> None:
    granted = service()
    assert int(granted["LimitRTPRIO"]) >= PRIORITY
    assert int(granted["LimitNICE"]) <= NICE
    assert granted["LimitMEMLOCK"] == "infinity"
    assert int(granted["LimitRTTIME"]) == RUN_HARD_S * 1e6
    assert -1000 < int(granted["OOMScoreAdjust"]) < 0


def test_it_does_not_put_the_priority_on_before_the_kernel_has_bounded_itself() -> None:
    granted = service()
    assert "CPUSchedulingPolicy" not in granted  # a start reads the record, and must not go first
    assert "Nice" not in granted


@pytest.mark.realtime
@pytest.mark.skipif(ANALYZE is None, reason="there is no systemd here")
def test_systemd_finds_nothing_to_say_about_it(tmp_path: Path) -> None:
    said = verified(FILE.read_text(), tmp_path)
    assert said == ""


@pytest.mark.realtime
@pytest.mark.skipif(ANALYZE is None, reason="there is no systemd here")
def test_a_key_that_systemd_does_not_know_would_be_found(tmp_path: Path) -> None:
    text = FILE.read_text().replace("LimitRTPRIO", "LimitRTPRI0")
    assert "LimitRTPRI0" in verified(text, tmp_path)


def verified(text: str, folder: Path) -> str:
    """Return what systemd says of the unit; its exit code is 0 also for a key that is unknown."""
    path = folder / INSTANCE
    path.write_text(text.replace("/usr/bin/python3", sys.executable))
    done = subprocess.run(
        [str(ANALYZE), "verify", str(path)],
        capture_output=True, text=True, timeout=VERIFY_MAX_S, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if INSTANCE in line]
    return "\n".join(ours) if done.returncode == 0 else done.stderr
