"""How much of the loop all clients together may have: a few lines a turn, each client in its turn.

The loop runs every callback that is ready before it looks at its timers, so that what a burst of
requests may do at once has to be bounded, or a viewer could hold up the beat of a treatment. A line
that says stop waits for no turn.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

TURN_S: Final = 0.005
"""A tenth of a beat: what has to wait waits about that long."""

BURST_UNITS: Final = 16
"""Lines that are taken at once after a quiet moment: what people and programs ask together."""

UNITS_A_TURN: Final = 4
"""Lines of a turn beyond a burst: 800 a second of 30 to 100 µs, a few percent of the loop. Each of
32 screens that confirm what they show sends ten a second."""

UNIT_BYTES: Final = 4096
"""A long line counts as one more for each of these, since reading it takes longer."""

STOPS_AHEAD_MAX: Final = 4
"""Lines of one reading that are looked at because the word is in them; a person sends one."""

_STOP_WORD: Final = b'"stop"'


class Lines:
    """What one client has sent and nobody has taken yet. Pure: bytes in, lines out."""

    def __init__(self, line_max_bytes: int) -> None:
        self._line_max_bytes = line_max_bytes
        self._read = bytearray()
        self._looked = 0
        """So much of what was read holds no stop that was not looked at."""

    @property
    def full(self) -> bool:
        """True while nothing more should be read."""
        return len(self._read) >= self._line_max_bytes

    @property
    def whole(self) -> bool:
        """True where a line has come to its end, or is longer than any line may be."""
        return b"\n" in self._read or self.full

    def feed(self, data: bytes, says_stop: Callable[[bytes], bool]) -> list[bytes]:
        """Add what has come; return the lines that say stop, taken out of their order."""
        self._read += data
        found = []
        end = whole = self._read.rfind(b"\n") + 1
        for _ in range(STOPS_AHEAD_MAX):
            at = self._read.rfind(_STOP_WORD, self._looked, end)
            if at < 0:
                break
            begin = self._read.rfind(b"\n", 0, at) + 1
            line_end = self._read.find(b"\n", at)
            line = bytes(self._read[begin:line_end])
            if len(line) < self._line_max_bytes and says_stop(line):
                found.append(line)
                del self._read[begin : line_end + 1]
                whole -= line_end + 1 - begin
            end = begin
        self._looked = whole
        return found[::-1]

    def take(self) -> bytes | None:
        """Return the oldest line without its end, or None where it is too long."""
        end = self._read.find(b"\n")
        if not 0 <= end < self._line_max_bytes:
            self._read.clear()
            return None
        line = bytes(self._read[:end])
        del self._read[: end + 1]
        self._looked = max(0, self._looked - end - 1)
        return line


class Client(Protocol):
    """One whose lines are taken."""

    def take(self) -> tuple[int, bool]:
        """Take one line; return its length in bytes, and whether another one waits."""
        ...


class Turns:
    """Takes the lines of all clients, one of each in turn, within the bound of a turn."""

    def __init__(self) -> None:
        self._waiting: deque[Client] = deque()
        self._left = BURST_UNITS
        self._timer: asyncio.TimerHandle | None = None

    def come(self, client: Client) -> None:
        """Take the lines of a client: now as far as this turn reaches, the rest in later ones."""
        if client not in self._waiting:
            self._waiting.append(client)
        self._work()

    def leave(self, client: Client) -> None:
        """Take nothing more of a client that is gone."""
        if client in self._waiting:
            self._waiting.remove(client)

    def _work(self) -> None:
        while self._waiting and self._left > 0:
            client = self._waiting.popleft()
            length_bytes, more = client.take()
            self._left -= 1 + length_bytes // UNIT_BYTES
            if more:
                self._waiting.append(client)
        self._arm()

    def _renew(self) -> None:
        self._timer = None
        self._left = min(BURST_UNITS, self._left + UNITS_A_TURN)
        self._work()

    def _arm(self) -> None:
        if self._timer is None and self._left < BURST_UNITS:
            self._timer = asyncio.get_running_loop().call_later(TURN_S, self._renew)
