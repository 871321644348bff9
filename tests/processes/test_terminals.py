"""The live view on a real terminal: its keys, its flow control, its job control."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes.service import Kernel, command, kernel, unit

pytestmark = [pytest.mark.realtime, pytest.mark.alone]

HALT, GO_ON, INTERRUPT, SUSPEND = b"\x13", b"\x11", b"\x03", b"\x1a"
SEEN_MAX_S = 10.0
CHUNK_BYTES = 65_536
AS_A_SHELL = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """The other side of a pty on which a command runs in the foreground."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def until(self, words: bytes, max_s: float = SEEN_MAX_S) -> bytes:
        """Read until ``words`` are shown, and return what was."""
        shown, end_s = b"", time.monotonic() + max_s
        while words not in shown:
            assert time.monotonic() < end_s, shown[-2000:]
            shown += self.read(0.1)
        return shown

    def read(self, wait_s: float) -> bytes:
        """Read what comes within ``wait_s``."""
        if not select.select([self._master], [], [], wait_s)[0]:
            return b""
        with contextlib.suppress(OSError):  # the other side has ended
            return os.read(self._master, CHUNK_BYTES)
        return b""

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """Let go of it, once."""
        if self._master >= 0:
            self.hang_up()


@contextmanager
def terminal(state: Path, *words: str) -> Iterator[Terminal]:
    """Run a command of ours on a terminal of its own."""
    master, slave = os.openpty()
    environment = {**os.environ, "CORNEUM_STATE": str(state), "TERM": "xterm", "COLUMNS": "100"}
    call = [sys.executable, "-c", AS_A_SHELL, command("corneum"), *words]
    with subprocess.Popen(
        call, stdin=slave, stdout=slave, stderr=slave, env=environment
    ) as process:
        os.close(slave)
        made = Terminal(process, master)
        try:
            yield made
        finally:
            made.close()
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(SEEN_MAX_S)


def until_state(host: Kernel, state: str, *, gone: bool | None = None) -> None:
    """Wait until the kernel says so, and whether the leading screen is gone."""
    end_s = time.monotonic() + SEEN_MAX_S
    while True:
        said = host.ask("status")
        if said["state"] == state and gone in {None, said["lead"]["gone"]}:
            return
        assert time.monotonic() < end_s, (said["state"], said["lead"], said["alarms"])
        time.sleep(0.05)


@pytest.mark.hazard("H57", shows="works")
def test_a_watching_terminal_pauses_takes_the_lead_and_loses_it_when_it_is_halted(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    with unit(tmp_path, hand="average") as device, kernel(device, state) as host:
        host.ask("treat", program="refresh", client="demo", zones=["chin"])
        until_state(host, "active")
        with terminal(state, "watch") as screen:
            screen.until(b"treating")
            screen.type(b"p")
            until_state(host, "paused", gone=False)
            screen.until(b"resume (p)")
            screen.type(b"p")
            until_state(host, "active")
            host.leave()  # the screen that led is closed
            until_state(host, "paused", gone=True)
            screen.until(b"led this treatment is gone")
            screen.type(b"p")
            until_state(host, "active", gone=False)
            screen.type(HALT)
            until_state(host, "paused", gone=True)
            screen.type(GO_ON)
            screen.until(b"this screen stood still for")
            screen.type(b"p")
            until_state(host, "active", gone=False)
            screen.type(SUSPEND)
            until_state(host, "paused", gone=True)
            screen.process.send_signal(signal.SIGCONT)
            screen.until(b"the treatment was paused meanwhile")
            screen.type(b"p")
            until_state(host, "active", gone=False)
            screen.type(INTERRUPT)
            screen.until(b"This screen led the treatment")
            assert screen.process.wait(SEEN_MAX_S) == 0
        until_state(host, "paused", gone=True)


@pytest.mark.hazard("H57", shows="works")
def test_closing_the_window_of_a_treatment_stops_in_order(tmp_path: Path) -> None:
    state = tmp_path / "state"
    words = ("treat", "refresh", "--client", "demo", "--zones", "chin")
    with unit(tmp_path, hand="average") as device, kernel(device, state) as host:
        with terminal(state, *words, "--port", device.port) as screen:
            until_state(host, "active")
            screen.until(b"treating")
            screen.hang_up()
            assert screen.process.wait(15.0) == 5
        (stop,) = device.witness.events("stop")
        assert stop["stop_kind"] == "NORMAL"
