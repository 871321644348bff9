"""Trips with real physics: each cause, and its time to safe from the device's own record."""

import pytest

from firmware_protocol.envelope import (
    BUDGET_FLOW_S,
    BUDGET_NO_CONTACT_S,
    LEASE_MARGIN_S,
    SEAL_UNBROKEN_MAX_S,
    VALVE_CLOSED_MIN_S,
)
from firmware_protocol.vectors import CLOSINGS
from firmware_protocol.vocabulary import Cause, Input, Mode, Permit
from simulator.firmware.guards import Finding, Guards, Scene
from simulator.firmware.modes import Policy
from simulator.firmware.outputs import FeedRegulator
from simulator.firmware.setpoints import Lease
from simulator.plant.hand import Lamp
from tests.simulator.host import Host


class BlindGuards(Guards):
    """Channel A with a fault: it sees nothing."""

    def judge(self, dt_ms: int, scene: Scene, policy: Policy) -> Finding | None:
        return None


class StuckLease(Lease):
    """Channel A with a fault: its lease timer stands still."""

    def left_ms(self, tick_ms: int) -> int:
        return 200


def number(happening: object, key: str) -> float:
    """Return a number of an event."""
    assert isinstance(happening, dict)
    return float(happening[key])


def safe_s(host: Host) -> float:
    """Return the time to safe that the device measured."""
    return number(host.of("safe")[-1], "took_s")


@pytest.mark.hazard("H10", shows="works")
@pytest.mark.parametrize("way", ["armed", "active", "paused"])
@pytest.mark.parametrize(("lease_ms", "granted_s"), [(0, 0.1), (99, 0.1), (200, 0.2), (501, 0.2)])
def test_silence_latches_safe_after_the_lease_and_shuts_the_valve_within_its_margin(
    way: str, lease_ms: int, granted_s: float
) -> None:
    host = getattr(Host(), way)()
    host.wishes.lease_ms = lease_ms
    host.run(0.1)
    host.streaming = False
    host.give(host.renewal())
    last_s = host.now_s
    host.until(lambda: host.mode is Mode.SAFE, 1.0)
    assert host.cause is Cause.LEASE_LAPSED
    assert host.now_s - last_s == pytest.approx(granted_s, abs=0.005)
    host.until(lambda: host.shut, 0.1)
    assert host.now_s - last_s <= granted_s + LEASE_MARGIN_S
    assert safe_s(host) <= LEASE_MARGIN_S
    assert host.shows(Lamp.TRIP)


@pytest.mark.hazard("H12", shows="works")
def test_a_lapsed_lease_is_not_revived_by_a_host_that_speaks_again() -> None:
    host = Host().tripped()
    host.device.hand.press()
    host.device.hand.place()
    host.run(2.0)
    assert host.is_in(Mode.SAFE)
    assert host.shut
    assert not host.device._drives.power


@pytest.mark.hazard("H14")
def test_a_gap_shorter_than_the_lease_does_nothing() -> None:
    host = Host().active()
    host.streaming = False
    host.run(0.15)
    host.streaming = True
    host.run(0.2)
    assert host.is_in(Mode.ACTIVE)
    assert host.of("trip") == []


@pytest.mark.hazard("H04", shows="works")
def test_lifting_the_tip_shuts_the_valve_within_100_ms_without_a_trip() -> None:
    host = Host().active()
    host.device.hand.lift()
    assert host.until(lambda: host.shut, 0.5) <= BUDGET_NO_CONTACT_S
    host.run(0.5)
    assert host.is_in(Mode.ACTIVE)
    assert host.of("trip") == []


def test_the_valve_opens_again_by_itself_when_the_tip_is_back_on_the_skin() -> None:
    host = Host().active()
    host.device.hand.lift()
    host.run(0.5)
    host.device.hand.place()
    assert host.until(lambda: host.valve_percent > 5.0, 1.0) < 0.6


