"""Shares the loop among the questions of all connections, so that a flood holds up nothing."""

import asyncio
from collections import deque
from typing import Final, Protocol

BURST_MAX: Final = 16
"""Lines that are taken at once after a quiet moment: what one person or program asks together."""

TURN_S: Final = 0.01
LINES_PER_TURN: Final = 2
"""From all clients together, beyond a burst: 200 a second at up to 0.4 ms each. The control loop
must not feel a flood, and people ask a few questions a second."""


class Taker(Protocol):
    """A connection, of which one line at a time may be taken."""

    def take_one(self) -> bool:
        """Take one line; True where another one waits."""
        ...


class Turns:
    """The connections that have a whole line waiting, served one after the other."""

    def __init__(self) -> None:
        self._waiting: deque[Taker] = deque()
        """Bounded by the places of the server: each connection stands in it once."""
        self._left = BURST_MAX
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, taker: Taker) -> None:
        """Take a line of ``taker``, at once where this turn has room for it."""
        if taker not in self._waiting:
            self._waiting.append(taker)
        self._serve()

    def forget(self, taker: Taker) -> None:
        """Take nothing more of a connection that is gone."""
        if taker in self._waiting:
            self._waiting.remove(taker)

    def _serve(self) -> None:
        while self._waiting and self._left > 0:
            self._left -= 1
            taker = self._waiting.popleft()
            if taker.take_one():
                self._waiting.append(taker)
        if self._timer is None and self._left < BURST_MAX:
            self._timer = asyncio.get_running_loop().call_later(TURN_S, self._turn)

    def _turn(self) -> None:
        self._timer = None
        self._left = min(BURST_MAX, self._left + LINES_PER_TURN)
        self._serve()
