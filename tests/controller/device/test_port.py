"""What can be wrong with a port: one sentence, with the name of whoever is in the way."""

import asyncio
import errno
import os
import pty
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from controller.device import port as port_module
from controller.device.answers import PortError, PortTrouble
from controller.device.holders import Holder, _command, held_here, holders_of
from controller.device.port import OpenPort, open_in_thread, open_port

LOCKER = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
if sys.argv[2] == "locked":
    fcntl.flock(fd, fcntl.LOCK_EX)
print("ready", flush=True)
sys.stdin.read()
"""
MASTER = """
import os, pty, sys
master, slave = pty.openpty()
print(os.ttyname(slave), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def unit() -> Iterator[str]:
    """The path of a pty whose far end is another process, as with the simulator."""
    with subprocess.Popen(
        [sys.executable, "-c", MASTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def trouble(url: str) -> PortError:
    with pytest.raises(PortError) as caught:
        open_port(url)
    assert caught.value.next_step
    assert "\n" not in caught.value.sentence
    return caught.value


def test_a_port_that_does_not_exist_is_named() -> None:
    error = trouble("/dev/ttyNONE9")
    assert error.kind is PortTrouble.NOT_FOUND
    assert "/dev/ttyNONE9" in error.sentence


def test_ports_with_hardware_behind_them_are_offered_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = [
        SimpleNamespace(device=f"/dev/ttyUSB{number}", hwid="USB VID:PID=0403:6001")
        for number in (1, 0)
    ]
    bare = SimpleNamespace(device="/dev/ttyS0", hwid="n/a")
    monkeypatch.setattr(list_ports, "comports", lambda: [bare, *there])
    assert trouble("/dev/ttyNONE9").next_step.endswith(": /dev/ttyUSB0, /dev/ttyUSB1")
    monkeypatch.setattr(list_ports, "comports", lambda: [bare])
    assert "shows no serial port now" in trouble("/dev/ttyNONE9").next_step


def test_a_link_to_a_pty_that_has_gone_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "handpiece").symlink_to("/dev/pts/99999")
    assert trouble(str(tmp_path / "handpiece")).kind is PortTrouble.NOT_FOUND


def test_a_file_a_folder_and_a_device_that_is_no_port_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert "is a file" in trouble(str(tmp_path / "notes.txt")).sentence
    assert "is a folder" in trouble(str(tmp_path)).sentence
    error = trouble("/dev/null")
    assert error.kind is PortTrouble.NOT_A_PORT
    assert "/dev/null is not a serial port" in error.sentence


@pytest.mark.parametrize("url", ["ftp://there", "tcp://", "tcp://host", "tcp://host:99999"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    error = trouble(url)
    assert error.kind is PortTrouble.NOT_A_PORT
    assert url in error.sentence


def test_an_address_where_nobody_listens_is_not_found() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    error = trouble(url)
    assert error.kind is PortTrouble.NOT_FOUND
    assert url in error.sentence


@pytest.mark.parametrize("form", ["tcp://[::1]:{}", "socket://[::1]:{}", "tcp://::1:{}"])
def test_a_port_of_an_ipv6_host_is_opened(form: str) -> None:
    with socket.socket(socket.AF_INET6) as there:
        there.bind(("::1", 0))
        there.listen()
        port = open_port(form.format(there.getsockname()[1]))
        with there.accept()[0] as peer:
            os.write(port.fd, b"\x2a")
            assert peer.recv(1) == b"\x2a"
        port.close()


def test_a_network_that_cannot_be_reached_says_nothing_about_the_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures = iter(
        [OSError(errno.ENETUNREACH, "Network is unreachable"), socket.gaierror(-2, "?")]
    )

    def fail(*_: object, **__: object) -> None:
        raise next(failures)

    monkeypatch.setattr(socket, "create_connection", fail)
    error = trouble("tcp://unit:5000")
    assert error.kind is PortTrouble.UNREACHED
    assert "tcp://unit:5000 could not be reached (Network is unreachable)" in error.sentence
    assert "is not known" in error.next_step
    assert "there is no computer called unit" in trouble("tcp://unit:5000").sentence


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), PortTrouble.DENIED),
        (OSError(errno.EBUSY, "busy"), PortTrouble.HELD),
        (OSError(errno.EIO, "io"), PortTrouble.NOT_FOUND),
        (OSError(errno.EINVAL, "invalid"), PortTrouble.NOT_A_PORT),
        (termios.error(errno.EIO, "io"), PortTrouble.NOT_A_PORT),
    ],
)
def test_every_failure_of_the_system_is_one_sentence(failure: Exception, kind: PortTrouble) -> None:
    error = port_module._explained("/dev/null", failure)
    assert error.kind is kind
    assert "/dev/null" in error.sentence


