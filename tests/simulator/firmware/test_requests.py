"""The one-shots, over real bytes."""

import pytest

from firmware_protocol.messages import Arm, Config, LogRead, LogRecord, Reset, SelfTest, check_value
from firmware_protocol.vocabulary import Cause, LogCode, Mode, Outcome, Refusal, StopKind
from tests.simulator.host import CONFIG, Host

WAYS = ["configured", "ready", "armed", "active", "paused", "stopping", "tripped"]
MAY = {
    Config: {"configured", "ready"},
    SelfTest: {"configured", "ready"},
    Arm: {"ready"},
    Reset: {"tripped"},
}


def host_in(way: str) -> tuple[Host, int]:
    """Return a host whose device is in a mode, and the token of its self-test."""
    host = Host()
    getattr(host, way)()
    return host, host.token


@pytest.mark.parametrize("way", WAYS)
def test_requests_are_refused_in_the_modes_that_have_no_row_for_them(way: str) -> None:
    for message in (CONFIG, SelfTest(), Arm(1, 77), Reset(Cause.LEASE_LAPSED)):
        if way in MAY[type(message)]:
            continue
        host, _ = host_in(way)
        mode = host.mode
        result = host.result(message)
        assert (result.outcome, result.refusal) == (Outcome.FAILED, Refusal.WRONG_MODE), message
        assert host.mode is mode or mode is Mode.STOPPING


def test_config_answers_with_its_check_value_and_voids_the_self_test() -> None:
    host, token = host_in("ready")
    result = host.result(CONFIG)
    assert (result.outcome, result.detail) == (Outcome.DONE, check_value(CONFIG))
    assert host.is_in(Mode.DISARMED)
    assert host.result(Arm(token, 77)).refusal == Refusal.WRONG_MODE


@pytest.mark.hazard("H20", "H47", shows="works")
def test_a_configuration_outside_of_the_envelope_is_refused_and_changes_nothing() -> None:
    host, _ = host_in("ready")
    assert host.result(CONFIG._replace(suction_max_pa=60_000)).refusal == Refusal.OUT_OF_ENVELOPE
    assert host.is_in(Mode.READY)


def test_the_self_test_takes_less_than_a_second_and_arms_with_its_token() -> None:
    host = Host().configured()
    result = host.result(SelfTest())
    assert result.outcome == Outcome.DONE
    assert result.detail != 0
    assert host.is_in(Mode.SELFTEST)
    assert host.until(lambda: host.mode is Mode.READY, 1.0) < 1.0
    host.run(1.0)
    assert host.result(Arm(result.detail, 77)).outcome == Outcome.DONE
    assert host.is_in(Mode.ARMED)


@pytest.mark.hazard("H28", shows="works")
def test_a_failed_self_test_leads_to_disarmed_and_says_so_when_arming() -> None:
    host = Host().configured()
    host.device.set_fault("waste-full")
    token = host.result(SelfTest()).detail
    host.until(lambda: host.mode is Mode.DISARMED, 2.0)
    assert host.of("selftest")[-1]["failed"] == "WASTE_FULL"
    assert host.result(Arm(token, 77)).refusal == Refusal.SELF_TEST_FAILED
    host.device.clear_fault("waste-full")
    assert host.result(SelfTest()).outcome == Outcome.DONE


@pytest.mark.hazard("H18", "H36", shows="works")
def test_neither_self_test_nor_arming_nor_reset_go_with_the_switch_pressed() -> None:
    host = Host().configured()
    host.device.hand.press()
    host.run(0.1)
    assert host.result(SelfTest()).refusal == Refusal.SWITCH_PRESSED
    host, token = host_in("ready")
    host.device.hand.press()
    host.run(0.1)
    assert host.result(Arm(token, 77)).refusal == Refusal.SWITCH_PRESSED
    host, _ = host_in("tripped")
    host.device.hand.press()
    host.run(0.1)
    assert host.reset(Cause.LEASE_LAPSED).refusal == Refusal.SWITCH_PRESSED


