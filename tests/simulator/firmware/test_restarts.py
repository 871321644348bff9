"""Hangs, dips and storms of restarts, with real physics and the device's own record."""

import pytest

from firmware_protocol.envelope import BUDGET_SWITCH_S
from firmware_protocol.messages import LogRead, LogRecord, SelfTest
from firmware_protocol.vocabulary import Cause, Defect, LogCode, Mode, Outcome, Refusal
from simulator.firmware.memory import STORM_SPAN_MS
from simulator.firmware.watchdog import STALL_MAX_MS
from simulator.plant.hand import Lamp
from tests.simulator.host import CONFIG, Host

STALL_S = STALL_MAX_MS / 1000
WAYS = ["configured", "ready", "armed", "active", "paused", "stopping"]


def logged(host: Host) -> list[tuple[LogCode, int]]:
    """Return the event log as the host reads it."""
    found: list[tuple[LogCode, int]] = []
    while True:
        record = host.ask(LogRead(len(found) + 1))
        assert isinstance(record, LogRecord)
        if record.record_seq == 0:
            return found
        found.append((LogCode(record.code), record.arg))


def told(host: Host) -> Defect:
    """Return what STATUS says of the newest self-test, in a session of its own."""
    host.hello()
    host.status = None
    host.until(lambda: host.status is not None)
    assert host.status is not None
    return Defect(host.status.defects)


def rest(host: Host) -> None:
    """Take the handpiece off the skin and greet the unit again."""
    host.device.hand.release()
    host.device.hand.lift()
    host.run(0.05)
    host.until(lambda: host.mode is not Mode.BOOT)
    host.hello()


@pytest.mark.hazard("H15", shows="works")
def test_a_hang_in_full_flow_is_safe_within_the_watchdog_and_the_spring() -> None:
    host = Host().active()
    boot_id = host.device.firmware.board.identity.boot_id
    host.device.set_fault("firmware-halt")
    frozen = host.device._drives
    host.run(0.05)
    assert frozen.valve > 0.0
    assert not host.shut
    took_s = 0.05 + host.until(lambda: host.shut, 0.5)
    assert took_s <= STALL_S + BUDGET_SWITCH_S
    host.run(0.2)
    assert host.is_in(Mode.DISARMED)
    assert host.cause.name == "NONE"
    (safe,) = host.of("safe")
    assert safe["cause"] == "LOOP_STALL"
    assert STALL_S < float(str(safe["took_s"])) <= STALL_S + BUDGET_SWITCH_S
    assert host.of("restart")[-1]["why"] == "watchdog"
    assert host.device.firmware.board.identity.boot_id != boot_id
    assert host.device.plant.faults.active == frozenset()
    host.device.hand.press()
    host.run(3.0)  # the stream of the old session and a held switch start nothing
    assert host.shut
    rest(host)
    assert (LogCode.TRIP, Cause.LOOP_STALL) in logged(host)


@pytest.mark.hazard("H15", shows="works")
@pytest.mark.parametrize("way", WAYS)
def test_a_hang_in_any_mode_leads_to_disarmed_and_off(way: str) -> None:
    host = Host()
    getattr(host, way)()
    host.device.set_fault("firmware-halt")
    sent = len(host.line)
    host.run(0.1)
    assert host.device.outgoing() == b""
    assert len(host.line) > sent  # and nobody heard it
    host.run(0.3)
    assert host.is_in(Mode.DISARMED)
    assert host.shut
    drives = host.device._drives
    assert (drives.valve, drives.pump, drives.vent_closed) == (0, 0, False)
    rest(host)
    assert host.result(CONFIG).outcome == Outcome.DONE


def test_a_stall_shorter_than_the_watchdog_is_caught_up_by_the_clocks() -> None:
    host = Host().active()
    host.streaming = False
    host.step()  # the newest setpoint counts
    left_ms = host.device.firmware.board.a.lease_left_ms
    host.device.set_fault("firmware-halt")
    host.run(0.08)
    host.device.clear_fault("firmware-halt")
    host.run(0.005)
    assert host.of("restart") == []
    assert host.device.firmware.board.a.lease_left_ms == left_ms - 85
    host.run(0.2)
    assert host.cause is Cause.LEASE_LAPSED


@pytest.mark.hazard("H17", "H18", "H43", shows="works")
@pytest.mark.parametrize("way", WAYS)
def test_a_dip_of_the_supply_with_the_switch_held_starts_nothing(way: str) -> None:
    host = Host()
    getattr(host, way)()
    host.device.hand.press()
    host.device.hand.place()
    host.device.set_fault("power-dip")
    assert host.until(lambda: host.shut, 0.5) <= BUDGET_SWITCH_S
    host.run(0.2)
    assert host.is_in(Mode.DISARMED)
    host.hello()
    assert host.result(CONFIG).outcome == Outcome.DONE
    assert host.result(SelfTest()).refusal == Refusal.SWITCH_PRESSED
    host.run(1.0)
    assert host.shut
    assert host.shows(Lamp.OFF)


