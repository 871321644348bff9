"""A note of the newest durable row, beside the database and not in it.

A chain cannot see its own tail: a file that was put back as of yesterday, or a new one in its
place, is whole in itself. The note says which journal was written here last, and how far. It lags
behind by a second at most, and it never runs ahead: rows are durable before it is written.
"""

import contextlib
import hashlib
import json
import math
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from controller.record import chain

PREFIX: Final = "head-"
NOTES_MAX: Final = 64
"""Notes that are read: one for each journal that ever lay in this folder, which is one or two."""

NOTE_PERIOD_S: Final = 1.0
"""How seldom the note is renewed while rows are written; it is renewed at the end, too."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest row of a journal that is known to have been written."""

    file: str
    """Name of the database file."""
    journal: str
    """Name that the journal was given when it was made; a copy has it, another journal has not."""
    row: int
    hash: str


class HeadNote:
    """The note beside one open journal, and what it says that the journal has not."""

    def __init__(self, path: Path | None, noted: Sequence[Head] | None = None) -> None:
        """Make the note of the journal at ``path``; a reader gives what was noted before it read.

        A writer goes on meanwhile, and a note of later is ahead of what its reader sees.
        """
        self._noted = noted
        self.lacking: tuple[Head, ...] = ()
        """Rows that are known to have been written and are not in this journal."""
        self.mended = False
        """True once the head in the journal was damaged, and was made anew."""
        self._path = path
        self._journal = ""
        self._noted_s = -math.inf

    def compare(
        self,
        connection: sqlite3.Connection,
        decided: Callable[[Head], bool],
        *,
        reads_only: bool = False,
    ) -> None:
        """Look whether what is noted is in this journal, or ``decided`` on by a technician."""
        self._journal = identity(connection)
        if self._path is None:
            return
        own = Head(self._path.name, self._journal, *newest(connection))
        noted = heads(self._path) if self._noted is None else self._noted
        if not self._has(connection, own) and (last := self._last(connection)) in noted:
            # Row and note say the same: it is the head itself that is damaged, and nothing is gone.
            own, self.mended = last, True
            if not reads_only:
                connection.execute("UPDATE head SET id = ?, hash = ?", (last.row, last.hash))
        known = [*noted, own]
        self.lacking = tuple(
            each for each in known if not (self._has(connection, each) or decided(each))
        )
        if reads_only:
            return
        if own in self.lacking:  # rows that come now would hide that the last ones were taken
            write(self._path.parent, own)
        self.renew(connection, None)

    def renew(self, connection: sqlite3.Connection, mono_s: float | None) -> None:
        """Note the newest row, at most once in `NOTE_PERIOD_S`; ``mono_s`` None is at once.

        What this journal lacks stays noted, until a technician has decided on it.
        """
        if self._path is None or self.lacking:
            return
        if mono_s is not None:
            if 0.0 <= mono_s - self._noted_s < NOTE_PERIOD_S:
                return
            self._noted_s = mono_s
        row, row_hash = newest(connection)
        if row > 0:
            write(self._path.parent, Head(self._path.name, self._journal, row, row_hash))

    def _last(self, connection: sqlite3.Connection) -> Head:
        """Return what the head has to be by the rows; row 0 where the last one is not whole."""
        (row_id,) = connection.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()
        row = chain.near(connection, row_id).get(row_id)
        whole = row is not None and row.holds
        name = "" if self._path is None else self._path.name
        return Head(name, self._journal, row_id if whole else 0, row.hash if row and whole else "")

    def _has(self, connection: sqlite3.Connection, head: Head) -> bool:
        return head.journal == self._journal and has_row(connection, head)


def has_row(connection: sqlite3.Connection, head: Head) -> bool:
    """Return True where the row of ``head`` is there with its hash; row 0 always is."""
    row = chain.near(connection, head.row).get(head.row)
    return head.row == 0 or (row is not None and row.hash == head.hash)


def identity(connection: sqlite3.Connection) -> str:
    """Return the name that this journal was given when it was made."""
    return str(connection.execute("SELECT journal FROM identity").fetchone()[0])


def newest(connection: sqlite3.Connection) -> tuple[int, str]:
    """Return id and hash of the newest row, as the head has them.

    Raises:
        sqlite3.IntegrityError: there is no head, or it is damaged.
    """
    found = connection.execute("SELECT id, hash FROM head").fetchone()
    if found is None or not isinstance(found[0], int):
        raise sqlite3.IntegrityError("the head of its chain is gone")
    return found[0], str(found[1])


def heads(file: Path) -> list[Head]:
    """Return what is noted about journals at the place of ``file``; what cannot be read is none."""
    with contextlib.suppress(OSError):
        # To open a pipe that lies there would wait for its other end, for ever.
        names = sorted(each for each in file.parent.glob(f"{PREFIX}*.json") if each.is_file())
        found = [_read(name) for name in names[:NOTES_MAX]]
        return [head for head in found if head is not None and head.file == file.name]
    return []


def _read(path: Path) -> Head | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        head = Head(str(said["file"]), str(said["journal"]), int(said["row"]), str(said["hash"]))
        whole = said.get("check", _check(head)) == _check(head)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a power cut may leave an empty one; the chain itself is looked at anyway
    return head if whole else None


def _check(head: Head) -> str:
    """Return the check sum of a note: a damaged one must not speak against a record that is whole.

    A note of an earlier build has none.
    """
    return hashlib.sha256(json.dumps(asdict(head), sort_keys=True).encode()).hexdigest()


def write(folder: Path, head: Head) -> None:
    """Replace the note of this journal in one step; a disk that refuses leaves the older one."""
    path = folder / f"{PREFIX}{head.journal}.json"
    fresh = path.with_suffix(f".{os.getpid()}.new")
    with contextlib.suppress(OSError):
        descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            said = {**asdict(head), "check": _check(head)}
            os.write(descriptor, json.dumps(said).encode())
        finally:
            os.close(descriptor)
        fresh.replace(path)
