"""Faults that no single reading gives away, each against its budget in the device's own record."""

from collections.abc import Callable

import pytest

from firmware_protocol.envelope import (
    BUDGET_FLOW_S,
    BUDGET_NO_CONTACT_S,
    BUDGET_SWITCH_S,
    PURGE_S,
    SUCTION_TRIP_PA,
    VENT_TIMEOUT_S,
)
from firmware_protocol.messages import Arm, SelfTest
from firmware_protocol.vocabulary import Cause, Mode, Permit, Refusal, StopKind
from simulator.firmware.firmware import TICK_S
from simulator.firmware.guards import Finding, Guards, Scene
from simulator.firmware.modes import Policy
from simulator.plant.hand import Lamp
from tests.simulator.host import CONFIG, Host

MINUTES_20_S = 20 * 60


class BlindGuards(Guards):
    """Channel A with a fault: it sees nothing."""

    def judge(self, dt_ms: int, scene: Scene, policy: Policy) -> Finding | None:
        return None


def trips(host: Host, within_s: float) -> Cause:
    """Wait for a trip and for the shut valve; return the cause."""
    host.until(lambda: host.mode is Mode.SAFE, within_s)
    host.until(lambda: host.shut, 0.2)
    host.run(0.02)
    return host.cause


def safe_s(host: Host) -> float:
    """Return the time to safe that the device measured."""
    return float(str(host.of("safe")[-1]["took_s"]))


def failed(host: Host) -> str:
    """Run a self-test and return what failed."""
    assert host.result(SelfTest()).refusal == Refusal.NONE
    host.until(lambda: host.mode is not Mode.SELFTEST)
    return str(host.of("selftest")[-1]["failed"])


# -- H27: the tip ----------------------------------------------------------------------------------
@pytest.mark.hazard("H27")
@pytest.mark.parametrize("fault", ["tip-swapped", "tip-unread"])
def test_a_tip_that_was_not_planned_or_cannot_be_read_does_not_arm(fault: str) -> None:
    host = Host()
    token = host.ready().token
    host.device.set_fault(fault)
    host.run(0.05)
    assert host.result(Arm(token, host.wishes.treatment)).refusal == Refusal.OUT_OF_ENVELOPE
    assert host.is_in(Mode.READY)
    host.device.clear_fault(fault)
    host.run(0.05)
    assert host.result(Arm(token, host.wishes.treatment)).refusal == Refusal.NONE


@pytest.mark.hazard("H27")
def test_a_configuration_for_another_tip_does_not_arm() -> None:
    host = Host().configured(CONFIG._replace(tip=2))
    token = host.result(SelfTest()).detail
    host.until(lambda: host.mode is Mode.READY)
    host.run(1.0)
    assert host.result(Arm(token, host.wishes.treatment)).refusal == Refusal.OUT_OF_ENVELOPE


@pytest.mark.hazard("H27", shows="works")
@pytest.mark.parametrize("fault", ["tip-swapped", "tip-unread"])
@pytest.mark.parametrize("way", ["armed", "active", "paused"])
def test_a_tip_that_changes_while_armed_trips_within_150_ms(way: str, fault: str) -> None:
    host = getattr(Host(), way)()
    host.device.set_fault(fault)
    assert trips(host, 0.1) is Cause.TIP_CHANGED
    assert safe_s(host) <= 0.05 + BUDGET_SWITCH_S
    host.device.hand.release()
    host.run(0.1)
    assert host.reset(Cause.TIP_CHANGED).refusal == Refusal.NONE
    token = host.result(SelfTest()).detail
    host.until(lambda: host.mode is Mode.READY)
    host.run(1.0)
    assert host.result(Arm(token, host.wishes.treatment)).refusal == Refusal.OUT_OF_ENVELOPE


# -- H01: exposure ---------------------------------------------------------------------------------
@pytest.mark.hazard("H01", shows="works")
@pytest.mark.parametrize("flow_mg_per_min", [2_000, 6_000, 10_000])
def test_an_exhausted_zone_shuts_a_healthy_valve_without_a_trip(flow_mg_per_min: int) -> None:
    host = Host().active()
    host.wishes.flow_mg_per_min = flow_mg_per_min
    host.run(1.0)
    host.wishes.exposure_left_mg = 0
    assert host.until(lambda: host.shut, 0.3) <= 0.05 + BUDGET_SWITCH_S
    host.run(1.0)
    assert host.is_in(Mode.ACTIVE)
    assert host.of("trip") == []


