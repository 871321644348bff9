import pytest

from firmware_protocol.messages import Setpoint
from firmware_protocol.vocabulary import LogCode, Wish
from simulator.firmware.contact import Dwell
from simulator.firmware.memory import CAPACITY, EventLog
from simulator.firmware.outputs import Ending, FeedRegulator, PumpRegulator, Totals
from simulator.firmware.setpoints import Envelope, Setpoints
from tests.simulator.firmware.samples import at_rest


def test_the_log_keeps_the_newest_records_and_numbers_them_from_1() -> None:
    log = EventLog()
    assert log.read(0) is None
    for number in range(CAPACITY + 10):
        log.add(number, LogCode.SWITCH, number)
    assert log.newest_seq == CAPACITY + 10
    assert log.read(10) is None
    oldest, newest = log.read(11), log.read(CAPACITY + 10)
    assert oldest is not None
    assert (oldest.seq, oldest.arg) == (11, 10)
    assert newest is not None
    assert newest.arg == CAPACITY + 9
    assert log.read(CAPACITY + 11) is None


@pytest.mark.hazard("H51", "H09")
def test_metering_charges_the_maximum_where_the_flow_is_unknown() -> None:
    totals = Totals()
    totals.allow(100)
    totals.meter(1000, 6_000.0)
    assert totals.crystal_total_mg == 100
    assert totals.left_mg == pytest.approx(0.0)
    totals.meter(1000, None)
    assert totals.crystal_total_mg == 300
    totals.meter(1000, -5.0)
    assert totals.crystal_total_mg == 300
    totals.touch(40)
    assert totals.contact_total_ms == 40


def test_totals_wrap_at_32_bits_and_what_is_left_does_not() -> None:
    totals = Totals()
    totals.meter(60_000, float(2**32 + 5))
    assert totals.crystal_total_mg == 5
    assert totals.left_mg < 0
    totals.touch(2**32 + 7)
    assert totals.contact_total_ms == 7


@pytest.mark.hazard("H02")
def test_only_lifting_or_moving_starts_the_dwell_clocks_anew() -> None:
    dwell = Dwell()
    still = at_rest(contact=True, motion=False, suction_a_kpa=20.0)
    dwell.sample(100, still, valve_open=True)
    dwell.sample(100, still, valve_open=False)
    assert (dwell.still_ms, dwell.sealed_ms, dwell.sucked_ms) == (100, 100, 200)
    dwell.sample(100, at_rest(contact=True, motion=True, suction_a_kpa=20.0), valve_open=True)
    assert (dwell.still_ms, dwell.sealed_ms, dwell.sucked_ms) == (0, 200, 300)
    blind = at_rest(contact=True, motion=None, suction_a_kpa=None)
    dwell.sample(100, blind, valve_open=True)
    dwell.sample(100, blind, valve_open=False)
    assert (dwell.still_ms, dwell.sealed_ms, dwell.sucked_ms) == (0, 300, 500)
    dwell.sample(5, at_rest(contact=True, motion=None, suction_a_kpa=9.0), valve_open=False)
    assert (dwell.sealed_ms, dwell.sucked_ms) == (300, 0)
    dwell.sample(5, at_rest(contact=False), valve_open=True)
    assert dwell.sealed_ms == 0


def test_the_orderly_end_purges_for_two_seconds_and_then_vents() -> None:
    ending = Ending()
    ending.begin(30_000.0, 25_000)
    assert ending.suction_pa == 25_000
    for _ in range(199):
        assert not ending.step(10, 25.0, lease=True)
        assert ending.purging
    assert not ending.step(10, 25.0, lease=True)
    assert not ending.purging
    assert not ending.step(10, 3.1, lease=True)
    assert ending.step(10, 3.0, lease=True)


@pytest.mark.hazard("H48")
def test_the_orderly_end_vents_at_once_without_a_lease_and_never_waits_for_ever() -> None:
    ending = Ending()
    ending.begin(0.0, 40_000)
    assert ending.suction_pa == 10_000
    assert not ending.step(10, None, lease=False)
    assert not ending.purging
    steps = 0
    while not ending.step(10, None, lease=False):
        steps += 1
    assert steps == 199


@pytest.mark.hazard("H38")
def test_the_pump_drive_stays_in_its_bounds_and_idles_off_the_skin() -> None:
    pump = PumpRegulator()
    assert pump.drive(5, 25.0, 0.0, sealed=True) == 1.0
    assert pump.drive(5, 25.0, 60.0, sealed=True) == 0.0
    assert 0.0 < pump.drive(5, 25.0, 1.0, sealed=False) <= 0.35
    assert pump.drive(5, 25.0, 60.0, sealed=False) == 0.0
    drives = [pump.drive(5, 25.0, 24.5, sealed=True) for _ in range(100)]
    assert 0.0 < drives[50] < drives[99] < 1.0
    assert pump.stop() == 0.0


@pytest.mark.hazard("H06", "H30", "H55")
def test_a_clog_does_not_wind_the_feed_up_and_what_is_left_of_it_asks_for_little() -> None:
    feed, setpoints = FeedRegulator(), Setpoints()
    setpoints.configure(Envelope(7, 40_000, 12_000, 10_000, 1))
    setpoints.sent(0)
    setpoints.offer(Setpoint(200, 1, 0, 20_000, 12_000, Wish.ALL, 7, 100), 0)
    first = feed.open(5, 6.0, 6.0, 30.0)
    for _ in range(40):
        assert not feed.starved
        setpoints.follow(5, pumping=True, flowing=True, starved=feed.starved)
        assert feed.open(5, 6.0, 1.2, 30.0) == first
    assert feed.starved
    assert setpoints.flow_mg_per_min == 6_000
    setpoints.follow(5, pumping=True, flowing=True, starved=True)
    assert setpoints.flow_mg_per_min == 3_000
    feed.open(5, 3.0, 1.0, 30.0)
    assert not feed.starved
    for _ in range(20):
        setpoints.follow(5, pumping=True, flowing=True, starved=False)
    assert setpoints.flow_mg_per_min == 6_000  # a quarter of full flow in 100 ms
    for _ in range(40):
        feed.open(5, 6.0, 0.0, 30.0)
    assert feed.starved
    feed.shut(5)
    assert not feed.starved


def test_the_feed_is_trimmed_slowly_towards_the_set_flow_and_within_bounds() -> None:
    feed = FeedRegulator()
    first = feed.open(5, 6.0, 3.0, 30.0)
    assert first == pytest.approx(6.0 / 16.0)
    later = first
    for _ in range(1000):
        later = feed.open(5, 6.0, 3.0, 30.0)
    assert later == pytest.approx(1.5 * first)
    assert feed.shut(5) == 0.0
    assert feed.open(5, 6.0, None, 30.0) == pytest.approx(1.5 * first)
    assert feed.open(1000, 0.0, 6.0, 30.0) == 0.0
    assert feed.open(5, 12.0, None, 0.0) == 1.0
