"""The served handpiece: real processes, ptys, sockets and seconds."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from firmware_protocol.messages import (
    Ident,
    Message,
    Result,
    Telemetry,
    WitnessAsk,
    WitnessHead,
    WitnessKeep,
)
from qa.host import ScriptedHost, greeting
from simulator.ports import PortUnusableError, PtyPort
from tests.simulator.test_cli import run

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

READY_MAX_S = 15.0
END_MAX_S = 5.0


@contextmanager
def served(*arguments: str, stdin: int | None = None) -> Iterator[dict[str, Any]]:
    """Serve, and give what it said."""
    command = [sys.executable, "-m", "simulator.cli", "serve", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=stdin) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], READY_MAX_S)[0]
            said = json.loads(process.stdout.readline())
            yield said | {"process": process}
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(END_MAX_S)


class Talk(ScriptedHost):
    """Real bytes to a port."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self.fd = fd
        self.streaming = False
        self.heard: list[tuple[float, Telemetry]] = []

    def hello(self, nonce: int) -> Ident:
        """Open a session."""
        seq = self.request(greeting(nonce), time.monotonic())
        end_s = time.monotonic() + 5.0
        while seq not in self.replies and time.monotonic() < end_s:
            os.write(self.fd, self.write(time.monotonic()))
            self.read(0.02)
        ident = self.replies[seq]
        assert isinstance(ident, Ident)
        return ident

    def ask(self, message: Message) -> Message:
        """Return the answer to a one-shot of this session."""
        seq = self.request(message, time.monotonic())
        end_s = time.monotonic() + 5.0
        while seq not in self.replies and time.monotonic() < end_s:
            os.write(self.fd, self.write(time.monotonic()))
            self.read(0.02)
        return self.replies[seq]

    def read(self, seconds: float) -> None:
        """Listen for a while."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], left_s)[0]:
                break
            before = self.telemetry
            self.hear(os.read(self.fd, 4096), time.monotonic())
            if self.telemetry is not None and self.telemetry is not before:
                self.heard.append((time.monotonic(), self.telemetry))


@contextmanager
def opened(path: str) -> Iterator[Talk]:
    """Open a pty as a host does."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(fd)
        yield Talk(fd)
    finally:
        os.close(fd)


def test_real_bytes_on_a_pty_keep_real_time(tmp_path: Path) -> None:
    link, events = tmp_path / "unit", tmp_path / "events.jsonl"
    with served("--pty", str(link), "--seed", "7", "--events", str(events)) as said:
        assert said["ready"] is True
        assert said["port"] == str(link)
        assert said["pid"] == said["process"].pid
        with opened(str(link)) as talk:
            assert talk.hello(11).serial == said["serial_number"]
            talk.read(1.0)
            first, last = talk.heard[0], talk.heard[-1]
            device_s = (last[1].tick_ms - first[1].tick_ms) % 2**32 / 1000
            assert device_s == pytest.approx(last[0] - first[0], abs=0.05)
            assert len(talk.heard) == pytest.approx(50, abs=5)
    assert not link.exists()
    kinds = [json.loads(line)["kind"] for line in events.read_text("utf-8").splitlines()]
    assert kinds[0] == "boot"
    assert kinds[-1] == "end"
    assert "session" in kinds


@pytest.mark.hazard("H44")
def test_a_host_that_closes_the_port_is_no_stop_and_the_next_one_finds_the_same_boot(
    tmp_path: Path,
) -> None:
    link = tmp_path / "unit"
    with served("--pty", str(link)) as said:
        boots = set()
        for nonce in (1, 2, 3):
            with opened(str(link)) as talk:
                boots.add(talk.hello(nonce).boot_id)
        assert len(boots) == 1
        assert said["process"].poll() is None


def test_tcp_serves_one_host_at_a_time_and_a_taken_port_is_refused(tmp_path: Path) -> None:
    with served("--tcp", "127.0.0.1:0") as said:
        host, port = said["port"].removeprefix("tcp://").split(":")
        with socket.create_connection((host, int(port)), 5.0) as first:
            assert Talk(first.fileno()).hello(1).refusal == 0
            with socket.create_connection((host, int(port)), 5.0) as second:
                second.settimeout(5.0)
                assert _hung_up(second)
        exit_code, _, err = run("serve", "--tcp", f"{host}:{port}")
        assert exit_code == 3
        assert "cannot listen on" in err


def _hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_the_control_channel_of_a_running_simulator(tmp_path: Path) -> None:
    control = tmp_path / "control"
    control.touch()
    assert run("serve", "--control", str(control))[0] == 2
    control.unlink()
    with served("--control", str(control)):
        assert control.stat().st_mode & 0o777 == 0o600
        exit_code, out, _ = run("fault", "clog", "--control", str(control))
        assert (exit_code, out) == (0, "clog (H06) is active\n")
        exit_code, out, _ = run("fault", "clog", "--clear", "--json", "--control", str(control))
        assert json.loads(out)["active"] == []
        exit_code, _, err = run("fault", "rust", "--control", str(control))
        assert exit_code == 2
        assert "there is no fault 'rust'" in err
        exit_code, _, err = run("serve", "--control", str(control))
        assert exit_code == 3
        assert "another simulator serves" in err
        with socket.socket(socket.AF_UNIX) as rude:
            rude.connect(str(control))
            rude.sendall(b"x" * 10_000 + b"\n")
            rude.settimeout(5.0)
            with rude.makefile("rb") as answers:
                assert json.loads(answers.readline()) == {
                    "ok": False,
                    "error": "a request has at most 4096 bytes",
                }
                assert answers.read() == b""
    assert not control.exists()


