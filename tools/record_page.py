"""docs/RECORD.md: every kind of row of a journal with its fields, made from the table of kinds."""

from typing import Final

from controller.record.chain import GENESIS, Stamped, chain_text, text_hash
from controller.record.schema import VERSION
from controller.treatment.kinds import FORMS, ROWS, Body, Part, Written
from tools.tables import as_page, as_table


def record_page() -> str:
    """Return docs/RECORD.md."""
    return as_page(
        "The rows of the record",
        "`journal.sqlite3` keeps its rows in the table `journal`: `id`, `text` and `hash`. "
        f"The file says `user_version` {VERSION}; the other columns of a row are generated from "
        "its text, and the lists beside the rows are made from them.",
        "## What is hashed",
        *_hashed(),
        "## Kinds of rows",
        "A kind that is written on several occasions stands here once for each. A name is never "
        "given to another kind, and a field keeps its meaning; who reads passes over what it does "
        "not know, and a row of an earlier build may lack a field. The unit of a number is the end "
        "of its name: `_s` seconds, `_ms` milliseconds, `_um` µm of stratum corneum, `_kpa` kPa, "
        "`_kpa_s` kPa times seconds, `_g_per_min` grams in a minute. A number that is not finite "
        "is null.",
        as_table(("kind", "by", "written when", "body", "since"), map(_cells, ROWS)),
        "## What stands in several rows",
        as_table(("name", "fields"), ((name, _fields(form)) for name, form in FORMS.items())),
    )


EXAMPLE: Final = (
    Stamped(12.5, 1900000000.25, 0, "kernel", '{"pid":1,"port":"/dev/ttyUSB0"}'),
    Stamped(13.0, 1900000000.75, 1, "tip", '{"label":"Gr\u00f6\u00dfe 2"}'),
)
"""Two rows of a journal that begins with them."""


def _hashed() -> tuple[str, ...]:
    """Return what a row's text and hash are, byte for byte, with an example."""
    before, rows = GENESIS, list[str]()
    for number, row in enumerate(EXAMPLE, 1):
        text = chain_text(before, number, row)
        before = text_hash(text)
        rows += [text, before, ""]
    block = "\n".join(("```", *rows[:-1], "```"))
    return (
        "The text of a row is UTF-8: the hash of the row before it (64 lower-case hexadecimal "
        "digits; 64 zeros before the first), one line feed, and a JSON array without spaces of six "
        "values: `id`; `mono_s`, the clock of the computer since its boot; `wall_s`, the wall "
        "clock since 1970, UTC; `treatment`, its number, 0 where the row belongs to none; `kind`; "
        "and `body`, a string that is itself JSON with its keys sorted and without spaces. "
        "Characters beyond ASCII are written as they are; quotation marks, backslashes and control "
        "characters are escaped as JSON wants it. A float is written with as many digits as tell "
        "it from its neighbours, as `json.dumps` of Python does. `hash` is the SHA-256 of the "
        "text, as 64 lower-case hexadecimal digits. Nothing else is hashed.",
        "Two rows, each with its text (two lines) and its hash:",
        block,
        "A record is whole when: `id` runs from 1 without gaps to `head.id`; `text` and `hash` are "
        "stored as text; each `hash` is that of its `text`; each text begins with the hash of the "
        "row before; the last hash is `head.hash`; and the columns `kind` and `treatment` say what "
        "stands in the array. A chain cannot see that its end was cut off, or that it was hashed "
        "anew to its end: rows that were witnessed elsewhere, each a number and a hash, must be "
        "there with that hash.",
        "In SQL the array is `substr(text, 66)`, so `json_extract(substr(text, 66), '$[5]')` is "
        "the body. A file that says `user_version` 0 or 2 is of an earlier build: its table stores "
        "`id`, `mono_s`, `wall_s`, `treatment`, `kind`, `body`, `prev_hash` and `hash` as columns, "
        "and the text is made of them in the same way before it is hashed.",
        "`controller/record/independent_verifier.py` checks all of this; it was written from this "
        "section, needs nothing but Python, and reads every version.",
    )


def _cells(row: Written) -> tuple[str, ...]:
    return (f"`{row.kind}`", row.by, row.when, _fields(row.body) or "empty", row.since)


def _fields(body: Body) -> str:
    return "; ".join(_field(name, part) for name, part in body.items())


def _field(name: str, part: str | Part) -> str:
    if isinstance(part, str):
        return f"`{name}` {part}"
    form = next((form for form, parts in FORMS.items() if parts is part.parts), None)
    inner = f" ({form or _fields(part.parts)})" if part.parts else ""
    return f"`{name}`{' (may lack)' if part.optional else ''} {part.says}{inner}"
