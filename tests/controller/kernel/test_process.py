"""The kernel as a real process: ready, small, alone on its unit, and nothing lost by kill -9."""

import contextlib
import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from controller.api.ask import KernelAbsentError, ask, dial
from controller.config.paths import journal_path, kernel_file, port_lock, socket_path
from controller.record.verify import verify
from controller.treatment.kinds import Kind
from tests.processes.service import (
    SOMEBODY,
    Kernel,
    Unit,
    kernel,
    unit,
)

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

READY_MAX_S = 2.0
LOOK_S = 0.02
MEMORY_MAX_KB = 60_000
BUSY_FACTOR = 3.0  # the machine also runs the other tests


def wait_until(holds: Callable[[], bool], what: str, within_s: float = 15.0) -> None:
    """Wait in real time until ``holds()`` is true."""
    end_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end_s, f"not within {within_s} s: {what}"
        time.sleep(LOOK_S)


@contextmanager
def both(folder: Path, *words: str, hand: str = "average") -> Iterator[tuple[Unit, Kernel, Path]]:
    """Switch a unit on and start its kernel."""
    state = folder / "state"
    with unit(folder, hand=hand) as device, kernel(device, state, *words) as host:
        yield device, host, state


def rows(state: Path) -> list[tuple[int, str]]:
    """Read the journal beside the kernel."""
    with closing(sqlite3.connect(f"file:{journal_path(state)}?mode=ro", uri=True)) as connection:
        return list(connection.execute("SELECT treatment, kind FROM journal ORDER BY id"))


def test_it_is_ready_soon_small_and_gone_without_a_trace(tmp_path: Path) -> None:
    with unit(tmp_path, hand="absent") as device:
        state, began_s = tmp_path / "state", time.monotonic()
        with kernel(device, state) as host:
            ready_s = time.monotonic() - began_s
            status = Path(f"/proc/{host.pid}/status").read_text().splitlines()
            (memory,) = (int(line.split()[1]) for line in status if line.startswith("VmRSS"))
            snapshot = host.ask("status")
            mode = host.socket.stat().st_mode & 0o777
            said = json.loads(kernel_file(state, device.port).read_text())
            host.send(signal.SIGTERM)
            assert host.process.wait(10.0) == 0
        left = {path.name for path in (state / "run").iterdir()}
    assert ready_s < READY_MAX_S * BUSY_FACTOR
    assert memory <= MEMORY_MAX_KB
    assert (snapshot["state"], snapshot["unit"]["serial"]) == ("idle", 1001)
    assert mode == 0o600
    assert said["pid"] == host.pid
    assert not [name for name in left if name.endswith((".sock", ".json"))]


@pytest.mark.hazard("H12")
def test_what_a_killed_kernel_leaves_behind_stops_nobody(tmp_path: Path) -> None:
    with unit(tmp_path, hand="absent") as device:
        state = tmp_path / "state"
        with kernel(device, state) as host:
            host.send(signal.SIGKILL)
            host.process.wait(10.0)
        assert socket_path(state, device.port).exists()
        assert kernel_file(state, device.port).exists()
        assert port_lock(state, device.port).read_text() == str(host.pid)
        with pytest.raises(KernelAbsentError):
            ask(host.socket, "status")
        with kernel(device, state) as again:
            assert again.ask("status")["kernel"]["pid"] == again.pid
            assert port_lock(state, device.port).read_text() == str(again.pid)


TECHNICIAN = {"name": "tom", "role": "technician", "origin": "local"}
CLOCK_HOLDS = {"subject": "clock", "reason": "looked at"}
"""A decision that may be written down at any time."""


@pytest.mark.hazard("H12")
def test_every_answered_commit_survives_a_kill_9_in_the_middle_of_the_next(tmp_path: Path) -> None:
    with unit(tmp_path, hand="absent") as device:
        state, answered = tmp_path / "state", 0
        for killed_after_ms in (0, 3, 20, 200):
            with kernel(device, state) as host, closing(dial(host.socket)) as line:
                asked = {"id": 1, "do": "accept", "who": TECHNICIAN, "args": CLOCK_HOLDS}
                request = json.dumps(asked).encode()
                line.sendall((request + b"\n") * 8)
                time.sleep(killed_after_ms / 1000)
                host.send(signal.SIGKILL)
                host.process.wait(10.0)
                with line.makefile("rb") as answers, contextlib.suppress(ConnectionError):
                    answered += sum(json.loads(answer)["ok"] for answer in answers)
            assert [kind for _, kind in rows(state)].count(Kind.DECISION) >= answered
        assert answered > 0
        assert verify(journal_path(state)).ok


def test_a_commit_is_answered_within_a_few_milliseconds(tmp_path: Path) -> None:
    with both(tmp_path, hand="absent") as (_, host, _):
        took_s = []
        for _ in range(50):
            began_s = time.monotonic()
            host.ask("accept", TECHNICIAN, **CLOCK_HOLDS)
            took_s.append(time.monotonic() - began_s)
    assert sorted(took_s)[25] < 0.05  # 1 to 3 ms on an idle machine; a person notices 100


def test_a_shutdown_ends_the_treatment_in_order_and_then_the_process(tmp_path: Path) -> None:
    with both(tmp_path) as (device, host, state):
        host.ask("treat", program="refresh", client="demo")
        wait_until(lambda: host.state() == "active", "the treatment is active")
        host.ask("shutdown")
        assert host.process.wait(10.0) == 0
        assert (1, "ended") in rows(state)
        wait_until(lambda: device.do("state")["mode"].lower() == "disarmed", "disarmed", 3.0)


@pytest.mark.parametrize("option", ["--until-idle", "--once"])
def test_a_kernel_that_was_started_for_a_treatment_ends_when_nobody_is_connected(
    option: str, tmp_path: Path
) -> None:
    with both(tmp_path, option) as (_, host, state):
        ask(host.socket, "stop")  # a client that came and went: no reason to wait for another
        assert host.process.wait(10.0) == 0
        assert not socket_path(state, "x").exists()


def test_a_stop_needs_no_name_and_no_role(tmp_path: Path) -> None:
    with both(tmp_path) as (_, host, _):
        host.ask("treat", program="refresh", client="demo")
        wait_until(lambda: host.state() == "active", "the treatment is active")
        answer = ask(host.socket, "stop", {"emergency": True}, {})
        assert answer["ok"] is True
        wait_until(lambda: host.ask("status")["treatment"]["outcome"] == "stopped", "stopped", 8.0)
        assert SOMEBODY["name"] not in json.dumps(answer)
