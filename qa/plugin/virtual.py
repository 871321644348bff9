"""Virtual time for one test: a loop that lives from set-up to tear-down, and jumps."""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

from qa.loop import VirtualLoop, close_loop, tie_up

T = TypeVar("T")


class VirtualTime:
    """The loop of one test. What the fixtures hold runs beside it, each in a task of its own."""

    def __init__(self, seed: int, limit_s: float) -> None:
        self._loop = VirtualLoop(seed)
        self._loop.jumping.limit_s = limit_s
        self._held: list[tuple[asyncio.Task[None], asyncio.Event]] = []
        self._failed = False

    @property
    def now_s(self) -> float:
        """Virtual seconds since the set-up of the test."""
        return self._loop.time()

    @property
    def running(self) -> bool:
        """True inside of a coroutine: there, time passes by ``await`` alone."""
        return self._loop.is_running()

    def run(self, scenario: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; for tests that are plain functions.

        Raises:
            VirtualTimeError: it hangs, takes longer than the limit, or wants real files.
            Exception: its own, or that of a service that broke meanwhile.
        """
        try:
            beside = self._loop.create_task(self._beside(scenario), name="virtual-time")
            return self._loop.run_until_complete(beside)
        except BaseException:
            self._failed = True
            raise

    def hold(self, manager: AbstractAsyncContextManager[T], name: str) -> T:
        """Enter an async context manager and stay inside until the end of the test."""
        ready: asyncio.Future[T] = self._loop.create_future()
        over = asyncio.Event()

        async def stay() -> None:
            async with manager as made:
                ready.set_result(made)
                await over.wait()

        async def entered() -> T:
            task.add_done_callback(lambda _: ready.cancel())  # it broke before it was ready
            try:
                return await ready
            except asyncio.CancelledError:
                task.result()
                raise

        task = self._loop.create_task(stay(), name=name)
        self._held.append((task, over))
        try:
            return self._loop.run_until_complete(entered())
        except BaseException:
            self._held.pop()
            self._failed = True
            raise

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End everything in order; what the test left running fails it, unless it failed anyway."""
        try:
            while self._held:
                task, over = self._held.pop()
                over.set()
                self._loop.run_until_complete(self._ended(task))
            if not self._failed:
                tie_up(self._loop)
        finally:
            close_loop(self._loop)

    async def _beside(self, scenario: Coroutine[Any, Any, T]) -> T:
        test = asyncio.get_running_loop().create_task(scenario, name="test")
        held = {task for task, _ in self._held}
        try:
            await asyncio.wait({test, *held}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not test.done():
                test.cancel()
                await asyncio.wait({test})
        for task in held:
            if task.done():
                task.result()  # the fixture broke, and the test with it
        return test.result()

    async def _ended(self, task: "asyncio.Task[None]") -> None:
        await asyncio.wait({task})
        if not self._failed:
            task.result()
