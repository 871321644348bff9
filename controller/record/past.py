"""What a plan rests on in the record, asked for in one go: by the kernel, and by whoever plans.

Blocks: run it through `Journal.read`, or on a record that was opened for reading.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from controller.api.requests import TreatArgs
from controller.planning.planning import Given
from controller.planning.tips import TipPast, is_tracked
from controller.record import tips, treatments
from controller.record.clocks import ClockRecord
from controller.record.health import believe
from controller.record.store import Store
from controller.record.treatments import Beginning
from controller.record.verify import Break
from controller.safety.exposure import ZoneUse
from controller.safety.skin import DAY_S, PastDose
from controller.safety.timeline import Moment

UNDER_WAY_MAX_S: Final = DAY_S
"""A treatment that has rows after a plan of the last minutes began within a day before it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose past is asked for, on which kind of unit, as of when."""

    wish: TreatArgs
    serial: int
    simulated: bool
    at: Moment


@dataclass(frozen=True, slots=True)
class Resumed:
    """The unfinished treatment that a wish goes on with, and what its zones have had."""

    beginning: Beginning
    uses: dict[str, ZoneUse]


@dataclass(frozen=True, slots=True)
class Past:
    """Everything that the record says about one wish."""

    doses: tuple[PastDose, ...]
    """Earlier doses of the client, without those of the treatment that is resumed."""
    resumable: Beginning | None
    """What this client may go on with in this program, whether that is wished for or not."""
    resumed: Resumed | None
    tip: TipPast | None
    """The tip that was named now, or last for this unit; None where tips are not told apart."""
    newest_up_s: float | None
    """When the client's newest row was written, since the boot of the computer; None where there is
    none of the last day, or it was written before that boot."""


def past_of(store: Store, asked: Asked, given: Given, breaks: Iterable[Break] = ()) -> Past:
    """Return what the record says about a wish.

    The record knows client and program by what their files say, whatever a wish calls the files.
    ``breaks`` are broken rows that are known beside those that are read here.

    Raises:
        RecordError: it cannot be believed about this client.
    """
    client = given.client.ref
    believe(store, client, breaks)
    begun = treatments.resumable(store, client, asked.at, simulated=asked.simulated)
    resumable = next((each for each in begun if each.program == given.program.name), None)
    resumed = (
        Resumed(resumable, treatments.resumed_uses(store, resumable))
        if asked.wish.resume and resumable is not None
        else None
    )
    doses = treatments.history(
        store,
        client,
        asked.at,
        simulated=asked.simulated,
        leave_out=None if resumed is None else resumed.beginning.treatment,
    )
    return Past(
        tuple(doses),
        resumable,
        resumed,
        _tip(store, asked) if is_tracked(given.unit, given.client) else None,
        _newest_up_s(store, client, asked.at),
    )


def _tip(store: Store, asked: Asked) -> TipPast | None:
    simulated = asked.simulated
    label = asked.wish.tip or tips.fitted(store, asked.serial, simulated=simulated)
    return None if label is None else tips.past(store, label, simulated=simulated)


def _newest_up_s(store: Store, client: str, now: Moment) -> float | None:
    clock = ClockRecord(store)
    newest = treatments.newest_of(store, client, clock.last_before(now, UNDER_WAY_MAX_S))
    if newest is None:
        return None
    at = clock.moment(newest)
    return at.up_s if at.boot and at.boot == now.boot else None
