import dataclasses

import pytest

from simulator.plant.faults import FAULTS, HEALTHY, Effects, PlantFaults, UnknownFaultError
from tests.simulator.plant.bench import Bench

REQUIRED = {
    "valve-stuck-open",
    "valve-slow",
    "valve-leak",
    "flow-runaway",
    "pump-runaway",
    "pump-weak",
    "hose-off",
    "clog",
    "hopper-empty",
    "waste-full",
    "filter-loaded",
    "suction-a-frozen",
    "suction-a-offset",
    "suction-a-disconnected",
    "suction-b-disconnected",
    "flow-disconnected",
    "switch-stuck",
    "switch-contacts-disagree",
    "brown-out",
    "overheat",
}


def working(fault: str) -> Bench:
    bench = Bench()
    bench.treat()
    bench.plant.faults.set(fault)
    return bench


def test_the_catalogue_has_every_fault_that_the_service_counts_on() -> None:
    assert set(FAULTS) >= REQUIRED


def test_each_fault_has_its_own_number_a_hazard_and_a_summary() -> None:
    assert len({fault.number for fault in FAULTS.values()}) == len(FAULTS)
    for name, fault in FAULTS.items():
        assert fault.name == name
        assert fault.summary
        assert fault.hazards
        assert all(hazard[0] == "H" and 1 <= int(hazard[1:]) <= 47 for hazard in fault.hazards)


def test_each_fault_changes_something_and_every_effect_has_a_fault() -> None:
    fields = {field.name for field in dataclasses.fields(Effects)}
    changed = set()
    for fault in FAULTS.values():
        for name, value in fault.changes:
            assert value != getattr(HEALTHY, name), fault.name
            changed.add(name)
    assert changed == fields


def test_a_fault_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(UnknownFaultError, match="no fault 'gremlins'; choose one of valve-stuck"):
        PlantFaults().set("gremlins")
    with pytest.raises(UnknownFaultError, match="gremlins"):
        PlantFaults().clear("gremlins")


def test_faults_combine_and_clear_back_to_health() -> None:
    faults = PlantFaults()
    faults.set("valve-slow")
    faults.set("overheat")
    faults.set("overheat")
    assert faults.active == {"valve-slow", "overheat"}
    assert faults.effects.valve_speed == 0.1
    assert faults.effects.overheat_deg_c == 80.0
    faults.clear("valve-slow")
    assert faults.effects.valve_speed == 1.0
    faults.clear_all()
    assert faults.effects is HEALTHY


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_leaves_finite_numbers_and_can_be_cleared(name: str) -> None:
    bench = working(name)
    bench.regulate(28.0, 1.5)
    bench.plant.faults.clear(name)
    bench.regulate(28.0, 1.0)
    truth = bench.plant.truth
    for field in dataclasses.fields(truth):
        value = getattr(truth, field.name)
        assert value == value  # noqa: PLR0124  only NaN differs from itself
        assert abs(value) < 1e6
    assert 0.0 <= truth.suction_kpa < 61.0
    assert 0.0 <= truth.valve_open <= 1.0


@pytest.mark.hazard("H05")
def test_a_stuck_valve_stays_open_until_the_pump_loses_its_power() -> None:
    bench = working("valve-stuck-open")
    bench.drives.valve = 0.0
    bench.regulate(28.0, 1.0)
    assert bench.plant.truth.valve_open == pytest.approx(0.4)
    assert bench.plant.sensors.valve_percent == pytest.approx(40.0)
    bench.drives.power = False
    bench.run(0.5)
    assert bench.plant.truth.feed_g_per_min < 0.5


@pytest.mark.hazard("H05")
def test_a_slow_valve_needs_ten_times_as_long() -> None:
    bench = working("valve-slow")
    bench.drives.valve = 0.0
    assert bench.until(lambda: bench.plant.truth.valve_open == 0.0, 1.0) == pytest.approx(
        0.16, abs=0.02
    )


@pytest.mark.hazard("H05")
def test_a_leaking_valve_flows_while_its_sensor_says_shut() -> None:
    bench = working("valve-leak")
    bench.drives.valve = 0.0
    bench.regulate(28.0, 1.0)
    assert bench.plant.sensors.valve_percent == 0.0
    assert (bench.plant.sensors.flow_g_per_min or 0.0) > 2.0


