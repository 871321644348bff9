"""What the tests of the client share: one that listens, and one to listen to."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from controller.device.answers import LinkNews  # noqa: TC001 - as every other import here
from controller.device.backoff import Backoff
from controller.device.handpiece import HandpieceClient, Listeners
from controller.safety.reading import Reading  # noqa: TC001 - as every other import here
from qa.loop import VirtualLoop, run_virtual
from tests.controller.device.bench import FarEnd

QUICK = Backoff(first_s=0.1, last_s=0.4, tries_max=5)


class Listener:
    """Keeps what the client tells."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.news: list[LinkNews] = []

    @property
    def both(self) -> Listeners:
        return Listeners(self.readings.append, self.news.append)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    run_virtual(scenario, limit_s=120.0)


def stand_still(seconds: float) -> None:
    """Let the process not run for a while: its timers are late, and nothing was read."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.jumping.now_s += seconds


def client_of(
    far: FarEnd, listener: Listener | None = None, serial: int | None = None
) -> HandpieceClient:
    nonces = iter(range(1, 1000))
    return HandpieceClient(
        far.open,
        (listener or Listener()).both,
        serial=serial,
        backoff=QUICK,
        nonces=lambda: next(nonces),
    )
