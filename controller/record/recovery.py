"""After a crash: the treatments that nobody ended are marked, and charged for what nobody saw.

Nothing is resumed here. A treatment is taken for dead only when the lock of its kernel is free, so
a second kernel on another port leaves the first one's treatment alone.

Which zones may have been open is not guessed: the last row says it, written by the control that
knew where the crystals fell. How long is the longest that the lease allowed; where the unit still
runs and its totals say that it delivered more, it is that.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from controller.record import treatments
from controller.record.clocks import Here
from controller.record.journal import LAG_MAX_S, NOTE_DELAY_S, Row
from controller.record.store import BrokenRowError, Store
from controller.record.treatments import Beginning
from controller.safety.exposure import CHARGE_MAX_S, ZoneUse
from controller.safety.reading import Identity, Reading
from controller.safety.totals import Delivered, Totals, delivered, totals_of
from controller.treatment.conduct import AHEAD_S
from controller.treatment.kinds import Kind
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


TOTALS_WAIT_S: Final = 0.5
"""For so long a unit that was just found is asked for its totals: two STATUS and the line."""

TOTALS_LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class UnitNow:
    """What a unit that answers now says of itself: whose totals they are, and how far they are."""

    serial: int
    simulated: bool
    totals: Totals


class Shown(Protocol):
    """The part of the handpiece client that shows what a unit says of itself."""

    identity: Identity | None
    newest: Reading | None


async def unit_now(handpiece: Shown) -> UnitNow | None:
    """Return what a unit says of itself, as soon as it does; None where it does not say it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(TOTALS_WAIT_S):
            while (totals := totals_of(handpiece.newest)) is None:
                await asyncio.sleep(TOTALS_LOOK_S)
            identity = handpiece.identity
            return None if identity is None else _unit(identity, totals)
    return None


def _unit(identity: Identity, totals: Totals) -> UnitNow:
    return UnitNow(identity.serial, identity.simulated, totals)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What was found and charged: the zones with what each has had in the worst case."""

    beginning: Beginning
    charged: tuple[str, ...]
    unseen_s: float
    """For how long each of them is charged."""
    told: Delivered | None
    """What the unit says that it delivered after the last row; None where it cannot be known."""
    zones: dict[str, ZoneUse]

    def row(self, here: Here) -> Row:
        """Return the row that marks it; written before the row of the kernel, it says its boot."""
        return Row(
            Kind.INTERRUPTED,
            {
                "client": self.beginning.client,
                "program": self.beginning.program,
                **here.body(),
                "unseen_s": self.unseen_s,
                "told": None if self.told is None else self.told._asdict(),
                "charged": list(self.charged),
                "zones": [
                    {"zone": zone, **treatments.use_body(use)} for zone, use in self.zones.items()
                ],
            },
            self.beginning.treatment,
        )


def interrupted(
    store: Store, alive: Callable[[str], bool], unit: UnitNow | None = None
) -> list[Interrupted]:
    """Return the open treatments whose kernel is gone, each with its worst case.

    One with a row that cannot be believed stays open: its client is refused, nobody else is.
    """
    found = []
    for beginning in treatments.open_treatments(store):
        with contextlib.suppress(BrokenRowError):
            if not alive(beginning.lock):
                found.append(_charged(store, beginning, unit))
    return found


def _charged(store: Store, beginning: Beginning, unit: UnitNow | None) -> Interrupted:
    zones = treatments.uses(store, beginning)
    if not treatments.was_armed(store, beginning):
        return Interrupted(beginning, (), 0.0, None, zones)
    told = _told(store, beginning, unit)
    unseen_s = max([UNSEEN_S, *(_seconds(told, rate) for rate in beginning.rates.values())])
    charged = _could_be_open(store, beginning, unseen_s)
    for zone in charged:
        zones[zone] = _plus(zones.get(zone, ZoneUse()), beginning.rates[zone], unseen_s)
    return Interrupted(beginning, charged, unseen_s, told, zones)


def _told(store: Store, beginning: Beginning, unit: UnitNow | None) -> Delivered | None:
    """What the unit of a treatment says that it delivered since the last row with its totals."""
    if unit is None or (unit.serial, unit.simulated) != (beginning.unit, beginning.simulated):
        return None
    return delivered(treatments.totals_last(store, beginning), unit.totals)


def _seconds(told: Delivered | None, per_s: ZoneUse) -> float:
    """The seconds at the worst case that stand for what was delivered, by time and by weight."""
    if told is None:
        return 0.0
    by_weight_s = told.crystal_g / per_s.grams if per_s.grams > 0.0 else 0.0
    return min(CHARGE_MAX_S, max(told.contact_s, by_weight_s))


def _could_be_open(store: Store, beginning: Beginning, unseen_s: float) -> tuple[str, ...]:
    """The zones on which the valve may have been open unseen, in the order of the plan.

    Rows name the zones that can be reached within ``AHEAD_S``; for longer, and where an older build
    wrote no names, it is every one from there on.
    """
    order, named = tuple(beginning.rates), treatments.may_have_opened(store, beginning)
    known = [zone for zone in order if named is not None and zone in named]
    if known and unseen_s <= AHEAD_S:
        return tuple(known)
    return order[order.index(known[0]) :] if known else order


def _plus(use: ZoneUse, per_s: ZoneUse, seconds: float) -> ZoneUse:
    return ZoneUse(
        use.nominal_um + per_s.nominal_um * seconds,
        use.bound_um + per_s.bound_um * seconds,
        use.contact_s + per_s.contact_s * seconds,
        use.grams + per_s.grams * seconds,
        use.suction_kpa_s + per_s.suction_kpa_s * seconds,
    )
