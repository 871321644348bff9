"""Questions about treatments that the lists answer; each row that they name is verified.

These functions block: run them through `Journal.read`.
"""

import contextlib
import json
import sqlite3
from typing import Final

from controller.record import lists
from controller.record.chain import Chained
from controller.record.store import RecordError, Store
from controller.treatment.events import Outcome
from controller.treatment.kinds import Kind

UNKNOWN: Final = lists.UNKNOWN
LOOKED_THROUGH: Final = 4000
"""Treatments whose rows are looked through beside the list: half a year of a busy clinic, after
which a dose does not count any more."""

LOST_MAX: Final = 8
"""Rows that are looked at closer; one whole one is enough to know that the list is damaged."""

_LOST: Final = (
    f"SELECT j.id FROM journal j WHERE j.kind = '{Kind.TREATMENT}' AND j.treatment >"  # noqa: S608
    f" (SELECT max(treatment) FROM journal WHERE kind = '{Kind.TREATMENT}') - ?"
    " AND instr(j.text, ?) AND NOT EXISTS (SELECT 1 FROM treatments t"
    " WHERE t.begun_id = j.id AND t.client IN (?, ?)) LIMIT ?"
)
_COUNT: Final = "SELECT count(*) FROM journal WHERE id BETWEEN ? AND ?"
_KINDS: Final = (Kind.EXPOSURE, Kind.ENDED, Kind.INTERRUPTED)
_EARLY: Final = (Kind.INTERRUPTED, Outcome.STOPPED.value, Outcome.TRIPPED.value)
"""How a treatment ended that may be gone on with."""
_TELLING: Final = "kind IN (?, ?, ?) AND treatment = ?"
_WAITING: Final = (
    " FROM treatments i WHERE i.dismissed_id IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM treatments r WHERE r.resumes = i.treatment AND r.closed IS NOT 'refused')"
)
"""Treatments that nobody has dismissed or gone on with; a resume that was refused before it was
armed has resumed nothing."""


def of_client(store: Store, client: str, since: int) -> list[Chained]:
    """Return the rows that began the treatments of a client after the row ``since``, oldest first.

    Raises:
        BrokenRowError: one of them cannot be believed, or one that may be this client's.
    """
    ids = store.ask(
        "SELECT begun_id FROM treatments WHERE client IN (?, ?) AND begun_id > ? ORDER BY begun_id",
        (client, UNKNOWN, since),
    )
    rows = store.read(row_id for (row_id,) in ids)
    return [row for row in rows if _client_of(store, row, client) == client]


def _client_of(store: Store, row: Chained, listed: str) -> str:
    """Return whose treatment a row began; a list that says another name is damaged."""
    said = str(row.body.get("client", UNKNOWN))
    if said not in (listed, UNKNOWN):
        raise _damaged(store, f"treatment {row.treatment} stands under {listed}, not {said}")
    return said


def check_count(store: Store, client: str) -> None:
    """Make sure that the list of a client's treatments has lost no entry; RecordError if it has."""
    ((listed, highest),) = store.ask(
        "SELECT count(*), coalesce(max(of_client), 0) FROM treatments WHERE client = ?", (client,)
    )
    counted = store.ask("SELECT treatments FROM clients WHERE client = ?", (client,))
    begun = counted[0][0] if counted else 0
    if not listed == highest == begun:
        raise _damaged(store, f"it has {listed} of {max(highest, begun)} treatments of {client}")
    _check_rows(store, client)


def _check_rows(store: Store, client: str) -> None:
    """Look through the newest rows themselves for one of the client that the list has lost.

    As text: a body that is damaged would fail a question about its JSON.
    """
    said = json.dumps(f'"client":{json.dumps(client, ensure_ascii=False)}', ensure_ascii=False)[
        1:-1
    ]
    parameters = (LOOKED_THROUGH, said, client, UNKNOWN, LOST_MAX)
    # A damaged page somewhere ends the look; whom its rows concern is refused by the list.
    with contextlib.suppress(sqlite3.DatabaseError):
        for (row_id,) in store.connection().execute(_LOST, parameters).fetchall():
            if store.fault(row_id) is None:  # what a damaged row says is nobody's
                raise _damaged(store, f"row {row_id} began a treatment of {client}")


def _damaged(store: Store, what: str) -> RecordError:
    return RecordError(
        f"The list of treatments in the record {store.path or 'in memory'} is damaged ({what}); "
        "its rows are the truth and are not touched: make the list anew with "
        "`corneum records recover`."
    )


