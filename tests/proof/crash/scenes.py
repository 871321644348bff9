"""What runs on the watched disk: a treatment, the next start after a kill, and an upgrade.

Each is the real kernel on the real store in virtual time, and everything follows from the seed:
chance of SQLite, the device, the times.
"""

import asyncio
import contextlib
import functools
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from unittest import mock

from controller.kernel.service import Outside, Place, running
from controller.record import decisions, earlier, head_note
from controller.record.chain import chained
from controller.record.clocks import Here
from controller.record.head_note import Head
from controller.record.journal import JOURNAL_NAME, Journal
from controller.record.store import RecordError, Store
from controller.record.writer import InlineWriter
from controller.safety.refusal import RefusedError
from controller.treatment.events import Who
from controller.treatment.kinds import Kind
from firmware_protocol.envelope import LEASE_DEFAULT_MS, LEASE_MARGIN_S
from qa.loop import run_virtual
from qa.rig import BOOT, PID, SOFTWARE, Rig, RigSpec, Service, rig
from tests.controller.record.older import to_columns
from tests.proof.crash.cuts import Cut, Files, How, Medium
from tests.proof.crash.disk import ON_DISK, Act, Fault, Log, Step, watched

T = TypeVar("T")

FOLD_EVERY: Final = 8
"""Jobs after which the log is folded into the file, as the writer's thread does when it idles."""

WISH: Final = {"program": "patch-test", "client": "demo"}
PORT: Final = "virtual"
LOOK_S: Final = 0.02
LEASE_S: Final = LEASE_DEFAULT_MS / 1000 + LEASE_MARGIN_S
END_MAX_S: Final = 120.0
TECHNICIAN: Final = Who("tom", "technician", "local")
DECISION: Final = {"subject": "clock", "reason": "looked at"}


class Row(NamedTuple):
    """What is stored of a row."""

    id: int
    text: str
    hash: str


class Given(NamedTuple):
    """What the device has really delivered by a time."""

    at_s: float
    contact_s: float
    grams: float


@dataclass(frozen=True)
class Recorded:
    """A scene that has run: what it found, what it asked of the disk, and what came of it."""

    before: Files
    rows_before: int
    """Rows in it: all of them were told as durable once."""
    steps: tuple[Step, ...]
    asked: int
    """Writes, truncations and syncs."""
    failed: int
    """How many of them were answered with an error."""
    rows: tuple[Row, ...]
    after: Files
    said: str
    """What a person was told; empty where nothing was refused."""
    given: tuple[Given, ...] = ()
    """What the device really delivered, by time; empty where the scene treats nobody."""
    owed: Given | None = None
    """What it had delivered before the scene began, in a treatment that nobody ended."""
    open_valve: bool = False
    """True where the valve stood open at the end."""
    flowed_on: bool = False
    """True where crystals flowed for longer than a lease after the record had failed."""
    lost_rows: int = 0
    """Rows of which the journal knows at the end that they are lost."""

    @property
    def borders(self) -> set[int]:
        """Rows after which a transaction ended."""
        return {step.offset for step in self.steps if step.act is Act.TOLD}

    @property
    def marked_rows(self) -> int:
        """How many rows are marked as lost in the record itself."""
        rows = [chained(*row) for row in self.rows]
        return sum(int(row.body["lost_rows"]) for row in rows if row.kind == Kind.GAP)

    def told_before(self, step: int) -> int:
        """Return up to which row somebody was told, before a step, that it is durable."""
        told = [each.offset for each in self.steps[:step] if each.act is Act.TOLD]
        return max(told, default=self.rows_before)


