"""STOP in every mode, the orderly end, pause and the hand switch."""

from dataclasses import replace

import pytest

from firmware_protocol.catalogue import CATALOGUE, Direction
from firmware_protocol.frame import DELIMITER, FLAGS_KNOWN
from firmware_protocol.link import Link
from firmware_protocol.messages import SelfTest, Stop
from firmware_protocol.vectors import frame_of
from firmware_protocol.vocabulary import Mode, Refusal, StopKind, Wish
from simulator.plant.hand import Lamp
from tests.simulator.host import Host

AFTER = {
    "booting": (Mode.DISARMED, Mode.DISARMED),
    "configured": (Mode.DISARMED, Mode.DISARMED),
    "testing": (Mode.DISARMED, Mode.DISARMED),
    "ready": (Mode.DISARMED, Mode.DISARMED),
    "armed": (Mode.STOPPING, Mode.DISARMED),
    "active": (Mode.STOPPING, Mode.DISARMED),
    "paused": (Mode.STOPPING, Mode.DISARMED),
    "stopping": (Mode.STOPPING, Mode.DISARMED),
    "tripped": (Mode.SAFE, Mode.SAFE),
}


def host_in(way: str) -> Host:
    """Return a host whose device is in a mode."""
    host = Host()
    if way == "booting":
        host.step()
    elif way == "testing":
        host.configured().result(SelfTest())
        assert host.is_in(Mode.SELFTEST)
    else:
        getattr(host, way)()
    return host


@pytest.mark.hazard("H49", "H54", shows="works")
@pytest.mark.parametrize("kind", StopKind)
@pytest.mark.parametrize("way", AFTER)
def test_every_mode_answers_every_stop_at_once_and_nothing_flows_after_100_ms(
    way: str, kind: StopKind
) -> None:
    host = host_in(way)
    answer = host.stop(kind)
    assert host.mode is AFTER[way][kind]
    assert answer.mode == host.mode
    host.run(0.1)
    assert host.shut
    assert host.of("stop")[-1]["stop_kind"] == kind.name


@pytest.mark.hazard("H49")
def test_a_stop_is_understood_from_anyone_with_any_session_or_none() -> None:
    host = Host().active()
    stranger = Link(Direction.TO_DEVICE)
    host.give(stranger.send(Stop(StopKind.EMERGENCY)))
    assert host.is_in(Mode.DISARMED)
    host = Host().active()
    stranger.open_session(4711, 0.0)
    host.give(stranger.send(Stop(StopKind.NORMAL)))
    assert host.is_in(Mode.STOPPING)


@pytest.mark.hazard("H49", "H11", shows="works")
@pytest.mark.parametrize("flags", range(FLAGS_KNOWN + 1))
def test_a_stop_with_any_known_flags_shuts_the_valve_and_is_no_bad_frame(flags: int) -> None:
    host = Host().active()
    spec = next(row for row in CATALOGUE if row.message is Stop)
    plain = frame_of(spec, {"kind": StopKind.NORMAL}, host.link.session, 0)
    host.give(DELIMITER + replace(plain, flags=flags).wire())
    assert host.is_in(Mode.STOPPING)
    host.run(0.1)
    assert host.shut
    assert host.device.firmware.link.bad_frames == 0


def test_repeats_of_a_stop_are_answered_and_are_one_event() -> None:
    host = Host().active()
    for _ in range(10):
        host.stop(StopKind.NORMAL)
        host.run(0.02)
    assert host.stops_answered == 10
    assert len(host.of("stop")) == 1
    host.run(1.1)
    host.stop(StopKind.NORMAL)
    assert len(host.of("stop")) == 2


