"""What a crash has cut off, read from the record beside no kernel: nothing is written.

A treatment that a later kernel has marked is told with the charge that stands in the record. For
one that is still open, the charge is told that the next kernel will write at least: only it can ask
the unit whether more was delivered.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from controller.record import beside, listing, treatments
from controller.record.computer import moment
from controller.record.read_only import ask_record
from controller.record.recovery import interrupted
from controller.record.store import RecordError, Store, record_refused
from controller.record.treatments import Beginning
from controller.safety.exposure import ZoneUse
from controller.safety.timeline import Moment
from controller.treatment.kinds import Kind


@dataclass(frozen=True, slots=True)
class CutZone:
    """A zone on which crystals may have fallen unseen, with its charge in."""

    zone: str
    display: str
    bound_um: float
    charged_um: float
    """How much of the bound is the charge."""
    cap_um: float | None
    """Null where the record does not say it."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """A treatment that nobody ended."""

    treatment: int
    client: str
    program: str
    display_name: str
    simulated: bool
    unit: int
    by: str
    """Who began it."""
    role: str
    begun_wall_s: float
    last_wall_s: float
    """When its last row was written."""
    zones: tuple[CutZone, ...]
    """None where it was never armed, so that nothing could flow."""
    unseen_s: float
    """For how long each of them is charged at the worst case."""
    marked: bool
    """Whether the charge stands in the record already."""
    resumable: bool
    """Whether it may still be gone on with."""
    trouble: str | None = None
    """Why the record cannot say more; zones and charge are then not known."""


class _Charge(NamedTuple):
    """What is charged for the time that nobody saw."""

    zones: tuple[str, ...]
    unseen_s: float
    uses: Mapping[str, ZoneUse]
    """What each zone has had, with the charge."""
    marked: bool


def cut_off(state: Path) -> tuple[CutOff, ...]:
    """Return what was cut off, newest first; none where no record is.

    A treatment whose kernel lives, or may live, is not cut off. RefusedError: it is unreadable.
    """
    if not beside.is_known(state):
        return ()
    path = beside.check_record(state, lost_too=True)
    alive = beside.alive_in(state)
    with record_refused("Nothing was changed."):
        return ask_record(path, lambda store: _found(store, alive, moment()))


def _found(store: Store, alive: Callable[[str], bool], now: Moment) -> tuple[CutOff, ...]:
    foreseen = {
        each.beginning.treatment: _Charge(each.charged, each.unseen_s, each.zones, marked=False)
        for each in interrupted(store, alive)
    }
    return tuple(
        _told(store, each, foreseen.get(each.treatment), now)
        for each in treatments.cut_off(store, alive)
    )


def _on_record(store: Store, beginning: Beginning) -> _Charge:
    rows = store.rows("kind = ? AND treatment = ?", (Kind.INTERRUPTED, beginning.treatment))
    if not rows:
        raise RecordError(f"Rows of treatment {beginning.treatment} cannot be believed.")
    said = rows[-1].body
    zones = tuple(map(str, said.get("charged", ())))
    unseen_s = float(said.get("unseen_s") or 0.0)
    return _Charge(zones, unseen_s, treatments.uses(store, beginning), marked=True)


def _told(store: Store, beginning: Beginning, foreseen: _Charge | None, now: Moment) -> CutOff:
    """Tell of one treatment; rows of it that cannot be believed hide none of the others."""
    known = CutOff(
        treatment=beginning.treatment,
        client=beginning.client,
        program=beginning.program,
        display_name=beginning.program,
        simulated=beginning.simulated,
        unit=beginning.unit,
        by="",
        role="",
        begun_wall_s=beginning.wall_s,
        last_wall_s=beginning.wall_s,
        zones=(),
        unseen_s=0.0,
        marked=False,
        resumable=False,
    )
    try:
        charge = foreseen or _on_record(store, beginning)
        row = listing.begun(store, beginning.treatment)
        said: Mapping[str, Any] = {} if row is None else row.body
        who = said.get("who") or {}
        return replace(
            known,
            display_name=str(said.get("display_name", beginning.program)),
            by=str(who.get("name", "")),
            role=str(who.get("role", "")),
            last_wall_s=treatments.last_told(store, beginning).wall_s,
            zones=tuple(_zone(said, beginning, zone, charge) for zone in charge.zones),
            unseen_s=charge.unseen_s,
            marked=charge.marked,
            resumable=bool(treatments.recent(store, [beginning], now)),
        )
    except RecordError as error:
        return replace(known, trouble=str(error))


def _zone(said: Mapping[str, Any], beginning: Beginning, zone: str, charge: _Charge) -> CutZone:
    plan = said.get("plan")
    stages = plan.get("zones", ()) if isinstance(plan, dict) else ()
    stage: Mapping[str, Any] = next((each for each in stages if each.get("zone") == zone), {})
    return CutZone(
        zone=zone,
        display=str(stage.get("display", zone)),
        bound_um=charge.uses.get(zone, ZoneUse()).bound_um,
        charged_um=beginning.rates.get(zone, ZoneUse()).bound_um * charge.unseen_s,
        cap_um=stage.get("cap_um"),
    )
