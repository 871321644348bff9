"""What the journal knows about treatments: open, unfinished, and the doses of a client.

Everything is read back from the chained rows; there is no second truth beside them. A treatment is
open from its row TREATMENT until ENDED or INTERRUPTED. These functions block: run them through
`Journal.read`.
"""

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from controller.planning.plan import Plan, PlannedStage
from controller.record import listing
from controller.record.chain import Chained
from controller.record.clocks import ClockRecord, Stamp, doubt_about, stamp_of
from controller.record.store import Store
from controller.safety.exposure import ZoneUse
from controller.safety.skin import PastDose
from controller.safety.timeline import Moment
from controller.safety.totals import Totals
from controller.treatment.kinds import Kind

_TELLING: Final = (Kind.TREATMENT, Kind.EXPOSURE)
_ENDS: Final = (Kind.ENDED, Kind.INTERRUPTED)

HISTORY_S: Final = 180 * 86_400.0
"""How far back doses matter: the stratum corneum is whole again after weeks."""

RESUME_MAX_S: Final = 12 * 3_600.0
"""How long after its end a treatment may be resumed: the same day, while the client is there. Later
the interval between treatments of one zone counts."""

UNFINISHED_MAX: Final = 100
"""Unfinished treatments that are shown, the newest first."""

CHAIN_MAX: Final = 20
"""How often one treatment may be interrupted and resumed: each step is followed back, and what
cannot be followed to its beginning is not resumed, lest a dose of it is lost."""

TOTALS_LOOKED_AT: Final = 64
"""Rows that are looked through for totals of the unit: half a minute of treatment."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The row that was written ahead of a treatment."""

    treatment: int
    wall_s: float
    client: str
    program: str
    simulated: bool
    practice: bool
    unit: int
    """Serial number of the unit; 0 where the row does not say it."""
    lock: str
    """File name of the lock that the kernel of this treatment holds while it lives."""
    resumes: int | None
    zones: Mapping[str, ZoneUse]
    """The planned zones in order, with what each had before."""
    rates: Mapping[str, ZoneUse]
    """The worst case of one second in each zone, at the highest settings of the plan."""


def beginning_body(plan: Plan, lock: str, *, practice: bool, resumes: int | None) -> dict[str, Any]:
    """Return the body of the row TREATMENT; the caller adds who asked and the whole plan."""
    return {
        "client": plan.client_ref,
        "program": plan.program.name,
        "display_name": plan.program.display_name,
        "program_version": plan.program.version,
        "program_sha256": plan.program.sha256,
        "unit": plan.unit_serial,
        "simulated": plan.simulated,
        "practice": practice,
        "kernel_lock": lock,
        "resumes": resumes,
        "zones": [[stage.zone, use_body(stage.used)] for stage in plan.stages],
        "worst_per_s": [[stage.zone, use_body(_worst(plan, stage))] for stage in plan.stages],
    }


def use_body(use: ZoneUse) -> dict[str, float]:
    """Return what a zone had, as JSON."""
    return {
        "nominal_um": use.nominal_um,
        "bound_um": use.bound_um,
        "contact_s": use.contact_s,
        "grams": use.grams,
        "suction_kpa_s": use.suction_kpa_s,
    }


def open_treatments(store: Store) -> list[Beginning]:
    """Return the treatments that have begun and neither ended nor were marked as interrupted."""
    return [beginning_of(row) for row in listing.open_now(store)]


def unfinished(store: Store) -> list[Beginning]:
    """Return the interrupted treatments that nobody has resumed or dismissed, newest first.

    A resume that was refused before it was armed has resumed nothing.
    """
    return [beginning_of(row) for row in listing.interrupted(store, UNFINISHED_MAX)]


def cut_off(store: Store, alive: Callable[[str], bool]) -> list[Beginning]:
    """Return the treatments that nobody ended, resumed or dismissed, newest first.

    A kernel that came later has marked them, or they are open and no kernel holds their lock.
    """
    under_way = {each.treatment for each in open_treatments(store) if alive(each.lock)}
    waiting = [beginning_of(row) for row in listing.cut_off(store, UNFINISHED_MAX)]
    return [each for each in waiting if each.treatment not in under_way]


def resumable(store: Store, client: str, now: Moment, *, simulated: bool) -> list[Beginning]:
    """Return what a client may go on with: interrupted, stopped or tripped lately, newest first.

    On a unit of the same kind, and only where it is sure that ``RESUME_MAX_S`` have not passed
    since its last row; the row that marks it as interrupted may be of a much later start.
    """
    since = ClockRecord(store).last_before(now, RESUME_MAX_S)
    begun = [beginning_of(row) for row in listing.resumable(store, client, since, UNFINISHED_MAX)]
    return recent(store, [each for each in begun if each.simulated is simulated], now)


