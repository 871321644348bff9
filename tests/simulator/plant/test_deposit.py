import pytest

from simulator.plant.deposit import DepositFullError, DepositLog, DepositRow
from simulator.plant.hand import Lamp
from simulator.plant.hands import make_hand
from simulator.plant.plant import Drives, Plant
from simulator.plant.spec import PlantSpec
from tests.simulator.plant.bench import Bench, dice

ROW = DepositRow(1.0, 2.0, 8.0, 25.0, 0.005)


def flowing(seconds: float, deposit: DepositLog | None) -> Plant:
    plant = Plant(PlantSpec(), make_hand("average", dice(1), dice(2)), dice(3))
    plant.deposit = deposit
    plant.lamp = Lamp.READY
    drives = Drives(valve=0.4, pump=0.3, vent_closed=True)
    plant.advance(drives, 500)
    plant.lamp = Lamp.ON
    plant.advance(drives, round(seconds * 1000))
    return plant


def test_a_plant_keeps_no_record_unless_it_is_given_one() -> None:
    assert flowing(1.0, None).deposit is None


def test_the_record_changes_nothing() -> None:
    assert flowing(10.0, None).truth == flowing(10.0, DepositLog()).truth


def test_every_sample_with_crystals_on_sealed_skin_leaves_a_row() -> None:
    log = DepositLog()
    plant = flowing(20.0, log)
    assert sum(row.seconds for row in log.rows) == pytest.approx(plant.truth.contact_s)
    assert len(log.rows) > 2000
    assert all(row.flow_g_per_min > 0.1 and row.suction_kpa > 0.0 for row in log.rows)
    assert len({(row.x_mm, row.y_mm) for row in log.rows}) > 2000


def test_off_the_skin_nothing_is_recorded() -> None:
    bench = Bench()
    bench.plant.deposit = log = DepositLog()
    bench.drives = Drives(valve=0.5, pump=0.5, vent_closed=True)
    bench.run(2.0)
    assert bench.plant.truth.flow_g_per_min > 0.1
    assert log.rows == []


def test_the_grams_of_the_rows_are_the_grams_that_hit_the_skin() -> None:
    log = DepositLog()
    bench = Bench()
    bench.plant.deposit = log
    bench.hand.place()
    bench.drives = Drives(valve=0.5, pump=0.5, vent_closed=True)
    bench.run(5.0)
    truth = bench.plant.truth
    grams = sum(row.flow_g_per_min / 60.0 * row.seconds for row in log.rows)
    assert grams == pytest.approx(truth.waste_g + truth.ejected_g, rel=0.01)


def test_a_zone_begins_when_the_tip_has_left_the_skin() -> None:
    log = DepositLog()
    log.begin_zone("nose")
    log.add(ROW)
    log.begin_zone("chin")
    log.add(ROW._replace(x_mm=2.0))
    log.lift()
    log.add(ROW._replace(x_mm=3.0))
    assert log.zones == ("nose", "chin")
    assert [row.x_mm for row in log.of_zone("nose")] == [1.0, 2.0]
    assert [row.x_mm for row in log.of_zone("chin")] == [3.0]


def test_a_zone_that_is_treated_again_has_all_its_rows() -> None:
    log = DepositLog()
    for zone in ("nose", "chin", "nose"):
        log.begin_zone(zone)
        log.lift()
        log.add(ROW)
    assert len(log.of_zone("nose")) == 2
    assert log.of_zone("jaw_left") == []
    assert log.zones == ("nose", "chin")


def test_rows_of_one_stroke_have_the_same_number_and_every_lift_counts_once() -> None:
    log = DepositLog()
    flowing_log = flowing(20.0, log).deposit
    assert flowing_log is log
    numbers = [row.stroke for row in log.rows]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(numbers[-1] + 1))
    assert 5 <= numbers[-1] <= 8


def test_a_full_log_says_so_instead_of_telling_less() -> None:
    log = DepositLog(rows_max=2)
    for _ in range(3):
        log.add(ROW)
    assert (len(log.rows), log.dropped) == (2, 1)
    with pytest.raises(DepositFullError, match="1 rows beyond 2"):
        log.of_zone("")
