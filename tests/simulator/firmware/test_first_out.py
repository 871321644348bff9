"""The latch keeps what came first, also against a cause that stands higher in the table."""

import pytest

from firmware_protocol.vocabulary import Cause
from tests.simulator.host import Host


@pytest.mark.hazard("H18")
@pytest.mark.parametrize("later", ["suction-a-disconnected", "suction-b-disconnected"])
def test_a_later_cause_of_higher_rank_or_of_the_other_channel_replaces_nothing(later: str) -> None:
    host = Host().active()
    host.device.set_fault("brown-out")
    host.run(0.2)
    assert host.cause is Cause.BROWN_OUT
    host.device.set_fault(later)
    host.run(0.5)
    assert host.cause is Cause.BROWN_OUT
    assert len(host.of("trip")) == 1
