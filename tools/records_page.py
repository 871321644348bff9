"""docs/RECORDS.md: what is kept of people and treatments, why, and for how long."""

from collections.abc import Iterator
from typing import Final

from controller.archive.own_key import KEY_FILE, KNOWN_FILE
from controller.record.journal import JOURNAL_NAME
from controller.treatment.kinds import ROWS, Body, Part
from tools.tables import as_page, as_table

FILES: Final = (
    (
        f"state folder: `{JOURNAL_NAME}`",
        "every treatment row by row; while a kernel runs, the newest rows are in the `-wal` beside",
        "what was delivered, and by whom; what a zone may have next",
    ),
    (
        "state folder: `head-*.json`",
        "number and hash of the newest row",
        "an older copy of the record is noticed",
    ),
    (
        "state folder: `waveforms/`",
        "suction, flow, valve, contact, states of each treatment, under its number; no client",
        "what happened within a second is seen after a dispute",
    ),
    (
        "state folder: `run/`",
        "locks, sockets, what programs said",
        "who runs; may be removed where nothing runs",
    ),
    (
        "configuration folder: `notes/`, folders of `corneum records witness --add`",
        "signed notes: number and hash of the newest row",
        "a cut or replaced record is noticed",
    ),
    (
        f"configuration folder: `{KEY_FILE}`, `{KNOWN_FILE}`",
        "the key that signs notes, and those that are believed",
        "a note is known to be of this computer",
    ),
    (
        "folder of configurations: `clients/REFERENCE.toml`",
        "skin type, age, zones, answers of the consultation, readings; what its author adds",
        "the plan; it alone links a reference with a person, where somebody writes a name into it",
    ),
    (
        "the handpiece",
        "journal, number and hash of the newest row; nothing of a client",
        "a cut record is noticed by another party",
    ),
)
"""Where, what, what for. The state folder is `CORNEUM_STATE`."""

CONCERNS: Final = {
    "client": "which client, by the reference",
    "who": "a member of staff: the name that was given, the role; "
    "`lead` has `from` and `asked`, too",
    "reason": "a person's own words",
}
"""Fields of rows that concern a person, by name."""


def records_page() -> str:
    """Return docs/RECORDS.md."""
    return as_page(
        "What is kept, why, and how long",
        "For whoever answers for data protection. How a row looks is in [RECORD.md](RECORD.md), "
        "a file of waveforms in [WAVEFORMS.md](WAVEFORMS.md).",
        "## Where it is",
        as_table(("where", "what", "what for"), FILES),
        "Record, waveforms, notes and key are readable by the account that runs Corneum alone; who "
        "looks into `run/` sees that it runs. Nothing leaves the computer by itself. A "
        "report (`corneum records report`), a backup and a copied file are outside of Corneum: "
        "whoever makes one answers for it.",
        "## What of it concerns a person",
        "The record knows clients by a reference, such as `c-0042`, never by a name. A reference "
        "that is a name, and a name in a reason, would stay in the record: write neither. What "
        "a zone has had, when, and with which settings is data about health once somebody can "
        "tell whose reference it is.",
        as_table(("field", "what", "in rows of kind"), map(_cells, CONCERNS.items())),
        "## How long",
        "Corneum removes nothing by itself, and has no command yet that removes rows: a row that "
        "is removed or changed by other tools breaks the chain, and `corneum records verify` says "
        "so for ever. For a British salon seven years after the last treatment are commonly "
        "advised, by some insurers eight; ask yours.",
        "Who has to forget a client today removes the file of that client and every list outside "
        "of Corneum that says whose the reference was: what stays in the record, in waveforms and "
        "in backups is then about nobody who can be named. The reference must not be given to "
        "anybody else: what its zones have had counts on. A client who comes back gets a new "
        "reference, under which nothing is known: ask when the last treatment was, and keep the "
        "intervals of [PROGRAMS.md](PROGRAMS.md) by hand.",
    )


def _cells(entry: tuple[str, str]) -> tuple[str, ...]:
    name, what = entry
    kinds = sorted({row.kind.value for row in ROWS if name in _names(row.body)})
    return (f"`{name}`", what, ", ".join(f"`{kind}`" for kind in kinds))


def _names(body: Body) -> Iterator[str]:
    for name, part in body.items():
        yield name
        if isinstance(part, Part):
            yield from _names(part.parts)
