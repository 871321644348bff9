"""The client of one unit, against a far end under the test's control."""

import asyncio

import pytest

from controller.device.answers import (
    Answer,
    LinkState,
    SilentError,
    Told,
    UnitBusyError,
    VersionMismatchError,
    WrongUnitError,
)
from controller.device.handpiece import HELLOS_MAX, HandpieceClient, Listeners
from controller.device.transport import Rank
from controller.safety.reading import Reading
from controller.treatment.events import Hold
from firmware_protocol.catalogue import PROTOCOL_MINOR
from firmware_protocol.errors import LocalProtocolError, Reject
from firmware_protocol.messages import (
    Config,
    LogRecord,
    Message,
    Result,
    Setpoint,
    Status,
    Stop,
    Stopped,
    check_value,
)
from firmware_protocol.vocabulary import Cause, Defect, Mode, Outcome, Refusal, StopKind, Wish
from tests.controller.device.bench import IDENT, SERIAL, TELEMETRY, FarEnd, talking
from tests.controller.device.clients import Listener, client_of, run

HOLD = Hold(suction_kpa=20.0, flow_g_per_min=8.0, wish=Wish.ALL, exposure_left_mg=500)

CONFIG = Config(1, 20_000, 8_000, 8_000, 0)


def test_connecting_tells_who_answered_and_walks_the_link_states() -> None:
    async def scenario() -> None:
        listener = Listener()
        client = client_of(FarEnd(), listener)
        identity = await client.connect()
        assert (identity.serial, identity.firmware, identity.boot_id) == (SERIAL, "1.2", 7)
        assert identity.simulated
        assert not identity.motion_sensor
        await client.close()
        assert [news.state for news in listener.news] == [
            LinkState.CONNECTED, LinkState.IDENTIFIED, LinkState.DISCONNECTED,
        ]  # fmt: skip
        whys = [news.why for news in listener.news]
        assert whys == ["the port is open", f"unit {SERIAL} answered", "closed"]

    run(scenario())


@pytest.mark.hazard("H33")
@pytest.mark.parametrize("change", [{"major": 3}, {"schema": 1}, {"refusal": Refusal.VERSION}])
def test_another_version_is_refused_by_name(change: dict[str, int]) -> None:
    async def scenario() -> None:
        client = client_of(FarEnd(ident=IDENT._replace(**change)))
        with pytest.raises(VersionMismatchError, match=r"speaks protocol .* this program speaks"):
            await client.connect()
        assert client.state is LinkState.DISCONNECTED

    run(scenario())


@pytest.mark.hazard("H33")
@pytest.mark.parametrize("minor", [0, 1, 255])
def test_a_unit_of_any_minor_version_is_greeted_and_spoken_to_in_ours_at_most(minor: int) -> None:
    async def scenario() -> None:
        client = client_of(FarEnd(ident=IDENT._replace(minor=minor)))
        await client.connect()
        assert client.state is LinkState.IDENTIFIED
        assert client._driver.link.minor == min(minor, PROTOCOL_MINOR)
        await client.close()

    run(scenario())


@pytest.mark.hazard("H27")
def test_another_unit_than_the_bound_one_is_refused_by_both_names() -> None:
    async def scenario() -> None:
        client = client_of(FarEnd(), serial=4711)
        with pytest.raises(WrongUnitError, match=r"unit 1001 .* unit 4711"):
            await client.connect()

    run(scenario())


@pytest.mark.hazard("H24")
def test_a_unit_that_another_host_has_armed_is_asked_again_and_then_refused() -> None:
    async def scenario() -> None:
        far = FarEnd(ident=IDENT._replace(refusal=Refusal.BUSY))
        with pytest.raises(UnitBusyError):
            await client_of(far).connect()
        assert 5 <= len(far.heard) <= 11
        assert asyncio.get_running_loop().time() <= 1.2

    run(scenario())


def test_a_unit_that_is_busy_with_a_dead_session_is_waited_for() -> None:
    async def scenario() -> None:
        far = FarEnd(ident=IDENT._replace(refusal=Refusal.BUSY))
        client = client_of(far)
        connecting = asyncio.create_task(client.connect(), name="connecting")
        await asyncio.sleep(0.4)
        far.ident = IDENT
        assert (await connecting).serial == SERIAL
        await client.close()

    run(scenario())


def test_silence_after_hello_is_an_error_within_a_bound() -> None:
    async def scenario() -> None:
        with pytest.raises(SilentError):
            await client_of(FarEnd(ident=None)).connect()
        assert asyncio.get_running_loop().time() <= HELLOS_MAX * 0.8

    run(scenario())


def test_telemetry_becomes_a_reading_in_the_stack_that_read_it() -> None:
    async def scenario() -> None:
        listener, far = Listener(), FarEnd()
        client = client_of(far, listener)
        await client.connect()
        now_s = asyncio.get_running_loop().time()
        far.say(Status(1, 1500, 2500, 90_000, 40, 0xFFFF, 30, 24_100, 2, Defect.PUMP_HOT))
        far.say(TELEMETRY._replace(suction_pa=20_500, flow_mg_per_min=0xFFFF, valve_percent=55))
        reading = listener.readings[-1]
        assert client.newest is reading
        assert (reading.suction_kpa, reading.flow_g_per_min) == (20.5, None)
        assert (reading.at_s, reading.boot_id, reading.valve_percent) == (now_s, 7, 55.0)
        assert reading.supplies is not None
        assert (reading.supplies.crystal_total_g, reading.supplies.filter_kpa) == (1.5, None)
        assert reading.supplies.defects is Defect.PUMP_HOT
        assert reading.supplies.supply_v == 24.1
        await client.close()

    run(scenario())


