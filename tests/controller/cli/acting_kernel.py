"""A kernel that only acts: real sockets and files, and what it answers is in the test's hands."""

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from controller.api import stop_address
from controller.api.ask import short_name
from controller.api.snapshot import Snapshot
from controller.api.stop_address import name_for
from controller.config.paths import kernel_file

STREAM, DATAGRAM = "0001", "0002"


class Asked(NamedTuple):
    """A question that came."""

    do: str
    args: dict[str, Any]
    who: dict[str, str]


class ActingKernel:
    """Answers over its socket; what it has no answer for is done without a word."""

    def __init__(self, state: Path, port: str, pid: int | None = None) -> None:
        self.port = port
        self.pid = os.getpid() if pid is None else pid
        self.file = kernel_file(state, port)
        self.socket = self.file.with_suffix(".sock")
        self.answers: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, dict[str, Any]] = {}
        self.silent: set[str] = set()
        self.hangs_up_at: set[str] = set()
        self.takes_s: dict[str, float] = {}
        """How long an answer takes."""
        self.as_number: int | None = None
        """What stands as id in every answer, where it is not that of the question."""
        self.shows: list[Snapshot] = []
        self.shows_after: dict[str, list[Snapshot]] = {}
        """What else is shown, one after each time that this was asked for."""
        self.leads = False
        self.when_seen: Callable[[int], None] = lambda _number: None
        self.asked: list[Asked] = []
        self.stops: list[bytes] = []
        self.stop_answer: bytes | None = b'{"state": "stopping", "link": "identified"}'
        self._pause = threading.Event()  # which nobody sets
        self._lines: list[socket.socket] = []
        self._number = 0
        self._threads: list[threading.Thread] = []

    @property
    def did(self) -> list[str]:
        """What was asked for, in order, without the confirmations of a screen."""
        return [one.do for one in self.asked if one.do != "seen"]

    def hang_up(self) -> None:
        """Close every connection."""
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def let_in(self, door: socket.socket) -> None:
        """Serve whoever connects, until the door is shut."""
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            self._lines.append(line)
            self.start(self._serve, line)

    def start(self, what: Callable[[socket.socket], None], line: socket.socket) -> None:
        """Do ``what`` with a socket in a thread."""
        thread = threading.Thread(target=what, args=(line,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def take_stops(self, door: socket.socket) -> None:
        """Take what is sent to the address for STOP."""
        while True:
            try:
                word, sender = door.recvfrom(4096)
            except OSError:
                return
            if word == b"enough":
                return
            self.stops.append(word)
            if self.stop_answer is not None:
                door.sendto(self.stop_answer, sender)

    def end(self) -> None:
        """Hang up on everybody."""
        self.hang_up()
        for thread in self._threads:
            thread.join(5.0)
        for line in self._lines:
            line.close()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), line.makefile("rb") as questions:
            for question in questions:
                if not self._answer(line, json.loads(question)):
                    line.shutdown(socket.SHUT_RDWR)
                    return

    def _answer(self, line: socket.socket, said: dict[str, Any]) -> bool:
        do, number = said["do"], said.get("id", 0)
        self.asked.append(Asked(do, said["args"], said.get("who", {})))
        if do == "seen":
            self.when_seen(said["args"]["n"])
            return True
        if do in self.hangs_up_at:
            return False
        if do in self.silent:
            return True
        self._pause.wait(self.takes_s.get(do, 0.0))
        answer = {"id": number if self.as_number is None else self.as_number}
        if do in self.errors:
            self._say(line, {**answer, "ok": False, "error": self.errors[do]})
        else:
            self._say(line, {**answer, "ok": True, "result": self.answers.get(do, {})})
        if do == "watch":
            self._number = 0
            self._show(line, self.shows)
        elif self.shows_after.get(do):
            self._show(line, [self.shows_after[do].pop(0)])
        return True

    def _show(self, line: socket.socket, snapshots: Sequence[Snapshot]) -> None:
        for shown in snapshots:
            self._number += 1
            said = {"n": self._number, "leads": self.leads, "snapshot": shown.as_dict()}
            self._say(line, said)

    def _say(self, line: socket.socket, said: dict[str, Any]) -> None:
        line.sendall(json.dumps(said).encode() + b"\n")


@contextmanager
def acting(
    state: Path, port: str = "/dev/ttyACT0", *, pid: int | None = None, stop: bool = False
) -> Iterator[ActingKernel]:
    """Let a kernel act for ``port``; with ``stop`` it has an address for STOP, too."""
    kernel = ActingKernel(state, port, pid)
    kernel.file.parent.mkdir(parents=True, exist_ok=True)
    kernel.file.write_text(
        json.dumps({"pid": kernel.pid, "port": port, "socket": str(kernel.socket)})
    )
    with contextlib.ExitStack() as stack:
        door = stack.enter_context(socket.socket(socket.AF_UNIX))
        with short_name(kernel.socket) as name:
            door.bind(name)
        door.listen()
        _enter(STREAM, str(kernel.socket))
        kernel.start(kernel.let_in, door)
        address = name_for(port, kernel.pid)
        if stop:
            letters = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            letters.bind(address)
            _enter(DATAGRAM, "@" + address[1:].decode())
            kernel.start(kernel.take_stops, letters)
        try:
            yield kernel
        finally:
            kernel.socket.unlink()
            door.shutdown(socket.SHUT_RDWR)
            if stop:
                _say_enough(address)
            kernel.end()


def _say_enough(address: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(b"enough", address)


def _enter(kind: str, name: str) -> None:
    """Enter a socket into the table of sockets, as the system writes it."""
    with stop_address.SOCKETS.open("a") as table:
        table.write(f"0000000000000000: 00000002 00000000 00010000 {kind} 01 4242 {name}\n")


def own_table(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Give this test a table of sockets of its own: others run kernels and stop them."""
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(stop_address, "SOCKETS", folder / "sockets")
    (folder / "sockets").touch()
