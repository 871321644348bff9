import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.messages import Config, Setpoint, check_value
from firmware_protocol.vectors import CONFIGS, ECHOES
from firmware_protocol.vocabulary import Wish
from simulator.firmware.setpoints import UNCONFIGURED, Envelope, Setpoints, Verdict, narrow

GOOD = Setpoint(200, 1, 1000, 30_000, 8_000, Wish.ALL, 7, 500)
ENVELOPE = Envelope(7, 25_000, 6_000, 10_000, 1)
CONFIG = Config(7, 25_000, 6_000, 10_000, 1)


def gate() -> Setpoints:
    """Return a configured gate whose TELEMETRY of tick 1000 was sent."""
    setpoints = Setpoints()
    setpoints.configure(ENVELOPE)
    setpoints.sent(GOOD.echo_tick_ms)
    return setpoints


def test_a_setpoint_is_narrowed_to_the_configuration() -> None:
    setpoints = gate()
    assert setpoints.offer(GOOD, 1000) is Verdict.ACCEPTED
    for _ in range(1000):
        setpoints.follow(5, pumping=True, flowing=True)
    assert setpoints.suction_pa == 25_000
    assert setpoints.flow_mg_per_min == 6_000
    assert setpoints.wants_pump
    assert setpoints.wants_flow


@pytest.mark.hazard("H13")
@pytest.mark.parametrize("counter", [1, 0, 65_535, 1 + 32_768])
def test_a_loop_counter_that_does_not_advance_is_dropped(counter: int) -> None:
    setpoints = gate()
    setpoints.offer(GOOD, 1000)
    again = GOOD._replace(loop_counter=counter)
    assert setpoints.offer(again, 1000) is Verdict.LOOP_STALLED
    assert setpoints.loop_counter == 1


def test_the_loop_counter_may_wrap() -> None:
    setpoints = gate()
    setpoints.offer(GOOD._replace(loop_counter=65_535), 1000)
    assert setpoints.offer(GOOD._replace(loop_counter=0), 1000) is Verdict.ACCEPTED


@pytest.mark.hazard("H11")
@pytest.mark.parametrize(
    ("now_tick", "echo_tick", "verdict"),
    [
        (1000, 1000, Verdict.ACCEPTED),
        (1100, 1000, Verdict.ACCEPTED),
        (1101, 1000, Verdict.STALE_ECHO),
        (1000, 1001, Verdict.STALE_ECHO),
        (1002, 1001, Verdict.MADE_UP_ECHO),
        (1000, 999, Verdict.MADE_UP_ECHO),
        (50, 2**32 - 50, Verdict.ACCEPTED),
        (51, 2**32 - 50, Verdict.STALE_ECHO),
    ],
)
def test_an_echo_older_than_100_ms_of_the_future_or_never_sent_is_dropped(
    now_tick: int, echo_tick: int, verdict: Verdict
) -> None:
    setpoints = gate()
    setpoints.sent(2**32 - 50)
    assert setpoints.offer(GOOD._replace(echo_tick_ms=echo_tick), now_tick) is verdict


@pytest.mark.hazard("H11", "H13")
def test_a_tick_of_the_session_before_is_not_fresh() -> None:
    setpoints = gate()
    setpoints.open_session()
    setpoints.configure(ENVELOPE)
    assert setpoints.offer(GOOD, 1000) is Verdict.MADE_UP_ECHO


@pytest.mark.hazard("H11", "H32")
@pytest.mark.parametrize(("sent", "now", "echo", "fresh"), ECHOES)
def test_a_setpoint_is_fresh_as_the_vectors_say(
    sent: tuple[int, ...], now: int, echo: int, *, fresh: bool
) -> None:
    setpoints = Setpoints()
    setpoints.configure(ENVELOPE)
    for tick in sent:
        setpoints.sent(tick)
    verdict = setpoints.offer(GOOD._replace(echo_tick_ms=echo), now)
    assert (verdict is Verdict.ACCEPTED) is fresh


