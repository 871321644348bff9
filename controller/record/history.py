"""Past treatments for whoever looks back, read from the record beside its writer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from controller.record import beside, earlier, treatments
from controller.record.chain import Chained
from controller.record.read_only import ask_record
from controller.record.store import BrokenRowError, Store, record_refused
from controller.treatment.kinds import Kind

UNDER_WAY: Final = "under way"
CUT_OFF: Final = "cut off"
DISMISSED: Final = "cut off, dismissed"
BROKEN: Final = "its rows cannot be believed"

_NEWEST: Final = (
    "SELECT treatment, begun_id, closed_id, dismissed_id FROM treatments"
    " WHERE (:client IS NULL OR client = :client)"
    " AND (:before IS NULL OR treatment < :before) ORDER BY treatment DESC LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class PastZone:
    """What one zone had in one treatment."""

    zone: str
    contact_s: float
    nominal_um: float
    bound_um: float


@dataclass(frozen=True, slots=True)
class Past:
    """One treatment on record; what the record does not say is null."""

    treatment: int
    outcome: str
    """Completed, stopped, tripped or refused; else `under way`, or `cut off`."""
    client: str | None = None
    program: str | None = None
    simulated: bool | None = None
    unit: int | None = None
    by: str | None = None
    """Who began it."""
    begun_wall_s: float | None = None
    ended_wall_s: float | None = None
    zones: tuple[PastZone, ...] = ()
    """Those that had something."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which treatments are looked for; what is None does not matter."""

    zone: str | None = None
    """One that had something."""
    unit: int | None = None
    program: str | None = None
    outcome: str | None = None
    since_wall_s: float | None = None
    """When it began, at the earliest."""
    until_wall_s: float | None = None
    """Before when it began."""

    def has(self, one: Past) -> bool:
        """Return True for a treatment that is looked for, or that may be for all one can tell."""
        begun = one.begun_wall_s
        return one.outcome == BROKEN or (
            (self.zone is None or any(each.zone == self.zone for each in one.zones))
            and self.unit in (None, one.unit)
            and self.program in (None, one.program)
            and self.outcome in (None, one.outcome)
            and (self.since_wall_s is None or (begun is not None and begun >= self.since_wall_s))
            and (self.until_wall_s is None or (begun is not None and begun < self.until_wall_s))
        )


ALL: Final = Wanted()


def past(
    state: Path,
    client: str | None,
    most: int,
    before: int | None = None,
    wanted: Wanted = ALL,
    told: earlier.Told = earlier.untold,
) -> tuple[Past, ...]:
    """Return the newest treatments that are wanted, newest first, of one client or of all.

    ``told`` hears how many of how many are looked through.
    One whose rows cannot be believed is always among them: it may be one that is looked for.

    With ``before`` those with a lower number: the next page begins at the last number of this one.
    The rows of one treatment at a time are in memory.

    Raises:
        RefusedError: there is no record, or it cannot be read.
    """
    path = beside.check_record(state)
    alive = beside.alive_in(state)

    def question(store: Store) -> tuple[Past, ...]:
        limit = most if wanted == ALL else -1  # SQLite's word for no limit
        entries = store.ask(_NEWEST, {"client": client, "before": before, "most": limit})

        def looked_at() -> Iterator[Past]:
            for number, entry in enumerate(entries):
                told(number, len(entries))
                yield _past(store, *entry, alive=alive)

        return tuple(islice(filter(wanted.has, looked_at()), most))

    with record_refused("Nothing was changed."):
        return ask_record(path, question)


def _past(
    store: Store,
    treatment: int,
    begun_id: int,
    closed_id: int | None,
    dismissed_id: int | None,
    *,
    alive: Callable[[str], bool],
) -> Past:
    try:
        begun = store.read([begun_id])
        closed = store.read([] if closed_id is None else [closed_id])
        return _told(store, begun[0], closed, dismissed=dismissed_id is not None, alive=alive)
    except (BrokenRowError, IndexError):  # IndexError: a technician has decided to leave it out
        return Past(treatment, BROKEN)


def _told(
    store: Store,
    row: Chained,
    closed: list[Chained],
    *,
    dismissed: bool,
    alive: Callable[[str], bool],
) -> Past:
    beginning = treatments.beginning_of(row)
    said: dict[str, Any] = row.body
    end = closed[0] if closed else None
    cut = end is None or end.kind == Kind.INTERRUPTED
    if end is not None and not cut:
        outcome = str(end.body.get("outcome", "ended"))
    elif end is None and alive(beginning.lock):
        outcome = UNDER_WAY
    else:
        outcome = DISMISSED if dismissed else CUT_OFF
    return Past(
        treatment=row.treatment,
        outcome=outcome,
        client=beginning.client,
        program=beginning.program,
        simulated=beginning.simulated,
        unit=beginning.unit,
        by=str((said.get("who") or {}).get("name", "")) or None,
        begun_wall_s=row.wall_s,
        ended_wall_s=None if end is None or cut else end.wall_s,
        zones=tuple(
            PastZone(zone, use.contact_s, use.nominal_um, use.bound_um)
            for zone, use in treatments.own_uses(store, beginning).items()
        ),
    )
