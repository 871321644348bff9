"""The client against the real simulated handpiece, over its own bytes in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from controller.device.answers import LinkState, Told
from controller.device.handpiece import Listeners
from controller.safety.reading import Reading  # noqa: TC001 - as every other import here
from controller.treatment.events import Hold
from firmware_protocol.messages import Config
from firmware_protocol.vocabulary import Cause, LogCode, Mode, Refusal, StopKind, Wish
from qa.loop import run_virtual
from qa.rig import Rig, RigSpec, rig
from simulator.line import Weather

TREATMENT = 77
CONFIG = Config(TREATMENT, 30_000, 8_000, 8_000, 1)
HOLD = Hold(suction_kpa=20.0, flow_g_per_min=6.0, wish=Wish.ALL, exposure_left_mg=5000)
PERIOD_S = 0.050


def run(scenario: Coroutine[Any, Any, None]) -> None:
    run_virtual(scenario, limit_s=300.0)


class Treatment:
    """A client that arms the unit and renews its lease."""

    def __init__(self, made: Rig) -> None:
        self.readings: list[Reading] = []
        self.client = made.client(Listeners(self.readings.append))
        self.hold: Hold | None = HOLD
        self._counter = 0

    async def arm(self) -> None:
        await self.prepare()
        assert (await self.client.configure(CONFIG)).done
        token = (await self.client.self_test()).detail
        await self.until(Mode.READY)
        await asyncio.sleep(1.1)
        answer = await self.client.arm(token, TREATMENT)
        assert answer.done, answer

    async def prepare(self) -> None:
        await self.client.connect()
        await self.until(Mode.DISARMED)

    async def until(self, mode: Mode, patience_s: float = 15.0) -> None:
        async with asyncio.timeout(patience_s):
            while self.client.newest is None or self.client.newest.mode is not mode:
                await asyncio.sleep(0.02)

    async def renew(self) -> None:
        while True:
            if self.hold is not None:
                self._counter = (self._counter + 1) % 65536
                self.client.setpoint(self.hold, TREATMENT, self._counter)
            await asyncio.sleep(PERIOD_S)


@asynccontextmanager
async def treating(spec: RigSpec | None = None) -> AsyncIterator[tuple[Rig, Treatment]]:
    async with rig(spec) as made:
        treatment = Treatment(made)
        renewing = asyncio.create_task(treatment.renew(), name="renewing")
        try:
            yield made, treatment
        finally:
            renewing.cancel()
            await treatment.client.close()


@pytest.mark.parametrize("kind", StopKind)
def test_a_stop_in_full_flow_is_confirmed_within_its_budget(kind: StopKind) -> None:
    async def scenario() -> None:
        async with treating() as (_, treatment):
            await treatment.arm()
            await treatment.until(Mode.ACTIVE)
            while not (treatment.readings[-1].valve_percent > 10.0):
                await asyncio.sleep(0.02)
            report = await treatment.client.stop(kind)
            assert report.confirmed
            assert report.took_s <= 0.25
            assert treatment.readings[-1].flow_g_per_min is not None
            await treatment.until(Mode.DISARMED)

    run(scenario())


def test_readings_tell_what_the_unit_really_does() -> None:
    async def scenario() -> None:
        async with treating() as (made, treatment):
            await treatment.arm()
            await treatment.until(Mode.ACTIVE)
            await asyncio.sleep(1.0)
            reading = treatment.client.newest
            truth = made.handpiece.plant.truth
            assert reading is not None
            assert reading.treating
            assert reading.set_suction_kpa == 20.0
            assert reading.suction_kpa == pytest.approx(truth.suction_kpa, abs=5.0)
            assert reading.supplies is not None
            assert reading.supplies.hopper_g > 0.0

    run(scenario())


@pytest.mark.hazard("H10")
def test_a_lease_that_is_not_renewed_trips_the_unit_and_reset_leads_to_disarmed() -> None:
    async def scenario() -> None:
        async with treating() as (made, treatment):
            await treatment.arm()
            treatment.hold = None
            await treatment.until(Mode.SAFE)
            assert treatment.readings[-1].cause is Cause.LEASE_LAPSED
            wrong = await treatment.client.reset(Cause.DWELL)
            assert (wrong.outcome, wrong.refusal) == (Told.FAILED, Refusal.CAUSE_STANDS)
            made.handpiece.hand.release()
            await asyncio.sleep(0.2)
            assert (await treatment.client.reset(Cause.LEASE_LAPSED)).done
            await treatment.until(Mode.DISARMED)

    run(scenario())


@pytest.mark.hazard("H11")
@pytest.mark.parametrize("seed", range(3))
def test_every_one_shot_is_executed_once_on_a_line_that_loses_a_fifth(seed: int) -> None:
    weather = Weather(loss=0.2, delay_s=0.003, jitter_s=0.01, duplicate=0.1)

    async def scenario() -> None:
        async with rig(RigSpec(seed=seed, weather=weather)) as made:
            treatment = Treatment(made)
            await treatment.prepare()
            client = treatment.client
            told = [(await client.configure(CONFIG)).outcome for _ in range(20)]
            log = made.handpiece.firmware.board.log
            records = [log.read(seq) for seq in range(1, log.newest_seq + 1)]
            configured = sum(one is not None and one.code is LogCode.CONFIG for one in records)
            assert told.count(Told.DONE) <= configured <= 20
            assert Told.FAILED not in told
            await client.close()

    run(scenario())


@pytest.mark.hazard("H23")
def test_a_new_connection_disarms_what_an_old_one_prepared() -> None:
    async def scenario() -> None:
        async with rig() as made:
            first = Treatment(made)
            await first.prepare()
            assert (await first.client.configure(CONFIG)).done
            token = (await first.client.self_test()).detail
            await first.until(Mode.READY)
            await first.client.close()
            second = Treatment(made)
            await second.client.connect()
            await second.until(Mode.DISARMED)
            refused = await second.client.arm(token, TREATMENT)
            assert refused.outcome is Told.FAILED
            await second.client.close()

    run(scenario())


@pytest.mark.hazard("H12")
def test_a_host_that_restarts_while_armed_waits_for_the_lease_to_lapse() -> None:
    async def scenario() -> None:
        async with rig() as made:
            first = Treatment(made)
            renewing = asyncio.create_task(first.renew(), name="renewing")
            await first.arm()
            renewing.cancel()
            await first.client.close()
            second = Treatment(made)
            await second.client.connect()
            await second.until(Mode.SAFE)
            assert second.readings[-1].cause is Cause.LEASE_LAPSED
            await second.client.close()

    run(scenario())


@pytest.mark.hazard("H44")
def test_pulling_and_plugging_the_line_ends_in_a_fresh_session() -> None:
    async def scenario() -> None:
        async with rig() as made:
            states: list[LinkState] = []
            client = made.client(Listeners(on_link=lambda news: states.append(news.state)))
            await client.connect()
            staying = asyncio.create_task(client.stay_connected(), name="staying")
            made.wire.unplug()
            await asyncio.sleep(1.0)
            before = states[-1]
            made.wire.plug()
            await asyncio.sleep(6.0)
            assert (before, states[-1]) == (LinkState.DISCONNECTED, LinkState.IDENTIFIED)
            assert client.newest is not None
            staying.cancel()
            await client.close()

    run(scenario())