@pytest.mark.hazard("H01")
def test_the_valve_shuts_when_the_exposure_of_the_zone_is_used_up() -> None:
    host = Host().active()
    host.wishes.exposure_left_mg = 0
    host.run(0.15)
    assert host.shut
    assert host.telemetry is not None
    assert not host.telemetry.permits & Permit.EXPOSURE
    host.wishes.exposure_left_mg = 5_000
    host.run(0.5)
    assert not host.shut


@pytest.mark.hazard("H01", shows="works")
def test_what_flowed_since_the_last_setpoint_counts_against_its_exposure() -> None:
    host = Host().active()
    host.wishes.exposure_left_mg = 10
    host.run(0.05)
    host.streaming = False
    grams = host.device.plant.truth.through_valve_g
    host.give(host.renewal())
    host.run(0.18)  # the lease is still alive
    assert host.device.plant.truth.through_valve_g - grams == pytest.approx(0.010, abs=0.008)
    assert host.shut
    assert host.of("trip") == []


@pytest.mark.hazard("H01", "H05", shows="works")
def test_a_host_that_grants_a_milligram_for_ever_does_not_make_the_valve_chatter() -> None:
    host = Host("average").armed()
    host.until(lambda: not host.shut, 5.0)
    host.wishes.exposure_left_mg = 1
    openings, was_open, shut_s, closed_s = 0, True, 0.0, []
    for _ in range(1300):  # 6.5 s
        host.step()
        is_open = host.device._drives.valve > 0.0
        if is_open and not was_open:
            openings += 1
            closed_s.append(host.now_s - shut_s)
        elif was_open and not is_open:
            shut_s = host.now_s
        was_open = is_open
    assert 1 <= openings <= 20
    assert min(closed_s) >= VALVE_CLOSED_MIN_S - 1e-9
    assert host.of("trip") == []


@pytest.mark.hazard("H05")
@pytest.mark.parametrize(("shut_ms", "may_open"), CLOSINGS)
def test_after_a_closing_the_valve_may_open_as_the_vectors_say(
    shut_ms: int, *, may_open: bool
) -> None:
    feed = FeedRegulator()
    assert feed.may_open  # never opened since power-on
    feed.open(5, 6.0, 6.0, 20.0)
    assert feed.may_open
    feed.shut(shut_ms)
    assert feed.may_open is may_open


@pytest.mark.hazard("H47", shows="works")
def test_the_outputs_stay_inside_of_configuration_and_telemetry_says_what_is_in_force() -> None:
    host = Host().active()
    host.wishes.suction_pa, host.wishes.flow_mg_per_min = 50_000, 12_000
    host.run(2.0)
    assert host.telemetry is not None
    assert host.telemetry.set_suction_pa == 40_000
    assert host.telemetry.set_flow_mg_per_min == 10_000
    assert host.device.plant.truth.suction_kpa == pytest.approx(40.0, abs=1.5)
    assert host.device.plant.truth.flow_g_per_min == pytest.approx(10.0, abs=0.7)
    wanted = Input.CONTACT | Input.VALVE_COMMANDED | Input.MOTION | Input.CONFIGURED
    assert host.telemetry.inputs & wanted == wanted


INJECTED = (
    "H01", "H03", "H04", "H06", "H07", "H08", "H09", "H16", "H17", "H28", "H29", "H30", "H45",
)  # fmt: skip
FAULTS = [
    ("suction-a-disconnected", Cause.SENSOR_INVALID, 0.02, 0.06),
    ("suction-b-disconnected", Cause.SENSOR_INVALID, 0.02, 0.06),
    ("flow-disconnected", Cause.SENSOR_INVALID, 0.02, 0.06),
    ("suction-a-frozen", Cause.SENSOR_FROZEN, 0.6, 0.06),
    ("suction-a-offset", Cause.SENSORS_DISAGREE, 0.35, 0.36),
    ("suction-b-offset", Cause.SENSORS_DISAGREE, 0.35, 0.36),
    ("flow-runaway", Cause.ENVELOPE, 0.25, BUDGET_FLOW_S),
    ("brown-out", Cause.BROWN_OUT, 0.02, 0.06),
    ("power-lost", Cause.BROWN_OUT, 0.02, 0.06),
    ("overheat", Cause.OVERHEAT, 2.0, 0.56),
    ("waste-full", Cause.WASTE_FULL, 0.6, 0.56),
    ("filter-loaded", Cause.FILTER_LOADED, 1.0, 0.56),
    ("hopper-empty", Cause.HOPPER_EMPTY, 1.2, 0.06),
    ("clog", Cause.NO_FLOW, 1.2, 0.06),
    ("hose-off", Cause.NO_SUCTION, 1.7, 0.06),
    ("pump-runaway", Cause.OVER_SUCTION, 2.5, 0.06),
]


