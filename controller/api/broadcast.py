"""One snapshot for everybody who looks: made and encoded once a period, however many watch.

A line of a watch is a start of its own (the id of the request) and a rest that is the same bytes
for all. A question for the status is answered with the newest encoding too, as long as it is of
this period and nobody was granted anything since: who has just paused sees the pause.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

from controller.api import requests

WATCH_PERIOD_S: Final = 0.1
"""Ten snapshots a second: faster than a person reads, and a hundredth of one core to make."""


class Watcher(Protocol):
    """One who watches."""

    def show(self, number: int, rest: bytes) -> bool:
        """Send the newest snapshot, or leave it out while the line is full; False: hang up."""
        ...


class Broadcast:
    """The newest snapshot as bytes, and the timer that shows it to all watchers."""

    def __init__(
        self, snapshot: Callable[[], dict[str, Any]], state: Callable[[], str] = lambda: ""
    ) -> None:
        """``state`` costs nothing; a snapshot of another state is not shown again."""
        self._snapshot = snapshot
        self._state = state
        self._made_state = ""
        self._watchers: set[Watcher] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._number = 0
        self._newest = b""
        self._made_s = -WATCH_PERIOD_S

    def answer(self, request_id: int) -> bytes:
        """Return the line that answers a question for the status."""
        return requests.answer_start(request_id) + self._encoded() + b"}\n"

    def stale(self) -> None:
        """Forget the newest snapshot: something was granted, and the next look has to show it."""
        self._made_s = -WATCH_PERIOD_S

    def add(self, watcher: Watcher) -> None:
        """Show the newest snapshot to somebody now, and from now on in each period."""
        self._watchers.add(watcher)
        self._show((watcher,))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WATCH_PERIOD_S, self._tick)

    def remove(self, watcher: Watcher) -> None:
        """Show nothing more to somebody; nothing happens where he does not watch."""
        self._watchers.discard(watcher)

    def _tick(self) -> None:
        self._timer = None
        if not self._watchers:
            return
        self._timer = asyncio.get_running_loop().call_later(WATCH_PERIOD_S, self._tick)
        self.stale()
        self._show(tuple(self._watchers))

    def _show(self, watchers: tuple[Watcher, ...]) -> None:
        snapshot = self._encoded()
        rest = requests.watch_rest(self._number, snapshot)
        for watcher in watchers:
            if not watcher.show(self._number, rest):
                self.remove(watcher)

    def _encoded(self) -> bytes:
        now_s = asyncio.get_running_loop().time()
        state = self._state()
        if state != self._made_state or not now_s - self._made_s < WATCH_PERIOD_S:
            self._made_state = state
            self._newest = requests.encoded(self._snapshot())
            self._made_s = now_s
            self._number += 1
        return self._newest