def recent(store: Store, begun: Sequence[Beginning], now: Moment) -> list[Beginning]:
    """Return those since whose last row surely no more than ``RESUME_MAX_S`` have passed."""
    found = [each for each in begun if _chain(store, each) is not None]
    stamps = {each.treatment: last_told(store, each) for each in found}
    line = ClockRecord(store).timeline(list(stamps.values()), now)
    return [each for each in found if line.most_s(stamps[each.treatment].row) <= RESUME_MAX_S]


def last_told(store: Store, beginning: Beginning) -> Stamp:
    """Return the times of the last row that a treatment itself has written."""
    return _last_row(store, beginning, (*_TELLING, Kind.ARM, Kind.ENDED))


def uses(store: Store, beginning: Beginning) -> dict[str, ZoneUse]:
    """Return what each zone has had at the end of a treatment, or so far, before included."""
    return uses_in(beginning, listing.closing(store, beginning.treatment))


def uses_in(beginning: Beginning, rows: Iterable[Chained]) -> dict[str, ZoneUse]:
    """Return what each zone has had by rows of exposure and of the end, before included."""
    had = dict(beginning.zones)
    for row in rows:
        body = row.body
        zones = body.get("zones", (body,))
        for said in zones:
            if isinstance(said, dict) and "zone" in said:
                had[said["zone"]] = _larger(had.get(said["zone"], ZoneUse()), _use(said))
    return had


def was_armed(store: Store, beginning: Beginning) -> bool:
    """Return True when the row that permits arming was written: only then could anything flow."""
    return _newest(store, (Kind.ARM,), beginning) is not None


def may_have_opened(store: Store, beginning: Beginning) -> tuple[str, ...] | None:
    """Return the zones that could be open after the last row that names them; None where none does.

    The control writes them ahead of the act, from where it really is in the treatment.
    """
    newest = _newest(store, (Kind.ARM, Kind.EXPOSURE, Kind.ZONE), beginning)
    named = None if newest is None else newest.body.get("may_open")
    return None if named is None else tuple(str(zone) for zone in named)


def totals_last(store: Store, beginning: Beginning) -> Totals | None:
    """Return the totals of the unit in the last row of a treatment that has them."""
    ids = store.ask(
        "SELECT id FROM journal WHERE kind IN (?, ?) AND treatment = ? ORDER BY id DESC LIMIT ?",
        (Kind.ARM, Kind.EXPOSURE, beginning.treatment, TOTALS_LOOKED_AT),
    )
    told = (row.body.get("totals") for row in store.read(row_id for (row_id,) in ids))
    return next((Totals(**each) for each in told if each is not None), None)


def _newest(store: Store, kinds: tuple[Kind, ...], beginning: Beginning) -> Chained | None:
    marks = ", ".join("?" * len(kinds))
    ids = store.ask(
        f"SELECT max(id) FROM journal WHERE kind IN ({marks}) AND treatment = ?",  # noqa: S608
        (*kinds, beginning.treatment),
    )
    rows = store.read(row_id for (row_id,) in ids if row_id is not None)
    return rows[0] if rows else None


def resumed_uses(store: Store, beginning: Beginning) -> dict[str, ZoneUse]:
    """Return what each zone had in a treatment and in all that it resumed, for the next resume."""
    had: dict[str, ZoneUse] = {}
    for step in _chain(store, beginning) or [beginning]:
        for zone, use in own_uses(store, step).items():
            had[zone] = _sum(had.get(zone, ZoneUse()), use)
    return {**dict.fromkeys(beginning.zones, ZoneUse()), **had}


def history(
    store: Store, client: str, now: Moment, *, simulated: bool, leave_out: int | None = None
) -> list[PastDose]:
    """Return the doses of ``client`` in records of the same kind, of practice clients none.

    Each has the latest end that it can have had, on the wall clock of now. ``leave_out`` is a
    treatment that is about to be resumed: what it and its forerunners gave is not earlier exposure,
    it is exposure of this treatment.
    """
    clock = ClockRecord(store)
    rows = listing.of_client(store, client, clock.last_before(now, HISTORY_S))
    skipped = forerunners(store, leave_out)
    begun = [
        each
        for each in (beginning_of(row) for row in rows)
        if each.simulated is simulated and not each.practice and each.treatment not in skipped
    ]
    stamps = {each.treatment: _last_row(store, each, (*_TELLING, *_ENDS)) for each in begun}
    line = clock.timeline(list(stamps.values()), now)
    return [
        PastDose(
            zone,
            line.ended_wall_s(row),
            use.bound_um,
            use.nominal_um,
            use.suction_kpa_s,
            doubt_about(line, row),
        )
        for each in begun
        for row in (stamps[each.treatment].row,)
        if not line.least_s(row) >= HISTORY_S
        for zone, use in own_uses(store, each).items()
    ]


