import pytest

from simulator.plant.spec import PlantSpec
from tests.simulator.plant.bench import Bench


def test_a_vented_unit_reads_zero_within_the_zero_check() -> None:
    bench = Bench()
    for _ in range(200):
        sensors = bench.run(0.005)
        assert sensors.suction_a_kpa is not None
        assert sensors.suction_b_kpa is not None
        assert 0.0 <= sensors.suction_a_kpa <= 0.3
        assert 0.0 <= sensors.suction_b_kpa <= 0.3


def test_both_channels_agree_on_a_healthy_unit() -> None:
    bench = Bench()
    bench.treat()
    for _ in range(400):
        sensors = bench.run(0.005)
        assert sensors.suction_a_kpa is not None
        assert sensors.suction_b_kpa is not None
        assert abs(sensors.suction_a_kpa - sensors.suction_b_kpa) < 0.6
        assert sensors.suction_a_kpa == pytest.approx(bench.plant.truth.suction_kpa, abs=0.6)


def test_a_living_sensor_is_never_still() -> None:
    bench = Bench()
    bench.treat()
    readings = {bench.run(0.005).suction_a_kpa for _ in range(100)}
    assert len(readings) > 4


def test_readings_are_quantised() -> None:
    bench = Bench()
    bench.treat()
    for _ in range(100):
        sensors = bench.run(0.005)
        assert sensors.suction_a_kpa is not None
        counts = sensors.suction_a_kpa / PlantSpec().suction_step_kpa
        assert counts == pytest.approx(round(counts), abs=1e-6)


def test_the_flow_sensor_follows_the_valve_within_a_tenth_of_a_second() -> None:
    bench = Bench()
    bench.treat()
    flow = bench.plant.sensors.flow_g_per_min
    assert flow is not None
    assert flow == pytest.approx(bench.plant.truth.feed_g_per_min, abs=1.0)
    bench.drives.valve = 0.0
    assert bench.until(lambda: (bench.plant.sensors.flow_g_per_min or 0.0) < 0.5, 0.2) <= 0.1


def test_the_switch_contacts_are_never_both_closed_on_a_healthy_unit() -> None:
    bench = Bench()
    seen = []
    for press in (True, False, True, False):
        if press:
            bench.hand.press()
        else:
            bench.hand.release()
        for _ in range(4):
            sensors = bench.run(0.005)
            seen.append((sensors.switch_closed, sensors.switch_rest))
    assert (True, True) not in seen
    assert seen[3] == (True, False)
    assert seen[7] == (False, True)
    assert seen.count((False, False)) == 4  # one sample of travel at each change


def test_contact_is_reported_one_sample_after_it_is_made_and_lost() -> None:
    bench = Bench()
    bench.hand.place()
    assert bench.run(0.005).contact is False
    assert bench.run(0.005).contact is True
    bench.hand.lift()
    assert bench.run(0.010).contact is False


def test_motion_is_sensed_only_where_a_sensor_is_fitted() -> None:
    bench = Bench()
    bench.hand.place()
    assert bench.run(0.010).motion is True
    bench.hand.hold_still()
    assert bench.run(0.010).motion is False
    without = Bench(PlantSpec(motion_sensor=False))
    assert without.run(0.010).motion is None


def test_a_sample_that_was_handed_out_never_changes() -> None:
    bench = Bench()
    first = bench.run(0.005)
    copy = (first.suction_a_kpa, first.suction_b_kpa, first.supply_v, first.switch_rest)
    bench.treat()
    assert (first.suction_a_kpa, first.suction_b_kpa, first.supply_v, first.switch_rest) == copy


def test_the_pump_warms_up_slowly_and_stays_within_its_rise() -> None:
    bench = Bench()
    bench.drives.pump = 1.0
    assert 24.0 < bench.run(60.0).pump_deg_c < 26.0