@pytest.mark.hazard(*INJECTED, shows="works")
@pytest.mark.parametrize(("fault", "cause", "within_s", "safe_within_s"), FAULTS)
def test_each_fault_in_mid_stroke_trips_with_its_cause_and_is_safe_in_its_budget(
    fault: str, cause: Cause, within_s: float, safe_within_s: float
) -> None:
    host = Host().active()
    host.device.set_fault(fault)
    took_s = host.until(lambda: host.mode is Mode.SAFE, 5.0)
    assert host.cause is cause
    assert took_s <= within_s
    host.until(lambda: host.shut, 0.2)
    assert safe_s(host) <= safe_within_s
    assert len(host.of("trip")) == 1
    host.run(0.5)
    drives = host.device._drives
    assert (drives.valve, drives.pump, drives.vent_closed, drives.power) == (0, 0, False, False)
    assert host.telemetry is not None
    assert host.telemetry.cause == cause
    assert host.telemetry.inputs & Input.VENT_OPEN
    injected = host.of("fault")[-1]
    assert (injected["name"], injected["active"]) == (fault, True)


@pytest.mark.hazard("H02", shows="works")
def test_a_tip_that_stands_still_trips_after_two_seconds_with_a_motion_sensor() -> None:
    host = Host().active()
    host.device.hand.hold_still()
    took_s = host.until(lambda: host.mode is Mode.SAFE, 5.0)
    assert host.cause is Cause.DWELL
    assert took_s == pytest.approx(2.0, abs=0.05)
    host.run(0.1)
    assert safe_s(host) <= 0.06


@pytest.mark.hazard("H02", shows="works")
def test_an_unbroken_seal_trips_after_eight_seconds_without_a_motion_sensor() -> None:
    host = Host("still", motion=False)
    host.armed()
    host.until(lambda: not host.shut, 5.0)
    took_s = host.until(lambda: host.mode is Mode.SAFE, 10.0)
    assert host.cause is Cause.DWELL
    assert took_s == pytest.approx(8.0, abs=0.1)


@pytest.mark.hazard("H02", shows="works")
def test_a_motion_sensor_that_always_says_moving_makes_nothing_worse_than_none() -> None:
    host = Host("still")
    host.device.set_fault("motion-stuck")
    host.armed()
    host.until(lambda: not host.shut, 5.0)
    took_s = host.until(lambda: host.mode is Mode.SAFE, 10.0)
    assert host.cause is Cause.DWELL
    assert took_s == pytest.approx(SEAL_UNBROKEN_MAX_S, abs=0.1)
    host.run(0.1)
    assert safe_s(host) <= 0.06


@pytest.mark.hazard("H02", shows="works")
def test_skin_is_not_sucked_in_for_longer_than_20_seconds_with_the_valve_shut() -> None:
    host = Host().active()
    host.device.hand.release()
    took_s = host.until(lambda: host.mode is Mode.SAFE, 30.0)
    assert host.cause is Cause.CONTACT_TOO_LONG
    assert took_s <= 20.1


