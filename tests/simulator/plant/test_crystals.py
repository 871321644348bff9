import pytest

from simulator.plant.spec import PlantSpec
from tests.simulator.plant.bench import Bench


def total_g(bench: Bench) -> float:
    truth = bench.plant.truth
    return truth.hopper_g + truth.held_g + truth.waste_g + truth.ejected_g


def test_every_gram_is_somewhere() -> None:
    bench = Bench()
    for _ in range(5):
        bench.treat(valve=0.7)
        bench.hand.lift()
        bench.regulate(28.0, 0.5)
    truth = bench.plant.truth
    assert truth.through_valve_g > 2.0
    assert truth.ejected_g > 0.0
    assert total_g(bench) == pytest.approx(PlantSpec().hopper_start_g, abs=1e-9)


def test_flow_at_the_tip_adds_up_to_what_left_the_line() -> None:
    bench = Bench()
    bench.treat()
    left_g = 0.0
    before_g = bench.plant.truth.waste_g + bench.plant.truth.ejected_g
    for _ in range(400):
        bench.plant.advance(bench.drives, 5)
        left_g += bench.plant.truth.flow_g_per_min / 60.0 * 0.005
    after_g = bench.plant.truth.waste_g + bench.plant.truth.ejected_g
    assert left_g == pytest.approx(after_g - before_g, rel=1e-9)


def test_flow_grows_with_opening_and_weakly_with_suction() -> None:
    flows = {}
    for valve, set_kpa in [(0.25, 20.0), (0.5, 20.0), (0.5, 40.0)]:
        bench = Bench()
        bench.treat(valve, set_kpa)
        flows[valve, set_kpa] = bench.plant.truth.flow_g_per_min
    assert flows[0.5, 20.0] == pytest.approx(2 * flows[0.25, 20.0], rel=0.05)
    assert flows[0.5, 40.0] == pytest.approx(2**0.5 * flows[0.5, 20.0], rel=0.05)


@pytest.mark.parametrize(("set_kpa", "flow_g_per_min"), [(15.0, 3.0), (28.0, 7.0), (36.0, 10.0)])
def test_every_program_setting_is_within_reach_of_the_valve(
    set_kpa: float, flow_g_per_min: float
) -> None:
    bench = Bench()
    bench.treat(1.0, set_kpa)
    assert bench.plant.truth.flow_g_per_min > flow_g_per_min


def test_the_spring_shuts_the_valve_within_its_budget() -> None:
    bench = Bench()
    bench.treat(valve=1.0)
    bench.drives.valve = 0.0
    assert bench.until(lambda: bench.plant.truth.valve_open == 0.0, 0.1) <= 0.05
    assert bench.plant.sensors.valve_percent <= 1.0


def test_the_line_empties_within_a_tenth_of_a_second_of_shut() -> None:
    bench = Bench()
    bench.treat(valve=1.0)
    full_g_per_min = bench.plant.truth.flow_g_per_min
    bench.drives.valve = 0.0
    bench.until(lambda: bench.plant.truth.valve_open == 0.0, 0.1)
    emptied_s = bench.until(lambda: bench.plant.truth.flow_g_per_min < 0.05 * full_g_per_min, 0.2)
    assert 0.03 < emptied_s <= 0.1


def test_an_empty_hopper_gives_nothing_and_never_less() -> None:
    bench = Bench(PlantSpec(hopper_start_g=0.5))
    bench.treat(valve=1.0)
    bench.regulate(28.0, 5.0)
    assert bench.plant.truth.feed_g_per_min == 0.0
    assert 0.0 <= bench.plant.truth.hopper_g <= 0.1


@pytest.mark.hazard("H04")
def test_an_open_valve_off_the_skin_throws_crystals_into_the_room() -> None:
    bench = Bench()
    bench.treat()
    before_g = bench.plant.truth.ejected_g
    bench.hand.lift()
    bench.run(1.0)
    assert bench.plant.truth.ejected_g - before_g > 0.005


def test_contact_time_counts_only_crystals_on_skin() -> None:
    bench = Bench()
    bench.treat()
    before_s = bench.plant.truth.contact_s
    bench.run(1.0)
    assert bench.plant.truth.contact_s - before_s == pytest.approx(1.0)
    bench.hand.lift()
    bench.run(1.0)
    assert bench.plant.truth.contact_s - before_s == pytest.approx(1.0)
    assert bench.plant.truth.seal_s == 0.0
