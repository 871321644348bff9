"""What is told when a unit is refused, lost or given up, and what is kept when it is over."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from controller.device.answers import Answer, DeviceError, LinkNews, LinkState, Told
from controller.device.backoff import Backoff
from controller.device.greeting import check_greeting, hello, identity_of
from controller.device.handpiece import SILENCE_MAX_S, HandpieceClient, Listeners
from controller.device.stopping import StopPath
from controller.device.timers import TIMER_LEAD_S
from controller.device.transport import Rank
from controller.safety.interlocks import LOOP_STALL_MAX_S
from controller.safety.reading import Identity
from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR
from firmware_protocol.messages import Config, Hello, Ident, Result, Status
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vocabulary import Capability, Defect, Outcome, Refusal, StopKind
from qa.loop import VirtualLoop, run_virtual
from tests.controller.device.bench import DELAY_S, IDENT, SERIAL, TELEMETRY, FarEnd
from tests.controller.device.clients import Listener, client_of

CONFIG = Config(1, 20_000, 8_000, 8_000, 0)
HERE = f"protocol {PROTOCOL_MAJOR}.{PROTOCOL_MINOR} (schema {SCHEMA_HASH:08x})"


def run(scenario: Coroutine[Any, Any, None]) -> None:
    run_virtual(scenario, limit_s=120.0)


async def refusal_of(client: HandpieceClient) -> tuple[str, str]:
    with pytest.raises(DeviceError) as caught:
        await client.connect()
    assert client.trouble is caught.value
    return caught.value.sentence, caught.value.next_step


# -- refused ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ident", "sentence", "step"),
    [
        (
            IDENT._replace(major=3, minor=4, schema=0xAB),
            f"unit {SERIAL} speaks protocol 3.4 (schema 000000ab), this program speaks "
            f"{HERE.removeprefix('protocol ')}",
            "install the program version that belongs to this unit's firmware, or update the unit",
        ),
        (
            IDENT._replace(serial=4711),
            f"unit 4711 answered, but this connection is bound to unit {SERIAL}",
            f"plug unit {SERIAL} in again, or start anew for unit 4711",
        ),
        (
            IDENT._replace(refusal=Refusal.BUSY),
            f"unit {SERIAL} is armed by another host",
            "stop the treatment there; without its host the unit disarms within half a second",
        ),
    ],
)
def test_each_unit_that_is_refused_has_its_sentence_and_its_step(
    ident: Ident, sentence: str, step: str
) -> None:
    with pytest.raises(DeviceError) as caught:
        check_greeting(ident, SERIAL)
    assert (caught.value.sentence, caught.value.next_step) == (sentence, step)
    assert str(caught.value) == sentence


def test_a_greeting_says_our_version_and_an_identity_is_read_from_the_answer() -> None:
    assert hello(5) == Hello(PROTOCOL_MAJOR, PROTOCOL_MINOR, SCHEMA_HASH, 5)
    check_greeting(IDENT, None)
    check_greeting(IDENT, SERIAL)
    assert identity_of(IDENT) == Identity(SERIAL, 7, "1.2", Capability.SIMULATED)


@pytest.mark.parametrize(
    ("far", "told"),
    [
        (
            FarEnd(ident=None),
            ("nobody answered HELLO", "see what `corneum doctor` finds there"),
        ),
        (
            FarEnd(echoes=True),
            (
                f"unit {SERIAL} answers, and our own frames come back beside its own",
                "switch off the echo of the adapter, or take the loop out of the cable",
            ),
        ),
    ],
    ids=["silent", "echo"],
)
def test_a_unit_that_cannot_be_talked_to_has_its_sentence_and_its_step(
    far: FarEnd, told: tuple[str, str]
) -> None:
    async def scenario() -> None:
        assert await refusal_of(client_of(far)) == told

    run(scenario())


# -- lost and given up -----------------------------------------------------------------------------
def test_a_lost_unit_says_what_to_check() -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        await client.connect()
        far.lose("unplugged")
        assert client.trouble is not None
        assert client.trouble.sentence == "unplugged"
        assert client.trouble.next_step == "check its cable and its power"

    run(scenario())


def test_a_unit_that_is_not_to_be_looked_for_says_so() -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = HandpieceClient(far.open, Listeners(), backoff=Backoff(tries_max=0))
        assert client.identity is None
        await client.connect()
        far.lose()
        with pytest.raises(DeviceError) as caught:
            await client.stay_connected()
        assert caught.value.sentence == "the unit is not looked for"
        assert caught.value.next_step == "connect it by hand"

    run(scenario())


def test_a_connection_that_is_broken_off_is_told_as_given_up() -> None:
    async def scenario() -> None:
        listener = Listener()
        client = client_of(FarEnd(ident=None), listener)
        connecting = asyncio.create_task(client.connect(), name="connecting")
        await asyncio.sleep(0.01)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert listener.news[-1] == LinkNews(LinkState.DISCONNECTED, "given up")
        assert client.trouble is None

    run(scenario())


@pytest.mark.hazard("H10")
def test_a_unit_is_silent_when_exactly_a_second_is_over() -> None:
    async def scenario() -> None:
        listener = Listener()
        client = client_of(FarEnd(), listener)
        await client.connect()
        await asyncio.sleep(SILENCE_MAX_S - TIMER_LEAD_S / 2)
        assert client.state is LinkState.IDENTIFIED
        await asyncio.sleep(TIMER_LEAD_S)
        why = "the unit has been silent for 1 s"
        assert listener.news[-1] == LinkNews(LinkState.DISCONNECTED, why)
        assert client.trouble is not None
        assert client.trouble.sentence == why

    run(scenario())


@pytest.mark.hazard("H10")
def test_a_look_that_is_as_late_as_a_loop_may_be_still_counts_as_silence() -> None:
    async def scenario() -> None:
        client = client_of(FarEnd())
        await client.connect()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        look_s = client.heard_at_s + SILENCE_MAX_S
        loop.jumping.now_s = look_s + LOOP_STALL_MAX_S
        while loop.time() - look_s > LOOP_STALL_MAX_S:  # but for what a float cannot say
            loop.jumping.now_s -= 1e-16 * loop.time()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert client.state is LinkState.DISCONNECTED

    run(scenario())


# -- kept and not kept -----------------------------------------------------------------------------
def test_the_first_reading_has_no_supplies_until_the_unit_tells_them() -> None:
    async def scenario() -> None:
        far, listener = FarEnd(), Listener()
        client = client_of(far, listener)
        await client.connect()
        far.say(TELEMETRY)
        far.say(Status(5000, 7, 7, 300_000, 4, 900, 25, 24_000, 0, Defect.NONE))
        far.say(TELEMETRY._replace(tick_ms=5020))
        before, after = [reading.supplies for reading in listener.readings]
        assert before is None
        assert after is not None
        assert after.at_s == client.heard_at_s
        await client.close()

    run(scenario())


def test_a_configuration_that_was_understood_otherwise_tells_what_the_unit_understood() -> None:
    async def scenario() -> None:
        client = client_of(FarEnd(answer=lambda _, seq: Result(seq, Outcome.DONE, Refusal.NONE, 7)))
        await client.connect()
        answer = await client.configure(CONFIG)
        assert answer == Answer(Told.FAILED, Refusal.NOT_CONFIGURED, 7)
        await client.close()

    run(scenario())


@pytest.mark.parametrize("answered", [True, False])
def test_nothing_is_kept_of_a_question_that_is_over(*, answered: bool) -> None:
    async def scenario() -> None:
        far = FarEnd() if answered else FarEnd(answer=lambda _message, _seq: None)
        client = client_of(far)
        await client.connect()
        assert (await client.self_test()).outcome is (Told.DONE if answered else Told.UNKNOWN)
        driver = client._driver
        assert (driver._waiting, driver._unresolved) == ({}, {})
        assert (client.round_trip_s is None) is not answered
        if answered:
            assert client.round_trip_s == pytest.approx(DELAY_S)
        assert {rank for _, rank, _ in far.written} == {Rank.ORDERLY}
        await client.close()

    run(scenario())


def test_a_unit_that_answers_a_question_about_its_log_with_something_else_has_no_record() -> None:
    async def scenario() -> None:
        client = client_of(FarEnd())
        await client.connect()
        assert await client.log_record(1) is None
        await client.close()

    run(scenario())


def test_a_stop_that_nobody_confirms_is_told_as_unconfirmed_and_not_as_unknown() -> None:
    async def scenario() -> None:
        report = await StopPath(lambda _kind: True).stop(StopKind.EMERGENCY)
        assert report.confirmed is False
        assert (report.kind, report.mode) == (StopKind.EMERGENCY, None)

    run(scenario())
