"""HELLO, sessions, setpoints and reports, over real bytes."""

import pytest

from firmware_protocol.catalogue import PROTOCOL_MAJOR, PROTOCOL_MINOR
from firmware_protocol.link import session_number
from firmware_protocol.messages import Arm, Hello, Ident, SelfTest, Stopped
from firmware_protocol.schema import SCHEMA_HASH
from firmware_protocol.vocabulary import Capability, Cause, Input, Mode, Permit, Refusal
from qa.host import Ill
from simulator.firmware.firmware import OUTGOING_MAX_BYTES
from simulator.handpiece import SERIAL_NUMBER
from tests.simulator.host import Host


def test_it_boots_disarmed_with_everything_off_and_says_nothing_unasked() -> None:
    host = Host()
    host.run(1.0)
    assert host.is_in(Mode.DISARMED)
    assert host.telemetry is None
    drives = host.device._drives
    assert (drives.valve, drives.pump, drives.vent_closed) == (0.0, 0.0, False)
    assert [(e["from"], e["mode"]) for e in host.of("mode")] == [("BOOT", "DISARMED")]


def test_hello_is_answered_with_who_it_is_and_opens_a_session() -> None:
    host = Host()
    ident = host.hello()
    assert (ident.refusal, ident.serial, ident.schema) == (Refusal.NONE, SERIAL_NUMBER, SCHEMA_HASH)
    assert ident.capabilities == Capability.SIMULATED | Capability.MOTION_SENSOR
    assert host.of("session")[-1]["session"] == session_number(1, ident.device_nonce)
    assert Host(motion=False).hello().capabilities == Capability.SIMULATED


def test_a_hello_while_it_boots_is_answered_when_it_has() -> None:
    host = Host()
    began_s = host.now_s
    assert host.hello().refusal == Refusal.NONE
    assert host.now_s - began_s >= 0.1
    assert host.is_in(Mode.DISARMED)


@pytest.mark.hazard("H33", shows="works")
def test_another_version_is_refused_by_name_and_opens_nothing() -> None:
    host = Host()
    assert host.hello(major=PROTOCOL_MAJOR + 1).refusal == Refusal.VERSION
    reply = host.ask(Hello(PROTOCOL_MAJOR, 0, SCHEMA_HASH ^ 1, 7))
    assert isinstance(reply, Ident)
    assert reply.refusal == Refusal.VERSION
    assert host.device.firmware.link.session == 0


@pytest.mark.hazard("H33", shows="works")
@pytest.mark.parametrize("minor", [0, 1, 255])
def test_a_host_of_any_minor_version_opens_a_session(minor: int) -> None:
    host = Host()
    reply = host.ask(Hello(PROTOCOL_MAJOR, minor, SCHEMA_HASH, 7))
    assert isinstance(reply, Ident)
    assert (reply.refusal, reply.minor) == (Refusal.NONE, PROTOCOL_MINOR)
    assert host.device.firmware.link.session != 0
    assert host.device.firmware.link.minor == min(minor, PROTOCOL_MINOR)


@pytest.mark.hazard("H24", shows="works")
@pytest.mark.parametrize("way", ["armed", "active", "paused", "stopping"])
def test_hello_is_answered_busy_while_a_treatment_lives(way: str) -> None:
    host = getattr(Host(), way)()
    mode, session = host.mode, host.device.firmware.link.session
    assert host.hello().refusal == Refusal.BUSY
    assert host.mode is mode
    assert host.device.firmware.link.session == session


@pytest.mark.hazard("H43")
def test_a_new_session_means_disarmed_without_configuration_or_lease() -> None:
    host = Host()
    token = host.ready().token
    host.streaming = False
    host.hello()
    assert host.is_in(Mode.DISARMED)
    assert host.telemetry is not None
    host.run(0.1)
    assert not host.telemetry.inputs & Input.CONFIGURED
    assert not host.telemetry.permits & Permit.LEASE
    assert host.result(Arm(token, 77)).refusal == Refusal.WRONG_MODE


def test_a_new_session_leaves_safe_latched() -> None:
    host = Host().tripped()
    assert host.hello().refusal == Refusal.NONE
    assert host.is_in(Mode.SAFE)


def test_telemetry_comes_50_times_and_status_5_times_a_second_in_a_session() -> None:
    host = Host()
    host.hello()
    seen: list[int] = []
    slow: list[int] = []
    for _ in range(400):
        host.step()
        if host.telemetry is not None and host.telemetry.tick_ms not in seen[-1:]:
            seen.append(host.telemetry.tick_ms)
        if host.status is not None and host.status.tick_ms not in slow[-1:]:
            slow.append(host.status.tick_ms)
    assert len(seen) == pytest.approx(100, abs=1)
    assert len(slow) == pytest.approx(10, abs=1)


@pytest.mark.hazard("H32", shows="works")
def test_a_treatment_goes_on_while_the_tick_wraps() -> None:
    host = Host("average", boot_tick_ms=2**32 - 6000)
    host.armed()
    host.run(10.0)
    assert host.is_in(Mode.ACTIVE)
    assert host.telemetry is not None
    assert host.telemetry.tick_ms < 10_000
    assert host.of("trip") == []


