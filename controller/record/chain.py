"""The chain: how a row hangs on the one before it, and whether one row can be believed.

A row is believed when its content has its own hash, each neighbour that is there fits to it, and at
least one neighbour is there. So a damaged row takes no whole one with it: where the row before is
damaged or gone, the one after it vouches, and for the newest row the head does.
"""

import hashlib
import json
import math
import sqlite3
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

GENESIS: Final = "0" * 64
"""The hash before the first row."""

BEGINS: Final = len(GENESIS) + len("\n")
"""Where in the text of a row its array begins, behind the hash of the row before and a line end."""

FIELDS: Final = "id, text, hash"
"""What is stored of a row; SQLite derives every other column from the text (`schema`)."""

BODY: Final = f"json_extract(substr(text, {BEGINS + 1}), '$[5]')"
"""The body in a question of SQL. No column has it: SQLite 3.40 lets no JSON into a schema."""

_ONE: Final = f"SELECT {FIELDS} FROM journal WHERE id = ?"  # noqa: S608
_THREE: Final = f"SELECT {FIELDS} FROM journal WHERE id BETWEEN ? - 1 AND ? + 1"  # noqa: S608


class Stamped(NamedTuple):
    """One row before it has its place in the chain."""

    mono_s: float
    wall_s: float
    treatment: int
    kind: str
    body: str
    """Canonical JSON."""


VALUES: Final = 1 + len(Stamped._fields)
"""How many values the array in a row's text has: its id and those of `Stamped`."""


class Chained(NamedTuple):
    """One row as it lies in the file; before it is verified its values may be anything."""

    id: int
    mono_s: float
    wall_s: float
    treatment: int
    kind: str
    written: str
    """The body as it was written."""
    prev_hash: str
    hash: str

    @property
    def body(self) -> dict[str, Any]:
        """Return the body as a value."""
        said: dict[str, Any] = json.loads(self.written)
        return said

    @property
    def holds(self) -> bool:
        """True when its hash is that of its canonical text after the hash that it names."""
        try:
            return chain_hash(self.prev_hash, self.id, Stamped(*self[1:6])) == self.hash
        except (TypeError, ValueError):
            return False


def chain_text(previous: str, row_id: int, row: Stamped) -> str:
    """Return what is stored and hashed of the row that follows the hash ``previous``."""
    text = json.dumps([row_id, *row], ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"{previous}\n{text}"


def text_hash(text: str) -> str:
    """Return the hash of a row with this text; ValueError where it is no Unicode."""
    return hashlib.sha256(text.encode()).hexdigest()


def chain_hash(previous: str, row_id: int, row: Stamped) -> str:
    """Return the hash of the row with ``row_id`` that follows the hash ``previous``."""
    return text_hash(chain_text(previous, row_id, row))


def chained(row_id: int, text: object, row_hash: object) -> Chained:
    """Return a row from what is stored of it; one that cannot be parsed never holds.

    The parsed values are hashed again by `Chained.holds`, so that only canonical text holds.
    """
    said, own = str(text), str(row_hash)
    previous = said[: BEGINS - 1]
    try:
        values = json.loads(said[BEGINS:])
        if said[BEGINS - 1] == "\n" and len(values) == VALUES and values[0] == row_id:
            return Chained._make((row_id, *values[1:], previous, own))
    except (ValueError, TypeError, LookupError, RecursionError):
        pass
    return Chained(row_id, math.nan, math.nan, 0, "", said, previous, own)


def near(connection: sqlite3.Connection, row_id: int) -> dict[int, Chained]:
    """Return a row and its neighbours, as far as they are there and can be read."""
    try:
        return {row[0]: chained(*row) for row in connection.execute(_THREE, (row_id, row_id))}
    except sqlite3.DatabaseError:  # one of them lies on a damaged page
        return {
            row[0]: chained(*row)
            for each in (row_id - 1, row_id, row_id + 1)
            for row in _one(connection, each)
        }


def _one(connection: sqlite3.Connection, row_id: int) -> list[tuple[Any, ...]]:
    try:
        return connection.execute(_ONE, (row_id,)).fetchall()
    except sqlite3.DatabaseError:
        return []


def fault(found: Mapping[int, Chained], row_id: int, head: tuple[int, str]) -> str | None:
    """Say why a row cannot be believed, given what `near` found of it; None where it can."""
    row = found.get(row_id)
    if row is None:
        return "it is missing or unreadable"
    if not row.holds:
        return "its content is not what was written"
    before, after = found.get(row_id - 1), found.get(row_id + 1)
    vouched = row_id == 1 and row.prev_hash == GENESIS
    if before is not None and before.holds:
        if before.hash != row.prev_hash:
            return "it does not follow the row before it"
        vouched = True
    if after is None and head[0] == row_id:
        vouched = head[1] == row.hash
    if after is not None and after.holds:
        if after.prev_hash != row.hash:
            return "the row after it followed another one"
        vouched = True
    return None if vouched else "no row beside it vouches for it"
