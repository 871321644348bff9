"""Sends STOP to every kernel of a port, or of this computer, and waits for what they say.

Sending comes first: a kernel is sent to as soon as it is seen, before anything else is looked at.
A kernel whose socket is full has ten stops waiting already; it is tried again for its answer.
"""

import contextlib
import json
import os
import socket
import time
from typing import Any, Final, NamedTuple

from controller.api.stop_address import (
    EMERGENCY,
    FAULT,
    NORMAL,
    StopAddress,
    serves,
    table,
)

ANSWER_MAX_S: Final = 1.0
"""A kernel answers within milliseconds; the unit of one that is silent for so long has shut its
valve four times over (lease 200 ms)."""

AGAIN_S: Final = 0.1
"""A kernel that has not answered is sent to again: its answer may have found no room."""

LOOKS_MIN: Final = 3
"""Looks at the system's table before it is believed that a kernel is not in it."""

LOOK_S: Final = 0.005
FULL_WAIT_S: Final = 0.02
"""How long one full socket is waited at, in the order of arrival, before the next one's turn."""

ANSWER_MAX_BYTES: Final = 4096


class Answer(NamedTuple):
    """What came of a STOP to one kernel."""

    port: str
    pid: int
    answered: bool
    state: str = ""
    linked: bool = False
    """True where the kernel had a line to its unit to write the STOP on."""
    faulty: bool = False
    """True where it met a fault of its own, so that nobody knows whether STOP was written."""


class Called(NamedTuple):
    """What came of all of them."""

    answers: tuple[Answer, ...]
    others: tuple[StopAddress, ...]
    """Kernels of other ports, which were not asked."""
    sent_s: float | None
    """When the first byte was sent, on the monotonic clock of this computer."""
    blind: str
    """Why kernels could not be looked for; empty where they could."""

    @property
    def pids(self) -> frozenset[int]:
        """Processes of the kernels that have this way."""
        return frozenset(one.pid for one in self.answers) | {one.pid for one in self.others}


class _Call:
    """One STOP to whoever serves the port. No dataclass: its import costs 5 ms before the STOP."""

    def __init__(self, line: socket.socket, port: str | None, word: bytes) -> None:
        self._line = line
        self._port = port
        self._word = word
        self._seen: dict[bytes, StopAddress] = {}
        self._others: dict[bytes, StopAddress] = {}
        self._full: set[bytes] = set()
        self._said: dict[bytes, dict[str, Any]] = {}
        self._gone: set[bytes] = set()
        self._sent_s: float | None = None

    def look(self) -> None:
        """Send to every kernel that was not seen before."""
        for address in table().addresses:
            if address.name in self._seen or address.name in self._others:
                continue
            if self._port is None or serves(address, self._port):
                self._seen[address.name] = address
                self.send(address.name)
            else:
                self._others[address.name] = address

    def send(self, name: bytes, wait_s: float = 0.0) -> None:
        """Send to one kernel, and wait for room in its socket for ``wait_s``."""
        self._sent_s = time.monotonic() if self._sent_s is None else self._sent_s
        self._full.discard(name)
        self._line.settimeout(wait_s)
        try:
            self._line.sendto(self._word, name)
        except (BlockingIOError, TimeoutError):
            self._full.add(name)
        except OSError:  # it has ended since it was seen
            self._gone.add(name)

    @property
    def open(self) -> list[bytes]:
        """Kernels that have not answered."""
        return [name for name in self._seen if name not in self._said and name not in self._gone]

    def hear(self, until_s: float) -> None:
        """Take answers until a moment, or until there is nobody left to wait for."""
        while self.open and (left_s := until_s - time.monotonic()) > 0.0:
            self._line.settimeout(left_s)
            try:
                answer, sender = self._line.recvfrom(ANSWER_MAX_BYTES)
            except OSError:
                continue  # nothing came in time, or the sender of something is gone
            if sender in self._seen:  # nobody else can send from the name of a kernel
                self._said[sender] = _read(answer)

    def send_again(self) -> None:
        """Send once more to whoever is silent; one with a full socket is waited at."""
        for name in self.open:
            self.send(name, FULL_WAIT_S if name in self._full else 0.0)

    def result(self, blind: str) -> Called:
        """Return what is known now."""
        answers = tuple(
            _answer(address, self._said.get(name))
            for name, address in self._seen.items()
            if name not in self._gone
        )
        return Called(answers, tuple(self._others.values()), self._sent_s, blind)


def call(port: str | None, *, emergency: bool) -> Called:
    """Stop whatever serves ``port``; None is every kernel on this computer."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as line:
        # Only a socket with a name can be answered; nobody can guess this one and fill it before.
        line.bind(b"\0corneum/asks/" + os.urandom(8).hex().encode())
        one = _Call(line, port, EMERGENCY if emergency else NORMAL)
        try:
            one.look()
        except OSError as error:
            return one.result(error.strerror or str(error))
        return _until_all_said(one)


def _until_all_said(one: _Call) -> Called:
    end_s = time.monotonic() + ANSWER_MAX_S
    looks = 1
    while looks < LOOKS_MIN or (one.open and time.monotonic() < end_s):
        one.hear(time.monotonic() + (LOOK_S if looks < LOOKS_MIN else AGAIN_S))
        if looks >= LOOKS_MIN:
            one.send_again()
        with contextlib.suppress(OSError):
            one.look()
        looks += 1
    return one.result("")


def _read(answer: bytes) -> dict[str, Any]:
    """Read an answer; one that cannot be read is an answer all the same."""
    try:
        said = json.loads(answer)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _answer(address: StopAddress, said: dict[str, Any] | None) -> Answer:
    if said is None:
        return Answer(address.port, address.pid, answered=False)
    faulty = FAULT in said
    linked = not faulty and said.get("link") != "disconnected"
    port, pid, state = str(said.get("port", address.port)), address.pid, str(said.get("state", ""))
    return Answer(port, pid, answered=True, state=state, linked=linked, faulty=faulty)
