"""An asyncio event loop whose time jumps: the whole service runs in virtual time, and repeatably.

Theory of operation. Code in the shell knows one clock, `asyncio.get_running_loop().time()`. This
loop answers it with a number that starts at 0 and moves only when every task waits: then it jumps
to the next timer. Nothing sleeps, so an hour of heartbeats takes seconds, and nothing depends on
the machine, so the same seed gives the same run.

What would make a run wait for ever, or depend on the machine, is an error that says so:

- every task waits and no timer is armed: `StuckError` at once, naming tasks and where each waits;
- a busy loop, in which no time passes: `StuckError` after `SPINS_MAX` rounds;
- more virtual time than the caller allowed: `StuckError`;
- real files, sockets, pipes and processes: refused, they have a clock of their own;
- tasks that outlive the scenario, and exceptions in callbacks: `LooseEndError`.

Threads are not used: `run_in_executor` and `asyncio.to_thread` run the function at once, inline.
"""

import asyncio
import random
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Timer = tuple[float, int, asyncio.TimerHandle]
"""When it is due, the how manieth it was to be armed, and what fires."""

LIMIT_DEFAULT_S: Final = 3600.0  # the longest treatment of any program is below one hour
SPINS_MAX: Final = 100_000  # rounds of the loop in one instant; the service needs below a hundred
LOOP_OWN_FILES_MAX: Final = 1  # the loop's own wake-up pipe, which it never needs here
RESOLUTION_S: Final = 1e-9  # a timer that is due but for rounding is due
CLEANUP_MAX_S: Final = 60.0  # virtual seconds that cancelled tasks get to clean up


class VirtualTimeError(RuntimeError):
    """Root of what can go wrong with virtual time itself."""


class StuckError(VirtualTimeError):
    """Nothing can happen any more, or nothing will within the limit."""


class NotVirtualError(VirtualTimeError):
    """The code under test asked for a real file, socket or process."""


class LooseEndError(VirtualTimeError):
    """The scenario returned but left tasks behind, or a callback raised."""


class JumpingSelector(selectors.SelectSelector):
    """The clock of the loop, in the place of what would wait for files: there are none."""

    def __init__(self, seed: int, lateness_max_s: float) -> None:
        super().__init__()
        self.now_s = 0.0
        self.limit_s = LIMIT_DEFAULT_S
        self.describe: Callable[[], str] = str
        self._lateness_max_s = lateness_max_s
        self._chance = random.Random(seed)  # noqa: S311 - a simulation must repeat
        self._spins = 0

    def register(
        self, fileobj: "FileDescriptorLike", events: int, data: object = None
    ) -> selectors.SelectorKey:
        """Take the loop's own pipe; refuse everything real."""
        if len(self.get_map()) >= LOOP_OWN_FILES_MAX:
            raise NotVirtualError(
                "the virtual loop has no real files, sockets or processes; "
                "use in-memory streams, or mark the test realtime and run it on a real loop"
            )
        return super().register(fileobj, events, data)

    def jump(self, timeout_s: float) -> None:
        """Move the clock by ``timeout_s``; a timer that is due already takes no time."""
        if timeout_s <= 0.0:
            self.spin()
            return
        self._spins = 0
        self.now_s += timeout_s
        if self._lateness_max_s > 0.0:
            self.now_s += self._chance.uniform(0.0, self._lateness_max_s)
        if self.now_s > self.limit_s:
            raise StuckError(f"not done after {self.limit_s:g} virtual s: {self.describe()}")

    def spin(self) -> None:
        """Go on at the same time, for one more round of the loop."""
        self._spins += 1
        if self._spins > SPINS_MAX:
            self._spins = 0  # so that the cleaning up has a chance
            raise StuckError(f"busy for ever at {self.now_s:.6f} s: {self.describe()}")

    def stuck(self) -> NoReturn:
        """Say that nothing can happen any more."""
        raise StuckError(f"every task waits and no timer is armed: {self.describe()}")