def test_what_a_killed_run_left_behind_is_replaced(tmp_path: Path) -> None:
    link, control = tmp_path / "unit", tmp_path / "control"
    with served("--pty", str(link), "--control", str(control)) as said:
        said["process"].kill()
        said["process"].wait(END_MAX_S)
        assert link.is_symlink()
        assert control.is_socket()
        with served("--pty", str(link), "--control", str(control)) as again:
            assert again["ready"] is True


@pytest.mark.parametrize("halted", [False, True])
def test_a_link_a_control_socket_and_an_event_file_of_a_living_simulator_are_refused(
    tmp_path: Path,
    halted: bool,  # noqa: FBT001
) -> None:
    places = {"--pty": "unit", "--control": "control", "--events": "events"}
    mine = [word for option, name in places.items() for word in (option, str(tmp_path / name))]
    with served(*mine) as said:
        leads_to = (tmp_path / "unit").readlink()
        if halted:  # frozen, it lives as well
            said["process"].send_signal(signal.SIGSTOP)
        for option, name in places.items():
            exit_code, _, err = run("serve", option, str(tmp_path / name))
            assert exit_code == 3
            assert "another simulator" in err
            assert str(tmp_path / name) in err
            assert f"pid {said['pid']}" in err or option == "--events"
        said["process"].send_signal(signal.SIGCONT)
        assert (tmp_path / "unit").readlink() == leads_to
        assert "boot" in (tmp_path / "events").read_text("utf-8")
        with opened(str(tmp_path / "unit")) as talk:
            assert talk.hello(1).refusal == 0
    assert [path.name for path in tmp_path.iterdir()] == ["events"]


def test_at_its_end_a_simulator_removes_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    link, control = tmp_path / "unit", tmp_path / "control"
    with served("--pty", str(link), "--control", str(control)):
        link.unlink()
        link.symlink_to("/dev/null")
        control.unlink()
        control.write_text("somebody's", "utf-8")
    assert link.readlink() == Path("/dev/null")
    assert control.read_text("utf-8") == "somebody's"


def test_of_many_that_begin_at_once_one_has_the_link(tmp_path: Path) -> None:
    link = tmp_path / "unit"
    for _ in range(20):
        link.symlink_to("/dev/pts/4000000")  # of a run that was killed
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: _port_or_none(link), range(4)))
        (winner,) = [port for port in made if port is not None]
        assert link.readlink() == winner._path
        winner.close()
        assert list(tmp_path.iterdir()) == []


def _port_or_none(link: Path) -> PtyPort | None:
    try:
        return PtyPort(link)
    except PortUnusableError:
        return None


def test_a_link_to_a_pty_of_another_program_is_not_taken(tmp_path: Path) -> None:
    master, slave = os.openpty()
    link = tmp_path / "unit"
    link.symlink_to(os.ttyname(slave))
    exit_code, _, err = run("serve", "--pty", str(link))
    os.close(master)
    os.close(slave)
    assert exit_code == 2
    assert "which another program has" in err
    assert link.is_symlink()


def test_it_ends_with_its_standard_input(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    with served("--while-stdin", "--pty", str(tmp_path / "unit"), stdin=read_end) as said:
        os.close(read_end)
        os.write(write_end, b"still here\n")
        os.close(write_end)
        assert said["process"].wait(END_MAX_S) == 0
    with served("--while-stdin", stdin=subprocess.DEVNULL) as said:
        assert said["ready"] is False
        assert said["process"].wait(END_MAX_S) == 2


def test_it_says_in_words_where_it_is() -> None:
    command = [sys.executable, "-m", "simulator.cli", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        sentence = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(END_MAX_S) == 0
    assert sentence.startswith("Simulated handpiece 1001 on /dev/pts/")


@pytest.mark.hazard("H58")
def test_the_end_of_a_record_outlives_a_simulator_that_is_started_again(tmp_path: Path) -> None:
    link, memory = tmp_path / "unit", tmp_path / "unit.json"
    where = ("--pty", str(link), "--memory", str(memory))
    with served(*where), opened(str(link)) as talk:
        talk.hello(1)
        kept = talk.ask(WitnessKeep(1, 2, 57, 3, 4, 5, 0))
        assert isinstance(kept, Result)
        assert kept.outcome == 0
        second, _, _ = run("serve", *where[2:], "--pty", str(tmp_path / "other"))
        assert second == 2
    with served(*where), opened(str(link)) as talk:
        talk.hello(2)
        said = talk.ask(WitnessAsk(1, 2))
        assert isinstance(said, WitnessHead)
        assert said[1:] == (57, 3, 4, 5, 0, 1)
