"""A handpiece whose lease, once it has been proof-tested at arming, never lapses again."""

import pytest

from simulator.firmware import channel_a
from simulator.firmware.channel_b import ChannelB
from simulator.firmware.setpoints import Lease

FOR_EVER_MS = 500


class WornLease(Lease):
    """Lapses once."""

    proven = False

    def left_ms(self, tick_ms: int) -> int:
        was_live, left = self.live, super().left_ms(tick_ms)
        if was_live and not left:
            if self.proven:
                self.grant(FOR_EVER_MS, tick_ms)
                return FOR_EVER_MS
            self.proven = True
        return left


def wear_out_the_lease(patch: pytest.MonkeyPatch) -> None:
    """Break the lease of both channels: it is the same mistake twice, as of one author."""
    renewed = ChannelB.renewed

    def trusting(self: ChannelB, lease_ms: int) -> None:
        renewed(self, lease_ms)
        self._lease_left_ms = FOR_EVER_MS

    patch.setattr(channel_a, "Lease", WornLease)
    patch.setattr(ChannelB, "renewed", trusting)