def test_a_valve_stuck_shut_gives_no_flow() -> None:
    bench = Bench()
    bench.plant.faults.set("valve-stuck-shut")
    bench.treat()
    assert bench.plant.truth.feed_g_per_min == 0.0


@pytest.mark.hazard("H01")
def test_runaway_flow_is_far_above_the_envelope() -> None:
    bench = working("flow-runaway")
    bench.regulate(28.0, 0.5)
    assert bench.plant.truth.flow_g_per_min > 18.0
    bench.drives.valve = 0.0
    bench.run(0.2)
    assert bench.plant.truth.feed_g_per_min == 0.0


@pytest.mark.hazard("H30")
def test_damp_crystals_come_in_bursts() -> None:
    bench = working("crystals-damp")
    flows = []
    for _ in range(300):
        bench.regulate(28.0, 0.005)
        flows.append(bench.plant.truth.feed_g_per_min)
    assert min(flows) == 0.0
    assert max(flows) > 10.0


@pytest.mark.hazard("H03")
def test_a_runaway_pump_passes_the_trip_on_skin_whatever_is_commanded() -> None:
    bench = Bench()
    bench.treat()
    bench.drives.valve = bench.drives.pump = 0.0
    bench.plant.faults.set("pump-runaway")
    assert bench.until(lambda: bench.plant.truth.suction_kpa > 55.5, 2.0) > 0.1
    bench.drives.power = False
    assert bench.until(lambda: bench.plant.truth.suction_kpa < 3.0, 1.0) < 0.6


def test_a_runaway_pump_passes_the_trip_even_in_mid_treatment() -> None:
    bench = working("pump-runaway")
    assert bench.plant.truth.suction_kpa < 35.0
    assert 0.0 < bench.until(lambda: bench.plant.truth.suction_kpa > 55.0, 2.0) <= 2.0


def test_a_weak_pump_cannot_hold_suction() -> None:
    bench = working("pump-weak")
    bench.regulate(28.0, 4.0)
    assert bench.plant.truth.suction_kpa < 20.0


def test_a_vent_that_does_not_open_keeps_the_suction_on_the_skin() -> None:
    bench = working("vent-stuck-shut")
    bench.drives.vent_closed = False
    bench.drives.pump = 0.0
    bench.run(0.5)
    assert bench.plant.truth.suction_kpa > 20.0


@pytest.mark.hazard("H04")
def test_a_lost_hose_drops_the_suction_at_once_while_contact_stays() -> None:
    bench = working("hose-off")
    assert bench.until(lambda: bench.plant.truth.suction_kpa < 8.0, 0.5) <= 0.1
    assert bench.plant.sensors.contact is True


@pytest.mark.hazard("H06")
def test_a_clog_has_suction_and_no_flow() -> None:
    bench = working("clog")
    bench.regulate(28.0, 1.0)
    assert bench.plant.truth.flow_g_per_min < 0.5
    bench.hand.lift()
    bench.regulate(28.0, 1.0)
    assert bench.plant.truth.suction_kpa > 20.0


def test_an_empty_hopper_is_seen_and_flows_no_more() -> None:
    bench = working("hopper-empty")
    bench.regulate(28.0, 0.5)
    assert bench.plant.sensors.hopper_g == 0.0
    assert bench.plant.truth.feed_g_per_min == 0.0


def test_a_full_waste_canister_is_seen_within_a_sample() -> None:
    bench = working("waste-full")
    assert bench.run(0.010).waste_percent == 100.0


@pytest.mark.hazard("H29")
def test_a_loaded_filter_shows_many_times_the_pressure_of_a_clean_one() -> None:
    bench = Bench()
    bench.treat()
    clean_kpa = bench.plant.sensors.filter_kpa
    bench.plant.faults.set("filter-loaded")
    bench.regulate(28.0, 1.5)
    assert clean_kpa < 2.0
    assert bench.plant.sensors.filter_kpa > 8.0


@pytest.mark.hazard("H08")
def test_a_frozen_sensor_never_moves_again() -> None:
    bench = working("suction-a-frozen")
    before = bench.plant.sensors.suction_a_kpa
    bench.drives.pump = 0.0
    readings = {bench.run(0.005).suction_a_kpa for _ in range(100)}
    assert readings == {before}


