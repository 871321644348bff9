"""Bad input is answered in one sentence with the right exit code, and it moves nothing.

Through the real commands, on real processes; the device's own event file says that nothing moved.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.config.locate import shipped_configs
from tests.processes import disks, peers
from tests.processes.scenes import bring_to
from tests.processes.service import (
    Done,
    Kernel,
    Unit,
    corneum,
    end,
    first_line,
    kernel,
    started,
    unit,
)

pytestmark = pytest.mark.realtime

REFUSED, USAGE, PORT = 1, 2, 3
SENTENCE_MAX = 400  # characters: what a person reads at a glance, with the next step
PATCH_TEST = ("treat", "patch-test", "--client", "demo")


def _assert_answered(done: Done, code: int, *words: str) -> None:
    """One line on standard error with these words, and nothing else."""
    assert done.code == code, done
    assert done.out == ""
    (line,) = done.err.splitlines()
    # Where this machine keeps its temporary files is no part of the sentence.
    assert len(re.sub(r"/\S*/configs", "configs", line)) <= SENTENCE_MAX
    assert line.endswith(".")
    assert "Traceback" not in line
    for word in words:
        assert word in line


def _assert_nothing_moved(device: Unit) -> None:
    witness = device.witness
    assert witness.modes() == ["DISARMED"]
    assert witness.events("valve") == []
    assert witness.events("lease") == []


# -- what a person asks a running kernel for -------------------------------------------------------
@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a configuration in which some programs cannot be used."""
    folder = tmp_path_factory.mktemp("configs") / "configs"
    shutil.copytree(shipped_configs(), folder)
    programs = folder / "programs"
    good = (programs / "patch-test.toml").read_text()
    edits: dict[str, Callable[[str], str]] = {
        "half": lambda text: text.replace("passes = 1", "passes = = 1"),
        "unit": lambda text: re.sub(r"suction_kpa = [\d.]+", "suction_mmhg = 112.0", text),
        "endless": lambda text: re.sub(r"flow_g_per_min = [\d.]+", "flow_g_per_min = inf", text),
        "hot": lambda text: re.sub(r"suction_kpa = [\d.]+", "suction_kpa = 60.0", text),
    }
    for name, edit in edits.items():
        text = edit(good).replace('name = "patch-test"', f'name = "{name}"')
        (programs / f"{name}.toml").write_text(text)
    raised = (
        (programs / "refresh.toml").read_text().replace("suction_kpa = 28.0", "suction_kpa = 29.0")
    )
    (programs / "refresh.toml").write_text(raised)
    return folder


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    with unit(tmp_path_factory.mktemp("unit"), hand="average") as switched_on:
        yield switched_on


@pytest.fixture(scope="module")
def host(device: Unit, state: Path, configs: Path) -> Iterator[Kernel]:
    with kernel(device, state, "--configs", str(configs)) as running:
        yield running


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("treat refrsh --client demo", REFUSED, "did you mean refresh?"),
        ("treat patch-test --client nobody", REFUSED, "no client 'nobody'"),
        ("treat patch-test --client demo --zones eyelid", REFUSED, "eyelid"),
        ("treat patch-test --client demo --suction-kpa 60", REFUSED, "may only lower"),
        ("treat patch-test --client demo --suction-kpa 2", REFUSED, "2 kPa"),
        ("treat patch-test --client demo --suction-kpa nan", REFUSED, "finite"),
        ("treat patch-test --client demo --flow-g-per-min inf", REFUSED, "finite"),
        ("treat patch-test --client demo --flow-g-per-min -1", REFUSED, "above 0"),
        ("treat patch-test --client demo --resume", REFUSED, "to go on with"),
        ("treat half --client demo", REFUSED, "passes = = 1 cannot be read"),
        ("treat unit --client demo", REFUSED, "suction_mmhg"),
        ("treat endless --client demo", REFUSED, "flow_g_per_min"),
        ("treat hot --client demo", REFUSED, "suction_kpa"),
        ("treat refresh --client demo", REFUSED, "28 kPa"),
    ],
)
@pytest.mark.hazard("H39", "H19", shows="works")
def test_a_wish_that_cannot_be_is_one_sentence(
    words: str, code: int, said: str, device: Unit, host: Kernel, state: Path
) -> None:
    _assert_answered(corneum(state, *words.split(), "--port", device.port), code, said)
    assert host.state() == "idle"
    _assert_nothing_moved(device)


def test_a_refused_wish_is_one_object_for_a_script(device: Unit, host: Kernel, state: Path) -> None:
    done = corneum(state, "treat", "refrsh", "--client", "demo", "--port", device.port, "--json")
    assert done.code == REFUSED
    assert done.said["outcome"] == "refused"
    assert done.said["error"]["sentence"] in done.err
    assert host.state() == "idle"


@pytest.mark.hazard("H24", shows="works")
def test_a_second_kernel_on_the_same_port_is_refused_with_the_number_of_the_first(
    device: Unit, host: Kernel, state: Path
) -> None:
    words = ["--port", device.port, "--state", str(state)]
    with started([sys.executable, "-m", "controller.kernel", *words]) as second:
        said = first_line(second)
        assert second.wait() == PORT
    assert said["ready"] is False
    assert f"process {host.pid}" in said["error"]["sentence"]
    assert host.state() == "idle"
    _assert_nothing_moved(device)


