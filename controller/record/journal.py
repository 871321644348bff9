"""The journal: what happened, written ahead of the act, durable before anyone is told.

`commit` is for what must not be lost (start, stop, trip, acknowledge); `note` is for the many
small rows (exposure, link figures), written in groups. A journal that fails or falls behind says so
in `failure` and stays failed until `preflight` proves it again; meanwhile no treatment starts or
goes on.
"""

import asyncio
import errno
import json
import math
import os
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol, TypeVar

from controller.record import words
from controller.record.chain import Stamped
from controller.record.health import RecordHealth
from controller.record.store import NEXT_TREATMENT, RecordError, Store
from controller.record.verify import CheckResult
from controller.record.writer import Writer
from controller.treatment.kinds import Kind

T = TypeVar("T")

NOTE_DELAY_S: Final = 0.1
"""Notes are gathered this long into one transaction, so that many of them cost one fsync."""

NOTES_MAX: Final = 1024
"""Notes in one group; the control loop makes at most a few in 50 ms."""

LAG_MAX_S: Final = 1.0
"""A write that is not durable after this is a failed journal; the usual one takes 0.2 to 10 ms."""

OPEN_MAX_S: Final = 10.0
"""Opening a record: one of an earlier build is converted once (`schema.CONVERT_MAX_BYTES`)."""

JOURNAL_NAME: Final = "journal.sqlite3"

FREE_MIN_BYTES: Final = 100_000_000
"""Free space before a treatment may start: over a thousand times the rows of the longest one."""


_WAYS_OUT: Final[Mapping[int | None, str]] = MappingProxyType(
    {
        errno.EROFS: "mount it writable",
        errno.ENOSPC: "free space there",
        errno.EDQUOT: "free space under its quota",
    }
)


class Row(NamedTuple):
    """What a caller has to say; the journal adds the times and the place in the chain."""

    kind: Kind
    body: Mapping[str, object]
    treatment: int = 0
    """Number of the treatment, 0 where a row belongs to none."""


class JournalPort(Protocol):
    """The part of the journal that the control loop needs."""

    rows: int
    """Rows in the file."""
    health: RecordHealth
    """What is known about the rows themselves."""

    @property
    def failure(self) -> str | None:
        """Why nothing may start or go on, as one sentence; None while all is well."""
        ...

    async def commit(self, rows: Sequence[Row]) -> None:
        """Write rows that are durable on return; RecordError where they are not."""
        ...

    def note(self, row: Row) -> None:
        """Write a row soon."""
        ...


class _Written(NamedTuple):
    """What a transaction came to."""

    rows: int
    """Rows in the file."""
    booked: int
    """The number that it gave to a treatment; 0 where it began none."""


def free_bytes(folder: Path) -> int:
    """Return the bytes that an ordinary user may still write into ``folder``."""
    figures = os.statvfs(folder)
    return figures.f_bavail * figures.f_frsize


