"""docs/RECORD.md: every kind of row of a journal with its fields, made from the table of kinds."""

from controller.record.schema import VERSION
from controller.treatment.kinds import FORMS, ROWS, Body, Part, Written
from tools.tables import as_page, as_table


def record_page() -> str:
    """Return docs/RECORD.md."""
    return as_page(
        "The rows of the record",
        "`journal.sqlite3` keeps its rows in the table `journal`: `id`, `mono_s` (clock of the "
        "computer since its boot), `wall_s` (wall clock), `treatment` (its number, 0 where the row "
        "belongs to none), `kind`, `body` (JSON, keys sorted, no spaces), `prev_hash` and `hash`. "
        f"The file says `user_version` {VERSION}; the lists beside the rows are made from them.",
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