@pytest.mark.hazard("H01", shows="works")
@pytest.mark.parametrize("fault", ["valve-stuck-open", "valve-leak", "valve-slow"])
def test_crystals_that_flow_on_after_the_zone_is_exhausted_trip(fault: str) -> None:
    host = Host().active()
    host.device.set_fault(fault)
    host.wishes.exposure_left_mg = 0
    host.until(lambda: not (host.telemetry and host.telemetry.permits & Permit.EXPOSURE), 0.2)
    took_s = host.until(lambda: host.mode is Mode.SAFE, 0.3)
    assert host.cause is Cause.EXPOSURE
    assert took_s <= BUDGET_FLOW_S
    assert not host.device._drives.power
    host.run(0.25)
    assert host.device.plant.truth.flow_g_per_min < 0.1


def test_a_host_that_stops_asking_leaves_the_valve_to_answer_for_itself() -> None:
    host = Host().active()
    host.device.set_fault("valve-stuck-open")
    host.wishes.exposure_left_mg = 0
    host.wishes.flow_mg_per_min = 0
    assert trips_stuck(host) is Cause.VALVE_STUCK_OPEN


def trips_stuck(host: Host) -> Cause:
    """Wait for a trip with a valve that cannot shut."""
    host.until(lambda: host.mode is Mode.SAFE, 0.5)
    return host.cause


# -- H08: sensors that stand still -----------------------------------------------------------------
@pytest.mark.hazard("H08", shows="works")
@pytest.mark.parametrize("fault", ["suction-a-frozen", "suction-b-frozen", "flow-frozen"])
@pytest.mark.parametrize("way", ["active", "paused"])
def test_a_sensor_that_freezes_at_a_plausible_value_trips_in_600_ms(way: str, fault: str) -> None:
    host = getattr(Host(), way)()
    began_s = host.now_s
    host.device.set_fault(fault)
    cause = trips(host, 0.6)
    # A hand that is pausing loses suction slowly: the other sensor may contradict before.
    assert cause in {Cause.SENSOR_FROZEN, Cause.SENSORS_DISAGREE, Cause.FLOW_WITHOUT_CONTACT,
                     Cause.VALVE_STUCK_OPEN}  # fmt: skip
    assert way == "paused" or cause is Cause.SENSOR_FROZEN
    assert host.now_s - began_s <= 0.5 + BUDGET_SWITCH_S + 0.02


@pytest.mark.hazard("H08", shows="works")
def test_channel_b_notices_its_own_frozen_sensor_by_itself() -> None:
    host = Host().active()
    host.device.firmware.board.a._guards = BlindGuards()
    host.device.set_fault("suction-b-frozen")
    assert trips(host, 0.6) is Cause.SENSOR_FROZEN
    assert host.device.firmware.board.b.cause is Cause.SENSOR_FROZEN
    assert not host.device._drives.power


@pytest.mark.hazard("H08", shows="works")
@pytest.mark.parametrize("fault", ["suction-a-frozen", "suction-b-frozen", "flow-frozen"])
def test_a_sensor_that_froze_at_rest_does_not_pass_the_self_test(fault: str) -> None:
    host = Host().configured()
    host.device.set_fault(fault)
    assert failed(host) == "SENSOR_FROZEN"


# -- H07: sensors that drift -----------------------------------------------------------------------
@pytest.mark.hazard("H07", shows="works")
@pytest.mark.parametrize(
    ("fault", "minutes", "found"),
    [
        ("suction-a-creep", 1, ""),
        ("suction-a-creep", 4, "ZERO_A"),
        ("suction-a-sink", 6, "SENSOR_FROZEN"),
    ],
)
def test_a_slow_drift_is_found_by_the_next_self_test(fault: str, minutes: int, found: str) -> None:
    host = Host().configured()
    host.device.set_fault(fault)
    drift(host, minutes * 60)
    assert found in failed(host)
    assert host.is_in(Mode.DISARMED) is bool(found)


def drift(host: Host, seconds: float) -> None:
    """Let a sensor drift for a time that nobody has to wait for."""
    host.run(0.01)
    probe = host.device.plant._head._a
    probe._drift += host.device.plant.faults.effects.suction_a.drift_per_s * seconds


