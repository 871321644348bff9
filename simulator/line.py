"""A serial line that misbehaves from a seed: it delays, loses, flips, repeats and reorders.

It knows chunks of bytes and times, no frames: whatever a line does to bytes, a protocol survives.
"""

import heapq
import random
from dataclasses import dataclass
from typing import Final

CHUNKS_MAX: Final = 4096  # on the way at once; a second of everything is below a hundred
_BITS: Final = 8


@dataclass(frozen=True, slots=True)
class Weather:
    """What a line does; the default is a perfect line. Shares are of chunks, 0 to 1."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    """Extra delay, uniform from 0; chunks keep their order."""
    flip_rate: float = 0.0
    """Share of bytes with one flipped bit."""
    duplicate: float = 0.0
    reorder: float = 0.0
    """Share of chunks that later ones may overtake."""
    reorder_s: float = 0.03
    """How long such a chunk is held back."""

    def __post_init__(self) -> None:
        """Refuse what is not a share or not a time; ValueError says which."""
        for name in ("loss", "flip_rate", "duplicate", "reorder"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is {getattr(self, name)}, and must be 0 to 1")
        for name in ("delay_s", "jitter_s", "reorder_s"):
            if not 0.0 <= getattr(self, name) <= 60.0:  # noqa: PLR2004 - a minute is for ever
                raise ValueError(f"{name} is {getattr(self, name)}, and must be 0 to 60 seconds")


class Line:
    """One direction of a line."""

    def __init__(  # noqa: PLR0913 - the names are the catalogue of what a line can do
        self,
        seed: int | str,
        *,
        loss: float = 0.0,
        delay_s: float = 0.0,
        jitter_s: float = 0.0,
        flip_rate: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
    ) -> None:
        """Make a line; everything it does follows from ``seed`` and what is sent."""
        self.weather = Weather(loss, delay_s, jitter_s, flip_rate, duplicate, reorder)
        self.silent = False
        """True: nothing gets through, and nobody is told."""
        self.lost = 0
        self._chance = random.Random(seed)  # noqa: S311 - a simulation must repeat
        self._queue: list[tuple[float, int, bytes]] = []
        self._number = 0
        self._newest_due_s = 0.0

    def send(self, data: bytes, now_s: float) -> None:
        """Put a chunk on the line."""
        weather, chance = self.weather, self._chance
        full = len(self._queue) >= CHUNKS_MAX
        if self.silent or full or (weather.loss and chance.random() < weather.loss):
            self.lost += 1
            return
        self._put(self._damaged(data), now_s)
        if weather.duplicate and chance.random() < weather.duplicate:
            self._put(self._damaged(data), now_s)

    def deliver(self, now_s: float) -> bytes:
        """Return what has arrived by ``now_s``."""
        arrived = b""
        while self._queue and self._queue[0][0] <= now_s:
            arrived += heapq.heappop(self._queue)[2]
        return arrived

    def deadline_s(self) -> float | None:
        """When something arrives next, or None."""
        return self._queue[0][0] if self._queue else None

    def _put(self, data: bytes, now_s: float) -> None:
        weather, chance = self.weather, self._chance
        due_s = now_s + weather.delay_s
        if weather.jitter_s:
            due_s += chance.uniform(0.0, weather.jitter_s)
        if weather.reorder and chance.random() < weather.reorder:
            due_s += weather.reorder_s  # and those behind it need not wait
        else:
            due_s = self._newest_due_s = max(due_s, self._newest_due_s)
        self._number += 1
        heapq.heappush(self._queue, (due_s, self._number, data))

    def _damaged(self, data: bytes) -> bytes:
        if not self.weather.flip_rate:
            return data
        damaged = bytearray(data)
        for at in range(len(damaged)):
            if self._chance.random() < self.weather.flip_rate:
                damaged[at] ^= 1 << self._chance.randrange(_BITS)
        return bytes(damaged)
