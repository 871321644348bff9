"""What the journal knows about single tips: which one a unit carries, whom each has touched.

Each treatment with a tip that is told apart leaves a row TIP beside its beginning, in the same
transaction; TIP_STERILISED tells of a sterilisation. What came first is told by the order of the
rows, which no clock moves. An index of its own holds these small rows, so that nobody reads through
years of treatments. These functions block: run them through `Journal.read`.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from controller.kernel import records
from controller.kernel.store import Store
from controller.treatment.tips import TipPast, TipUse
from controller.treatment.unit import Reuse

TIP: Final = "tip"
TIP_STERILISED: Final = "tip_sterilised"

USES_MAX: Final = 256
"""The newest uses of one tip that are looked at; one of them is enough to refuse a single-use tip,
and of another only those since the last sterilisation count."""

LABELS_SHOWN_MAX: Final = 5
"""Labels that are told to somebody who has named none that is known."""

_USES: Final = (
    "SELECT t.id, t.treatment, t.wall_s, t.body,"
    # A treatment that was refused before it was armed has touched nobody.
    " EXISTS (SELECT 1 FROM journal a WHERE a.kind = :arm AND a.treatment = t.treatment)"
    " OR NOT EXISTS (SELECT 1 FROM journal e WHERE e.kind = :ended"
    " AND e.treatment = t.treatment AND json_extract(e.body, '$.outcome') = 'refused'),"
    " (SELECT max(u.id) FROM journal u WHERE u.treatment = t.treatment"
    " AND u.kind IN (:begun, :arm, :exposure, :ended))"
    " FROM journal t INDEXED BY journal_tip"
    " WHERE t.kind = 'tip' AND json_extract(t.body, '$.label') = :label"
    " AND json_extract(t.body, '$.simulated') = :simulated"
    " ORDER BY t.id DESC LIMIT :most"
)
_CLEANED: Final = (
    "SELECT coalesce(max(id), 0) FROM journal INDEXED BY journal_tip"
    " WHERE kind = 'tip_sterilised' AND json_extract(body, '$.label') = :label"
    " AND json_extract(body, '$.simulated') = :simulated"
)
_KINDS: Final = {
    "begun": records.TREATMENT,
    "arm": records.ARM,
    "exposure": records.EXPOSURE,
    "ended": records.ENDED,
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
    row = (
        store.connection()
        .execute(
            "SELECT json_extract(body, '$.label') FROM journal INDEXED BY journal_tip"
            " WHERE kind = 'tip' AND json_extract(body, '$.unit') = ?"
            " AND json_extract(body, '$.simulated') = ? ORDER BY id DESC LIMIT 1",
            (unit, int(simulated)),
        )
        .fetchone()
    )
    return None if row is None else str(row[0])


def past(store: Store, label: str, *, simulated: bool) -> TipPast:
    """Return a tip with its uses, on whichever unit, in records of the same kind."""
    asked = {"label": label, "simulated": int(simulated)}
    (cleaned_id,) = store.connection().execute(_CLEANED, asked).fetchone()
    rows = store.connection().execute(_USES, {**_KINDS, **asked, "most": USES_MAX}).fetchall()
    return TipPast(
        label,
        tuple(
            _use(treatment, wall_s, json.loads(text), cleaned=last_id < cleaned_id)
            for _, treatment, wall_s, text, touched, last_id in reversed(rows)
            if touched
        ),
    )


def newest(store: Store, label: str) -> dict[str, Any] | None:
    """Return what the newest row TIP of a label says, of whichever kind; None where none is."""
    row = (
        store.connection()
        .execute(
            "SELECT body FROM journal INDEXED BY journal_tip"
            " WHERE kind = 'tip' AND json_extract(body, '$.label') = ? ORDER BY id DESC LIMIT 1",
            (label,),
        )
        .fetchone()
    )
    if row is None:
        return None
    body: dict[str, Any] = json.loads(row[0])
    return body


def labels(store: Store) -> list[str]:
    """Return the labels of the newest treatments, each once, newest first."""
    rows = store.connection().execute(
        "SELECT json_extract(body, '$.label') FROM journal INDEXED BY journal_tip"
        " WHERE kind = 'tip' ORDER BY id DESC LIMIT ?",
        (USES_MAX,),
    )
    return list(dict.fromkeys(str(label) for (label,) in rows))[:LABELS_SHOWN_MAX]


def under_way(store: Store, label: str) -> tuple[int, str] | None:
    """Return number and kernel lock of an open treatment that was begun with a tip, or None."""
    for each in records.open_treatments(store):
        row = (
            store.connection()
            .execute(
                "SELECT body FROM journal WHERE kind = 'tip' AND treatment = ?", (each.treatment,)
            )
            .fetchone()
        )
        if row is not None and json.loads(row[0])["label"] == label:
            return each.treatment, each.lock
    return None


def _use(treatment: int, wall_s: float, body: dict[str, Any], *, cleaned: bool) -> TipUse:
    return TipUse(treatment, body["client"], wall_s, Reuse(body["use"]), cleaned)
