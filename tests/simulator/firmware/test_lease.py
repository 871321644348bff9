import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.envelope import LEASE_MAX_MS, LEASE_MIN_MS
from firmware_protocol.vectors import LEASES
from simulator.firmware.setpoints import Lease

TICKS = 2**32


@pytest.mark.hazard("H10")
@pytest.mark.parametrize(("asked_ms", "granted_ms"), LEASES)
def test_a_lease_is_clamped_to_100_to_200_ms(asked_ms: int, granted_ms: int) -> None:
    lease = Lease()
    lease.grant(asked_ms, 1000)
    assert lease.left_ms(1000) == granted_ms
    assert lease.left_ms(1000 + granted_ms - 1) == 1
    assert lease.live
    assert lease.left_ms(1000 + granted_ms) == 0
    assert not lease.live


@pytest.mark.hazard("H31", "H32")
@given(
    start=st.integers(0, TICKS - 1),
    asked_ms=st.integers(0, 65_535),
    late_ms=st.integers(LEASE_MAX_MS, TICKS - 1),
)
def test_a_lease_that_lapsed_stays_lapsed_wherever_the_tick_wraps(
    start: int, asked_ms: int, late_ms: int
) -> None:
    lease = Lease()
    lease.grant(asked_ms, start)
    assert LEASE_MIN_MS <= lease.left_ms(start) <= LEASE_MAX_MS
    assert lease.left_ms((start + late_ms) % TICKS) in (0, *range(1, LEASE_MAX_MS + 1))
    lease.left_ms((start + LEASE_MAX_MS) % TICKS)
    for tick in (start, start + late_ms, start + 1):
        assert lease.left_ms(tick % TICKS) == 0


def test_without_a_grant_and_after_a_revocation_there_is_no_lease() -> None:
    lease = Lease()
    assert lease.left_ms(0) == 0
    lease.grant(200, 0)
    lease.revoke()
    assert lease.left_ms(1) == 0
