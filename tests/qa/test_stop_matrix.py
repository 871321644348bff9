"""STOP acts in every state of both machines, with work queued, under loss and delay, unattended."""

import asyncio
from typing import NamedTuple

import pytest

from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import decode
from firmware_protocol.envelope import BUDGET_FLOW_S
from firmware_protocol.frame import DELIMITER
from firmware_protocol.link import Link
from firmware_protocol.messages import LogRead, SelfTest, Stop
from firmware_protocol.vocabulary import Mode, StopKind
from qa.host import CONFIG
from qa.loop import run_virtual
from qa.matrix.cells import Bench, Stage, bench_in
from qa.promise.watch import OPEN
from simulator.line import Weather
from tests.qa.stopping import STATES, Watched, frames_down, watched

BOUND_S = BUDGET_FLOW_S  # from the first STOP that arrives to valve shut
ARRIVES_S = 0.5  # a STOP is repeated every 20 ms: 25 tries
MODES = (Mode.BOOT, Mode.DISARMED, *(Mode[stage.name] for stage in Stage))
AFTER = {
    StopKind.NORMAL: dict.fromkeys(
        (Mode.ARMED, Mode.ACTIVE, Mode.PAUSED, Mode.STOPPING), Mode.STOPPING
    ),
    StopKind.EMERGENCY: {},
}
WEATHERS = {
    "fine": Weather(delay_s=0.003),
    "loss-10%": Weather(delay_s=0.003, loss=0.1),
    "loss-50%": Weather(delay_s=0.003, loss=0.5),
    "late-40ms": Weather(delay_s=0.04),
    "late-150ms": Weather(delay_s=0.15),
}


def _bench_in(mode: Mode) -> Bench:
    if mode is Mode.BOOT:
        bench = Bench()
        bench.step()
    elif mode is Mode.DISARMED:
        bench = Bench()
        bench.eager = False
        bench.until(lambda: bench.mode is Mode.DISARMED)
    else:
        bench = bench_in(Stage[mode.name])
    assert bench.mode is mode
    return bench


# -- the device, alone -----------------------------------------------------------------------------
@pytest.mark.hazard("H49", shows="works")
@pytest.mark.parametrize("kind", list(StopKind))
@pytest.mark.parametrize("mode", MODES)
def test_the_device_stops_in_every_mode_in_the_instant_in_which_stop_arrives(
    mode: Mode, kind: StopKind
) -> None:
    bench = _bench_in(mode)
    stranger = Link(Direction.TO_DEVICE)  # no session: STOP needs none
    bench.device.receive(stranger.send(Stop(kind)), bench.now_s)
    usual = Mode.SAFE if mode is Mode.SAFE else Mode.DISARMED
    assert bench.mode is AFTER[kind].get(mode, usual)
    stopped_s = bench.now_s
    bench.eager = False
    while bench.device.plant.truth.valve_open > OPEN:
        bench.step()
    assert bench.now_s - stopped_s <= BOUND_S
    bench.run(5.0)  # and whoever presses: the hand goes on working
    assert bench.mode is usual
    assert bench.device.plant.truth.valve_open <= OPEN