def test_the_orderly_end_purges_two_seconds_vents_and_disarms() -> None:
    host = Host().active()
    host.stop(StopKind.NORMAL)
    began_s = host.now_s
    host.run(1.9)
    assert host.is_in(Mode.STOPPING)
    assert host.device._drives.pump > 0.0
    assert host.device._drives.vent_closed
    host.until(lambda: host.mode is Mode.DISARMED)
    assert 2.0 <= host.now_s - began_s <= 2.5
    host.run(0.2)
    assert host.device.plant.truth.suction_kpa < 3.0
    assert host.of("safe")[-1]["cause"] == "STOP"
    assert float(str(host.of("safe")[-1]["took_s"])) <= 0.1


def test_an_emergency_vents_together_with_the_valve() -> None:
    host = Host().active()
    host.stop(StopKind.EMERGENCY)
    host.run(0.005)
    assert not host.device._drives.vent_closed
    assert host.device._drives.valve == 0.0
    host.run(0.5)
    assert host.device.plant.truth.suction_kpa < 3.0


def test_an_emergency_cuts_an_orderly_end_short() -> None:
    host = Host().stopping()
    host.stop(StopKind.EMERGENCY)
    assert host.is_in(Mode.DISARMED)


@pytest.mark.hazard("H10", shows="works")
def test_silence_during_the_orderly_end_vents_at_once() -> None:
    host = Host().stopping()
    host.streaming = False
    host.run(0.25)
    assert not host.device._drives.vent_closed
    host.until(lambda: host.mode is Mode.DISARMED, 1.0)
    assert host.of("trip") == []


@pytest.mark.hazard("H36", "H54", shows="works")
def test_letting_go_of_the_switch_shuts_the_valve_within_100_ms_and_pauses() -> None:
    host = Host().active()
    host.device.hand.release()
    assert host.until(lambda: host.shut, 0.2) <= 0.100
    assert host.is_in(Mode.PAUSED)
    assert host.device._drives.pump > 0.0
    host.device.hand.press()
    host.until(lambda: host.mode is Mode.ACTIVE, 0.2)
    host.until(lambda: not host.shut, 1.0)


def test_a_pause_by_the_host_needs_a_new_press_to_end() -> None:
    host = Host().active()
    host.wishes.wish = Wish.PUMP
    host.until(lambda: host.mode is Mode.PAUSED, 0.2)
    assert host.shows(Lamp.OFF)
    host.wishes.wish = Wish.ALL
    host.run(1.0)
    assert host.is_in(Mode.PAUSED)
    assert host.shows(Lamp.OFF)  # held: let go first
    host.device.hand.release()
    host.run(0.1)
    assert host.shows(Lamp.READY)
    host.device.hand.press()
    host.until(lambda: host.mode is Mode.ACTIVE, 0.2)


@pytest.mark.hazard("H50")
def test_a_press_while_the_host_holds_starts_nothing() -> None:
    host = Host().paused()
    host.wishes.wish = Wish.PUMP
    host.run(0.1)
    host.device.hand.press()
    host.run(0.2)
    host.wishes.wish = Wish.ALL
    host.run(0.5)
    assert host.is_in(Mode.PAUSED)
    assert host.shut


@pytest.mark.hazard("H22", shows="works")
def test_armed_waits_ten_seconds_for_a_press_and_no_longer() -> None:
    host = Host().armed()
    host.run(0.1)
    assert host.shows(Lamp.READY)
    host.run(9.8)
    assert host.is_in(Mode.ARMED)
    host.until(lambda: host.mode is Mode.DISARMED, 0.5)
    assert host.shows(Lamp.OFF)


@pytest.mark.hazard("H18", "H36", shows="works")
def test_a_switch_that_is_held_since_power_on_starts_nothing() -> None:
    host = Host()
    host.device.hand.press()
    host.configured()
    assert host.result(SelfTest()).refusal == Refusal.SWITCH_PRESSED
    host.run(120.0)
    assert host.is_in(Mode.SAFE)
    assert host.cause.name == "SWITCH_FAULT"
    assert host.device.plant.truth.through_valve_g == 0.0