def test_arming_needs_the_token_the_treatment_and_a_healthy_stream() -> None:
    host, token = host_in("ready")
    assert host.result(Arm(token ^ 1, 77)).refusal == Refusal.BAD_TOKEN
    assert host.result(Arm(0, 77)).refusal == Refusal.BAD_TOKEN
    assert host.result(Arm(token, 78)).refusal == Refusal.NOT_CONFIGURED
    host.streaming = False
    host.run(0.15)
    assert host.result(Arm(token, 77)).refusal == Refusal.STREAM_NOT_HEALTHY
    host.run(0.15)
    assert host.result(Arm(token, 77)).refusal == Refusal.STREAM_NOT_HEALTHY
    host.streaming = True
    host.run(1.0)
    assert host.result(Arm(token, 77)).refusal == Refusal.NONE


def test_arming_without_a_configuration_is_refused() -> None:
    host = Host()
    host.hello()
    token = host.result(SelfTest()).detail
    host.until(lambda: host.mode is Mode.READY)
    host.run(1.0)
    assert host.result(Arm(token, 0)).refusal == Refusal.NOT_CONFIGURED


def test_the_token_is_void_after_a_stop() -> None:
    host, token = host_in("ready")
    host.stop(StopKind.NORMAL)
    host.result(SelfTest())
    host.until(lambda: host.mode is Mode.READY)
    assert host.result(Arm(token, 77)).refusal == Refusal.BAD_TOKEN


def test_a_stop_during_the_self_test_ends_it() -> None:
    host = Host().configured()
    token = host.result(SelfTest()).detail
    host.stop(StopKind.EMERGENCY)
    assert host.is_in(Mode.DISARMED)
    host.run(1.0)
    assert host.is_in(Mode.DISARMED)
    assert host.result(Arm(token, 77)).refusal == Refusal.WRONG_MODE


def test_reset_needs_the_right_cause_gone_and_leads_to_disarmed_only() -> None:
    host, _ = host_in("tripped")
    assert host.cause is Cause.LEASE_LAPSED
    assert host.reset(Cause.DWELL).refusal == Refusal.CAUSE_STANDS
    assert host.is_in(Mode.SAFE)
    assert host.reset(Cause.LEASE_LAPSED).outcome == Outcome.DONE
    assert host.is_in(Mode.DISARMED)
    assert host.cause.name == "NONE"


@pytest.mark.parametrize("fault", ["suction-a-disconnected", "suction-b-disconnected"])
def test_a_cause_that_stands_cannot_be_reset_on_either_channel(fault: str) -> None:
    host = Host().configured()
    host.device.set_fault(fault)
    host.run(0.1)
    assert host.cause is Cause.SENSOR_INVALID
    assert host.reset(host.cause).refusal == Refusal.CAUSE_STANDS
    host.device.clear_fault(fault)
    host.run(0.1)
    assert host.reset(host.cause).outcome == Outcome.DONE
    host.run(0.5)
    assert host.is_in(Mode.DISARMED)


@pytest.mark.hazard("H46", shows="works")
def test_the_fourth_reset_of_one_cause_in_ten_minutes_is_locked() -> None:
    host = Host().configured()
    for number in range(4):
        host.device.set_fault("brown-out")
        host.run(0.1)
        host.device.clear_fault("brown-out")
        host.run(0.1)
        expected = Refusal.NONE if number < 3 else Refusal.LOCKED
        assert host.reset(Cause.BROWN_OUT).refusal == expected


def test_the_log_tells_what_happened() -> None:
    host, _ = host_in("tripped")
    codes = []
    number = 1
    while True:
        record = host.ask(LogRead(number))
        assert isinstance(record, LogRecord)
        if record.record_seq == 0:
            break
        codes.append(LogCode(record.code))
        number += 1
    assert record.newest_seq == number - 1
    assert codes[0] is LogCode.BOOT
    wanted = {LogCode.SESSION, LogCode.CONFIG, LogCode.ARM, LogCode.SWITCH, LogCode.TRIP}
    assert wanted | {LogCode.MODE, LogCode.SAFE_REACHED} <= set(codes)


def test_a_request_that_it_does_not_know_is_refused_as_such() -> None:
    host = Host().configured()
    requests = host.device.firmware._requests
    del requests._handlers[SelfTest]
    assert host.result(SelfTest()).refusal == Refusal.NOT_UNDERSTOOD
