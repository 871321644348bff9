"""Many independent jobs over processes of this machine, or over a Dask cluster, with progress.

A job is a key and a function's argument; which worker runs it, and in which order, never changes
its result, so that a campaign gives the same figures with one process, eight, or a cluster. A job
whose worker dies is run again, at most `TRIES_MAX` times in all; what is kept in a file is not run
a second time at all (`qa.campaigns.kept`).
"""

import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from qa.campaigns.kept import Kept, sources_sha256
from qa.processes import processes

ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")

TRIES_MAX: Final = 3
TELL_EVERY_S: Final = 1.0
AHEAD_PER_WORKER: Final = 4  # jobs handed out before they are needed
SECONDS_PER_MIN: Final = 60.0
DASK_ANSWERS_S: Final = 10.0
DASK_WORKERS_S: Final = 30.0


class WorkersLostError(Exception):
    """Workers died again and again at the same job, or the cluster cannot be reached."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where jobs run: a number of processes here, or the address of a Dask scheduler."""

    workers: int = 0
    """0 is one per core."""
    dask: str | None = None

    @property
    def processes(self) -> int:
        """How many processes to start here."""
        return self.workers if self.workers > 0 else os.cpu_count() or 1


@dataclass(slots=True)
class Progress:
    """One line on standard error that says how far a campaign is, and how long it will take."""

    what: str
    total: int
    done: int = 0
    shown: bool = field(default_factory=sys.stderr.isatty)
    _began_s: float = field(default_factory=time.monotonic)
    _told_s: float = 0.0

    def step(self) -> None:
        """Count one more; the line is renewed once a second at the most."""
        self.done += 1
        now_s = time.monotonic()
        if now_s - self._told_s < TELL_EVERY_S and self.done < self.total:
            return
        self._told_s = now_s
        took_s = now_s - self._began_s
        left_s = took_s / self.done * (self.total - self.done)
        text = f"{self.what}: {self.done} of {self.total}, {_spoken(left_s)} left"
        end = "\n" if self.done == self.total else ""
        if self.shown:
            sys.stderr.write(f"\r\x1b[K{text}{end}")
        elif end:
            sys.stderr.write(f"{self.what}: {self.total} done in {_spoken(took_s)}\n")
        sys.stderr.flush()


def spread(
    function: Callable[[ArgT], ResultT],
    jobs: Mapping[str, ArgT],
    where: Where,
    what: str,
    kept: Kept | None = None,
) -> Iterator[tuple[str, ResultT]]:
    """Yield key and result of every job, as they come; those that are ``kept`` come first.

    ``function`` must be importable by other processes; with ``kept`` its results must survive JSON.
    Raises WorkersLostError.
    """
    known = {} if kept is None else {key: kept.results[key] for key in jobs if key in kept.results}
    yield from known.items()
    if known:
        sys.stderr.write(f"{what}: {len(known)} of {len(jobs)} were kept\n")
    left = {key: job for key, job in jobs.items() if key not in known}
    progress = Progress(what, len(left))
    for key, result in _results(function, left, where):
        if kept is not None:
            kept.keep(key, result)
        progress.step()
        yield key, result


def _results(
    function: Callable[[ArgT], ResultT], jobs: Mapping[str, ArgT], where: Where
) -> Iterator[tuple[str, ResultT]]:
    if not jobs:
        return
    if where.dask is not None:
        yield from _over_dask(function, jobs, where.dask)
    elif where.processes == 1:
        for key, job in jobs.items():
            yield key, function(job)
    else:
        yield from _over_processes(_Work(function, dict(jobs)), where.processes)


