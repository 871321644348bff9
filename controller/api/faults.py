"""What somebody is told whose question met a fault of our own; its file is written beside the loop.

A handler may raise anything: whoever asked gets an answer all the same, within `WRITE_MAX_S`. The
loop never waits for the disk, and a stop waits for none of this.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from controller.api.fault_files import FAULT, fault_sentence, kind_of, place_of, support_step
from controller.api.requests import Request
from controller.api.trouble import trouble_of
from controller.safety.refusal import Refusal, RefusedError

T = TypeVar("T")

WRITE_MAX_S: Final = 1.0
"""An answer waits for the name of its file no longer than this."""

WRITERS_MAX: Final = 4
"""Files that are being written at a time; on a disk that hangs no more are begun."""

HEARD_MAX: Final = 20
"""Places of our sources whose faults are told on standard error, each once."""

ENDING: Final = Refusal(
    "kernel_ends",
    "The kernel ends, and whether this was done is not known.",
    "Look at `corneum status` once a kernel runs again.",
)


class Leave(Protocol):
    """Writes the file of a fault and returns its path; blocks."""

    def __call__(
        self, error: BaseException, doing: str, private: tuple[str, ...], /
    ) -> Path | None:
        """None where no file can be written."""
        ...


class FaultHandler:
    """Turns what a handler raises into an answer."""

    def __init__(self, leave: Leave | None = None) -> None:
        """Without ``leave`` nothing is written, and the loop hears of the fault instead."""
        self._leave = leave
        self._writing = 0
        self._heard: set[str] = set()

    async def guarded(self, answer: Awaitable[T], request: Request) -> T:
        """Return what ``answer`` comes to. Raises RefusedError for everything that it raises."""
        try:
            return await answer
        except RefusedError:
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise RefusedError(await self.told(error, request)) from error
        except Exception as error:
            raise RefusedError(await self.told(error, request)) from error

    async def told(self, error: BaseException, request: Request | None) -> Refusal:
        """Return what to answer to a request that has met ``error``."""
        trouble = trouble_of(error)
        if trouble is not None:
            return trouble
        doing = "reading a request" if request is None else f"the request {request.do.value}"
        private = () if request is None else tuple(_words(request.model_dump(mode="json")))
        path = await self._left(error, doing, private)
        sentence = fault_sentence(error, "the kernel")
        return Refusal(
            FAULT,
            f"{sentence} Whether what was asked for was done is not known.",
            f"Look at `corneum status` before you ask again. {support_step(path)}",
        )

    def heard(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take what a callback of the loop raised; the kernel goes on."""
        error = context.get("exception")
        if error is None:
            sys.stderr.write(f"{context.get('message', '')}\n")
            return
        key = f"{kind_of(error)} {place_of(error)}"
        if not isinstance(error, Exception):
            return  # a task that was cancelled as the loop ended
        if key in self._heard or len(self._heard) >= HEARD_MAX:
            return  # a timer may raise ten times a second
        self._heard.add(key)

        def say(done: "asyncio.Future[Path | None]") -> None:
            words = fault_sentence(error, "the kernel")
            sys.stderr.write(f"{words} {support_step(done.result())}\n")

        self._begin(error, "a callback of the loop", ()).add_done_callback(say)

    async def _left(
        self, error: BaseException, doing: str, private: tuple[str, ...]
    ) -> Path | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WRITE_MAX_S):
                return await asyncio.shield(self._begin(error, doing, private))
        return None

    def _begin(
        self, error: BaseException, doing: str, private: tuple[str, ...]
    ) -> "asyncio.Future[Path | None]":
        """Begin to write the file, and return its path to come."""
        loop = asyncio.get_running_loop()
        path: asyncio.Future[Path | None] = loop.create_future()
        leave = self._leave
        if leave is None:
            loop.call_exception_handler({"message": f"a fault in {doing}", "exception": error})
        if leave is None or self._writing >= WRITERS_MAX:
            path.set_result(None)
            return path
        self._writing += 1

        def settle(found: Path | None) -> None:
            self._writing -= 1
            path.set_result(found)

        def write() -> None:
            found = leave(error, doing, private)
            with contextlib.suppress(RuntimeError):  # the loop has ended; nobody is waiting
                loop.call_soon_threadsafe(settle, found)

        try:
            threading.Thread(target=write, name="fault-file", daemon=True).start()
        except RuntimeError:  # this process may have no more threads
            settle(None)
        return path


def _words(value: object) -> list[str]:
    """Return every text in a request: none of them may stand in a file for support."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [word for each in value.values() for word in _words(each)]
    if isinstance(value, list):
        return [word for each in value for word in _words(each)]
    return []
