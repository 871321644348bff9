# ruff: noqa: SLF001 - a frozen process is what no public call of asyncio offers
"""Tasks and timers of one simulated process that stand still while everything else goes on.

A process is a context: whatever it starts inherits `PROCESS`. To freeze it is to take its callbacks
out of the loop's queues; to thaw it is to put them back, timers with the times they had, so that
what should have happened meanwhile happens at once, as after SIGCONT.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Sequence
from contextvars import Context, ContextVar, copy_context
from typing import Final, Protocol, cast

from qa.loop import Timer

PROCESS: Final[ContextVar[object]] = ContextVar("PROCESS", default=None)
"""To which simulated process the running code belongs; None is the simulation itself."""


class _Queues(Protocol):
    """The queues of `qa.loop.VirtualLoop`."""

    _ready: deque[asyncio.Handle]
    _timers: list[Timer]


def context_of(process: object) -> Context:
    """Return a context in which everything belongs to ``process``."""
    context = copy_context()
    context.run(PROCESS.set, process)
    return context


class Frozen:
    """What was taken out of the loop; made while none of it runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop, process: object) -> None:
        """Take every callback of ``process``."""
        self._loop = loop
        queues = cast("_Queues", loop)
        self._ready = _take_ready(loop, queues._ready, process)
        self._timers: list[Timer] = []
        others: list[Timer] = []
        for timer in queues._timers:
            (self._timers if _belongs(timer[2], process) else others).append(timer)
        _put(queues, others)

    def thaw(self) -> None:
        """Put everything back that was not cancelled meanwhile."""
        queues = cast("_Queues", self._loop)
        timers = [timer for timer in self._timers if not timer[2].cancelled()]
        _put(queues, [*queues._timers, *timers])
        queues._ready.extend(handle for handle in self._ready if not handle.cancelled())


def _put(queues: _Queues, timers: Sequence[Timer]) -> None:
    queues._timers[:] = timers
    heapq.heapify(queues._timers)


def _take_ready(
    loop: asyncio.AbstractEventLoop, ready: deque[asyncio.Handle], process: object
) -> list[asyncio.Handle]:
    """Put a blank in the place of each: the loop has counted what it will run in this round."""
    taken = []
    for at, handle in enumerate(ready):
        if _belongs(handle, process):
            taken.append(handle)
            ready[at] = asyncio.Handle(_nothing, (), loop)
    return taken


def _belongs(handle: asyncio.Handle, process: object) -> bool:
    context = cast("Context", handle._context)  # type: ignore[attr-defined]
    return context.get(PROCESS) is process


def _nothing() -> None:
    """Stand in a queue."""