@pytest.mark.hazard("H07")
@pytest.mark.parametrize("name", ["suction-a-offset", "suction-a-gain", "suction-b-offset"])
def test_an_erring_sensor_disagrees_with_the_other(name: str) -> None:
    bench = working(name)
    sensors = bench.run(0.100)
    assert sensors.suction_a_kpa is not None
    assert sensors.suction_b_kpa is not None
    assert sensors.suction_b_kpa - sensors.suction_a_kpa > 4.0


def test_a_reading_ends_at_the_span_of_its_sensor() -> None:
    bench = working("suction-b-offset")
    bench.plant.faults.set("pump-runaway")
    bench.drives.valve = 0.0
    bench.hand.place()
    readings = [bench.run(0.005).suction_b_kpa or 0.0 for _ in range(600)]
    assert 60.0 < max(readings) <= 65.0


@pytest.mark.hazard("H07")
def test_a_drifting_sensor_needs_a_while_to_show_and_starts_anew_when_repaired() -> None:
    bench = working("suction-a-drift")
    sensors = bench.run(1.0)
    assert (sensors.suction_b_kpa or 0.0) - (sensors.suction_a_kpa or 0.0) < 1.0
    sensors = bench.run(30.0)
    assert (sensors.suction_b_kpa or 0.0) - (sensors.suction_a_kpa or 0.0) > 2.0
    bench.plant.faults.clear("suction-a-drift")
    sensors = bench.run(0.2)
    assert abs((sensors.suction_b_kpa or 0.0) - (sensors.suction_a_kpa or 0.0)) < 1.0


@pytest.mark.hazard("H09")
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("suction-a-disconnected", "suction_a_kpa"),
        ("suction-b-disconnected", "suction_b_kpa"),
        ("flow-disconnected", "flow_g_per_min"),
    ],
)
def test_a_disconnected_sensor_has_no_reading(name: str, field: str) -> None:
    bench = working(name)
    assert getattr(bench.run(0.010), field) is None
    bench.plant.faults.clear(name)
    assert getattr(bench.run(0.010), field) is not None


@pytest.mark.hazard("H36")
def test_switch_faults_lie_about_the_hand() -> None:
    bench = Bench()
    bench.plant.faults.set("switch-stuck")
    sensors = bench.run(0.020)
    assert (sensors.switch_closed, sensors.switch_rest) == (True, False)
    bench.plant.faults.clear_all()
    bench.plant.faults.set("switch-contacts-disagree")
    sensors = bench.run(0.020)
    assert (sensors.switch_closed, sensors.switch_rest) == (True, True)
    bench.plant.faults.clear_all()
    bench.plant.faults.set("switch-dead")
    bench.hand.press()
    sensors = bench.run(0.020)
    assert (sensors.switch_closed, sensors.switch_rest) == (False, True)


@pytest.mark.hazard("H04")
def test_contact_and_motion_faults_lie_about_the_skin() -> None:
    bench = Bench()
    bench.plant.faults.set("contact-stuck")
    bench.plant.faults.set("motion-stuck")
    sensors = bench.run(0.020)
    assert (sensors.contact, sensors.motion) == (True, True)
    bench.plant.faults.clear_all()
    bench.plant.faults.set("contact-dead")
    bench.hand.place()
    assert bench.run(0.020).contact is False


@pytest.mark.hazard("H17")
def test_a_brown_out_shows_at_the_next_sample() -> None:
    bench = working("brown-out")
    assert bench.run(0.010).supply_v < 17.0
    assert bench.plant.truth.valve_open > 0.0


@pytest.mark.hazard("H16")
def test_without_supply_the_spring_shuts_the_valve_and_the_vent_opens() -> None:
    bench = working("power-lost")
    assert bench.until(lambda: bench.plant.truth.valve_open == 0.0, 0.2) <= 0.06
    assert bench.until(lambda: bench.plant.truth.suction_kpa < 3.0, 1.0) < 0.5


@pytest.mark.hazard("H45")
def test_an_overheating_pump_shows_within_a_second() -> None:
    bench = working("overheat")
    assert bench.run(1.0).pump_deg_c > 80.0