@pytest.mark.hazard("H07", shows="works")
@pytest.mark.parametrize("fault", ["suction-a-creep", "suction-a-sink"])
def test_a_slow_drift_in_a_long_treatment_trips_before_it_has_gone_far(fault: str) -> None:
    host = Host().active()
    host.device.set_fault(fault)
    drift(host, 0.9 * MINUTES_20_S)
    host.run(1.0)
    assert host.is_in(Mode.ACTIVE)
    drift(host, 0.4 * MINUTES_20_S)
    assert trips(host, 0.5) is Cause.SENSORS_DISAGREE
    assert safe_s(host) <= 0.3 + BUDGET_SWITCH_S


@pytest.mark.hazard("H07", shows="works")
def test_a_sensor_with_a_wrong_gain_trips_in_its_budget() -> None:
    host = Host().active()
    host.device.set_fault("suction-a-gain")
    assert trips(host, 0.5) is Cause.SENSORS_DISAGREE
    assert safe_s(host) <= 0.3 + BUDGET_SWITCH_S


# -- H05, H04: a valve that leaks ------------------------------------------------------------------
@pytest.mark.hazard("H05", shows="works")
@pytest.mark.parametrize("press", [False, True])
def test_a_leak_that_was_there_before_is_found_within_the_first_stroke(*, press: bool) -> None:
    host = Host("average" if press else "absent")
    host.device.set_fault("valve-leak")
    host.armed()
    if not press:
        host.device.hand.place()
    assert trips(host, 6.0) in {Cause.FLOW_WITHOUT_CONTACT, Cause.VALVE_STUCK_OPEN}
    assert safe_s(host) <= BUDGET_FLOW_S
    assert press or host.device.plant.truth.through_valve_g < 0.015


@pytest.mark.hazard("H05", "H49", shows="works")
@pytest.mark.parametrize("fault", ["valve-stuck-open", "valve-leak", "valve-slow"])
@pytest.mark.parametrize(
    "ends",
    [
        lambda host: host.device.hand.release(),
        lambda host: host.stop(StopKind.NORMAL),
        lambda host: host.stop(StopKind.EMERGENCY),
    ],
    ids=["release", "stop", "emergency"],
)
def test_a_valve_that_does_not_shut_loses_its_suction_within_the_budget(
    fault: str, ends: Callable[[Host], object]
) -> None:
    host = Host().active()
    host.device.set_fault(fault)
    ends(host)
    host.until(lambda: not host.device._drives.vent_closed or host.mode is Mode.SAFE, BUDGET_FLOW_S)
    host.run(0.5)
    assert host.device.plant.truth.flow_g_per_min < 0.1


# -- crystals in the line after the valve has shut -------------------------------------------------
@pytest.mark.hazard("H04", shows="works")
@pytest.mark.parametrize("flow_mg_per_min", [2_000, 10_000])
def test_the_line_is_empty_80_ms_after_the_valve_has_shut(flow_mg_per_min: int) -> None:
    host = Host().active()
    host.wishes.flow_mg_per_min = flow_mg_per_min
    host.run(1.0)
    truth = host.device.plant.truth
    before = truth.flow_g_per_min
    host.device.hand.release()
    assert host.until(lambda: host.shut, 0.2) <= BUDGET_SWITCH_S
    host.run(0.080)
    assert truth.flow_g_per_min <= 0.06 * before
    assert host.of("trip") == []


@pytest.mark.hazard("H04")
def test_the_purge_leaves_no_crystals_in_the_line() -> None:
    host = Host().active()
    host.stop(StopKind.NORMAL)
    host.until(lambda: host.mode is Mode.DISARMED, 5.0)
    assert host.device.plant.truth.held_g < 1e-6


# -- H06, H30: clogs and clumps --------------------------------------------------------------------
def flows(host: Host, seconds: float) -> list[float]:
    """Let time pass and return the crystals that left the tip, g/min, every 5 ms."""
    seen: list[float] = []
    for _ in range(round(seconds / TICK_S)):
        host.step()
        seen.append(host.device.plant.truth.flow_g_per_min)
    return seen


@pytest.mark.hazard("H06", shows="works")
@pytest.mark.parametrize("clogged_s", [0.1, 0.3, 0.6, 0.9])
def test_a_clog_that_clears_ends_in_a_ramp_and_not_in_a_burst(clogged_s: float) -> None:
    host = Host().active()
    host.run(1.0)
    steady = max(flows(host, 0.5))
    host.device.set_fault("clog")
    flows(host, clogged_s)
    assert host.is_in(Mode.ACTIVE)
    host.device.clear_fault("clog")
    after = flows(host, 2.0)
    assert max(after) <= 1.2 * steady
    assert clogged_s < 0.3 or max(after[:10]) <= 0.75 * steady
    assert min(after[-100:]) > 0.8 * steady
    assert host.of("trip") == []


