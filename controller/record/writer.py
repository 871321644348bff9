"""Who does the journal's blocking work: one thread in a real process, nobody in virtual time."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from controller.record.store import RecordError, Store

T = TypeVar("T")

QUEUE_MAX: Final = 256
"""Jobs that may wait for the disk: note groups, 10 a second, and a few commits: over 10 s."""

IDLE_S: Final = 1.0
"""After this long without a job the log is folded into the file, so that a copy of it is a record;
it takes some milliseconds, and a job that comes meanwhile waits for them."""

CLOSE_MAX_S: Final = 3.0
"""A disk that hangs must not keep the process alive: what is not durable by then is not."""

_Job = tuple[Callable[[Store], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]


class Writer(Protocol):
    """Runs jobs on the store one after the other, in the order of submission."""

    def submit(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Queue ``job`` and return its outcome to come; RecordError when the queue is full."""
        ...

    def close(self) -> None:
        """Finish what is queued, within a bound, and close the store."""
        ...


class InlineWriter:
    """Runs each job at once on the caller's loop: deterministic, for virtual time and tests."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def submit(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Run ``job`` now; the future is done when this returns."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            future.set_result(job(self._store))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits the future
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Close the store."""
        self._store.close()


class ThreadWriter:
    """Runs jobs on one thread of its own, so that the loop never waits for the disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: queue.Queue[_Job | None] = queue.Queue(QUEUE_MAX)
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Queue ``job`` for the thread."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        try:
            self._jobs.put_nowait((job, future, loop))
        except queue.Full:
            raise RecordError(
                f"The journal {self._store.path} does not keep up: the disk is too slow or hangs; "
                "check it before the next treatment."
            ) from None
        return future

    def close(self) -> None:
        """Let the thread finish; bounded by ``CLOSE_MAX_S``."""
        with contextlib.suppress(queue.Full):
            self._jobs.put(None, timeout=CLOSE_MAX_S)
        self._thread.join(CLOSE_MAX_S)

    def _work(self) -> None:
        while True:
            try:
                queued = self._jobs.get(timeout=IDLE_S)
            except queue.Empty:
                self._store.checkpoint()
                continue
            if queued is None:
                break
            job, future, loop = queued
            result: Any = None
            failure: Exception | None = None
            try:
                result = job(self._store)
            except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits the future
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop has ended; nobody is waiting
                loop.call_soon_threadsafe(_settle, future, result, failure)
        self._store.close()


def _settle(future: "asyncio.Future[Any]", result: object, failure: Exception | None) -> None:
    if future.cancelled():
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)
