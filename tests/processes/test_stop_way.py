"""The way of STOP: it works where every other way to the kernel is blocked."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from controller.api.ask import dial
from controller.api.server import IDLE_MIN_S
from controller.api.stop_address import name_for, table
from controller.api.stop_call import call
from controller.config import paths
from qa.campaigns.stops.shots import NOBODY_UID, as_another, bare
from tests.processes.scenes import bring_to
from tests.processes.service import Kernel, Unit, corneum, kernel, unit
from tests.processes.side_by_side import side_by_side

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

SEEN_MAX_S = 5.0


@contextmanager
def treating(folder: Path) -> Iterator[tuple[Unit, Kernel, Path]]:
    """Bring a treatment to where crystals flow."""
    state = folder / "state"
    with unit(folder) as device, kernel(device, state) as host:
        bring_to("ACTIVE", device, host)
        yield device, host, state


def send(port: str, host: Kernel, *datagrams: bytes) -> None:
    """Send datagrams to the kernel's address for STOP."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        for datagram in datagrams:
            line.sendto(datagram, name_for(port, host.pid))


KindOf = Callable[[bytes], str]


def _kind_of_stop(said: bytes, folder: Path) -> str:
    with treating(folder) as (device, host, _):
        send(device.port, host, said)
        return str(device.witness.wait_for("stop", SEEN_MAX_S)["stop_kind"])


@pytest.fixture(scope="module")
def kind_of_stop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KindOf]:
    with side_by_side(request, "said", _kind_of_stop, tmp_path_factory) as played:
        yield played


@pytest.mark.hazard("H49", shows="works")
@pytest.mark.parametrize("said", [b"", b"\x00\xff" * 500, b"resume", b'{"do": "treat"}'])
def test_whatever_is_sent_to_the_address_is_a_stop(kind_of_stop: KindOf, said: bytes) -> None:
    assert kind_of_stop(said) == "NORMAL"


def test_the_word_emergency_vents_at_once(tmp_path: Path) -> None:
    with treating(tmp_path) as (device, host, _):
        send(device.port, host, b"emergency, please")
        assert device.witness.wait_for("stop", SEEN_MAX_S)["stop_kind"] == "EMERGENCY"


@pytest.mark.skipif(os.getuid() != 0, reason="another account needs root to be tried")
def test_another_account_without_home_and_state_folder_stops(tmp_path: Path) -> None:
    with treating(tmp_path) as (device, host, _):
        words = as_another("stop", "--port", device.port, "--json")
        done = subprocess.run(words, text=True, capture_output=True, check=False, env=bare())
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["kernels"][0]["pid"] == host.pid
        assert device.witness.wait_for("stop", SEEN_MAX_S)
        assert f"uid {NOBODY_UID}" in str(host.ask("status")["treatment"])


def test_a_kernel_among_seventy_leftovers_and_full_of_idle_clients_is_stopped(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    paths.run_dir(state).mkdir(parents=True)
    for number in range(70):
        port = f"/nowhere/{number}"
        said = {"pid": 4_194_304 + number, "port": port}
        paths.kernel_file(state, port).write_text(json.dumps(said))
    with treating(tmp_path) as (device, host, _), ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(dial(host.socket))
        done = corneum(state, "stop", "--port", device.port)
        assert (done.code, done.err) == (0, "")
        assert device.witness.wait_for("stop", SEEN_MAX_S)
        time.sleep(IDLE_MIN_S)
        assert corneum(state, "status").code == 0  # an idle client has made room


def test_a_frozen_kernel_of_another_port_delays_nothing_and_its_own_stop_says_so(
    tmp_path: Path,
) -> None:
    with (
        unit(tmp_path / "other") as other,
        kernel(other, tmp_path / "other" / "state") as frozen,
        treating(tmp_path / "mine") as (device, _, state),
    ):
        frozen.send(signal.SIGSTOP)
        began_s = time.monotonic()
        called = call(device.port, emergency=False)
        assert time.monotonic() - began_s < 0.5
        assert [(one.answered, one.linked) for one in called.answers] == [(True, True)]
        done = corneum(state, "stop", "--port", other.port)
        assert (done.code, done.out) == (3, "")
        assert "could not be reached" in done.err
        assert "No kernel" not in done.err
        frozen.send(signal.SIGCONT)
        assert other.witness.wait_for("stop", SEEN_MAX_S)  # the STOP has waited for it


def test_a_flood_of_stops_is_answered_and_leaves_few_rows(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with unit(tmp_path) as device, kernel(device, state) as host:
        before = host.ask("status")["record"]["rows"]
        end_s = time.monotonic() + 1.5
        sent = 0
        while time.monotonic() < end_s:
            send(device.port, host, b"stop")
            sent += 1
        assert call(device.port, emergency=False).answers[0].answered
    with closing(sqlite3.connect(paths.journal_path(state))) as record:  # all of it is written now
        ((rows,),) = record.execute("SELECT count(*) FROM journal").fetchall()
    assert sent > 50
    assert rows - before <= 12


def test_the_address_is_there_as_long_as_its_kernel_and_no_longer(tmp_path: Path) -> None:
    with unit(tmp_path) as device:
        with kernel(device, tmp_path / "state") as host:
            pid = host.pid
            assert pid in {address.pid for address in table().addresses}
            host.send(signal.SIGKILL)
            host.process.wait(10.0)
        assert pid not in {address.pid for address in table().addresses}
        assert corneum(tmp_path / "state", "stop", "--port", device.port).code == 1


def test_an_output_that_is_full_changes_neither_the_stop_nor_its_exit_code(tmp_path: Path) -> None:
    with treating(tmp_path) as (device, _, _), Path("/dev/full").open("w") as full:
        words = [str(Path(sys.executable).with_name("corneum")), "stop", "--port", device.port]
        code = subprocess.run(words, stdout=full, stderr=full, check=False).returncode
        assert code == 0
        assert device.witness.wait_for("stop", SEEN_MAX_S)


def test_a_mistake_on_the_command_line_stops_and_is_told_afterwards(tmp_path: Path) -> None:
    with unit(tmp_path) as device, kernel(device, tmp_path / "state"):
        wrong = ["--port", device.port, "--emergancy"]
        script = (
            "import sys; from controller.cli import stop; from controller.api import stop_call;"
            "stop.call = lambda port, emergency: print('sent to', port);"
            f"print(stop.run({wrong!r}))"
        )
        said = subprocess.run(
            [sys.executable, "-c", script], text=True, capture_output=True, check=True
        ).stdout
    assert said.splitlines() == ["sent to None", "None"]
