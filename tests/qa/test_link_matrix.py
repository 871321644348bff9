"""A bad line for minutes: never unsafe, seldom stopped needlessly, and a rotten one is given up.

Corruption is meant per frame; a frame of 40 bytes is damaged with 40 times the rate of a byte.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import pytest

from qa.loop import run_virtual
from qa.matrix.rows import PROMISE
from qa.rig import RigSpec
from simulator.line import Weather
from tests.qa.stopping import watched

FRAME_BYTES = 40
MINUTES = {"all-of-it": 3.0}  # the others one
LIMITER_S = 30.0
BAD = {
    "loss-1%": Weather(delay_s=0.003, loss=0.01),
    "twice-1%": Weather(delay_s=0.003, duplicate=0.01),
    "overtaken-1%": Weather(delay_s=0.003, reorder=0.01),
    "jitter-10ms": Weather(delay_s=0.003, jitter_s=0.01),
    "flips-0.02%": Weather(delay_s=0.003, flip_rate=0.0002 / FRAME_BYTES),
    "all-of-it": Weather(
        delay_s=0.003, jitter_s=0.01, loss=0.01, duplicate=0.01, reorder=0.01,
        flip_rate=0.0002 / FRAME_BYTES,
    ),
}  # fmt: skip
WORSE = {
    "loss-10%": Weather(delay_s=0.003, loss=0.1),
    "loss-50%": Weather(delay_s=0.003, loss=0.5),
    "late-40ms": Weather(delay_s=0.04, jitter_s=0.02),
    "late-300ms": Weather(delay_s=0.3),
    "overtaken-50%": Weather(delay_s=0.003, reorder=0.5),
    "flips-1%": Weather(delay_s=0.003, flip_rate=0.01 / FRAME_BYTES),
    "flips-50%": Weather(delay_s=0.003, flip_rate=0.5 / FRAME_BYTES),
}


class Tally(NamedTuple):
    """What minutes of one kind of weather did."""

    treated_s: float
    trips: tuple[str, ...]
    host_trips: int
    unsafe: tuple[str, ...]
    opened: bool


def _under(weather: Weather, seconds: float, seed: int) -> Tally:
    """Treat one zone after the other under ``weather`` until the time or a trip has come."""

    async def scenario() -> Tally:
        async with watched(RigSpec(seed)) as made:
            loop = asyncio.get_running_loop()
            await made.bring_to("active")
            made.rig.device.set_weather(weather)
            began_s = loop.time()
            while loop.time() - began_s < seconds and made.state != "tripped":
                if made.kernel.idle:
                    await made.ask("treat", program="refresh", client="demo", zones=["nose"])
                await asyncio.sleep(0.05)
            sworn = made.witness.end()
            return Tally(
                loop.time() - began_s,
                sworn.causes,
                int(made.state == "tripped" and not sworn.causes),
                tuple(
                    f"open for {lasted_s:.3f} s without {lack}"
                    for lack, lasted_s in sworn.lacked_s.items()
                    if not lasted_s <= PROMISE[lack]
                )
                + sworn.resumed,
                sworn.opened,
            )

    return run_virtual(scenario(), limit_s=seconds + 120.0, seed=seed)


@pytest.mark.hazard("H10", "H11", shows="works")
@pytest.mark.parametrize("name", BAD)
def test_minutes_on_a_bad_line_are_never_unsafe_and_stop_nothing(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    seconds = MINUTES.get(name, 1.0) * 60.0
    tally = _under(BAD[name], seconds, seed=5)
    record_property("nuisance_trips", len(tally.trips) + tally.host_trips)
    record_property("treated_s", round(tally.treated_s, 1))
    assert tally.opened
    assert not tally.unsafe
    assert (tally.trips, tally.host_trips) == ((), 0)
    assert tally.treated_s >= seconds


@pytest.mark.hazard("H10", "H11", shows="works")
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", WORSE)
def test_a_worse_line_may_end_the_treatment_but_never_in_danger(name: str, seed: int) -> None:
    tally = _under(WORSE[name], 10.0, seed)
    assert not tally.unsafe
    assert set(tally.trips) <= {"LEASE_LAPSED", "LINK_ERRORS"}


@pytest.mark.hazard("H11", shows="works")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_rotten_line_is_given_up_within_its_time(seed: int) -> None:
    tally = _under(Weather(delay_s=0.003, flip_rate=0.05 / FRAME_BYTES), LIMITER_S, seed)
    assert len(tally.trips) + tally.host_trips >= 1
    assert tally.treated_s < LIMITER_S
    assert not tally.unsafe