def test_a_setpoint_carries_the_newest_tick_and_is_written_at_once() -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        await client.connect()
        assert client.setpoint(HOLD, 3, 9) is False  # no tick to echo yet
        far.say(TELEMETRY)
        assert client.setpoint(HOLD, 3, 9) is True
        assert far.written[-1][1] is Rank.NEWEST
        await asyncio.sleep(0.01)
        assert far.heard[-1] == Setpoint(200, 9, TELEMETRY.tick_ms, 20_000, 8_000, 3, 3, 500)
        await client.close()
        assert client.setpoint(HOLD, 3, 10) is False

    run(scenario())


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("suction_kpa", [float("nan"), float("inf"), -1.0, 50.1])
def test_a_setpoint_outside_of_the_envelope_is_never_written(suction_kpa: float) -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        await client.connect()
        far.say(TELEMETRY)
        frames = len(far.written)
        with pytest.raises(LocalProtocolError):
            client.setpoint(Hold(suction_kpa, 1.0, Wish.PUMP, 0), 1, 1)
        assert len(far.written) == frames
        await client.close()

    run(scenario())


@pytest.mark.hazard("H34", shows="works")
def test_a_unit_that_understood_another_configuration_is_not_configured() -> None:
    async def scenario() -> None:
        client = client_of(FarEnd(answer=lambda _, seq: Result(seq, Outcome.DONE, Refusal.NONE, 7)))
        await client.connect()
        answer = await client.configure(CONFIG)
        assert (answer.outcome, answer.refusal) == (Told.FAILED, Refusal.NOT_CONFIGURED)
        await client.close()

    run(scenario())


def test_each_one_shot_has_its_answer() -> None:
    def answer(message: Message, seq: int) -> Message | None:
        if type(message).__name__ == "Arm":
            return Result(seq, Outcome.FAILED, Refusal.BAD_TOKEN, 0)
        if type(message).__name__ == "LogRead":
            return LogRecord(seq, 1, 5, 1, 7, 1)
        if isinstance(message, Config):
            return Result(seq, Outcome.DONE, Refusal.NONE, check_value(message))
        return Result(seq, Outcome.DONE, Refusal.NONE, 42)

    async def scenario() -> None:
        client = client_of(FarEnd(answer=answer))
        await client.connect()
        done = Answer(Told.DONE, Refusal.NONE, 42, executed=True)
        assert (await client.configure(CONFIG)).done
        assert await client.self_test() == done
        assert await client.reset(Cause.DWELL) == done
        assert done.done
        refused = await client.arm(1, 1)
        assert (refused.outcome, refused.refusal) == (Told.FAILED, Refusal.BAD_TOKEN)
        assert not refused.done
        record = await client.log_record(1)
        assert record is not None
        assert record.arg == 7
        assert client.round_trip_s == pytest.approx(0.003)
        await client.close()

    run(scenario())


def test_a_one_shot_without_a_session_is_known_not_to_be_executed() -> None:
    async def scenario() -> None:
        client = client_of(FarEnd())
        assert await client.self_test() == Answer(Told.UNKNOWN, executed=False)
        assert await client.log_record(1) is None

    run(scenario())


def test_an_unanswered_one_shot_is_unknown_and_resolved_by_telemetry() -> None:
    async def scenario() -> None:
        far = FarEnd(answer=lambda _message, _seq: None)
        client = client_of(far)
        await client.connect()
        unit = asyncio.create_task(talking(far), name="unit")
        assert await client.self_test() == Answer(Told.UNKNOWN, executed=False)
        unit.cancel()
        await client.close()

    run(scenario())


def test_stop_is_written_in_the_stack_of_the_reading_that_asked_for_it() -> None:
    async def scenario() -> None:
        far = FarEnd(stopped=Stopped(1, Mode.DISARMED, 0, 0))
        clients: list[HandpieceClient] = []
        ranks: list[Rank] = []

        def on_reading(reading: Reading) -> None:
            if reading.valve_percent > 50.0:
                _ = clients[0].stop(StopKind.EMERGENCY)
                ranks.append(far.written[-1][1])

        clients.append(HandpieceClient(far.open, Listeners(on_reading)))
        await clients[0].connect()
        far.say(TELEMETRY._replace(mode=Mode.ACTIVE, valve_percent=90))
        assert ranks == [Rank.AHEAD]
        assert clients[0].stopping
        await asyncio.sleep(0.01)
        assert far.heard[-1] == Stop(StopKind.EMERGENCY)
        assert not clients[0].stopping
        await clients[0].close()

    run(scenario())


def test_closing_ends_a_pending_stop_unconfirmed() -> None:
    async def scenario() -> None:
        client = client_of(FarEnd())
        report = client.stop(StopKind.NORMAL)
        await client.close()
        assert not (await report).confirmed

    run(scenario())


@pytest.mark.hazard("H11")
def test_corrupt_frames_are_counted_by_reason_and_exceed_the_limit() -> None:
    async def scenario() -> None:
        far = FarEnd()
        client = client_of(far)
        await client.connect()
        assert not client.limit_exceeded()
        for _ in range(6):
            far.put(b"\x05rubbish\x00")
        assert client.bad_frames == 6
        assert client.rejects[Reject.COBS] == 6
        assert client.limit_exceeded()
        await client.close()

    run(scenario())
