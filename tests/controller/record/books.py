"""Journals for tests: in memory or in a folder, with writers that fail or fall silent on demand."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from controller.record.chain import BODY
from controller.record.journal import Journal, Row
from controller.record.store import Store
from controller.record.writer import InlineWriter, Writer
from controller.treatment.kinds import Kind

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
        return list(
            connection.execute(f"SELECT id, kind, {BODY} FROM journal ORDER BY id")  # noqa: S608
        )


class SilentWriter:
    """A disk that hangs: takes every job and never answers."""

    def submit(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Take the job, and nothing else."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        return future

    def close(self) -> None:
        """Nothing to close."""


class SlowWriter:
    """A disk that takes its time, and does everything in the end."""

    def __init__(self, store: Store, takes_s: float) -> None:
        self._inline = InlineWriter(store)
        self._takes_s = takes_s

    def submit(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Do the job now and tell later."""
        loop = asyncio.get_running_loop()
        done, told = self._inline.submit(job), loop.create_future()

        def tell() -> None:
            if not told.cancelled():
                told.set_result(done.result())

        loop.call_later(self._takes_s, tell)
        return told

    def close(self) -> None:
        """Close the store."""
        self._inline.close()


class CrowdedStore(Store):
    """A disk that has no room for another page while ``full``."""

    full = False

    def connection(self) -> sqlite3.Connection:
        """Return the connection, with the limit that is in force now."""
        connection = super().connection()
        connection.execute(f"PRAGMA max_page_count = {1 if self.full else 1_000_000}")
        return connection


def rows(count: int, kind: Kind = Kind.EXPOSURE, treatment: int = 1) -> list[Row]:
    """Return some rows."""
    return [
        Row(kind, {"zone": "chin", "bound_um": number / 10}, treatment) for number in range(count)
    ]
