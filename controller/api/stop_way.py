"""The kernel's own way for STOP: a datagram socket that nobody can fill, lock or leave behind.

Datagrams that wait together are one stop, and the bytes are on the line before anybody is answered.
A flood of them costs a bounded share of the loop; each is a stop, so that nothing can be hidden in
it. Who sent a stop is what the system says of the sender, never what the datagram says. Each first
stop is a row at once, and repeats are counted, so that a flood fills no record either.
"""

import asyncio
import contextlib
import json
import os
import pwd
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from controller.api.stop_address import EMERGENCY, FAULT, VERSION, name_for
from controller.treatment.events import Who

AT_ONCE_MAX: Final = 32
"""Datagrams taken in one callback: three times what the system lets wait (net.unix.max_dgram_qlen
is 10), at about 20 µs each."""

PAUSE_S: Final = 0.01
"""From one callback to the next: a flood costs at most a tenth of the loop and 100 STOP frames a
second on the line. A later stop waits so long at most, while the earlier one is under way."""

DATAGRAM_MAX_BYTES: Final = 256
"""What is read of a datagram; the rest of a longer one changes nothing."""

RECEIVE_BYTES: Final = 4_194_304
"""Asked for, and cut by the system to net.core.rmem_max: large datagrams crowd nobody out."""

ROLE: Final = "viewer"
"""What anybody is who can send a datagram; a stop needs no more."""

_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid: unix(7), SCM_CREDENTIALS
_ANCILLARY_BYTES: Final = socket.CMSG_SPACE(_CREDENTIALS.size)
"""Room for credentials alone: descriptors that somebody sends along are closed by the system."""

_ROOT_UID: Final = 0

Stop = Callable[[Who, bool], Mapping[str, object]]
"""Stops now, as who, and as an emergency or not; returns state and link after it."""


class _Asked(NamedTuple):
    """One datagram."""

    emergency: bool
    who: Who
    answer_to: bytes | str | None


class StopWay:
    """The socket of one kernel; open from before the line is touched until the process ends."""

    def __init__(self, port: str, pid: int) -> None:
        self._port = port
        self._pid = pid
        self._accounts = _accounts()
        self._socket: socket.socket | None = None
        self._stop: Stop | None = None
        self._again: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Take the name; OSError where somebody has it. Stops that come now wait for `serve`."""
        line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            line.bind(name_for(self._port, self._pid))
        except OSError:
            line.close()
            raise
        self._socket = line

    def serve(self, stop: Stop) -> None:
        """Hand every stop to ``stop`` from now on, in the callback that reads it."""
        self._stop = stop
        self._listen()

    def close(self) -> None:
        """Give the name up."""
        line, self._socket = self._socket, None
        if self._again is not None:
            self._again.cancel()
        if line is not None:
            if self._stop is not None:
                asyncio.get_running_loop().remove_reader(line)
            line.close()

    def _listen(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def _readable(self) -> None:
        line, stop = self._socket, self._stop
        if line is None or stop is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(line)
        self._again = loop.call_later(PAUSE_S, self._listen)
        asked = self._take(line)
        if not asked:
            return
        worst = next((one for one in asked if one.emergency), asked[0])
        try:
            came_of_it = stop(worst.who, worst.emergency)
        except Exception as error:  # noqa: BLE001 - whoever stops is answered
            loop.call_exception_handler({"message": "a stop", "exception": error})
            came_of_it = {FAULT: True}
        answer = self._answer(came_of_it)
        for one in asked:
            if one.answer_to:
                # Whoever does not read its answer, or is gone, does not get it.
                with contextlib.suppress(OSError):
                    line.sendto(answer, socket.MSG_DONTWAIT, one.answer_to)

    def _take(self, line: socket.socket) -> list[_Asked]:
        asked = []
        for _ in range(AT_ONCE_MAX):
            try:
                said, with_it, _, sender = line.recvmsg(DATAGRAM_MAX_BYTES, _ANCILLARY_BYTES)
            except OSError:  # nothing waits any more
                break
            asked.append(_Asked(said.startswith(EMERGENCY), self._who(with_it), sender))
        return asked

    def _who(self, with_it: list[tuple[int, int, bytes]]) -> Who:
        name = "somebody"
        for level, kind, data in with_it:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                pid, uid, _ = _CREDENTIALS.unpack(data[: _CREDENTIALS.size])
                name = f"{self._accounts.get(uid, f'uid {uid}')} (process {pid})"
        return Who(name, ROLE, "local")

    def _answer(self, came_of_it: Mapping[str, object]) -> bytes:
        said = {"stop": VERSION, "pid": self._pid, "port": self._port, **came_of_it}
        return json.dumps(said).encode()


def _accounts() -> dict[int, str]:
    """Return the two accounts that are named in words; to ask for others might take seconds."""
    own = os.getuid()
    with contextlib.suppress(KeyError, OSError):
        return {_ROOT_UID: "root", own: pwd.getpwuid(own).pw_name}
    return {_ROOT_UID: "root"}