def own_uses(store: Store, beginning: Beginning) -> dict[str, ZoneUse]:
    """Return what a treatment added: a resumed one counts from where the first one ended."""
    added = own_of(beginning, uses(store, beginning))
    return {zone: use for zone, use in added.items() if use != ZoneUse()}


def own_of(beginning: Beginning, had: Mapping[str, ZoneUse]) -> dict[str, ZoneUse]:
    """Return what a treatment itself added to what its zones have had."""
    return {zone: _less(use, beginning.zones.get(zone, ZoneUse())) for zone, use in had.items()}


def forerunners(store: Store, treatment: int | None) -> list[int]:
    """Return a treatment and all that it goes on with, newest first."""
    begun = None if treatment is None else _begun(store, treatment)
    if treatment is None or begun is None:
        return []
    return [each.treatment for each in _chain(store, begun) or [begun]]


def _chain(store: Store, beginning: Beginning) -> list[Beginning] | None:
    """A treatment and all that it goes on with, newest first; None where there is no end of it."""
    chain = [beginning]
    while (resumes := chain[-1].resumes) is not None:
        earlier = _begun(store, resumes)
        if earlier is None or len(chain) >= CHAIN_MAX:
            return None
        chain.append(earlier)
    return chain


def _begun(store: Store, treatment: int) -> Beginning | None:
    row = listing.begun(store, treatment)
    return None if row is None else beginning_of(row)


def _last_row(store: Store, beginning: Beginning, kinds: tuple[Kind, ...]) -> Stamp:
    """Return the times of the last row of a treatment of these kinds, else of its beginning."""
    row = _newest(store, kinds, beginning) or listing.begun(store, beginning.treatment)
    if row is None:
        raise LookupError(f"treatment {beginning.treatment} has no beginning")
    return stamp_of(row.id, row.mono_s, row.wall_s, row.written)


def newest_of(store: Store, client: str, since: int) -> Stamp | None:
    """Return the times of the newest row of a client's treatments that were begun after a row."""
    rows = [
        _last_row(store, beginning_of(row), (*_TELLING, *_ENDS))
        for row in listing.of_client(store, client, since)
    ]
    return max(rows, key=lambda row: row.row, default=None)


def _worst(plan: Plan, stage: PlannedStage) -> ZoneUse:
    ledger = plan.ledger(replace(stage, used=ZoneUse()))
    ledger.charge(1.0, plan.suction_max_kpa, plan.flow_max_g_per_min)
    return ledger.use


def beginning_of(row: Chained) -> Beginning:
    """Return what a row that began a treatment says."""
    body = row.body
    return Beginning(
        treatment=row.treatment,
        wall_s=row.wall_s,
        client=body["client"],
        program=body["program"],
        simulated=body["simulated"],
        practice=body["practice"],
        unit=int(body.get("unit") or 0),
        lock=body["kernel_lock"],
        resumes=body["resumes"],
        zones={zone: _use(said) for zone, said in body["zones"]},
        rates={zone: _use(said) for zone, said in body["worst_per_s"]},
    )


def _use(said: Mapping[str, Any]) -> ZoneUse:
    bound_um, suction_kpa_s = said.get("bound_um"), said.get("suction_kpa_s", 0.0)
    return ZoneUse(
        float(said.get("nominal_um") or 0.0),
        # JSON has no infinity: a bound that was not finite is null, and unknown is the worst.
        math.inf if bound_um is None else float(bound_um),
        float(said.get("contact_s") or 0.0),
        float(said.get("grams") or 0.0),
        math.inf if suction_kpa_s is None else float(suction_kpa_s),
    )


def _less(use: ZoneUse, before: ZoneUse) -> ZoneUse:
    return ZoneUse(*map(_left, _figures(use), _figures(before)))


def _left(had: float, before: float) -> float:
    left = had - before
    return max(0.0, left) if math.isfinite(left) else math.inf  # unusable less unusable is unknown


def _sum(one: ZoneUse, other: ZoneUse) -> ZoneUse:
    return ZoneUse(*map(operator.add, _figures(one), _figures(other)))


def _figures(use: ZoneUse) -> tuple[float, float, float, float, float]:
    return (use.nominal_um, use.bound_um, use.contact_s, use.grams, use.suction_kpa_s)


def _larger(one: ZoneUse, other: ZoneUse) -> ZoneUse:
    return ZoneUse(*map(max, _figures(one), _figures(other)))
