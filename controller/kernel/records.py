"""What the journal knows about treatments: open, unfinished, and the doses of a client.

Everything is read back from the chained rows; there is no second truth beside them. A treatment is
open from its row TREATMENT until ENDED or INTERRUPTED. These functions block: run them through
`Journal.read`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from controller.kernel import listing
from controller.kernel.chain import Chained
from controller.kernel.store import Store
from controller.safety.exposure import ZoneUse
from controller.safety.skin import PastDose
from controller.treatment.plan import Plan, PlannedStage

TREATMENT: Final = "treatment"
ARM: Final = "arm"
EXPOSURE: Final = "exposure"
ENDED: Final = "ended"
INTERRUPTED: Final = "interrupted"
DISMISSED: Final = "dismissed"

HISTORY_S: Final = 180 * 86_400.0
"""How far back doses matter: the stratum corneum is whole again after weeks."""

RESUME_MAX_S: Final = 12 * 3_600.0
"""How long after its end a treatment may be resumed: the same day, while the client is there. Later
the interval between treatments of one zone counts."""

UNFINISHED_MAX: Final = 100
"""Unfinished treatments that are shown, the newest first."""

CHAIN_MAX: Final = 20
"""How often one treatment may be interrupted and resumed; each step is followed back."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The row that was written ahead of a treatment."""

    treatment: int
    wall_s: float
    client: str
    program: str
    simulated: bool
    practice: bool
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
    return [_beginning(row) for row in listing.open_now(store)]


def unfinished(store: Store) -> list[Beginning]:
    """Return the interrupted treatments that nobody has resumed or dismissed, newest first.

    A resume that was refused before it was armed has resumed nothing.
    """
    return [_beginning(row) for row in listing.interrupted(store, UNFINISHED_MAX)]


def resumable(store: Store, now_wall_s: float) -> list[Beginning]:
    """Return what may be gone on with: interrupted, stopped or tripped lately, newest first."""
    since_wall_s = now_wall_s - RESUME_MAX_S
    return [_beginning(row) for row in listing.resumable(store, since_wall_s, UNFINISHED_MAX)]


def uses(store: Store, beginning: Beginning) -> dict[str, ZoneUse]:
    """Return what each zone has had at the end of a treatment, or so far, before included."""
    had = dict(beginning.zones)
    for row in listing.closing(store, beginning.treatment):
        body = row.body
        zones = body.get("zones", (body,))
        for said in zones:
            if isinstance(said, dict) and "zone" in said:
                had[said["zone"]] = _larger(had.get(said["zone"], ZoneUse()), _use(said))
    return had


def was_armed(store: Store, beginning: Beginning) -> bool:
    """Return True when the row that permits arming was written: only then could anything flow."""
    return _newest(store, ARM, beginning) is not None


def exposed_last(store: Store, beginning: Beginning) -> str | None:
    """Return the zone of the last row that tells of exposure, or None."""
    newest = _newest(store, EXPOSURE, beginning)
    return None if newest is None else newest.body.get("zone")


def _newest(store: Store, kind: str, beginning: Beginning) -> Chained | None:
    ids = store.ask(
        "SELECT max(id) FROM journal WHERE kind = ? AND treatment = ?", (kind, beginning.treatment)
    )
    rows = store.read(row_id for (row_id,) in ids if row_id is not None)
    return rows[0] if rows else None


def resumed_uses(store: Store, beginning: Beginning) -> dict[str, ZoneUse]:
    """Return what each zone had in a treatment and in all that it resumed, for the next resume."""
    had: dict[str, ZoneUse] = {}
    step: Beginning | None = beginning
    for _ in range(CHAIN_MAX):
        if step is None:
            break
        for zone, use in uses(store, step).items():
            had[zone] = _larger(had.get(zone, ZoneUse()), use)
        step = None if step.resumes is None else _begun(store, step.resumes)
    return had


def history(
    store: Store, client: str, now_wall_s: float, *, simulated: bool, leave_out: int | None = None
) -> list[PastDose]:
    """Return the doses of ``client`` in records of the same kind, of practice clients none.

    ``leave_out`` is a treatment that is about to be resumed: what it and its forerunners gave is
    not earlier exposure, it is exposure of this treatment.
    """
    rows = listing.of_client(store, client, now_wall_s - HISTORY_S)
    begun = [_beginning(row) for row in rows]
    skipped = set(_forerunners(begun, leave_out))
    return [
        PastDose(zone, _last_wall_s(store, each), use.bound_um, use.nominal_um, use.suction_kpa_s)
        for each in begun
        if each.simulated is simulated and not each.practice and each.treatment not in skipped
        for zone, use in _own_uses(store, each).items()
    ]


def _own_uses(store: Store, beginning: Beginning) -> dict[str, ZoneUse]:
    """What this treatment added: a resumed one counts from where the first one ended."""
    added = {
        zone: _less(use, beginning.zones.get(zone, ZoneUse()))
        for zone, use in uses(store, beginning).items()
    }
    return {zone: use for zone, use in added.items() if use.bound_um > 0.0}


def _forerunners(begun: Iterable[Beginning], treatment: int | None) -> list[int]:
    resumes = {each.treatment: each.resumes for each in begun}
    found: list[int] = []
    while treatment is not None and len(found) < CHAIN_MAX:
        found.append(treatment)
        treatment = resumes.get(treatment)
    return found


def _begun(store: Store, treatment: int) -> Beginning | None:
    row = listing.begun(store, treatment)
    return None if row is None else _beginning(row)


def _last_wall_s(store: Store, beginning: Beginning) -> float:
    rows = listing.closing(store, beginning.treatment)
    return max((row.wall_s for row in rows), default=beginning.wall_s)


def _worst(plan: Plan, stage: PlannedStage) -> ZoneUse:
    ledger = plan.ledger(replace(stage, used=ZoneUse()))
    ledger.charge(1.0, plan.suction_max_kpa, plan.flow_max_g_per_min)
    return ledger.use


def _beginning(row: Chained) -> Beginning:
    body = row.body
    return Beginning(
        treatment=row.treatment,
        wall_s=row.wall_s,
        client=body["client"],
        program=body["program"],
        simulated=body["simulated"],
        practice=body["practice"],
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
    return ZoneUse(
        max(0.0, use.nominal_um - before.nominal_um),
        use.bound_um - before.bound_um,
        suction_kpa_s=max(0.0, use.suction_kpa_s - before.suction_kpa_s),
    )


def _larger(one: ZoneUse, other: ZoneUse) -> ZoneUse:
    return ZoneUse(
        max(one.nominal_um, other.nominal_um),
        max(one.bound_um, other.bound_um),
        max(one.contact_s, other.contact_s),
        max(one.grams, other.grams),
        max(one.suction_kpa_s, other.suction_kpa_s),
    )
