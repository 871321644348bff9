"""Journals for tests: in memory or in a folder, with writers that fail or fall silent on demand."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from controller.kernel.journal import Journal, Row
from controller.kernel.store import Store
from controller.kernel.writer import InlineWriter, Writer

T = TypeVar("T")

WALL_S = 1.9e9
PLENTY = 10**12


def journal_in(
    folder: Path | None = None,
    writer: Writer | None = None,
    free: Callable[[Path], int] | None = None,
) -> Journal:
    """Return a journal in ``folder``, or in memory."""
    store = Store(None if folder is None else folder / "journal.sqlite3")
    return Journal(
        writer or InlineWriter(store),
        lambda: WALL_S,
        folder=folder,
        free=free or (lambda _folder: PLENTY),
    )


def rows_of(path: Path) -> list[tuple[int, str, str]]:
    """Return id, kind and body of every row, as another process reads them."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return list(connection.execute("SELECT id, kind, body FROM journal ORDER BY id"))


class SilentWriter:
    """A disk that hangs: takes every job and never answers."""

    def submit(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Take the job, and nothing else."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        return future

    def close(self) -> None:
        """Nothing to close."""


class CrowdedStore(Store):
    """A disk that has room for a few pages only, from the moment it is told."""

    def fill(self) -> None:
        """Let no page be added any more."""
        self.connection().execute("PRAGMA max_page_count = 1")

    def empty(self) -> None:
        """Let pages be added again; a reopened connection knows no limit."""
        self.close()


def rows(count: int, kind: str = "exposure", treatment: int = 1) -> list[Row]:
    """Return some rows."""
    return [
        Row(kind, {"zone": "chin", "bound_um": number / 10}, treatment) for number in range(count)
    ]
