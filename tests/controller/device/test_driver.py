"""One stream, one timer, and the outcome of every one-shot."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from controller.device.driver import RESOLVE_WAIT_MAX_S, LinkDriver, Reply
from controller.device.greeting import hello
from controller.device.transport import Rank
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.link import Event, MessageReceived, session_number
from firmware_protocol.messages import Ident, Message, Result, SelfTest, Stop
from firmware_protocol.session import TRIES_MAX
from qa.loop import run_virtual
from tests.controller.device.bench import DELAY_S, SERIAL, TELEMETRY, FarEnd

NONCE = 5
ALL_TRIES_S = 0.025 + 0.05 + 0.1 + 0.2 + 0.4


class Heard:
    """Listens to a driver."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lost: list[str] = []


async def connected(far: FarEnd) -> tuple[LinkDriver, Heard]:
    heard = Heard()
    driver = LinkDriver(far.open, heard.events.append, heard.lost.append)
    await driver.open()
    ident = (await driver.request(hello(NONCE), resolve=False)).message
    assert isinstance(ident, Ident)
    now_s = asyncio.get_running_loop().time()
    driver.link.open_session(session_number(NONCE, ident.device_nonce), now_s)
    return driver, heard


def run(scenario: Coroutine[Any, Any, None]) -> None:
    run_virtual(scenario, limit_s=60.0)


def test_a_request_returns_its_answer_after_one_round_trip() -> None:
    async def scenario() -> None:
        driver, _ = await connected(FarEnd())
        began_s = asyncio.get_running_loop().time()
        reply = await driver.request(SelfTest())
        assert reply == Reply(Result(1, 0, 0, 42), executed=True)
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(DELAY_S)
        driver.close()

    run(scenario())


def test_a_lost_request_is_repeated_with_its_sequence_until_it_is_answered() -> None:
    async def scenario() -> None:
        far = FarEnd()
        driver, _ = await connected(far)
        far.deaf = True
        asking = asyncio.create_task(driver.request(SelfTest()), name="asking")
        await asyncio.sleep(0.1)
        far.deaf = False
        assert (await asking).message == Result(1, 0, 0, 42)
        assert sum(isinstance(message, SelfTest) for message in far.heard) == 1
        driver.close()

    run(scenario())


def test_a_request_that_is_never_answered_is_unknown_within_a_bound() -> None:
    async def scenario() -> None:
        far = FarEnd(answer=lambda _message, _seq: None)
        driver, _ = await connected(far)
        loop = asyncio.get_running_loop()
        began_s, sent_before = loop.time(), len(far.written)
        assert await driver.request(SelfTest()) == Reply(None, executed=None)
        assert len(far.written) - sent_before == TRIES_MAX
        assert loop.time() - began_s <= ALL_TRIES_S + RESOLVE_WAIT_MAX_S + 0.001
        driver.close()

    run(scenario())


@pytest.mark.parametrize(("last_seq", "executed"), [(1, True), (0, False)])
def test_telemetry_resolves_an_unknown_outcome(last_seq: int, executed: bool) -> None:  # noqa: FBT001
    async def scenario() -> None:
        far = FarEnd(answer=lambda _message, _seq: None)
        driver, _ = await connected(far)
        asking = asyncio.create_task(driver.request(SelfTest()), name="asking")
        await asyncio.sleep(ALL_TRIES_S + 0.1)
        far.say(TELEMETRY._replace(last_request_seq=last_seq))
        assert await asking == Reply(None, executed=executed)
        driver.close()

    run(scenario())


def test_telemetry_in_the_instant_of_the_unknown_outcome_is_not_missed() -> None:
    async def scenario() -> None:
        far = FarEnd(answer=lambda _message, _seq: None)
        driver, _ = await connected(far)
        asking = asyncio.create_task(driver.request(SelfTest()), name="asking")

        def at_once() -> None:
            driver._due()
            assert driver._unresolved  # the task that asked has not run since
            far.say(TELEMETRY._replace(last_request_seq=1))

        loop = asyncio.get_running_loop()
        loop.call_at(loop.time() + ALL_TRIES_S, at_once)
        assert (await asking).executed is True
        driver.close()

    run(scenario())


def test_requests_wait_for_each_other_and_too_many_are_refused() -> None:
    async def scenario() -> None:
        driver, _ = await connected(FarEnd())
        asked = [asyncio.create_task(driver.request(SelfTest()), name=f"ask {n}") for n in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(LocalProtocolError):
            await driver.request(SelfTest())
        answers = [await one for one in asked]
        assert [answer.message for answer in answers] == [
            Result(seq, 0, 0, 42) for seq in range(1, 5)
        ]
        driver.close()

    run(scenario())


def test_losing_the_line_ends_every_wait_and_is_told_once() -> None:
    async def scenario() -> None:
        far = FarEnd(answer=lambda _message, _seq: None)
        driver, heard = await connected(far)
        asking = asyncio.create_task(driver.request(SelfTest()), name="asking")
        await asyncio.sleep(0.01)
        far.lose("the cable came out")
        far.lose("the cable came out")
        assert await asking == Reply(None, executed=None)
        assert heard.lost == ["the cable came out"]
        assert not driver.is_open
        assert driver.link.session == 0

    run(scenario())


def test_without_a_line_nothing_is_sent_and_nothing_raises() -> None:
    async def scenario() -> None:
        driver = LinkDriver(FarEnd().open, lambda _event: None, lambda _why: None)
        assert driver.send(Stop(0), Rank.AHEAD) is False
        assert await driver.request(SelfTest()) == Reply(None, executed=False)
        driver.close()

    run(scenario())


def test_a_line_that_dies_under_a_write_is_not_an_error_of_the_caller() -> None:
    async def scenario() -> None:
        far = FarEnd()
        driver, _ = await connected(far)
        assert far.stream is not None
        far.stream.closed = True
        assert driver.send(Stop(0), Rank.AHEAD) is False
        driver.close()

    run(scenario())


def test_a_cancelled_request_leaves_the_driver_usable() -> None:
    async def scenario() -> None:
        driver, _ = await connected(FarEnd())
        asking = asyncio.create_task(driver.request(SelfTest()), name="asking")
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await driver.request(SelfTest())).message == Result(2, 0, 0, 42)
        driver.close()

    run(scenario())


def test_listeners_are_told_in_the_stack_that_read_the_bytes() -> None:
    async def scenario() -> None:
        far = FarEnd()
        driver, heard = await connected(far)
        far.say(TELEMETRY)  # no await from here to the assertion
        assert heard.events == [MessageReceived(TELEMETRY)]
        driver.close()

    run(scenario())


def test_outcomes_of_a_lost_session_never_answer_requests_of_the_next() -> None:
    async def scenario() -> None:
        silent = True

        def answer(_message: Message, seq: int) -> Message | None:
            return None if silent else Result(seq, 0, 0, 42)

        far = FarEnd(answer=answer)
        driver, _ = await connected(far)
        old = asyncio.create_task(driver.request(SelfTest()), name="old")
        await asyncio.sleep(0.01)
        far.lose()
        await old
        silent = False
        await driver.open()
        ident = (await driver.request(hello(NONCE + 1), resolve=False)).message
        assert isinstance(ident, Ident)
        assert ident.serial == SERIAL
        now_s = asyncio.get_running_loop().time()
        driver.link.open_session(session_number(NONCE + 1, ident.device_nonce), now_s)
        assert (await driver.request(SelfTest())).message == Result(1, 0, 0, 42)
        driver.close()

    run(scenario())
