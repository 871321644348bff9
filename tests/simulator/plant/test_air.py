import pytest

from simulator.plant.hand import CORNER, Grip, Lamp, ManualHand, Place
from simulator.plant.plant import Drives, Plant
from simulator.plant.spec import PlantSpec
from tests.simulator.plant.bench import Bench, dice


class Blocked:
    """A tip with a plug in it."""

    def step(self, now_s: float, lamp: Lamp) -> Grip:
        return Grip(switch_pressed=False, on_skin=True, seal=1.0, speed_mm_per_s=0.0)

    def begin_zone(self, area_cm2: float) -> None:
        pass

    def where(self, now_s: float) -> Place:
        return CORNER


def plugged() -> Bench:
    bench = Bench()
    bench.hand = ManualHand(Blocked())
    bench.plant = Plant(PlantSpec(), bench.hand, dice(1))
    return bench


def test_nothing_moves_while_everything_is_off() -> None:
    bench = Bench()
    bench.run(10.0)
    truth = bench.plant.truth
    assert truth.suction_kpa == truth.pump_speed == 0.0
    assert truth.valve_open == truth.through_valve_g == 0.0


def test_an_open_tip_gives_low_suction_even_at_full_pump() -> None:
    bench = Bench()
    bench.drives = Drives(pump=1.0, vent_closed=True)
    bench.run(3.0)
    assert 1.0 < bench.plant.truth.suction_kpa < 4.5


def test_the_open_vent_keeps_a_running_pump_harmless() -> None:
    bench = Bench()
    bench.hand.place()
    bench.drives = Drives(pump=1.0, vent_closed=False)
    bench.run(3.0)
    assert bench.plant.truth.suction_kpa < 4.5


@pytest.mark.parametrize("set_kpa", [10.0, 18.0, 28.0, 40.0, 50.0])
def test_a_plain_regulator_holds_any_setpoint_on_skin(set_kpa: float) -> None:
    bench = Bench()
    bench.hand.place()
    peak_kpa = bench.regulate(set_kpa, 3.0)
    assert bench.plant.truth.suction_kpa == pytest.approx(set_kpa, abs=0.5)
    assert peak_kpa < 54.0


@pytest.mark.parametrize("set_kpa", [18.0, 28.0, 40.0, 50.0])
def test_lift_and_landing_do_not_reach_the_trip(set_kpa: float) -> None:
    bench = Bench()
    peak_kpa = 0.0
    for _ in range(3):
        bench.hand.place()
        peak_kpa = max(peak_kpa, bench.regulate(set_kpa, 2.5))
        assert bench.plant.truth.suction_kpa == pytest.approx(set_kpa, abs=1.5)
        bench.hand.lift()
        bench.regulate(set_kpa, 0.4)
        assert bench.plant.truth.suction_kpa < 8.0
    assert peak_kpa < 54.5


def test_suction_collapses_within_a_tenth_of_a_second_of_lift_off() -> None:
    bench = Bench()
    bench.treat()
    bench.hand.lift()
    assert bench.until(lambda: bench.plant.truth.suction_kpa < 8.0, 0.3) <= 0.15


@pytest.mark.parametrize("set_kpa", [28.0, 50.0])
def test_the_vent_lets_the_skin_go_well_within_a_second(set_kpa: float) -> None:
    bench = Bench()
    bench.hand.place()
    bench.regulate(set_kpa, 3.0)
    bench.drives = Drives()
    assert bench.until(lambda: bench.plant.truth.suction_kpa < 3.0, 1.0) < 0.4


def test_loss_of_power_vents_and_stops_the_pump() -> None:
    bench = Bench()
    bench.treat()
    bench.drives.power = False
    assert bench.until(lambda: bench.plant.truth.suction_kpa < 3.0, 1.0) < 0.5
    bench.run(0.5)
    assert bench.plant.truth.pump_speed < 0.01


def test_a_blocked_dry_system_holds_its_suction_for_a_minute() -> None:
    bench = plugged()
    bench.drives = Drives(pump=1.0, vent_closed=True)
    assert bench.until(lambda: bench.plant.truth.suction_kpa >= 40.0, 3.0) < 1.0
    bench.drives.pump = 0.0
    bench.run(1.0)
    before_kpa = bench.plant.truth.suction_kpa
    bench.run(60.0)
    assert 0.1 < before_kpa - bench.plant.truth.suction_kpa < 2.0


@pytest.mark.hazard("H03")
def test_the_relief_valve_bounds_what_a_runaway_pump_can_do() -> None:
    bench = plugged()
    bench.plant.faults.set("pump-runaway")
    bench.drives = Drives(vent_closed=True)
    bench.run(5.0)
    assert 55.0 < bench.plant.truth.suction_kpa < 60.5


def test_the_pump_follows_its_command_with_a_lag() -> None:
    bench = Bench()
    bench.drives = Drives(pump=1.0, vent_closed=True)
    bench.run(0.08)
    assert bench.plant.truth.pump_speed == pytest.approx(0.63, abs=0.03)


def test_a_drive_that_is_not_a_number_is_off() -> None:
    bench = Bench()
    bench.hand.place()
    bench.drives = Drives(valve=float("nan"), pump=float("nan"), vent_closed=True)
    bench.run(1.0)
    assert bench.plant.truth.suction_kpa == 0.0
    assert bench.plant.truth.valve_open == 0.0


def test_drives_beyond_full_are_full() -> None:
    bench = Bench()
    bench.drives = Drives(valve=7.0, pump=9.0)
    bench.run(1.0)
    assert bench.plant.truth.valve_open == 1.0
    assert bench.plant.truth.pump_speed <= 1.0


def test_waste_loads_the_filter() -> None:
    bench = Bench()
    bench.drives = Drives(pump=1.0, vent_closed=True)
    clean_kpa = bench.run(2.0).filter_kpa
    bench.plant.truth.waste_g = bench.plant.truth.through_valve_g = 200.0
    assert bench.run(1.0).filter_kpa > 1.5 * clean_kpa