def test_the_ticks_that_were_sent_are_kept_for_as_long_as_they_are_fresh_and_no_more() -> None:
    setpoints = gate()
    ticks = range(2000, 60_000, 15)  # the closest that two TELEMETRY can be
    for tick in ticks:
        setpoints.sent(tick)
    assert len(setpoints._sent_ticks) == 7
    assert all(tick in setpoints._sent_ticks for tick in ticks if ticks[-1] - tick < 100)


def test_a_setpoint_of_another_treatment_is_dropped() -> None:
    assert gate().offer(GOOD._replace(treatment=0), 1000) is Verdict.TREATMENT
    assert gate().offer(GOOD._replace(treatment=8), 1000) is Verdict.TREATMENT


def test_before_a_configuration_treatment_0_is_heard_and_may_drive_nothing() -> None:
    setpoints = Setpoints()
    setpoints.sent(1000)
    assert setpoints.offer(GOOD, 1000) is Verdict.TREATMENT
    assert setpoints.offer(GOOD._replace(treatment=0), 1000) is Verdict.ACCEPTED
    setpoints.follow(5000, pumping=True, flowing=True)
    assert setpoints.suction_pa == setpoints.flow_mg_per_min == 0.0
    assert not setpoints.wants_flow
    assert setpoints.envelope is UNCONFIGURED


@pytest.mark.hazard("H38")
def test_suction_and_flow_rise_no_faster_than_allowed_and_fall_at_once() -> None:
    setpoints = gate()
    setpoints.offer(GOOD, 1000)
    setpoints.follow(100, pumping=True, flowing=True)
    assert setpoints.suction_pa == 2_000  # 20 kPa/s
    assert setpoints.flow_mg_per_min == 3_000  # a quarter of full flow in 100 ms
    lower = GOOD._replace(loop_counter=2, suction_pa=1_000, flow_mg_per_min=500)
    setpoints.offer(lower, 1000)
    setpoints.follow(5, pumping=True, flowing=True)
    assert (setpoints.suction_pa, setpoints.flow_mg_per_min) == (1_000, 500)
    setpoints.follow(5, pumping=False, flowing=False)
    assert (setpoints.suction_pa, setpoints.flow_mg_per_min) == (0, 0)


def test_the_stream_is_healthy_with_18_setpoints_in_the_last_second() -> None:
    setpoints = gate()
    for number in range(18):
        assert not setpoints.healthy(1000 + 50 * number)
        tick = 1000 + 50 * number
        setpoints.sent(tick)
        setpoints.offer(GOOD._replace(loop_counter=1 + number, echo_tick_ms=tick), tick)
    assert setpoints.healthy(1850)
    assert setpoints.healthy(2000)
    assert not setpoints.healthy(2001)


def test_a_wish_for_flow_of_nothing_is_no_wish_for_flow() -> None:
    setpoints = gate()
    setpoints.offer(GOOD._replace(flow_mg_per_min=0), 1000)
    assert not setpoints.wants_flow
    assert setpoints.wants_pump


@pytest.mark.hazard("H47")
@given(
    st.builds(Config, *[st.integers(0, high) for high in (2**32 - 1, 65_535, 65_535, 65_535, 255)])
)
def test_no_configuration_widens_the_envelope_of_the_factory(config: Config) -> None:
    envelope = narrow(config)
    if envelope is not None:
        assert envelope.treatment > 0
        assert envelope.suction_max_pa <= 50_000
        assert envelope.flow_max_mg_per_min <= 12_000
        assert envelope.suction_min_pa >= 8_000


@pytest.mark.hazard("H03", "H34", "H47")
@pytest.mark.parametrize(("config", "accepted"), CONFIGS)
def test_a_configuration_that_widens_or_can_never_flow_is_none(
    config: Config, *, accepted: bool
) -> None:
    assert (narrow(config) is not None) is accepted


def test_the_check_value_tells_configurations_apart() -> None:
    assert narrow(CONFIG) == ENVELOPE
    assert check_value(CONFIG) == check_value(Config(*CONFIG))
    assert check_value(CONFIG) != check_value(CONFIG._replace(tip=2))
