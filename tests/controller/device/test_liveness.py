"""What shows that a unit is there, what only looks like it, and what silence is not the unit's."""

import asyncio
import math
from collections.abc import Callable

import pytest

from controller.device.answers import LinkState, SilentError, StreamLostError, WrongUnitError
from controller.device.handpiece import READ_FIRST_MAX, READ_FIRST_S, SILENCE_MAX_S
from firmware_protocol.catalogue import Direction
from firmware_protocol.link import Link
from firmware_protocol.messages import Stopped
from firmware_protocol.vocabulary import Mode
from tests.controller.device.bench import IDENT, SERIAL, TELEMETRY, FarEnd, talking
from tests.controller.device.clients import Listener, client_of, run, stand_still

STOOD_S = 3.0


def stray(_far: FarEnd) -> bytes:
    return b"\x55"


def foreign(_far: FarEnd) -> bytes:
    other = Link(Direction.TO_HOST)
    other.open_session(12345, 0.0)
    return other.send(TELEMETRY)


def seen_before(far: FarEnd) -> bytes:
    return far.link.send(TELEMETRY)


def without_session(far: FarEnd) -> bytes:
    return far.link.send(Stopped(1, Mode.DISARMED, 0, 0))


def now_s() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.hazard("H10")
@pytest.mark.parametrize("noise", [stray, foreign, seen_before, without_session])
def test_a_unit_is_lost_whatever_else_its_line_carries(noise: Callable[[FarEnd], bytes]) -> None:
    async def scenario() -> None:
        far, listener = FarEnd(), Listener()
        client = client_of(far, listener)
        await client.connect()
        same = noise(far)
        far.put(same)
        far.ident = None
        for _ in range(10):
            await asyncio.sleep(SILENCE_MAX_S / 8)
            far.put(same)
        assert client.state is LinkState.DISCONNECTED
        assert client.newest is None
        assert "silent" in listener.news[-1].why

    run(scenario())


@pytest.mark.hazard("H44")
def test_a_unit_that_comes_back_is_found_though_its_line_was_never_quiet() -> None:
    async def hum(far: FarEnd) -> None:
        while True:
            await asyncio.sleep(0.2)
            far.put(b"\x55")

    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        await client.connect()
        staying = asyncio.create_task(client.stay_connected(), name="staying")
        humming = asyncio.create_task(hum(far), name="hum")
        far.ident = None
        await asyncio.sleep(SILENCE_MAX_S + 0.3)
        assert client.newest is None
        assert client.trouble is not None
        far.ident = IDENT._replace(boot_id=8)
        await asyncio.sleep(2.0)
        assert client.state is LinkState.IDENTIFIED
        assert client.identity is not None
        assert client.identity.boot_id == 8
        staying.cancel()
        humming.cancel()
        await client.close()

    run(scenario())


def test_when_a_unit_was_heard_last_outlives_its_line_and_is_no_word_of_another_one() -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        assert client.heard_at_s == -math.inf
        await client.connect()
        far.say(TELEMETRY)
        heard_s = now_s()
        assert client.heard_at_s == heard_s
        await asyncio.sleep(0.3)
        far.lose()
        far.ident = IDENT._replace(serial=SERIAL + 1)
        with pytest.raises(WrongUnitError):
            await client.connect()
        assert client.heard_at_s == heard_s

    run(scenario())


def test_what_keeps_a_client_from_its_unit_is_kept_until_the_unit_is_back() -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        assert client.trouble is None
        await client.connect()
        far.lose("unplugged")
        assert isinstance(client.trouble, StreamLostError)
        assert client.trouble.sentence == "unplugged"
        far.ident = None
        with pytest.raises(SilentError):
            await client.connect()
        assert isinstance(client.trouble, SilentError)
        far.ident = IDENT
        await client.connect()
        assert client.trouble is None
        await client.close()

    run(scenario())


@pytest.mark.hazard("H14")
def test_a_process_that_stood_still_reads_what_came_before_it_calls_the_unit_silent() -> None:
    async def scenario() -> None:
        far, listener = FarEnd(), Listener()
        client = client_of(far, listener)
        await client.connect()
        stand_still(STOOD_S)
        asyncio.get_running_loop().call_later(0.001, far.say, TELEMETRY)  # after what is late
        await asyncio.sleep(SILENCE_MAX_S / 2)
        assert [news.state for news in listener.news] == [
            LinkState.CONNECTED, LinkState.IDENTIFIED,
        ]  # fmt: skip
        assert client.newest is not None
        await client.close()

    run(scenario())


@pytest.mark.hazard("H10")
def test_a_unit_that_is_silent_after_that_too_is_lost() -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        await client.connect()
        stand_still(STOOD_S)
        await asyncio.sleep(READ_FIRST_S + 0.01)
        assert client.state is LinkState.DISCONNECTED

    run(scenario())


def test_a_process_that_stands_still_again_and_again_gives_a_silent_unit_up_within_a_bound() -> (
    None
):
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        await client.connect()
        looks = 0
        while client.state is LinkState.IDENTIFIED:
            looks += 1
            assert looks <= READ_FIRST_MAX + 1
            stand_still(STOOD_S)
            await asyncio.sleep(0.001)
        assert looks == READ_FIRST_MAX + 1

    run(scenario())


@pytest.mark.hazard("H10")
def test_talking_keeps_a_session_alive() -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        await client.connect()
        unit = asyncio.create_task(talking(far), name="unit")
        await asyncio.sleep(3 * SILENCE_MAX_S)
        assert client.state is LinkState.IDENTIFIED
        assert now_s() - client.heard_at_s <= 0.021
        unit.cancel()
        await client.close()

    run(scenario())