@pytest.mark.hazard("H30", "H55", shows="works")
@pytest.mark.parametrize("seed", range(4))
def test_bursts_of_damp_crystals_are_tamed_or_trip_within_the_budget(seed: int) -> None:
    host = Host(seed=seed).active()
    host.run(1.0)
    host.device.set_fault("crystals-damp")
    grams = host.device.plant.truth.through_valve_g
    above_s = longest_s = 0.0
    ran_s = 0.0
    while host.is_in(Mode.ACTIVE) and ran_s < 5.0:
        (flow,) = flows(host, TICK_S)
        ran_s += TICK_S
        above_s = above_s + TICK_S if flow > 1.3 * 6.0 + 1.0 else 0.0
        longest_s = max(longest_s, above_s)
    assert longest_s <= BUDGET_FLOW_S
    assert host.is_in(Mode.ACTIVE) or host.cause is Cause.ENVELOPE
    assert host.device.plant.truth.through_valve_g - grams <= 6.0 / 60 * ran_s + 0.025


# -- H38: a plant that is not as designed ----------------------------------------------------------
@pytest.mark.hazard("H38", shows="works")
@pytest.mark.parametrize("fault", ["pump-strong", "pump-sluggish"])
def test_a_pump_that_is_too_strong_or_too_slow_stays_inside_or_trips_in_its_budget(
    fault: str,
) -> None:
    host = Host()
    host.device.set_fault(fault)
    host.armed()
    host.wishes.suction_pa = 40_000
    host.run(1.5)
    host.device.hand.press()
    host.device.hand.place()
    above_s = 0.0
    for _ in range(round(6.0 / TICK_S)):
        host.step()
        over = host.device.plant.truth.suction_kpa > SUCTION_TRIP_PA / 1000
        above_s = above_s + TICK_S if over else 0.0
        assert above_s <= BUDGET_FLOW_S
    assert host.cause in {Cause.NONE, Cause.OVER_SUCTION}


# -- H48: the tip does not let go ------------------------------------------------------------------
@pytest.mark.hazard("H48", shows="works")
@pytest.mark.parametrize("fault", ["vent-stuck-shut", "pump-runaway"])
def test_an_orderly_end_that_does_not_vent_ends_all_the_same_with_the_valve_shut(
    fault: str,
) -> None:
    host = Host().active()
    host.device.set_fault(fault)
    host.stop(StopKind.NORMAL)
    ended = {Mode.DISARMED, Mode.SAFE}
    took_s = host.until(lambda: host.mode in ended, PURGE_S + VENT_TIMEOUT_S + 0.1)
    assert host.shut
    assert host.device._drives.pump == 0.0
    assert not host.device._drives.vent_closed
    assert took_s <= PURGE_S + VENT_TIMEOUT_S + 0.01


# -- H42: the lamp of the handpiece needs no screen ------------------------------------------------
@pytest.mark.hazard("H42", shows="works")
def test_the_lamp_tells_a_trip_with_nobody_on_the_line() -> None:
    host = Host().active()
    host.streaming = False
    host.device.set_fault("suction-a-disconnected")
    host.until(lambda: host.shows(Lamp.TRIP), 0.1)
    host.run(5.0)
    assert host.shows(Lamp.TRIP)


@pytest.mark.hazard("H10", "H12", "H14", shows="works")
def test_silence_in_full_flow_is_safe_within_the_lease_and_its_margin() -> None:
    host = Host().active()
    host.give(host.renewal())
    host.streaming = False
    took_s = host.until(lambda: host.shut, 0.5)
    assert took_s <= 0.25
    host.run(0.1)
    assert host.of("trip")[-1]["cause"] == "LEASE_LAPSED"
    assert safe_s(host) <= 0.05


@pytest.mark.hazard("H04", shows="works")
@pytest.mark.parametrize("fault", ["contact-dead", "pump-weak", "hose-off"])
def test_flow_ends_within_100_ms_of_losing_contact_or_suction(fault: str) -> None:
    host = Host().active()
    host.device.set_fault(fault)
    if fault != "contact-dead":
        host.until(lambda: host.device.plant.truth.suction_kpa < CONFIG.suction_min_pa / 1000, 6.0)
    assert host.until(lambda: host.shut, 0.2) <= BUDGET_NO_CONTACT_S