@pytest.mark.realtime
@pytest.mark.hazard("H24")
@pytest.mark.parametrize("how", ["locked", "open"])
def test_a_port_that_another_process_holds_names_that_process(unit: str, how: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LOCKER, unit, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as rival:
        assert rival.stdout is not None
        assert rival.stdout.readline() == "ready\n"
        error = trouble(unit)
        rival.kill()
    assert error.kind is PortTrouble.HELD
    assert f"process {rival.pid} (" in error.sentence
    assert "python" in error.sentence


@pytest.mark.realtime
def test_the_unit_at_the_far_end_of_a_pty_is_no_rival(unit: str) -> None:
    opened = open_port(unit)
    assert holders_of(unit) == ()
    opened.close()


@pytest.mark.realtime
@pytest.mark.hazard("H24")
def test_a_port_is_not_opened_twice_by_one_process(unit: str) -> None:
    opened = open_port(unit)
    assert held_here(unit)
    error = trouble(unit)
    opened.close()
    assert error.kind is PortTrouble.HELD
    assert f"this process ({os.getpid()})" in error.sentence
    again = open_port(unit)
    again.close()


def test_a_holder_that_ended_meanwhile_is_still_a_sentence() -> None:
    gone = 2**22 + 1  # above the highest process number of Linux
    assert str(Holder(gone, _command(gone))) == f"process {gone} (ended meanwhile)"


@pytest.mark.realtime
def test_opening_that_takes_too_long_is_given_up_and_closed_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    release = os.pipe()

    def tell_closed() -> None:
        loops[0].call_soon_threadsafe(closed.set)

    def slow(url: str) -> OpenPort:
        os.read(release[0], 1)
        return OpenPort(url, -1, tell_closed)

    monkeypatch.setattr(port_module, "open_port", slow)

    async def scenario() -> None:
        loops.append(asyncio.get_running_loop())
        with pytest.raises(PortError) as caught:
            await open_in_thread("/dev/ttySLOW", timeout_s=0.02)
        assert caught.value.kind is PortTrouble.TIMED_OUT
        os.write(release[1], b"x")
        async with asyncio.timeout(5.0):
            await closed.wait()

    asyncio.run(scenario())
    for fd in release:
        os.close(fd)


@pytest.mark.realtime
def test_one_try_to_open_a_port_is_under_way_at_a_time_however_often_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opens = threading.Event()
    tries: list[str] = []

    def hangs(url: str) -> OpenPort:
        tries.append(url)
        opens.wait()
        return OpenPort(url, -1, lambda: None)

    async def given_up() -> str:
        with pytest.raises(PortError) as caught:
            await open_in_thread("/dev/ttyHUNG", timeout_s=0.005)
        assert caught.value.kind is PortTrouble.TIMED_OUT
        return caught.value.sentence

    async def scenario() -> None:
        said = [await given_up() for _ in range(5)]
        assert tries == ["/dev/ttyHUNG"]
        assert "did not open within" in said[0]
        assert set(said[1:]) == {said[1]}  # told once, not at every try
        assert "hangs" in said[1]
        waiting = asyncio.create_task(open_in_thread("/dev/ttyHUNG"), name="waiting")
        await asyncio.sleep(0)
        with pytest.raises(PortError, match="is being opened by this process"):
            await open_in_thread("/dev/ttyHUNG")
        opens.set()  # it opens after all, for whoever waits now
        assert (await waiting).name == "/dev/ttyHUNG"
        assert (await open_in_thread("/dev/ttyHUNG")).name == "/dev/ttyHUNG"
        assert len(tries) == 2

    monkeypatch.setattr(port_module, "open_port", hangs)
    asyncio.run(scenario())


@pytest.mark.realtime
def test_opening_in_the_thread_hands_over_ports_and_errors() -> None:
    master, slave = pty.openpty()

    async def scenario() -> None:
        opened = await open_in_thread(os.ttyname(slave))
        opened.close()
        with pytest.raises(PortError):
            await open_in_thread("/dev/ttyNONE9")

    asyncio.run(scenario())
    os.close(master)
    os.close(slave)