# -- processes of this machine ---------------------------------------------------------------------
@dataclass(slots=True)
class _Work(Generic[ArgT, ResultT]):
    function: Callable[[ArgT], ResultT]
    left: dict[str, ArgT]
    tries: dict[str, int] = field(default_factory=dict)

    def failed(self, keys: list[str]) -> None:
        """Count a try of each job that was under way when a worker died."""
        for key in keys:
            self.tries[key] = self.tries.get(key, 0) + 1

    def suspect(self) -> str | None:
        """Return a job that was under way at every death so far, to be tried alone."""
        return next((key for key, tries in self.tries.items() if tries >= TRIES_MAX - 1), None)


def _over_processes(work: _Work[ArgT, ResultT], processes: int) -> Iterator[tuple[str, ResultT]]:
    """Run what is left, with a new pool after each death of a worker.

    A dead worker breaks the whole pool and nobody says which job killed it, so that jobs that were
    under way at several deaths are tried alone before one of them is given up.
    """
    while work.left:
        suspect = work.suspect()
        batch = list(work.left) if suspect is None else [suspect]
        yield from _until_broken(work, batch, 1 if suspect is not None else processes)
        lost = next((key for key in work.left if work.tries.get(key, 0) >= TRIES_MAX), None)
        if lost is not None:
            raise WorkersLostError(f"a worker died {TRIES_MAX} times at {lost}")


def _until_broken(
    work: _Work[ArgT, ResultT], keys: list[str], count: int
) -> Iterator[tuple[str, ResultT]]:
    under_way: dict[Future[ResultT], str] = {}
    waiting = iter(keys)
    try:
        with processes(min(count, len(keys))) as pool:
            while True:
                for key in islice(waiting, count * AHEAD_PER_WORKER - len(under_way)):
                    under_way[pool.submit(work.function, work.left[key])] = key
                if not under_way:
                    return
                ready, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in ready:
                    result = future.result()
                    key = under_way.pop(future)
                    del work.left[key]
                    work.tries.pop(key, None)
                    yield key, result
    except BrokenProcessPool:
        work.failed(list(under_way.values()))


# -- a Dask cluster --------------------------------------------------------------------------------
def _over_dask(
    function: Callable[[ArgT], ResultT], jobs: Mapping[str, ArgT], address: str
) -> Iterator[tuple[str, ResultT]]:
    """Hand every job to the scheduler, which runs those of a lost worker again elsewhere."""
    dask = _dask()
    try:
        client = dask.Client(address, timeout=DASK_ANSWERS_S)
    except (OSError, ValueError) as error:
        raise WorkersLostError(f"no Dask scheduler answers at {address}: {error}") from None
    campaign = uuid.uuid4().hex  # keys are the scheduler's for all its clients
    with client:
        _same_code(client)
        futures = {
            client.submit(function, job, key=f"{campaign} {key}", pure=False): key
            for key, job in jobs.items()
        }
        for future in dask.as_completed(list(futures)):
            try:
                result = future.result()
            except dask.KilledWorker as error:
                raise WorkersLostError(str(error)) from None
            yield futures.pop(future), result
            future.release()


def _same_code(client: Any) -> None:  # noqa: ANN401 - of a package that need not be there
    """Refuse workers that would run other code than this."""
    try:
        client.wait_for_workers(1, timeout=DASK_WORKERS_S)
    except TimeoutError:
        raise WorkersLostError(f"no worker joined the scheduler in {DASK_WORKERS_S:g} s") from None
    mine = sources_sha256()
    for worker, theirs in client.run(sources_sha256).items():
        if theirs != mine:
            raise WorkersLostError(f"the worker {worker} has other sources; install the same there")


def _dask() -> Any:  # noqa: ANN401 - as above
    try:
        import distributed  # noqa: PLC0415 - only who asks for it
    except ImportError:
        raise WorkersLostError(
            "--dask needs the package distributed: pip install 'corneum-qa[campaign]'"
        ) from None
    return distributed


def _spoken(seconds: float) -> str:
    if seconds < SECONDS_PER_MIN:
        return f"{seconds:.0f} s"
    return f"{seconds // SECONDS_PER_MIN:.0f} min {seconds % SECONDS_PER_MIN:.0f} s"
