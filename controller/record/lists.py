"""Lists that are derived from the rows of a journal, so that a question takes microseconds.

The rows are the truth. The lists say which row begins and ends a treatment, whose it is, and which
tip it was done with; who decides on a treatment reads that row and verifies it (`Store.rows`). They
are kept in the transaction of the row itself. The list of a client counts its entries, so that a
lost one is noticed; `corneum records verify` compares all of them with the rows.
"""

import json
import sqlite3
from typing import Any, Final

from controller.record.chain import Stamped, chained
from controller.treatment.kinds import Kind

_BEGINS: Final = (
    "CREATE UNIQUE INDEX IF NOT EXISTS journal_begins ON journal (treatment)"
    f" WHERE kind = '{Kind.TREATMENT}'"
)
INDEXES: Final = f"""
CREATE INDEX IF NOT EXISTS journal_kind ON journal (kind, treatment);
{_BEGINS};
"""
"""The indexes of the journal, over columns that are generated from its text."""

TABLES: Final = """
CREATE TABLE listed (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL);
INSERT INTO listed VALUES (1, 0);
CREATE TABLE treatments (
    treatment INTEGER PRIMARY KEY,
    client TEXT NOT NULL,
    of_client INTEGER NOT NULL,
    resumes INTEGER,
    begun_id INTEGER NOT NULL,
    closed_id INTEGER,
    closed TEXT,
    dismissed_id INTEGER
);
CREATE INDEX treatments_client ON treatments (client, of_client);
CREATE INDEX treatments_open ON treatments (treatment) WHERE closed_id IS NULL;
CREATE INDEX treatments_closed ON treatments (closed, closed_id);
CREATE INDEX treatments_resumes ON treatments (resumes) WHERE resumes IS NOT NULL;
CREATE INDEX treatments_begun ON treatments (begun_id);
CREATE TABLE clients (client TEXT PRIMARY KEY, treatments INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE tips (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    unit INTEGER,
    treatment INTEGER NOT NULL
);
CREATE INDEX tips_label ON tips (label, kind, simulated);
CREATE INDEX tips_unit ON tips (unit, simulated, kind);
"""
"""The lists: they and the indexes can be made anew from the rows."""

NAMES: Final = ("listed", "treatments", "clients", "tips")

UNKNOWN: Final = ""
"""The client of a treatment whose row cannot tell: it counts for everybody."""

_LISTED_KINDS: Final = frozenset(
    {Kind.TREATMENT, Kind.ENDED, Kind.INTERRUPTED, Kind.DISMISSED, Kind.TIP, Kind.TIP_STERILISED}
)
_BEHIND: Final = (
    "SELECT id FROM journal WHERE id > ?"  # noqa: S608
    f" AND kind IN ({', '.join(repr(kind.value) for kind in sorted(_LISTED_KINDS))}) ORDER BY id"
)
_ROW: Final = "SELECT id, text, hash, treatment, kind FROM journal WHERE id = ?"


def enter(connection: sqlite3.Connection, row_id: int, row: Stamped) -> None:
    """Enter a row that was just added, in its transaction."""
    if row.kind not in _LISTED_KINDS:
        return
    said = _body(row.body)
    if row.kind == Kind.TREATMENT:
        _begin(connection, row_id, row, said)
    elif row.kind in {Kind.ENDED, Kind.INTERRUPTED}:
        how = str(row.kind) if row.kind == Kind.INTERRUPTED else str(said.get("outcome", "ended"))
        connection.execute(
            "UPDATE treatments SET closed_id = ?, closed = ?"
            " WHERE treatment = ? AND NOT (? = ? AND closed_id IS NOT NULL)",
            (row_id, how, row.treatment, how, Kind.INTERRUPTED),
        )
    elif row.kind == Kind.DISMISSED:
        connection.execute(
            "UPDATE treatments SET dismissed_id = ? WHERE treatment = ?", (row_id, row.treatment)
        )
    else:
        connection.execute(
            "INSERT INTO tips VALUES (?, ?, ?, ?, ?, ?)",
            (
                row_id,
                row.kind,
                str(said.get("label", "")),
                int(said.get("simulated") is True),
                said.get("unit"),
                row.treatment,
            ),
        )


def _begin(connection: sqlite3.Connection, row_id: int, row: Stamped, said: dict[str, Any]) -> None:
    client = str(said.get("client", UNKNOWN))
    connection.execute(
        "INSERT INTO clients VALUES (?, 1)"
        " ON CONFLICT (client) DO UPDATE SET treatments = treatments + 1",
        (client,),
    )
    connection.execute(
        "INSERT INTO treatments (treatment, client, of_client, resumes, begun_id)"
        " SELECT ?, client, treatments, ?, ? FROM clients WHERE client = ?",
        (row.treatment, said.get("resumes"), row_id, client),
    )


def advance(connection: sqlite3.Connection, row_id: int) -> None:
    """Note that every row up to ``row_id`` is entered."""
    connection.execute("UPDATE listed SET id = ?", (row_id,))


def catch_up(connection: sqlite3.Connection) -> None:
    """Enter the rows that a build of November has added, or all of them into new lists."""
    ((head_id, listed_id),) = connection.execute("SELECT head.id, listed.id FROM head, listed")
    if head_id == listed_id:
        return
    for (row_id,) in connection.execute(_BEHIND, (listed_id,)).fetchall():
        *stored, treatment, kind = connection.execute(_ROW, (row_id,)).fetchone()
        # A damaged text still says whose row it is; its body, which is none then, says nothing.
        row = Stamped(*chained(*stored)[1:6])
        enter(connection, row_id, row._replace(treatment=treatment, kind=kind))
    advance(connection, head_id)


def _body(text: object) -> dict[str, Any]:
    try:
        said = json.loads(str(text))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