@pytest.mark.hazard("H24", shows="works")
def test_a_second_kernel_on_the_same_unit_is_refused_with_the_number_of_the_first(
    host: Kernel, state: Path, tmp_path: Path
) -> None:
    with unit(tmp_path) as same_number:
        done = corneum(state, *PATCH_TEST, "--port", same_number.port)
        _assert_answered(done, PORT, "Unit 1001", f"process {host.pid}")
        _assert_nothing_moved(same_number)


@pytest.mark.hazard("H24", shows="works")
def test_a_kernel_with_another_record_is_refused_the_port_of_the_first(
    device: Unit, host: Kernel, tmp_path: Path
) -> None:
    done = corneum(tmp_path, *PATCH_TEST, "--port", device.port)
    _assert_answered(done, PORT, device.port, f"process {host.pid}")
    assert host.state() == "idle"
    _assert_nothing_moved(device)


def test_a_file_that_does_not_parse_is_named_with_its_line(configs: Path, tmp_path: Path) -> None:
    done = corneum(tmp_path, "config", "check", str(configs / "programs" / "half.toml"))
    assert done.code == REFUSED
    assert done.out.startswith(f"{configs}/programs/half.toml, line 16, passes = = 1 cannot be")
    assert done.err == ""


# -- ports -----------------------------------------------------------------------------------------
def test_a_port_that_does_not_exist_is_named(tmp_path: Path) -> None:
    _assert_answered(
        corneum(tmp_path, *PATCH_TEST, "--port", "/dev/ttyNONE7"), PORT, "/dev/ttyNONE7", "no port"
    )


def test_a_port_that_is_no_port_is_named(tmp_path: Path) -> None:
    _assert_answered(corneum(tmp_path, *PATCH_TEST, "--port", "http://unit"), PORT, "'http'")
    _assert_answered(corneum(tmp_path, *PATCH_TEST, "--port", str(tmp_path)), PORT, "is a folder")


HOLDS_WITHOUT_A_LOCK = "import os, sys; f = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)"
HOLDS_WITH_A_LOCK = "import serial, sys; f = serial.Serial(sys.argv[1], exclusive=True)"
AND_WAITS = "; print('{}', flush=True); sys.stdin.read()"


@pytest.mark.hazard("H24", shows="works")
@pytest.mark.parametrize("holds", [HOLDS_WITHOUT_A_LOCK, HOLDS_WITH_A_LOCK])
def test_a_port_that_somebody_holds_is_refused_with_the_process(holds: str, tmp_path: Path) -> None:
    with unit(tmp_path, hand="average") as device:
        words = [sys.executable, "-c", holds + AND_WAITS, device.port]
        with started(words, stdin=subprocess.PIPE) as holder:
            first_line(holder)
            done = corneum(tmp_path, *PATCH_TEST, "--port", device.port)
            _assert_answered(done, PORT, device.port, f"process {holder.pid}")
        _assert_nothing_moved(device)
        assert device.witness.events("session") == []


@pytest.mark.hazard("H33", shows="works")
def test_another_protocol_and_another_version_are_told_apart(tmp_path: Path) -> None:
    with peers.stranger(peers.smtp) as port:
        _assert_answered(corneum(tmp_path, *PATCH_TEST, "--port", port), PORT, "HELLO")
    with peers.stranger(peers.another_version) as port:
        done = corneum(tmp_path, *PATCH_TEST, "--port", port)
        _assert_answered(done, PORT, f"unit {peers.SERIAL}", f"{peers.OTHER_SCHEMA:08x}")


# -- records ---------------------------------------------------------------------------------------
@pytest.mark.hazard("H40", shows="works")
def test_without_room_for_the_record_nothing_starts(device: Unit, tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk") as state:
        done = corneum(state, *PATCH_TEST, "--port", device.port)
        _assert_answered(done, REFUSED, str(state), "MB free")
    _assert_nothing_moved(device)


@pytest.mark.hazard("H40", shows="works")
def test_without_a_folder_for_the_record_nothing_starts(device: Unit, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    inside = tmp_path / "file" / "state"
    done = corneum(inside, *PATCH_TEST, "--port", device.port)
    _assert_answered(done, REFUSED, str(inside), "cannot be written")
    with disks.read_only(tmp_path / "disk") as state:
        done = corneum(state, *PATCH_TEST, "--port", device.port)
        _assert_answered(done, REFUSED, str(state), "read-only")
    _assert_nothing_moved(device)


@pytest.mark.hazard("H40", shows="works")
def test_a_disk_that_fills_up_in_mid_treatment_ends_it_in_order(tmp_path: Path) -> None:
    with unit(tmp_path) as device, kernel(device, tmp_path / "state") as host:
        bring_to("ACTIVE", device, host)
        full_s = device.now_s
        disks.fill_up(host.pid)
        witness = device.witness
        stopped = witness.wait_for("stop", 5.0, full_s, stop_kind="NORMAL")
        witness.wait_for("mode", 10.0, full_s, mode="DISARMED")
        assert stopped["t_s"] - full_s <= 2.0  # a row of exposure each half second, and its group
        assert witness.openings(witness.shut_s(stopped["t_s"])) == []
        assert witness.events("trip") == []
        alarms = host.ask("status")["alarms"]
        assert any("journal" in alarm["sentence"] for alarm in alarms)
        end(host.process)
        assert host.process.returncode == 0