def closing(store: Store, treatment: int) -> list[Chained]:
    """Return the rows that tell what the zones of a treatment have had, oldest first.

    The row that closed it has all of them; those of exposure count only while there is none.
    """
    ((begun_id, closed_id),) = store.ask(
        "SELECT max(begun_id), max(closed_id) FROM treatments WHERE treatment = ?", (treatment,)
    )
    _check_unbroken(store, begun_id, closed_id)
    if closed_id is not None:
        found = store.read([closed_id])
        if found:
            return found + store.rows(f"{_TELLING} AND id > ?", (*_KINDS, treatment, closed_id))
    return store.rows(_TELLING, (*_KINDS, treatment))


def _check_unbroken(store: Store, begun_id: int | None, closed_id: int | None) -> None:
    """Make sure that no row is gone from a treatment: one that told of exposure would be missed.

    Raises:
        BrokenRowError: one is.
    """
    if begun_id is None or closed_id is None:
        return
    try:
        ((count,),) = store.connection().execute(_COUNT, (begun_id, closed_id)).fetchall()
    except sqlite3.DatabaseError:  # a page is damaged: say which row, unless that was decided on
        store.read(range(begun_id, closed_id + 1))
        return
    if count == closed_id - begun_id + 1:
        return
    ((gone,),) = store.ask(
        "SELECT min(a.id) + 1 FROM journal a WHERE a.id BETWEEN ? AND ?"
        " AND NOT EXISTS (SELECT 1 FROM journal b WHERE b.id = a.id + 1)",
        (begun_id, closed_id - 1),
    )
    store.read([gone])  # says which one, unless a technician has decided on it


def is_open(store: Store, treatment: int) -> bool:
    """Return True where a treatment has begun, and no row has closed it."""
    question = "SELECT 1 FROM treatments WHERE treatment = ? AND closed_id IS NULL"
    return bool(store.ask(question, (treatment,)))


def open_now(store: Store) -> list[Chained]:
    """Return the rows of treatments that have begun and are not closed, oldest first.

    One that cannot be believed is left out; its client is refused until that is mended.
    """
    ids = store.ask("SELECT begun_id FROM treatments WHERE closed_id IS NULL ORDER BY treatment")
    return store.read((row_id for (row_id,) in ids), skip_broken=True)


def interrupted(store: Store, most: int) -> list[Chained]:
    """Return the rows of interrupted treatments that wait for somebody, the newest first."""
    ids = store.ask(
        f"SELECT i.begun_id{_WAITING} AND i.closed = ? ORDER BY i.treatment DESC LIMIT ?",
        (Kind.INTERRUPTED, most),
    )
    return store.read((row_id for (row_id,) in ids), skip_broken=True)


def cut_off(store: Store, most: int) -> list[Chained]:
    """Return the rows of treatments that wait for somebody, the newest first.

    They are interrupted or not closed at all; a kernel may be at work on one of the latter.
    """
    ids = store.ask(
        f"SELECT i.begun_id{_WAITING} AND (i.closed = ? OR i.closed_id IS NULL)"
        " ORDER BY i.treatment DESC LIMIT ?",
        (Kind.INTERRUPTED, most),
    )
    return store.read((row_id for (row_id,) in ids), skip_broken=True)


def resumable(store: Store, client: str, since: int, most: int) -> list[Chained]:
    """Return the rows of a client's treatments that ended early after a row, the newest first."""
    found = store.ask(
        f"SELECT i.begun_id, i.closed_id{_WAITING}"
        " AND i.closed IN (?, ?, ?) AND i.closed_id > ?"
        " AND i.client IN (?, ?)"
        " ORDER BY i.treatment DESC LIMIT ?",
        (*_EARLY, since, client, UNKNOWN, most),
    )
    return [
        row
        for begun_id, closed_id in found
        if store.read([closed_id], skip_broken=True)
        for row in store.read([begun_id], skip_broken=True)
    ]


def treated_at(store: Store, row_id: int) -> set[str]:
    """Return the clients who were being treated when a row was written."""
    rows = store.ask(
        "SELECT client FROM treatments WHERE begun_id <= ?"
        " AND (closed_id IS NULL OR closed_id >= ?)",
        (row_id, row_id),
    )
    return {str(client) for (client,) in rows}


def newest(store: Store) -> int:
    """Return the highest number of a treatment on record; 0 where there is none."""
    ((number,),) = store.ask("SELECT coalesce(max(treatment), 0) FROM treatments")
    return int(number)


def begun(store: Store, treatment: int) -> Chained | None:
    """Return the row that began a treatment; None where there is no such treatment."""
    ids = store.ask("SELECT begun_id FROM treatments WHERE treatment = ?", (treatment,))
    rows = store.read(row_id for (row_id,) in ids)
    return rows[0] if rows else None