@pytest.mark.hazard("H05", shows="works")
@pytest.mark.parametrize("fault", ["valve-stuck-open", "valve-slow", "valve-leak"])
def test_crystals_stop_within_the_budget_after_lifting_with_a_valve_that_does_not_shut(
    fault: str,
) -> None:
    host = Host().active()
    host.device.set_fault(fault)
    host.device.hand.lift()
    took_s = host.until(lambda: host.mode is Mode.SAFE, 1.0)
    assert took_s <= BUDGET_FLOW_S
    assert host.cause in {Cause.VALVE_STUCK_OPEN, Cause.FLOW_WITHOUT_CONTACT}
    assert not host.device._drives.power
    host.run(0.25)
    assert host.device.plant.truth.flow_g_per_min < 0.1
    assert safe_s(host) <= 2 * BUDGET_FLOW_S


@pytest.mark.hazard("H05", shows="works")
def test_channel_b_alone_stops_the_flow_through_a_stuck_open_valve() -> None:
    host = Host().active()
    host.device.set_fault("valve-stuck-open")
    host.device.firmware.board.a._guards = BlindGuards()
    host.device.hand.release()
    took_s = host.until(lambda: host.mode is Mode.SAFE, 1.0)
    assert host.device.firmware.board.b.cause is Cause.VALVE_STUCK_OPEN
    assert took_s <= BUDGET_FLOW_S
    assert not host.device._drives.power
    host.run(0.5)
    assert host.device.plant.truth.flow_g_per_min < 0.1


@pytest.mark.hazard("H10", shows="works")
def test_channel_b_shuts_the_valve_by_itself_when_channel_a_forgets_the_lease() -> None:
    host = Host().active()
    board = host.device.firmware.board
    board.a.lease = StuckLease()
    board.a.lease.grant(200, board.tick_ms)
    host.streaming = False
    assert host.until(lambda: host.shut, 0.5) <= 0.250
    assert not board.b.enable


@pytest.mark.hazard("H36", shows="works")
def test_contacts_of_the_hand_switch_that_disagree_trip_after_50_ms() -> None:
    host = Host().active()
    host.device.set_fault("switch-contacts-disagree")
    host.device.hand.release()
    took_s = host.until(lambda: host.mode is Mode.SAFE, 0.5)
    assert host.cause is Cause.SWITCH_FAULT
    assert took_s == pytest.approx(0.06, abs=0.02)
    assert host.until(lambda: host.shut, 0.1) <= 0.1


@pytest.mark.hazard("H36", shows="works")
def test_a_switch_that_is_never_released_trips_after_two_minutes() -> None:
    host = Host("average")
    host.armed()
    host.until(lambda: host.mode is Mode.ACTIVE)
    host.device.set_fault("switch-stuck")
    took_s = host.until(lambda: host.mode is Mode.SAFE, 130.0)
    assert host.cause is Cause.SWITCH_FAULT
    assert took_s == pytest.approx(120.0, abs=1.0)


def test_the_first_cause_is_kept_when_more_follow() -> None:
    host = Host().active()
    host.device.set_fault("suction-a-disconnected")
    host.run(0.05)
    host.device.set_fault("brown-out")
    host.device.set_fault("suction-b-disconnected")
    host.run(0.5)
    assert host.cause is Cause.SENSOR_INVALID
    assert len(host.of("trip")) == 1


@pytest.mark.hazard("H17", shows="works")
def test_power_that_comes_back_does_not_start_anything() -> None:
    host = Host().active()
    host.device.set_fault("power-lost")
    host.run(0.1)
    host.device.clear_fault("power-lost")
    host.run(3.0)
    assert host.is_in(Mode.SAFE)
    assert host.shut


@pytest.mark.parametrize("hand", ["average", "careful", "slow", "hurried"])
@pytest.mark.parametrize("motion", [True, False])
def test_an_ordinary_hand_works_without_a_trip(hand: str, *, motion: bool) -> None:
    host = Host(hand, motion=motion)
    host.armed()
    host.run(12.0)
    assert host.of("trip") == []
    assert host.device.plant.truth.contact_s > 5.0
    assert host.device.plant.truth.ejected_g <= 0.05 * host.device.plant.truth.through_valve_g


def test_a_hand_that_never_presses_treats_nobody() -> None:
    host = Host("absent")
    host.armed()
    host.run(12.0)
    assert host.is_in(Mode.DISARMED)
    assert host.device.plant.truth.through_valve_g == 0.0
