"""How long a kernel for one treatment stays, and how it sees whether another one still runs."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from controller.api.viewer import SILENT_MAX_S
from controller.config import paths
from controller.kernel import process
from controller.kernel.process import LOOK_S, ONCE_WAIT_S, Options
from controller.record.locks import Lock, LockState
from qa.loop import run_virtual

if TYPE_CHECKING:
    from controller.api.server import Server
    from controller.kernel.service import Kernel

LONG_S = 10 * ONCE_WAIT_S
ABOUT_S = 2 * LOOK_S


def _options(state: Path, *, once: bool = False, until_idle: bool = False) -> Options:
    return Options("/dev/null", state, None, state / "x.sock", once, until_idle)


@dataclass
class House:
    """A kernel and its server, as far as anybody looks whether they are still needed."""

    treatments: int = 0
    tripped: bool = False
    idle: bool = True
    clients: int = 0
    had_clients: bool = False

    def leave(self) -> None:
        """The last client hangs up."""
        self.clients = 0


def ends_at_s(house: House, *, once: bool, then: Callable[[], None], after_s: float) -> float:
    """Return when such a kernel ends in which ``then`` happens; infinite where it stays."""

    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(after_s, then)
        both = cast("Kernel", house), cast("Server", house)
        options = _options(Path("/nowhere"), once=once, until_idle=not once)
        try:
            async with asyncio.timeout(LONG_S):
                await process._until(asyncio.Event(), *both, options)
        except TimeoutError:
            return math.inf
        return loop.time()

    return run_virtual(scenario())


@pytest.mark.parametrize("once", [True, False])
def test_a_kernel_for_one_treatment_waits_for_somebody_to_ask_for_it(*, once: bool) -> None:
    ended_s = ends_at_s(House(), once=once, then=lambda: None, after_s=0.0)
    assert ended_s == pytest.approx(ONCE_WAIT_S, abs=ABOUT_S)


@pytest.mark.hazard("H57")
def test_a_treatment_whose_client_has_gone_is_ended_when_a_screen_would_count_as_silent() -> None:
    house = House(treatments=1, idle=False, clients=1, had_clients=True)
    ended_s = ends_at_s(house, once=True, then=house.leave, after_s=50.0)
    assert ended_s == pytest.approx(50.0 + SILENT_MAX_S, abs=ABOUT_S)


def test_a_treatment_whose_client_stays_is_not_ended() -> None:
    house = House(treatments=1, idle=False, clients=1, had_clients=True)
    assert ends_at_s(house, once=True, then=lambda: None, after_s=0.0) == math.inf


@pytest.mark.realtime
@pytest.mark.hazard("H12")
def test_whether_the_kernel_of_another_treatment_runs_is_seen_by_its_lock(tmp_path: Path) -> None:
    async def scenario() -> list[LockState]:
        outside = process._outside(_options(tmp_path), [])
        lock = Lock(paths.port_lock(tmp_path, "/dev/other"))
        lock.take()
        seen = [outside.alive(lock.path.name)]
        lock.release()
        seen.append(outside.alive(lock.path.name))
        await outside.journal.close()
        return seen

    assert asyncio.run(scenario()) == [LockState.HELD, LockState.FREE]
