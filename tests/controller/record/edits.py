"""Questions to the text of rows, and statements that change it, by the names of what is in it."""

import re
import sqlite3
from typing import Final

from controller.record.chain import BEGINS

_PLACES: Final = {"mono_s": 1, "wall_s": 2, "treatment": 3, "kind": 4, "body": 5}
_ARRAY: Final = f"substr(text, {BEGINS + 1})"
_NAME: Final = re.compile(rf"(?<!['\w])({'|'.join(_PLACES)})(?!['\w])")


def bodies(connection: sqlite3.Connection, kind: str) -> list[str]:
    """Return the bodies of all rows of a kind, oldest first."""
    asked = f"SELECT {meant('body')} FROM journal WHERE kind = ? ORDER BY id"  # noqa: S608
    return [body for (body,) in connection.execute(asked, (kind,))]


def changing(name: str, value: str, where: str = "id = ?") -> str:
    """Return the statement that puts another value into the text of rows, and nothing else.

    ``value`` is SQL and may name what is in the text.
    """
    array = f"json_set({_ARRAY}, '$[{_PLACES[name]}]', {meant(value)})"
    return f"UPDATE journal SET text = substr(text, 1, {BEGINS}) || {array} WHERE {where}"  # noqa: S608


def meant(value: str) -> str:
    """Return SQL in which each name is what the text of the row says."""
    return _NAME.sub(lambda name: f"json_extract({_ARRAY}, '$[{_PLACES[name[1]]}]')", value)
