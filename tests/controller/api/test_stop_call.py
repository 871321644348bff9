"""A STOP goes to every kernel in question at once, and to no other, whoever stands still."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from controller.api import stop_address, stop_call
from controller.api.stop_call import call

pytestmark = pytest.mark.realtime

SILENCE_S = 0.6
"""How long a kernel is waited for that stands still."""

FROZEN, ALIVE = "/dev/frozen", "/dev/alive"


class Heard(NamedTuple):
    """What came to the two kernels of a computer."""

    frozen: socket.socket
    """Nobody reads it while a call lasts."""
    alive_s: list[float]
    """When each STOP came to the one that answers."""


def _answer(line: socket.socket, heard_s: list[float]) -> None:
    while (asker := line.recvfrom(64)[1]) is not None:  # nobody: the test is over
        heard_s.append(time.monotonic())
        line.sendto(json.dumps({"state": "stopping", "link": "identified"}).encode(), asker)


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """Run a kernel that stands still and, after it in the table, one that answers."""
    # Names that no other kernel of this computer has, and that no other call looks for.
    monkeypatch.setattr(stop_address, "PREFIX", f"corneum/{tmp_path.name[-40:]}/")
    monkeypatch.setattr(stop_address, "SOCKETS", tmp_path / "sockets")
    monkeypatch.setattr(stop_call, "ANSWER_MAX_S", SILENCE_S)
    names = [stop_address.name_for(port, 1) for port in (FROZEN, ALIVE)]
    rows = [b"0: 2 0 0 0002 01 7 @" + name[1:] + b"\n" for name in names]
    (tmp_path / "sockets").write_bytes(b"".join(rows))
    heard_s: list[float] = []
    with _listening(names[0]) as frozen, _listening(names[1]) as alive:
        answering = threading.Thread(target=_answer, args=(alive, heard_s))
        answering.start()
        yield Heard(frozen, heard_s)
        alive.shutdown(socket.SHUT_RD)
        answering.join()


@contextmanager
def _listening(name: bytes) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(name)
        yield line


@pytest.mark.hazard("H49")
def test_a_kernel_that_stands_still_delays_the_stop_of_no_other(computer: Heard) -> None:
    began_s = time.monotonic()
    called = call(None, emergency=False)
    assert computer.alive_s[0] - began_s < SILENCE_S / 2
    assert [(one.port, one.answered) for one in called.answers] == [(FROZEN, False), (ALIVE, True)]


@pytest.mark.hazard("H49")
def test_a_stop_of_one_port_waits_for_no_kernel_of_another_and_stops_none(computer: Heard) -> None:
    called = call(ALIVE, emergency=False)
    assert [(one.port, one.answered) for one in called.answers] == [(ALIVE, True)]
    assert [one.port for one in called.others] == [FROZEN]
    with pytest.raises(BlockingIOError):
        computer.frozen.recv(64, socket.MSG_DONTWAIT)