class TellingWriter:
    """Works inline, folds the log now and then, and notes which rows were called durable."""

    def __init__(self, store: Store, log: Log) -> None:
        self._store = store
        self._inline = InlineWriter(store)
        self._log = log
        self._jobs = 0

    def submit(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Run ``job`` now; what is in the file afterwards was told."""
        future = self._inline.submit(job)
        if future.exception() is None:
            ((row,),) = self._store.ask("SELECT id FROM head")
            self._log.told(int(row))
        self._jobs += 1
        if self._jobs % FOLD_EVERY == 0:
            self._store.checkpoint()
        return future

    def close(self) -> None:
        """Close the store."""
        self._inline.close()


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is thrown away, in memory where there is such a place."""
    memory = Path("/dev/shm")  # noqa: S108 - only a place for thousands of small folders
    with tempfile.TemporaryDirectory(
        prefix="corneum-crash-", dir=memory if memory.is_dir() else None
    ) as folder:
        yield Path(folder)


def put(folder: Path, files: Files) -> None:
    """Write files into a folder."""
    for name, content in files.items():
        (folder / name).write_bytes(content)


def files_in(folder: Path) -> Files:
    """Read the files of a record; the shared memory of SQLite is none."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir() if path.is_file() and not path.name.endswith("-shm")
    }  # fmt: skip


def rows_in(files: Files) -> tuple[Row, ...]:
    """Read all rows of a copy: a record of an earlier build is converted for that."""
    with scratch() as aside:
        put(aside, files)
        with closing(Store(aside / JOURNAL_NAME)) as store:
            found = store.ask("SELECT id, text, hash FROM journal ORDER BY id")
    return tuple(Row(*each) for each in found)


@contextlib.contextmanager
def _noted(log: Log) -> Iterator[None]:
    """Write down each small file beside the record when it has been replaced."""
    real = head_note.write

    def write(folder: Path, head: Head) -> None:
        real(folder, head)
        if folder == log.folder:
            path = folder / f"{head_note.PREFIX}{head.journal}.json"
            log.add(Act.NOTE, path.name, data=path.read_bytes())

    with mock.patch.object(head_note, "write", write):
        yield


@contextlib.contextmanager
def recording(folder: Path, seed: int, fault: Fault | None = None) -> Iterator[Log]:
    """Write down what the record in ``folder`` asks of its disk."""

    def now() -> float:
        return asyncio.get_running_loop().time()

    log = Log(folder, now, fault, known=set(files_in(folder)))
    with watched(log, seed), _noted(log):
        yield log


@asynccontextmanager
async def kernel_on(made: Rig, log: Log | None = None, boot: str = BOOT) -> AsyncIterator[Service]:
    """Run a kernel on a unit, with its record on the watched disk where there is a log of it."""
    outside = made.outside() if log is None else _outside(made, log, boot)
    async with running(Place(PORT, lock=f"{PORT}.lock"), outside) as kernel:
        yield Service(made, kernel)


def _outside(made: Rig, log: Log, boot: str) -> Outside:
    """Return what the kernel reaches outside of itself, its record on the watched disk."""
    writer = TellingWriter(Store(log.folder / JOURNAL_NAME), log)
    journal = Journal(writer, made.wall_clock, folder=log.folder)
    return Outside(made.client, journal, Here(made.wall_clock, boot), pid=PID, software=SOFTWARE)


# -- the scenes ------------------------------------------------------------------------------------
@dataclass
class _Seen:
    """What is seen of a treatment from outside."""

    given: list[Given] = field(default_factory=list)
    open_valve: bool = False
    flowed_on: bool = False
    lost_rows: int = 0

    async def watch(self, made: Rig) -> None:
        """Write down what the device really gives, until cancelled."""
        while True:
            truth = made.handpiece.plant.truth
            at_s = asyncio.get_running_loop().time()
            self.given.append(Given(at_s, truth.contact_s, truth.through_valve_g))
            await asyncio.sleep(LOOK_S)


def treatment(seed: int, fault: Fault | None = None) -> Recorded:
    """Run one treatment from the first row of an empty folder to its end; then mend the disk."""
    seen = _Seen()

    async def scenario(folder: Path, log: Log) -> None:
        async with rig(RigSpec(seed=seed, record=folder)) as made:
            watching = asyncio.create_task(seen.watch(made), name="watch")
            try:
                async with kernel_on(made, log) as service:
                    await _treat(service, seen)
                    log.mend()
                    with contextlib.suppress(RecordError):  # as before the next treatment
                        await _journal(service).preflight()
            finally:
                seen.open_valve |= made.flows
                watching.cancel()

    found = _run(seed, {}, scenario, fault)
    return replace(
        found, given=tuple(seen.given), open_valve=seen.open_valve,
        flowed_on=seen.flowed_on, lost_rows=seen.lost_rows,
    )  # fmt: skip


async def _treat(service: Service, seen: _Seen) -> None:
    """Treat to the end, and see how long crystals flow on once the record has failed."""
    loop, journal = asyncio.get_running_loop(), _journal(service)
    await service.ask("treat", **WISH)
    failed_s: float | None = None
    async with asyncio.timeout(END_MAX_S):
        while not service.kernel.idle:
            if failed_s is None and journal.failure is not None:
                failed_s = loop.time()
            if failed_s is not None and loop.time() > failed_s + LEASE_S:
                seen.flowed_on |= service.rig.flows
            await asyncio.sleep(LOOK_S)
    seen.open_valve = service.rig.flows
    seen.lost_rows = journal._lost


def _journal(service: Service) -> Journal:
    return service.kernel._outside.journal


def restart(seed: int, fault: Fault | None = None) -> Recorded:
    """Start the next kernel on what a kill -9 in mid-treatment has left."""
    first = recorded("treatment", seed)

    async def scenario(folder: Path, log: Log) -> None:
        async with (
            rig(RigSpec(seed=seed, record=folder)) as made,
            kernel_on(made, log, f"{BOOT}-later"),
        ):
            pass

    found = _run(seed, _killed(first), scenario, fault)
    return replace(found, owed=given_at(first, _last_s(first)))


def upgrade(seed: int, fault: Fault | None = None) -> Recorded:
    """Convert a record of November, or of its last days, and decide something in it."""
    with scratch() as folder:
        put(folder, recorded("treatment", seed).after)
        version = earlier.LISTS * (seed % 2)
        to_columns(folder / JOURNAL_NAME, version)
        left = files_in(folder)
    if not version:  # journals of November had no name yet, and so no note beside them
        left = {JOURNAL_NAME: left[JOURNAL_NAME]}

    async def scenario(folder: Path, log: Log) -> None:
        async with rig(RigSpec(seed=seed, record=folder)) as made:
            outside = _outside(made, log, f"{BOOT}-later")
            journal = outside.journal
            try:
                await journal.preflight()
                await decisions.accept(journal, DECISION, TECHNICIAN, outside.here)
            finally:
                await journal.close()

    return _run(seed, left, scenario, fault)


def given_at(found: Recorded, at_s: float) -> Given:
    """Return what the device has delivered by ``at_s``, and by when its lease has shut the valve.

    The run of which it is told goes on, with the valve open: that is the worst.
    """
    return next((each for each in found.given if each.at_s >= at_s + LEASE_S), found.given[-1])


def _run(
    seed: int,
    before: Files,
    scenario: Callable[[Path, Log], Coroutine[Any, Any, None]],
    fault: Fault | None = None,
) -> Recorded:
    said = ""
    with scratch() as folder:
        put(folder, before)
        with recording(folder, seed, fault) as log:
            try:
                run_virtual(scenario(folder, log), seed=seed)
            except (RefusedError, RecordError) as error:
                if fault is None:
                    raise
                said = str(error)
        after = files_in(folder)
    return Recorded(
        before, len(rows_in(before)), tuple(log.steps), log.asked, log.failed, rows_in(after),
        after, said,
    )  # fmt: skip


def _last_s(found: Recorded) -> float:
    """Return the time of the newest row of exposure: the treatment is in the middle of its zone."""
    told = {step.offset: step.at_s for step in found.steps if step.act is Act.TOLD}
    rows = [row for row, text, _ in found.rows if f'"{Kind.EXPOSURE}"' in text]
    return next(at_s for told_to, at_s in told.items() if told_to >= rows[len(rows) // 2])


def _killed(found: Recorded) -> Files:
    """Return the files as they were then: a kill takes nothing that was written."""
    files: Files = {}
    medium, at_s = Medium(dict(found.before)), _last_s(found)
    for number, step in enumerate(found.steps):
        if step.at_s > at_s:
            return files
        if step.act in ON_DISK:
            files = medium.after(Cut(number, How.KEPT), step, 0)
        medium.take(step)
    return files


SCENES: Final[dict[str, Callable[..., Recorded]]] = {
    "treatment": treatment,
    "restart": restart,
    "upgrade": upgrade,
}


@functools.lru_cache(maxsize=len(SCENES))
def recorded(scene: str, seed: int) -> Recorded:
    """Return a scene as it ran; it is run once in a process, and the same in every one."""
    return SCENES[scene](seed)