def check_folder(folder: Path, free_of: Callable[[Path], int]) -> None:
    """Make the folder if need be; RecordError where a treatment cannot be recorded in it."""
    step = "name another folder with CORNEUM_STATE"
    files = f"the whole folder, with each {JOURNAL_NAME}*,"
    try:
        if (folder / JOURNAL_NAME).exists():  # treatments that are on record must stay known
            step = f"move {files} and name it with CORNEUM_STATE"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = free_of(folder)
    except OSError as error:
        way = _WAYS_OUT.get(error.errno, "mend its rights")
        raise RecordError(
            f"The record folder {folder} cannot be written ({error.strerror}), and without a "
            f"record there is no treatment: {way} or {step}."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RecordError(
            f"The record folder {folder} is read-only, and without a record there is no "
            f"treatment: mend its rights or {step}."
        )
    if not free >= FREE_MIN_BYTES:
        has_mb, needs_mb = math.floor(free / 1e5) / 10.0, FREE_MIN_BYTES / 1e6
        raise RecordError(
            f"The record folder {folder} has {has_mb:.1f} MB free and a treatment needs "
            f"{needs_mb:.0f} MB: free {needs_mb - has_mb:.1f} MB there or {step}."
        )


class Journal:
    """The one way into the store."""

    def __init__(
        self,
        writer: Writer,
        wall_clock: Callable[[], float],
        *,
        folder: Path | None,
        free: Callable[[Path], int] = free_bytes,
        check: Callable[[Path], Awaitable[CheckResult]] | None = None,
        witness: Callable[[Path], Awaitable[Mapping[str, object]]] | None = None,
    ) -> None:
        """Make the way into a store; ``check`` reads its whole file and waits for nobody.

        ``witness`` has the newest row of the record in a folder noted by others, and returns the
        body of the row that tells who did.
        """
        self.check = check
        self.witness = witness
        self.path = None if folder is None else folder / JOURNAL_NAME
        self.rows = 0
        """Rows in the file, as far as is known."""
        self.health = RecordHealth()
        """What is known about the rows themselves."""
        self._writer = writer
        self._wall_clock = wall_clock
        self._folder = folder
        self._free = free
        self._notes: list[Stamped] = []
        self._flush_timer: asyncio.TimerHandle | None = None
        self._under_way: deque[float] = deque()
        self._failure: str | None = None
        self._lost = 0
        self._opened = False

    @property
    def failure(self) -> str | None:
        """Why nothing may start or go on, as one sentence; None while all is well."""
        if self._failure is None and self._under_way:
            late_s = asyncio.get_running_loop().time() - self._under_way[0]
            if not late_s <= LAG_MAX_S:
                self._fail(self._too_slow(late_s))
        return self._failure

    async def commit(self, rows: Sequence[Row]) -> None:
        """Write ``rows``, and the notes before them; they are durable when this returns.

        Raises:
            RecordError: they are not.
        """
        await self._commit([self._stamp(row) for row in rows])

    async def book(self, rows: Sequence[Row]) -> int:
        """Write the rows that begin a treatment; its number is given in their transaction.

        Raises:
            RecordError: they are not written, and no number is taken.
        """
        stamped = [self._stamp(row)._replace(treatment=NEXT_TREATMENT) for row in rows]
        return (await self._commit(stamped)).booked

    async def _commit(self, stamped: list[Stamped]) -> "_Written":
        try:
            async with asyncio.timeout(LAG_MAX_S):
                # The caller may be cancelled; the write is not.
                return await asyncio.shield(self._submit(self._take_notes() + stamped))
        except RecordError as error:
            self._fail(str(error))
            raise
        except TimeoutError as error:
            self._fail(self._too_slow(LAG_MAX_S))
            raise RecordError(self._too_slow(LAG_MAX_S)) from error

    async def commit_unless(self, row: Row, refusal: Callable[[Store], T | None]) -> T | None:
        """Write ``row`` unless ``refusal`` says why not, and return what it says.

        What it looks at cannot change before the row is written, whoever else writes the record.

        Raises:
            RecordError: the row is not written.
        """
        stamped = [self._stamp(row)]
        said = await self.read(lambda store: store.append_unless(stamped, refusal))
        self.rows += said is None
        return said

    def note(self, row: Row) -> None:
        """Write ``row`` within about ``NOTE_DELAY_S``; what goes wrong is told by `failure`."""
        if len(self._notes) >= NOTES_MAX:
            self._lost += 1
            self._fail(f"The journal in {self._folder} does not keep up with what happens.")
            return
        self._notes.append(self._stamp(row))
        if self._flush_timer is None:
            loop = asyncio.get_running_loop()
            self._flush_timer = loop.call_later(NOTE_DELAY_S, self._flush)

    async def preflight(self) -> None:
        """Prove that the next treatment can be recorded, and forget an earlier failure if so.

        Raises:
            RecordError: it cannot; the sentence names folder, free space, need and next step.
        """
        if self._folder is not None:
            check_folder(self._folder, self._free)
        self.rows = await self._ask(Store.probe, LAG_MAX_S if self._opened else OPEN_MAX_S)
        self._opened = True
        self._failure = None
        if await self._ask(Store.take_mended):
            await self.commit([Row(Kind.LISTS_MENDED, {})])
        self.health.lacking = await self._ask(lambda store: store.lacking_sentence)
        if self._lost:
            lost, self._lost = self._lost, 0
            await self.commit([Row(Kind.GAP, {"lost_rows": lost})])

    async def read(self, question: Callable[[Store], T]) -> T:
        """Run ``question`` on the store, after everything written so far, and return its answer."""
        self._flush()
        return await self._ask(question)

    async def close(self) -> None:
        """Write what waits and close the file."""
        self._flush()
        await asyncio.to_thread(self._writer.close)

    async def _ask(self, question: Callable[[Store], T], within_s: float = LAG_MAX_S) -> T:
        try:
            async with asyncio.timeout(within_s):
                return await self._writer.submit(question)
        except TimeoutError as error:
            raise RecordError(
                f"The journal in {self._folder} has not answered a question within {within_s:g} s: "
                "the computer or its disk is busy, or damaged rows are looked for. Try again; "
                "`corneum records verify` looks at the whole record."
            ) from error
        except sqlite3.Error as error:
            raise RecordError(words.sentence(error, self.path)) from error

    def _too_slow(self, late_s: float) -> str:
        return (
            f"The journal in {self._folder} has not answered for {late_s:.1f} s: the disk is too "
            "slow or hangs; check it before the next treatment."
        )

    def _stamp(self, row: Row) -> Stamped:
        mono_s = asyncio.get_running_loop().time()
        return Stamped(
            round(mono_s, 6),
            round(self._wall_clock(), 6),
            row.treatment,
            str(row.kind),
            canonical(row.body),
        )

    def _take_notes(self) -> list[Stamped]:
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        notes, self._notes = self._notes, []
        return notes

    def _flush(self) -> None:
        notes = self._take_notes()
        if notes:
            _ = self._submit(notes)  # `_settled` looks at its outcome

    def _submit(self, rows: list[Stamped]) -> "asyncio.Future[_Written]":
        try:
            future = self._writer.submit(lambda store: _Written(store.append(rows), store.booked))
        except RecordError as error:
            future = asyncio.get_running_loop().create_future()
            future.set_exception(error)
        self._under_way.append(asyncio.get_running_loop().time())
        if future.done():  # an inline writer's outcome counts at once
            self._settled(future, len(rows))
        else:
            future.add_done_callback(lambda done: self._settled(done, len(rows)))
        return future

    def _settled(self, done: "asyncio.Future[_Written]", count: int) -> None:
        self._under_way.popleft()
        error = done.exception()
        if error is None:
            self.rows = done.result().rows
        else:
            self._lost += count
            self._fail(str(error))

    def _fail(self, sentence: str) -> None:
        if self._failure is None:
            self._failure = sentence


def canonical(body: Mapping[str, object]) -> str:
    """Return ``body`` as canonical JSON: keys sorted, no spaces, what is not finite as null."""
    try:
        return _dumps(body)
    except ValueError:
        return _dumps(_finite(body))


def _dumps(value: object) -> str:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
