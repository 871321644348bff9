"""What is said about a port that does not open, to the letter, and what an open one is like."""

import asyncio
import errno
import os
import pty
import socket
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import serial
from serial.tools import list_ports

from controller.device import port as port_module
from controller.device.answers import PortError, PortTrouble
from controller.device.holders import Holder
from controller.device.port import RIVAL_CHECKS, OpenPort, open_in_thread, open_port
from firmware_protocol.address import TCP_FORM

URL = "tcp://unit:5000"
USE_IT = "end that program, or use the service that already runs on this port"
CHECK_UNIT = "check that the unit is on, then unplug it and plug it in again"
NO_PORTS = "plug the unit in and switch it on; this machine shows no serial port now"
ADDRESS = "tcp://HOST:PORT"


@pytest.fixture
def slave() -> Iterator[str]:
    master, slave = pty.openpty()
    path = os.ttyname(slave)
    os.close(slave)
    yield path
    os.close(master)


@pytest.fixture
def no_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", list)


def trouble(url: str) -> tuple[PortTrouble, str, str]:
    with pytest.raises(PortError) as caught:
        open_port(url)
    return caught.value.kind, caught.value.sentence, caught.value.next_step


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (
            TimeoutError("timed out"),
            (
                PortTrouble.TIMED_OUT,
                f"{URL} did not answer within 5 s",
                "check the address and the network",
            ),
        ),
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
            (
                PortTrouble.NOT_FOUND,
                f"nobody answers at {URL} (Connection refused)",
                "start the unit or the simulator, and check host and port number",
            ),
        ),
        (
            ConnectionRefusedError("refused by a proxy"),
            (
                PortTrouble.NOT_FOUND,
                f"nobody answers at {URL} (refused by a proxy)",
                "start the unit or the simulator, and check host and port number",
            ),
        ),
        (
            socket.gaierror(-2, "Name or service not known"),
            (
                PortTrouble.NOT_FOUND,
                "there is no computer called unit (Name or service not known)",
                "check how the name is written, or give its number",
            ),
        ),
        (
            OSError(errno.ENETUNREACH, "Network is unreachable"),
            (
                PortTrouble.UNREACHED,
                f"{URL} could not be reached (Network is unreachable)",
                "check the network and the address; whether a unit is there is not known",
            ),
        ),
    ],
)
def test_each_way_in_which_a_network_fails_has_its_sentence_and_step(
    failure: OSError, told: tuple[PortTrouble, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(address: tuple[str, int], *, timeout: float) -> None:
        assert (address, timeout) == (("unit", 5000), 5.0)
        raise failure

    monkeypatch.setattr(socket, "create_connection", fail)
    assert trouble(URL) == told


@pytest.mark.parametrize(
    ("url", "sentence", "step"),
    [
        (
            "ftp://there",
            "ftp://there is not a port: 'ftp' is not a known kind",
            "give the path of a serial port such as /dev/ttyUSB0, or tcp://HOST:PORT",
        ),
        *(
            (
                url,
                f"{url} is not an address",
                "write tcp://HOST:PORT, and a port number from 1 to 65535",
            )
            for url in ("tcp://host", "TCP://host:0", "tcp://tcp://host:5000")
        ),
    ],
)
def test_an_address_that_is_none_says_how_one_is_written(
    url: str, sentence: str, step: str
) -> None:
    assert trouble(url) == (PortTrouble.NOT_A_PORT, sentence, step.replace(ADDRESS, TCP_FORM))


@pytest.mark.usefixtures("no_ports")
def test_where_no_port_is_there_the_step_is_to_plug_the_unit_in(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    none, notes = "/dev/ttyNONE9", str(tmp_path / "notes.txt")
    assert trouble(none) == (
        PortTrouble.NOT_FOUND, f"there is no port {none}: no such device", NO_PORTS,
    )  # fmt: skip
    not_one = (PortTrouble.NOT_A_PORT, NO_PORTS)
    for path, kind in ((notes, "a file"), (str(tmp_path), "a folder")):
        said = trouble(path)
        assert said[1] == f"{path} is {kind}, not a serial port"
        assert (said[0], said[2]) == not_one
    said = trouble("/dev/null")
    assert said[1].startswith("/dev/null is not a serial port (")
    assert (said[0], said[2]) == not_one


def test_at_most_five_ports_are_offered_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [SimpleNamespace(device=f"/dev/ttyUSB{number}", hwid="x") for number in range(7, 0, -1)]
    monkeypatch.setattr(list_ports, "comports", lambda: there)
    assert trouble("/dev/ttyNONE9")[2] == "use one of the ports that are there: " + ", ".join(
        f"/dev/ttyUSB{number}" for number in range(1, 6)
    )


@pytest.mark.usefixtures("no_ports")
@pytest.mark.parametrize(
    ("number", "kind", "sentence", "step"),
    [
        (errno.EACCES, PortTrouble.DENIED, "{} may not be opened by this user", None),
        (errno.EPERM, PortTrouble.DENIED, "{} may not be opened by this user", None),
        (
            errno.EBUSY,
            PortTrouble.HELD,
            "{} is held by a process that this user cannot see",
            USE_IT,
        ),
        (errno.EIO, PortTrouble.NOT_FOUND, "there is no port {}: no such device", NO_PORTS),
        (
            errno.EINVAL,
            PortTrouble.NOT_A_PORT,
            "{} is not a serial port ([Errno 22] invalid)",
            NO_PORTS,
        ),
    ],
)
def test_each_failure_of_the_system_has_its_sentence_and_step(
    number: int, kind: PortTrouble, sentence: str, step: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "port"
    path.touch()
    error = port_module._explained(str(path), OSError(number, "invalid"))
    assert (error.kind, error.sentence) == (kind, sentence.format(path))
    group = path.group()
    assert error.next_step == (step or f"add the user to the group {group} and log in again")


def test_a_failure_that_pyserial_wraps_is_told_as_what_it_is() -> None:
    error = port_module._explained("/dev/null", serial.SerialException(errno.EACCES, "denied"))
    assert (error.kind, error.sentence) == (
        PortTrouble.DENIED,
        "/dev/null may not be opened by this user",
    )


@pytest.mark.usefixtures("no_ports")
def test_a_path_through_a_file_leads_to_no_port() -> None:
    path = "/dev/null/port"
    assert trouble(path) == (
        PortTrouble.NOT_FOUND, f"there is no port {path}: no such device", NO_PORTS,
    )  # fmt: skip


def test_a_port_that_went_away_has_no_group_to_name() -> None:
    error = port_module._explained("/dev/ttyNONE9", PermissionError(errno.EACCES, "denied"))
    assert error.next_step == "add the user to the group that owns the port and log in again"


@pytest.mark.realtime
def test_an_open_port_never_blocks_and_is_free_once_it_is_closed(slave: str) -> None:
    opened = open_port(slave)
    assert opened.name == slave
    assert not os.get_blocking(opened.fd)
    assert trouble(slave) == (
        PortTrouble.HELD, f"{slave} is held by this process ({os.getpid()})", USE_IT,
    )  # fmt: skip
    opened.close()
    open_port(slave).close()


@pytest.mark.realtime
def test_a_port_has_our_speed_eight_bits_and_one_stop_bit(slave: str) -> None:
    opened = open_port(slave)
    flags, speeds = termios.tcgetattr(opened.fd)[2], termios.tcgetattr(opened.fd)[4:6]
    opened.close()
    assert speeds == [termios.B115200, termios.B115200]
    assert flags & termios.CSIZE == termios.CS8
    assert not flags & (termios.CSTOPB | termios.PARENB | termios.CRTSCTS | termios.HUPCL)


@pytest.mark.realtime
def test_an_adapter_is_asked_to_answer_at_once(slave: str) -> None:
    asked: list[bool] = []
    fd = os.open(slave, os.O_RDWR | os.O_NOCTTY)
    port_module._settle_tty(SimpleNamespace(set_low_latency_mode=asked.append), fd)
    os.close(fd)
    assert asked == [True]


@pytest.mark.realtime
def test_a_port_that_fails_while_it_is_set_up_is_explained_and_free_again(
    slave: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:

        def fails(*_: object) -> None:
            raise termios.error(errno.EINVAL, "Invalid argument")

        patched.setattr(port_module, "_settle_tty", fails)
        assert trouble(slave)[1].startswith(f"{slave} is not a serial port (")
    open_port(slave).close()


@pytest.mark.parametrize("goes_after", range(1, RIVAL_CHECKS + 1))
def test_a_rival_that_goes_within_three_looks_is_none(
    goes_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    rival = (Holder(5, "minicom"),)

    def looked(_: str) -> tuple[Holder, ...]:
        nonlocal looks
        looks += 1
        return rival if looks <= goes_after else ()

    monkeypatch.setattr(port_module, "holders_of", looked)
    monkeypatch.setattr(port_module, "RIVAL_PAUSE_S", 0.0)
    assert port_module._rivals("/dev/a") == (rival if goes_after == RIVAL_CHECKS else ())
    assert looks == min(goes_after + 1, RIVAL_CHECKS)


# -- in the thread ---------------------------------------------------------------------------------
@pytest.mark.realtime
def test_a_fault_of_this_program_while_it_opens_is_told_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults: list[object] = []

    threads: list[threading.Thread] = []

    def broken(_: str) -> OpenPort:
        threads.append(threading.current_thread())
        raise ZeroDivisionError

    async def scenario() -> PortError:
        with pytest.raises(PortError) as caught:
            await open_in_thread("/dev/a")
        return caught.value

    monkeypatch.setattr(port_module, "open_port", broken)
    monkeypatch.setattr(threading, "excepthook", lambda args: faults.append(args.exc_type))
    error = asyncio.run(scenario())
    assert error.kind is PortTrouble.NOT_A_PORT
    assert error.sentence == "/dev/a cannot be opened: this program has a fault"
    assert error.next_step == CHECK_UNIT
    threads[0].join()
    assert faults == [ZeroDivisionError]


@pytest.mark.realtime
def test_a_try_that_hangs_keeps_no_process_alive_and_each_asker_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opens = threading.Event()

    def hangs(url: str) -> OpenPort:
        opens.wait()
        return OpenPort(url, -1, lambda: None)

    async def told(timeout_s: float) -> tuple[PortTrouble, str, str]:
        with pytest.raises(PortError) as caught:
            await open_in_thread("/dev/ttyHUNG", timeout_s)
        return caught.value.kind, caught.value.sentence, caught.value.next_step

    async def scenario() -> None:
        assert await told(0.005) == (
            PortTrouble.TIMED_OUT, "/dev/ttyHUNG did not open within 0.005 s", CHECK_UNIT,
        )  # fmt: skip
        (thread,) = [one for one in threading.enumerate() if one.name == "open /dev/ttyHUNG"]
        assert thread.daemon
        waiting = asyncio.create_task(open_in_thread("/dev/ttyHUNG"), name="waiting")
        await asyncio.sleep(0)
        assert await told(1.0) == (
            PortTrouble.HELD,
            f"/dev/ttyHUNG is being opened by this process ({os.getpid()})",
            USE_IT,
        )
        opens.set()
        assert (await waiting).name == "/dev/ttyHUNG"

    monkeypatch.setattr(port_module, "open_port", hangs)
    asyncio.run(scenario())