@pytest.mark.hazard("H17", "H18")
def test_a_switch_that_is_held_at_power_on_neither_arms_nor_opens() -> None:
    host = Host()
    host.device.hand.press()
    host.device.hand.place()
    host.configured()
    assert host.result(SelfTest()).refusal == Refusal.SWITCH_PRESSED
    host.run(2.0)
    assert host.is_in(Mode.DISARMED)
    assert host.device.plant.truth.through_valve_g == 0.0


@pytest.mark.hazard("H46", shows="works")
@pytest.mark.parametrize("way", ["configured", "active"])
def test_a_storm_of_restarts_latches_and_needs_a_minute_of_peace_and_a_reset(way: str) -> None:
    host = Host()
    getattr(host, way)()
    host.device.set_fault("reset-storm")
    host.until(lambda: host.shut, 2.2)
    host.until(lambda: host.mode is Mode.SAFE, 10.0)
    assert host.cause is Cause.RESET_STORM
    assert len(host.of("boot")) == 4
    host.run(5.0)
    assert host.cause is Cause.RESET_STORM  # every further boot latches anew
    host.device.clear_fault("reset-storm")
    rest(host)
    assert host.result(CONFIG).refusal == Refusal.WRONG_MODE
    assert host.reset(Cause.RESET_STORM).refusal == Refusal.CAUSE_STANDS
    host.streaming = False
    host.run(STORM_SPAN_MS / 1000)
    assert host.reset(Cause.RESET_STORM).outcome == Outcome.DONE
    assert host.is_in(Mode.DISARMED)
    assert host.device.memory.boots == 0
    assert [code for code, _ in logged(host)].count(LogCode.BOOT) == len(host.of("boot"))


@pytest.mark.hazard("H46")
def test_restarts_with_a_minute_of_peace_between_them_are_no_storm() -> None:
    device = Host().device
    for _ in range(3):
        device.advance(device.now_s + STORM_SPAN_MS / 1000 + 0.5)
        device.restart()
    device.advance(device.now_s + 0.2)
    assert device.firmware.mode is Mode.DISARMED


@pytest.mark.hazard("H34", shows="works")
@pytest.mark.parametrize(
    ("fault", "mode"), [("memory-flip", Mode.DISARMED), ("memory-spoilt", Mode.SAFE)]
)
def test_a_spoilt_memory_is_mended_from_its_twin_or_counts_as_the_worst(
    fault: str, mode: Mode
) -> None:
    host = Host().configured()
    host.device.set_fault(fault)
    host.device.restart()
    host.run(0.2)
    assert host.is_in(mode)
    assert (host.cause is Cause.RESET_STORM) is (mode is Mode.SAFE)
    assert told(host) == Defect.MEMORY_SPOILT


@pytest.mark.hazard("H36", "H16", shows="works")
def test_what_the_self_test_at_power_on_finds_is_told_in_every_status() -> None:
    host = Host().configured()
    assert host.status is None or host.status.defects == 0
    host.device.hand.press()
    host.device.restart()
    host.run(0.2)
    assert told(host) == Defect.SWITCH_PRESSED
    host.device.hand.release()
    host.run(0.3)
    assert told(host) == Defect.SWITCH_PRESSED  # of the power-on, until the next self-test
    assert host.result(CONFIG).refusal == Refusal.NONE
    assert host.result(SelfTest()).refusal == Refusal.NONE
    host.until(lambda: host.mode is Mode.READY)
    host.run(0.3)
    assert host.status is not None
    assert host.status.defects == 0
    assert [arg for code, arg in logged(host) if code is LogCode.SELF_TEST] == [
        0, Defect.SWITCH_PRESSED, 0,
    ]  # fmt: skip


@pytest.mark.hazard("H15", "H09", shows="works")
def test_a_restart_by_the_watchdog_and_a_sensor_that_is_lost_since_are_told_beside_the_trip() -> (
    None
):
    host = Host().configured()
    host.device.set_fault("firmware-halt")
    host.until(lambda: bool(host.of("restart")), 1.0)
    host.device.set_fault("suction-b-disconnected")
    host.run(0.3)
    assert host.is_in(Mode.SAFE)
    assert told(host) == Defect.WATCHDOG | Defect.SENSOR_LOST


@pytest.mark.hazard("H32")
def test_every_boot_starts_five_seconds_before_the_tick_wraps() -> None:
    host = Host().configured()
    host.run(3.0)
    host.device.restart()
    host.run(0.2)
    host.hello()
    host.run(0.1)
    assert host.telemetry is not None
    assert 2**32 - 4800 <= host.telemetry.tick_ms < 2**32 - 4500
