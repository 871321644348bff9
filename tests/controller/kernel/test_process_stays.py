"""How long a kernel for one treatment stays, and how it sees whether another one still runs."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from controller.api.viewer import SILENT_MAX_S
from controller.config import paths
from controller.kernel import process
from controller.kernel.process import LOOK_S, ONCE_WAIT_S, TRIP_STAY_S, Options
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


# -- after a trip ----------------------------------------------------------------------------------
def stays_until_s(house: House, changes: dict[float, dict[str, Any]], *, once: bool) -> float:
    """Return when such a kernel ends whose figures change at these times; infinite: it stays."""

    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        for at_s, figures in changes.items():
            for name, figure in figures.items():
                loop.call_at(at_s, setattr, house, name, figure)
        both = cast("Kernel", house), cast("Server", house)
        options = _options(Path("/nowhere"), once=once, until_idle=not once)
        try:
            async with asyncio.timeout(4 * TRIP_STAY_S):
                await process._until(asyncio.Event(), *both, options)
        except TimeoutError:
            return math.inf
        return loop.time()

    return run_virtual(scenario())


def tripped() -> House:
    return House(treatments=1, tripped=True, had_clients=True)


def test_after_a_trip_a_kernel_stays_for_ten_minutes_for_somebody_to_reset_it() -> None:
    ended_s = stays_until_s(tripped(), {}, once=False)
    assert TRIP_STAY_S == 600.0
    assert ended_s == pytest.approx(TRIP_STAY_S, abs=ABOUT_S)


def test_each_trip_has_its_own_ten_minutes() -> None:
    changes: dict[float, dict[str, Any]] = {
        400.0: {"clients": 1, "tripped": False},
        500.0: {"tripped": True},
        501.0: {"clients": 0},
    }
    ended_s = stays_until_s(tripped(), changes, once=False)
    assert ended_s == pytest.approx(500.0 + TRIP_STAY_S, abs=ABOUT_S)


def test_a_trip_that_is_reset_while_nobody_is_connected_ends_the_stay() -> None:
    assert stays_until_s(tripped(), {50.0: {"tripped": False}}, once=False) == pytest.approx(
        50.0, abs=ABOUT_S
    )


def test_a_client_that_comes_back_is_alone_anew_when_it_goes_again() -> None:
    house = House(treatments=1, idle=False, clients=1, had_clients=True)
    changes = {10.0: {"clients": 0}, 11.0: {"clients": 1}, 20.0: {"clients": 0}}
    ended_s = stays_until_s(house, changes, once=True)
    assert ended_s == pytest.approx(20.0 + SILENT_MAX_S, abs=ABOUT_S)


def test_a_kernel_until_idle_waits_for_a_treatment_whose_client_has_gone() -> None:
    house = House(treatments=1, idle=False, had_clients=True)
    ended_s = stays_until_s(house, {300.0: {"idle": True}}, once=False)
    assert ended_s == pytest.approx(300.0, abs=ABOUT_S)


def test_somebody_who_came_and_went_is_not_waited_for_any_more() -> None:
    house = House()
    ended_s = stays_until_s(house, {5.0: {"had_clients": True}}, once=False)
    assert ended_s == pytest.approx(5.0, abs=ABOUT_S)
