"""Ticks, sequences and quantities: wraps, ages, and the edges of the wire."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol import messages as q
from firmware_protocol.errors import LocalProtocolError
from firmware_protocol.session import (
    SEQ_SPAN,
    TICK_SPAN,
    age_ms,
    newer,
    next_seq,
    session_number,
    tick_of,
)

seqs = st.integers(0, SEQ_SPAN - 1)
ticks = st.integers(0, TICK_SPAN - 1)


@pytest.mark.parametrize(
    ("now_s", "offset_ms", "tick"),
    [(0.0, 0, 0), (0.029, 0, 29), (0.0299, 0, 29), (1.5, 7, 1507), (49.0, TICK_SPAN - 1, 48_999)],
)
def test_a_tick_is_whole_milliseconds_since_boot(now_s: float, offset_ms: int, tick: int) -> None:
    assert tick_of(now_s, offset_ms) == tick


@given(ms=st.integers(0, 10**9))
def test_every_whole_millisecond_is_its_own_tick(ms: int) -> None:
    assert tick_of(ms / 1000) == ms


@pytest.mark.hazard("H32")
def test_the_tick_wraps_after_49_days_and_ages_stay_right() -> None:
    before = tick_of(4.999, TICK_SPAN - 5000)
    after = tick_of(5.001, TICK_SPAN - 5000)
    assert (before, after) == (TICK_SPAN - 1, 1)
    assert age_ms(after, before) == 2


@pytest.mark.hazard("H32")
@given(old=ticks, age=ticks)
def test_an_age_is_what_passed_wherever_the_counter_stood(old: int, age: int) -> None:
    assert age_ms((old + age) % TICK_SPAN, old) == age


def test_a_tick_of_the_future_is_very_old() -> None:
    assert age_ms(100, 101) == TICK_SPAN - 1


@pytest.mark.hazard("H32")
@given(old=seqs, steps=st.integers(1, SEQ_SPAN // 2 - 1))
def test_a_sequence_is_newer_for_half_a_turn(old: int, steps: int) -> None:
    new = (old + steps) % SEQ_SPAN
    assert newer(new, old)
    assert not newer(old, new)


@given(seq=seqs)
def test_nothing_is_newer_than_itself_nor_than_its_opposite(seq: int) -> None:
    assert not newer(seq, seq)
    assert not newer((seq + SEQ_SPAN // 2) % SEQ_SPAN, seq)


@pytest.mark.hazard("H32")
def test_sequences_skip_zero_at_the_wrap() -> None:
    assert next_seq(0) == 1
    assert next_seq(SEQ_SPAN - 1) == 1
    assert newer(next_seq(SEQ_SPAN - 1), SEQ_SPAN - 1)


@given(host=st.integers(0, 2**32 - 1), device=st.integers(0, 2**32 - 1))
def test_a_session_is_never_none_and_fits_the_wire(host: int, device: int) -> None:
    assert 0 < session_number(host, device) < 2**32


def test_a_session_whose_hash_is_zero_is_one() -> None:
    # The CRC of these eight bytes is zero: the last four were found by solving for it.
    assert session_number(0, 0x3AF950C9) == 1


@given(pa=st.integers(0, 65_534))
def test_quantities_survive_the_way_there_and_back(pa: int) -> None:
    suction_kpa, flow_g_per_min = q.pa_to_kpa(pa), q.mg_per_min_to_g_per_min(pa)
    assert suction_kpa is not None
    assert flow_g_per_min is not None
    assert q.kpa_to_pa(suction_kpa) == pa
    assert q.g_per_min_to_mg_per_min(flow_g_per_min) == pa


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.001, 65.535, 1e300])
def test_what_the_wire_cannot_carry_is_refused(value: float) -> None:
    with pytest.raises(LocalProtocolError, match="suction_kpa"):
        q.kpa_to_pa(value)
    with pytest.raises(LocalProtocolError, match="flow_g_per_min"):
        q.g_per_min_to_mg_per_min(value)


def test_the_unknown_count_is_no_number() -> None:
    assert q.pa_to_kpa(q.UNKNOWN_U16) is None
    assert q.mg_per_min_to_g_per_min(q.UNKNOWN_U16) is None


@pytest.mark.hazard("H20")
def test_mmhg_sent_as_kpa_does_not_fit_the_wire() -> None:
    with pytest.raises(LocalProtocolError):
        q.kpa_to_pa(225.0)  # 30 kPa, said in mmHg
