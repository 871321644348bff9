"""The door of the kernel's socket: newcomers are let in or refused at a bounded rate.

Whoever is refused costs no more than a sentence: no transport and no task.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

AT_ONCE_MAX: Final = 4
PAUSE_S: Final = 0.01
"""So many newcomers in this time; others wait in the system's queue. 400 a second is far beyond
what people and programs need, and costs the control loop a few percent."""

PARTING_MAX: Final = 64
"""Refused ones that may still read why; the oldest is hung up on for the next."""

PARTING_S: Final = 1.0
"""How long they may take. To hang up at once would throw the sentence away."""


class Door:
    """Takes connections off a listening socket."""

    def __init__(
        self,
        listener: socket.socket,
        refusal: Callable[[socket.socket], bytes | None],
        let_in: Callable[[socket.socket], None],
    ) -> None:
        """``refusal`` says why somebody may not come in, or None; then ``let_in`` takes it over."""
        self._listener = listener
        self._refusal = refusal
        self._let_in = let_in
        self._again: asyncio.TimerHandle | None = None
        self._parting: deque[socket.socket] = deque()
        self._listen()

    def close(self) -> None:
        """Let nobody in any more."""
        asyncio.get_running_loop().remove_reader(self._listener)
        if self._again is not None:
            self._again.cancel()
        self._listener.close()
        for line in self._parting:
            line.close()
        self._parting.clear()

    def _listen(self) -> None:
        asyncio.get_running_loop().add_reader(self._listener, self._readable)

    def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listener)
        self._again = loop.call_later(PAUSE_S, self._listen)
        for _ in range(AT_ONCE_MAX):
            try:
                line, _ = self._listener.accept()
            except OSError:  # nobody waits, or this process may open nothing more for now
                return
            line.setblocking(False)  # noqa: FBT003 - the name of the standard library
            refusal = self._refusal(line)
            if refusal is None:
                self._let_in(line)
            else:
                self._refuse(line, refusal)

    def _refuse(self, line: socket.socket, why: bytes) -> None:
        with contextlib.suppress(OSError):
            line.send(why)
            line.shutdown(socket.SHUT_WR)
        self._parting.append(line)
        if len(self._parting) > PARTING_MAX:
            self._parting.popleft().close()
        asyncio.get_running_loop().call_later(PARTING_S, self._hang_up, line)

    def _hang_up(self, line: socket.socket) -> None:
        if line in self._parting:
            self._parting.remove(line)
            line.close()