@pytest.mark.hazard("H49", shows="works")
@pytest.mark.parametrize("kind", list(StopKind))
@pytest.mark.parametrize("mode", MODES)
def test_stop_acts_behind_a_queue_of_requests_in_the_same_bytes(mode: Mode, kind: StopKind) -> None:
    bench = _bench_in(mode)
    link = bench.link
    queued = b""
    if link.session:
        for message in (CONFIG, SelfTest(), LogRead(1)):
            link.request(message, bench.now_s)
        queued = link.outgoing()
    half_a_frame = queued[: len(queued) // 2]
    bench.device.receive(queued + half_a_frame + link.send(Stop(kind)), bench.now_s)
    usual = Mode.SAFE if mode is Mode.SAFE else Mode.DISARMED
    assert bench.mode is AFTER[kind].get(mode, usual)
    bench.run(BOUND_S)
    assert bench.device.plant.truth.valve_open <= OPEN


LIVELY = ("preparing", "arming", "armed", "active", "paused", "stopping", "tripped")
"""States in which the device may be driven; in the others one kind of weather has to do."""


# -- the whole service -----------------------------------------------------------------------------
class Took(NamedTuple):
    """What a stop took."""

    arrived_s: float | None
    """From the command to the first STOP that the device heard; None when it heard none."""
    shut_s: float
    """From the command until the valve was shut for good."""
    lacked_s: float
    state: str
    mode: Mode


async def _stop_in(
    made: Watched, state: str, kind: StopKind, weather: Weather, queue: int = 0
) -> Took:
    await made.bring_to(state)
    loop = asyncio.get_running_loop()
    made.rig.device.set_weather(weather)
    made.journal.slow = True
    waiting = [asyncio.create_task(made.ask("pause")) for _ in range(queue)]
    await asyncio.sleep(0)
    sent = frames_down(made.rig)
    stopped_s, before = loop.time(), len(made.of("stop"))
    made.stop(emergency=kind is StopKind.EMERGENCY)
    _assert_written(sent, stopped_s, kind)
    shut_s = stopped_s
    while loop.time() - stopped_s < 6.0:
        made.rig.device.flush()
        if made.rig.handpiece.plant.truth.valve_open > OPEN:
            shut_s = loop.time()
        await asyncio.sleep(0.005)
    made.journal.slow = False
    await asyncio.gather(*waiting, return_exceptions=True)
    heard = [float(str(event["t_s"])) for event in made.of("stop")[before:]]
    sworn = made.witness.end()
    return Took(
        heard[0] - stopped_s if heard else None,
        shut_s - stopped_s,
        sworn.lacked_s.get("live", 0.0),
        made.state,
        sworn.last_mode,
    )


def _assert_written(sent: list[tuple[float, bytes]], now_s: float, kind: StopKind) -> None:
    """The bytes of STOP are on the line already; an emergency that is under way stays one."""
    runs = [run for _, data in sent for run in data.split(DELIMITER) if run]
    messages = [decode(run, Direction.TO_DEVICE).message for run in runs]
    assert max(message.kind for message in messages if isinstance(message, Stop)) >= kind
    assert sent[0][0] == now_s


def _stop(state: str, kind: StopKind, weather: Weather, queue: int = 0) -> Took:
    async def scenario() -> Took:
        async with watched() as made:
            return await _stop_in(made, state, kind, weather, queue)

    return run_virtual(scenario(), limit_s=300.0)


@pytest.mark.hazard("H49", "H54", shows="works")
@pytest.mark.parametrize("kind", list(StopKind))
@pytest.mark.parametrize(
    ("state", "weather"),
    [(state, weather) for state in STATES for weather in WEATHERS if state in LIVELY]
    + [(state, "fine") for state in STATES if state not in LIVELY],
)
def test_the_host_writes_stop_at_once_in_every_state_and_the_valve_shuts_in_its_bound(
    state: str, weather: str, kind: StopKind
) -> None:
    took = _stop(state, kind, WEATHERS[weather])
    delay_s = WEATHERS[weather].delay_s
    assert took.shut_s <= delay_s + ARRIVES_S
    if took.arrived_s is not None:
        assert took.shut_s <= max(took.arrived_s, 0.0) + BOUND_S
    assert took.lacked_s <= BOUND_S
    assert took.mode in (Mode.DISARMED, Mode.SAFE)
    assert took.state not in ("arming", "armed", "active", "paused", "preparing")


@pytest.mark.hazard("H49", "H40", shows="works")
@pytest.mark.parametrize("kind", list(StopKind))
@pytest.mark.parametrize("state", ["preparing", "arming", "armed", "active", "paused"])
def test_stop_waits_for_no_commit_and_no_request_that_is_queued(state: str, kind: StopKind) -> None:
    took = _stop(state, kind, WEATHERS["fine"], queue=8)
    assert took.arrived_s is not None
    assert took.arrived_s <= 0.025
    assert took.shut_s <= 0.1
    assert took.mode is Mode.DISARMED


@pytest.mark.hazard("H49", "H12", shows="works")
@pytest.mark.parametrize("state", ["preparing", "arming", "armed", "active", "paused"])
def test_with_every_client_gone_the_end_of_the_kernel_stops_the_unit(state: str) -> None:
    async def scenario() -> tuple[float, Mode]:
        loop = asyncio.get_running_loop()
        async with watched() as made:
            await made.bring_to(state)
            made.witness.hand.working = True  # the hand goes on, and nobody asks the kernel
            rig, ended_s = made.rig, loop.time()
            kernel_over = asyncio.create_task(made.kernel.end())
            shut_s = ended_s
            while not kernel_over.done():
                rig.device.flush()
                if rig.handpiece.plant.truth.valve_open > OPEN:
                    shut_s = loop.time()
                await asyncio.sleep(0.005)
            return shut_s - ended_s, rig.handpiece.firmware.board.mode

    shut_s, mode = run_virtual(scenario(), limit_s=120.0)
    assert shut_s <= BOUND_S
    assert mode is Mode.DISARMED
