"""After a crash: the treatments that nobody ended are marked, and charged for what nobody saw.

Nothing is resumed here. A treatment is taken for dead only when the lock of its kernel is free, so
a second kernel on another port leaves the first one's treatment alone.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from controller.kernel import records
from controller.kernel.journal import LAG_MAX_S, NOTE_DELAY_S, Row
from controller.kernel.records import Beginning
from controller.kernel.store import BrokenRowError, Store
from controller.safety.exposure import ZoneUse
from controller.treatment.supervisor import EXPOSURE_ROW_S
from firmware_protocol.envelope import LEASE_DEFAULT_MS, LEASE_MARGIN_S

UNSEEN_S: Final = (
    EXPOSURE_ROW_S  # since the last row that was made
    + NOTE_DELAY_S  # until its group is written
    + LAG_MAX_S  # until a write that hangs has stopped the treatment
    + LEASE_DEFAULT_MS / 1000  # until the device has shut the valve by itself
    + LEASE_MARGIN_S
)
"""The longest time with open valve that the journal can have missed: 1.85 s."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What was found and charged: the zones with what each has had in the worst case."""

    beginning: Beginning
    charged: tuple[str, ...]
    zones: dict[str, ZoneUse]

    def row(self) -> Row:
        """Return the row that marks it."""
        return Row(
            records.INTERRUPTED,
            {
                "client": self.beginning.client,
                "program": self.beginning.program,
                "unseen_s": UNSEEN_S if self.charged else 0.0,
                "charged": list(self.charged),
                "zones": [
                    {"zone": zone, **records.use_body(use)} for zone, use in self.zones.items()
                ],
            },
            self.beginning.treatment,
        )


def interrupted(store: Store, alive: Callable[[str], bool]) -> list[Interrupted]:
    """Return the open treatments whose kernel is gone, each with its worst case.

    One with a row that cannot be believed stays open: its client is refused, nobody else is.
    """
    found = []
    for beginning in records.open_treatments(store):
        with contextlib.suppress(BrokenRowError):
            if not alive(beginning.lock):
                found.append(_charged(store, beginning))
    return found


def _charged(store: Store, beginning: Beginning) -> Interrupted:
    zones = records.uses(store, beginning)
    charged = _could_be_open(store, beginning)
    for zone in charged:
        zones[zone] = _plus(zones.get(zone, ZoneUse()), beginning.rates[zone])
    return Interrupted(beginning, charged, zones)


def _could_be_open(store: Store, beginning: Beginning) -> tuple[str, ...]:
    """The zones on which the valve may have been open unseen: the last one, and the one after."""
    if not records.was_armed(store, beginning):
        return ()
    order = tuple(beginning.rates)
    last = records.exposed_last(store, beginning)
    if last not in order:
        return order[:1]
    at = order.index(last)
    return order[at : at + 2]


def _plus(use: ZoneUse, per_s: ZoneUse) -> ZoneUse:
    return ZoneUse(
        use.nominal_um + per_s.nominal_um * UNSEEN_S,
        use.bound_um + per_s.bound_um * UNSEEN_S,
        use.contact_s + per_s.contact_s * UNSEEN_S,
        use.grams + per_s.grams * UNSEEN_S,
        use.suction_kpa_s + per_s.suction_kpa_s * UNSEEN_S,
    )
