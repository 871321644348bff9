"""A unit that is lost, silent, or not the one that it was."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from controller.device.answers import (
    DeviceError,
    LinkNews,
    LinkState,
    PortError,
    PortTrouble,
    SilentError,
    WrongUnitError,
)
from controller.device.backoff import Backoff
from controller.device.handpiece import SILENCE_MAX_S, HandpieceClient, Listeners
from firmware_protocol.messages import Status, Stop, Stopped
from firmware_protocol.vocabulary import Defect, Mode, StopKind
from tests.controller.device.bench import IDENT, TELEMETRY, FarEnd, talking
from tests.controller.device.clients import QUICK, Listener, client_of, run


@pytest.mark.hazard("H10")
def test_a_stop_that_lost_its_line_goes_out_first_on_the_next_one() -> None:
    async def scenario() -> None:
        far = FarEnd(stopped=Stopped(1, Mode.SAFE, 0, 0))
        client = client_of(far)
        await client.connect()
        staying = asyncio.create_task(client.stay_connected(), name="staying")
        far.lose()
        report = client.stop(StopKind.NORMAL)
        far.heard.clear()
        assert (await report).confirmed
        assert isinstance(far.heard[0], Stop)
        await asyncio.sleep(0.1)
        staying.cancel()
        await client.close()

    run(scenario())


@pytest.mark.hazard("H44")
def test_a_lost_unit_is_found_again_and_told_with_its_new_boot() -> None:
    async def scenario() -> None:
        far, listener = FarEnd(), Listener()
        client = client_of(far, listener)
        await client.connect()
        staying = asyncio.create_task(client.stay_connected(), name="staying")
        far.lose("unplugged")
        assert (client.state, client.newest) == (LinkState.DISCONNECTED, None)
        far.ident = IDENT._replace(boot_id=8)
        await asyncio.sleep(0.2)
        assert client.state is LinkState.IDENTIFIED
        assert client.identity is not None
        assert client.identity.boot_id == 8
        assert listener.news[2] == LinkNews(LinkState.DISCONNECTED, "unplugged")
        staying.cancel()
        await client.close()

    run(scenario())


def supplies_seen(client: HandpieceClient) -> list[bool]:
    """Return whether the newest reading comes with supplies; nothing where there is no reading."""
    return [] if client.newest is None else [client.newest.supplies is not None]


async def _unplugged(_: HandpieceClient, far: FarEnd) -> None:
    far.lose("unplugged")


async def _silent(_: HandpieceClient, __: FarEnd) -> None:
    await asyncio.sleep(SILENCE_MAX_S + 0.1)


async def _closed(client: HandpieceClient, _: FarEnd) -> None:
    await client.close()


@pytest.mark.hazard("H41", "H44")
@pytest.mark.parametrize("given_up", [_unplugged, _silent, _closed])
def test_nothing_that_was_read_over_a_line_outlives_it(
    given_up: Callable[[HandpieceClient, FarEnd], Awaitable[None]],
) -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        await client.connect()
        far.say(Status(5000, 7, 7, 300_000, 4, 900, 25, 24_000, 0, Defect.NONE))
        far.say(TELEMETRY)
        assert supplies_seen(client) == [True]
        await given_up(client, far)
        assert client.state is LinkState.DISCONNECTED
        assert supplies_seen(client) == []
        await client.connect()
        assert supplies_seen(client) == []
        far.say(TELEMETRY)
        assert supplies_seen(client) == [False]  # those are of another session, perhaps boot
        await client.close()

    run(scenario())


def test_a_port_that_stays_away_is_looked_for_within_a_bound_and_told_once() -> None:
    async def scenario() -> None:
        far, listener = FarEnd(), Listener()
        client = client_of(far, listener)
        await client.connect()
        far.open_error = PortError(PortTrouble.NOT_FOUND, "there is no port", "plug it in")
        far.lose("unplugged")
        with pytest.raises(PortError):
            await client.stay_connected()
        assert far.opened == 1 + QUICK.tries_max
        assert asyncio.get_running_loop().time() == pytest.approx(0.1 + 0.2 + 3 * 0.4, abs=0.01)
        assert [news.why for news in listener.news[2:]] == ["unplugged", "there is no port"]

    run(scenario())


def test_a_unit_that_stays_silent_behind_an_open_port_is_told_once() -> None:
    async def scenario() -> None:
        far, listener = FarEnd(), Listener()
        client = client_of(far, listener)
        await client.connect()
        far.ident = None
        far.lose("unplugged")
        with pytest.raises(SilentError):
            await client.stay_connected()
        whys = [news.why for news in listener.news[2:]]
        assert whys == ["unplugged", "nobody answered HELLO"]

    run(scenario())


def test_another_unit_in_the_place_of_the_lost_one_is_never_taken() -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        await client.connect()
        far.ident = IDENT._replace(serial=4711)
        far.lose()
        with pytest.raises(WrongUnitError, match="4711"):
            await client.stay_connected()
        assert client.state is LinkState.DISCONNECTED

    run(scenario())


def test_no_tries_at_all_is_an_error_and_not_a_busy_loop() -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = HandpieceClient(far.open, Listeners(), backoff=Backoff(tries_max=0))
        await client.connect()
        far.lose()
        with pytest.raises(DeviceError):
            await client.stay_connected()

    run(scenario())


@pytest.mark.hazard("H10")
def test_a_line_that_goes_silent_but_stays_open_counts_as_lost() -> None:
    async def scenario() -> None:
        far, listener = FarEnd(), Listener()
        client = client_of(far, listener)
        await client.connect()
        unit = asyncio.create_task(talking(far), name="unit")
        await asyncio.sleep(5.0)
        assert listener.news[-1].state is LinkState.IDENTIFIED
        unit.cancel()
        far.ident = None
        await asyncio.sleep(SILENCE_MAX_S + 0.05)
        assert client.state is LinkState.DISCONNECTED
        assert "silent" in listener.news[-1].why
        await client.close()

    run(scenario())