def test_a_message_that_is_not_for_a_device_does_nothing() -> None:
    host = Host().configured()
    before = list(host.happened)
    host.device.firmware._message(Stopped(0, Mode.SAFE, 0, 0))
    assert host.device.outgoing() == b""
    assert host.happened == before


@pytest.mark.hazard("H23", shows="works")
def test_a_recorded_session_replayed_never_gets_past_disarmed() -> None:
    host = Host("average")
    host.armed()
    host.run(3.0)
    recorded, fresh = host.line, Host("average", seed=2)
    fresh.run(0.5)
    modes = set()
    for data in recorded:
        fresh.give(data)
        fresh.run(0.005)
        modes.add(fresh.mode)
    assert modes == {Mode.DISARMED}
    assert fresh.device.plant.truth.through_valve_g == 0.0


@pytest.mark.hazard("H23", shows="works")
def test_a_setpoint_replayed_in_its_own_session_does_not_renew_the_lease() -> None:
    host = Host().configured()
    host.run(0.2)
    host.streaming = False
    replayed = host.line[-1]
    for _ in range(60):
        host.run(0.005)
        host.give(replayed)
    assert host.of("lease")[-1]["state"] == "lapsed"


@pytest.mark.hazard("H13", shows="works")
def test_a_host_that_sends_but_no_longer_decides_loses_the_lease() -> None:
    host = Host().active()
    host.ill = Ill.SAME_COUNTER
    took_s = host.until(lambda: host.shut, 1.0)
    assert took_s <= 0.250 + 0.050
    assert host.is_in(Mode.SAFE)
    assert host.of("trip")[-1]["cause"] == "LEASE_LAPSED"
    assert host.of("dropped")[-1]["why"] == "loop counter did not advance"


@pytest.mark.hazard("H11", "H13", shows="works")
def test_setpoints_that_echo_an_old_tick_lose_the_lease() -> None:
    host = Host().active()
    assert host.telemetry is not None
    host.ill = Ill.SAME_ECHO
    host.until(lambda: host.mode is Mode.SAFE, 1.0)
    assert host.of("dropped")[-1]["why"] == "echoes an old tick"


@pytest.mark.hazard("H11", "H13", shows="works")
@pytest.mark.parametrize("counts_in_ms", [1, 5, 20])
def test_a_host_that_counts_ticks_by_its_own_clock_loses_the_lease(counts_in_ms: int) -> None:
    host = Host().armed()
    assert host.telemetry is not None
    host.ill = Ill.SAME_ECHO
    heard_tick, since_s = host.telemetry.tick_ms, host.now_s

    def counted() -> bool:
        passed_ms = round((host.now_s - since_s) * 1000)
        host.echo = heard_tick + passed_ms // counts_in_ms * counts_in_ms
        return host.mode is Mode.SAFE

    host.until(counted, 10.0)
    assert host.cause is Cause.LEASE_LAPSED
    assert "echoes a tick that was not sent" in [one["why"] for one in host.of("dropped")]


@pytest.mark.hazard("H11", shows="works")
def test_more_than_five_corrupt_frames_in_ten_seconds_latch_safe_while_armed() -> None:
    host = Host().armed()
    for _ in range(5):
        host.run(0.1)
        host.give(b"\x05junk\x00")
    assert host.is_in(Mode.ARMED)
    host.give(b"\x05junk\x00")
    assert host.is_in(Mode.SAFE)
    assert host.cause.name == "LINK_ERRORS"


def test_corrupt_frames_while_disarmed_refuse_arming_and_are_counted() -> None:
    host = Host()
    token = host.ready().token
    for _ in range(6):
        host.give(b"\x05junk\x00")
    assert host.is_in(Mode.READY)
    assert host.result(Arm(token, host.wishes.treatment)).refusal == Refusal.STREAM_NOT_HEALTHY
    host.run(0.3)
    assert host.status is not None
    assert host.status.bad_frames == 6


def test_what_nobody_reads_is_bounded() -> None:
    host = Host().configured()
    host.device.advance(host.now_s + 60.0)
    assert len(host.device.outgoing()) <= OUTGOING_MAX_BYTES


def test_the_same_seed_and_bytes_give_the_same_run() -> None:
    first, second = Host("average", seed=5), Host("average", seed=5)
    for host in (first, second):
        host.armed()
        host.run(5.0)
    assert first.happened == second.happened
    assert first.line == second.line
    third = Host("average", seed=6)
    third.armed()
    third.run(5.0)
    assert third.happened != first.happened


def test_a_repeated_request_is_answered_again_and_applied_once() -> None:
    host = Host().configured()
    seq = host.link.request(SelfTest(), host.now_s)
    wire = host.link.outgoing()
    host.give(wire)
    host.run(0.6)
    assert host.is_in(Mode.READY)
    host.give(wire)
    assert host.is_in(Mode.READY)
    assert seq in host.replies
