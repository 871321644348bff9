"""What the journal knows about single tips: which one a unit carries, whom each has touched.

Each treatment with a tip that is told apart leaves a row TIP beside its beginning, in the same
transaction; TIP_STERILISED tells of a sterilisation. What came first is told by the order of the
rows, which no clock moves. A list of its own (`lists.py`) names these small rows, so that nobody
reads through years of treatments. These functions block: run them through `Journal.read`.
"""

from dataclasses import dataclass
from typing import Any, Final

from controller.planning.tips import TipPast, TipUse
from controller.planning.unit import Reuse
from controller.record import treatments
from controller.record.chain import Chained
from controller.record.store import Store
from controller.treatment.kinds import Kind

USES_MAX: Final = 256
"""The newest uses of one tip that are looked at; one of them is enough to refuse a single-use tip,
and of another only those since the last sterilisation count."""

LABELS_SHOWN_MAX: Final = 5
"""Labels that are told to somebody who has named none that is known."""

_USES: Final = (
    "SELECT t.id,"
    " (SELECT max(u.id) FROM journal u WHERE u.treatment = t.treatment"
    " AND u.kind IN (:begun, :arm, :exposure, :ended))"
    " FROM tips t WHERE t.kind = :tip AND t.label = :label AND t.simulated = :simulated"
    # A treatment that was refused before it was armed has touched nobody.
    " AND (EXISTS (SELECT 1 FROM journal a WHERE a.kind = :arm AND a.treatment = t.treatment)"
    " OR NOT EXISTS (SELECT 1 FROM treatments e WHERE e.treatment = t.treatment"
    " AND e.closed = 'refused'))"
    " ORDER BY t.id DESC LIMIT :most"
)
_CLEANED: Final = (
    "SELECT max(id) FROM tips"
    " WHERE kind = :sterilised AND label = :label AND simulated = :simulated"
)
_KINDS: Final = {
    "begun": Kind.TREATMENT,
    "arm": Kind.ARM,
    "exposure": Kind.EXPOSURE,
    "ended": Kind.ENDED,
    "tip": Kind.TIP,
    "sterilised": Kind.TIP_STERILISED,
}


@dataclass(frozen=True, slots=True)
class FittedTip:
    """The tip that a treatment is begun with."""

    label: str
    reuse: Reuse

    def body(self, unit: int, client: str, *, simulated: bool) -> dict[str, Any]:
        """Return the body of the row TIP."""
        return {
            "label": self.label,
            "use": self.reuse.value,
            "unit": unit,
            "simulated": simulated,
            "client": client,
        }


def fitted(store: Store, unit: int, *, simulated: bool) -> str | None:
    """Return the label that was named last for a unit; None where none ever was."""
    rows = _newest(
        store, "unit = ? AND simulated = ? AND kind = ?", (unit, int(simulated), Kind.TIP)
    )
    return str(rows[0].body["label"]) if rows else None


def past(store: Store, label: str, *, simulated: bool) -> TipPast:
    """Return a tip with its uses, on whichever unit, in records of the same kind."""
    asked = {"label": label, "simulated": int(simulated)}
    ((cleaned_id,),) = store.ask(_CLEANED, {**_KINDS, **asked})
    cleaned = store.read([] if cleaned_id is None else [cleaned_id])
    uses = store.ask(_USES, {**_KINDS, **asked, "most": USES_MAX})
    return TipPast(
        label,
        tuple(
            _use(
                row.treatment, row.wall_s, row.body, cleaned=bool(cleaned) and last_id < cleaned_id
            )
            for row_id, last_id in reversed(uses)
            for row in store.read([row_id])
        ),
    )


def newest(store: Store, label: str) -> dict[str, Any] | None:
    """Return what the newest row TIP of a label says, of whichever kind; None where none is."""
    rows = _newest(store, "label = ? AND kind = ?", (label, Kind.TIP))
    return rows[0].body if rows else None


def _newest(store: Store, where: str, parameters: tuple[object, ...]) -> list[Chained]:
    ids = store.ask(f"SELECT max(id) FROM tips WHERE {where}", parameters)  # noqa: S608
    return store.read(row_id for (row_id,) in ids if row_id is not None)


def labels(store: Store) -> list[str]:
    """Return the labels of the newest treatments, each once, newest first."""
    rows = store.ask(
        "SELECT label FROM tips WHERE kind = ? ORDER BY id DESC LIMIT ?", (Kind.TIP, USES_MAX)
    )
    return list(dict.fromkeys(str(label) for (label,) in rows))[:LABELS_SHOWN_MAX]


def under_way(store: Store, label: str) -> tuple[int, str] | None:
    """Return number and kernel lock of an open treatment that was begun with a tip, or None."""
    for each in treatments.open_treatments(store):
        rows = store.rows("kind = ? AND treatment = ?", (Kind.TIP, each.treatment))
        if rows and rows[0].body["label"] == label:
            return each.treatment, each.lock
    return None


def _use(treatment: int, wall_s: float, body: dict[str, Any], *, cleaned: bool) -> TipUse:
    return TipUse(treatment, body["client"], wall_s, Reuse(body["use"]), cleaned)