class VirtualLoop(asyncio.SelectorEventLoop):
    """The event loop of this module's docstring; use it through `run_virtual`.

    Its timers and its round are its own: those of asyncio look for files and for a debugger, and
    compare timers in Python, which costs as much as a whole tick of the device. Timers that are due
    at the same time fire in the order in which they were armed.
    """

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self, seed: int = 0, lateness_max_s: float = 0.0) -> None:
        """Make a loop at time 0; each timer fires up to ``lateness_max_s`` late, from ``seed``."""
        self.jumping = JumpingSelector(seed, lateness_max_s)
        super().__init__(self.jumping)
        self.jumping.describe = self._describe
        self._timers: list[Timer] = []
        self._armed = 0
        self.callback_errors: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _loop, context: self.callback_errors.append(context))

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self.jumping.now_s

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Arm a timer."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._armed += 1
        heappush(self._timers, (when, self._armed, timer))
        return timer

    def _run_once(self) -> None:
        """Jump to the next timer unless something is ready, then run what is ready or due."""
        ready, timers, clock = self._ready, self._timers, self.jumping
        while timers and timers[0][2].cancelled():
            heappop(timers)
        if ready or self._stopping:
            clock.spin()
        elif timers:
            clock.jump(timers[0][0] - clock.now_s)
        else:
            clock.stuck()
        due_s = clock.now_s + RESOLUTION_S
        while timers and timers[0][0] < due_s:
            ready.append(heappop(timers)[2])
        for _ in range(len(ready)):  # what these make ready waits for the next round
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - nothing else runs a handle

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., T], *args: object
    ) -> asyncio.Future[T]:
        """Run ``func`` here and now, so that no thread can reorder anything."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits the future
            done.set_exception(error)
        return done

    def _describe(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=lambda task: task.get_name())
        return "; ".join(_where(task) for task in tasks) or "no task at all"


def run_virtual(
    scenario: Coroutine[Any, Any, T],
    *,
    limit_s: float = LIMIT_DEFAULT_S,
    seed: int = 0,
    lateness_max_s: float = 0.0,
) -> T:
    """Run ``scenario`` to its end in virtual time and return its result.

    Plain test functions call it: no plugin, no marker, one way in the whole suite.

    Raises:
        StuckError: nothing can happen any more, or ``limit_s`` virtual seconds have passed.
        LooseEndError: the scenario left tasks running, or a callback raised.
    """
    loop = VirtualLoop(seed, lateness_max_s)
    loop.jumping.limit_s = limit_s
    try:
        result = loop.run_until_complete(scenario)
        tie_up(loop)
        return result
    finally:
        close_loop(loop)


def tie_up(loop: VirtualLoop) -> None:
    """Cancel what still runs; LooseEndError where there was anything, or a callback raised."""
    left = _cancel_left(loop)
    if left:
        raise LooseEndError(f"the scenario ended but these tasks did not: {'; '.join(left)}")
    _raise_callback_errors(loop)


def close_loop(loop: VirtualLoop) -> None:
    """Cancel what still runs, without a word, and close the loop."""
    try:
        _cancel_left(loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _cancel_left(loop: VirtualLoop) -> list[str]:
    """Cancel every task that is left, let it clean up, and return what they were."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    left = [_where(task) for task in tasks]
    if tasks:
        loop.jumping.limit_s = loop.time() + CLEANUP_MAX_S
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.wait(tasks, timeout=CLEANUP_MAX_S / 2))
    return left


def _raise_callback_errors(loop: VirtualLoop) -> None:
    if loop.callback_errors:
        first = loop.callback_errors[0]
        raise LooseEndError(f"in a callback: {first.get('message')}") from first.get("exception")


def _where(task: asyncio.Task[Any]) -> str:
    """Return the task's name and the innermost line of its own code that waits."""
    frames = task.get_stack(limit=1)
    if not frames:
        return task.get_name()
    frame = frames[-1]
    return f"{task.get_name()} at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
