"""A screen on a kernel: shows its snapshots, confirms them, takes keys and signals.

`corneum treat` and `corneum watch` are the same screen. It proves to the kernel that it is read
from: a snapshot is confirmed once it has been written, and nothing is written while the reader or
the terminal stands still. When this process itself stood still (Ctrl-Z, a suspended session), its
own time-outs say nothing about the kernel: it reads what waits, asks anew, and says that it stood
still. The kernel counts as gone when it has hung up, or leaves a fresh question unanswered, and
cannot be reached again either.
"""

import asyncio
import contextlib
import math
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

from controller.api.ask import ACT_TIMEOUT_S, KernelAbsentError, ask
from controller.api.client import KernelClient, WatchLine
from controller.api.snapshot import Snapshot
from controller.cli.keys import keys
from controller.cli.output import LostError
from controller.cli.screen import Screen
from controller.cli.session import who
from controller.cli.words import HOLDING, UNDER_WAY
from controller.safety.refusal import RefusedError

ANSWER_MAX_S: Final = 2.0
"""For what the kernel answers at once: what it shows, a pause, and a stop."""
QUIET_MAX_S: Final = 3.0
"""A kernel that says nothing for so long is asked; it sends ten snapshots a second."""

OLD_MIN_S: Final = 1.0
"""Ten snapshots that did not come: what is shown is marked as old."""

SHOW_PERIOD_S: Final = 0.15
"""Five of ten snapshots are shown and confirmed: a confirmation every 0.2 s."""

TICK_S: Final = 0.25
STOOD_MIN_S: Final = 1.5
"""A tick that is so late means that this process stood still; a busy computer delays it less."""

HANG_UP_MAX_S: Final = 0.2
"""From a terminal that takes nothing any more to the signal that says that it was closed."""

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class GoneError(Exception):
    """The kernel cannot be reached any more."""


class UnseenError(Exception):
    """This screen can show nothing any more."""

    def __init__(self, lost: LostError, last: Snapshot, outcome: str | None) -> None:
        super().__init__(lost.sentence)
        self.lost = lost
        self.last = last
        self.led = outcome is not None
        """Whether this screen led the treatment."""
        self.outcome = outcome or "going on"
        """What became of the treatment."""


class Attached:
    """One screen on one kernel."""

    def __init__(self, socket: Path, kernel: KernelClient, screen: Screen) -> None:
        self.kernel = kernel
        self.leads = False
        self.newest: Snapshot | None = None
        """What was shown last."""
        self.ending = 0
        """How often somebody asked this command to end."""
        self._socket = socket
        self._screen = screen
        self._stream: AsyncIterator[WatchLine] = aiter(kernel.watch())
        self._stood_s = 0.0
        self._halted_s: float | None = None
        self._shown_s = 0.0
        self._came_s = math.inf
        """When the newest line came; infinite while nothing is followed."""
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, socket: Path, screen: Screen) -> AsyncIterator["Attached"]:
        """Attach ``screen`` to the kernel at ``socket``. Raises KernelAbsentError."""
        made = cls(socket, await KernelClient.open(socket, who()), screen)
        ticking = asyncio.create_task(made._tick(), name="tick")
        try:
            yield made
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking
            for task in tuple(made._tasks):
                task.cancel()
            await made.kernel.close()

    async def follow(self, done: Callable[[Snapshot], bool]) -> Snapshot:
        """Show what comes until ``done``, and return the last snapshot.

        Raises:
            GoneError: the kernel cannot be reached any more.
            UnseenError: nothing can be shown any more; a treatment that this screen led is paused.
        """
        with self._screen, keys(self._pressed), self._marking_old():
            while True:
                line = await self._next()
                self._came_s = asyncio.get_running_loop().time()
                if self._stood_s >= STOOD_MIN_S:
                    await self._say_that_it_stood()
                shown = Snapshot.from_dict(line.snapshot)
                self.leads = line.leads
                try:
                    if self._show(shown):
                        self.kernel.seen(line.number)
                except LostError as lost:
                    await self._lost(lost, shown)
                if done(shown):
                    return shown

    def say(self, words: str, *, passing: bool = False) -> None:
        """Tell the person something now, if the screen still can."""
        with contextlib.suppress(LostError):
            self._screen.say(words, passing=passing)

    @contextlib.contextmanager
    def ended_by(self, ended: Callable[[int], None]) -> Iterator[None]:
        """Call ``ended`` with the count when somebody ends the command, by key or hang-up."""
        loop = asyncio.get_running_loop()

        def told() -> None:
            self.ending += 1
            self._screen.ending = self.ending
            ended(self.ending)

        taken = [one for one in ENDING if not _is_nohup(one)]
        for number in taken:
            loop.add_signal_handler(number, told)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)

    def start(self, do: str, args: dict[str, Any], words: str) -> None:
        """Ask for ``do`` beside the view and say ``words``, or why it was refused."""
        self.say(words, passing=True)
        task = asyncio.create_task(self._ask(do, args), name=do)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- inside ------------------------------------------------------------------------------------
    def _pressed(self, key: str) -> None:
        if key.lower() != "p" or self.newest is None or self.newest.state not in UNDER_WAY:
            return
        if HOLDING.intersection(alarm.code for alarm in self.newest.alarms):
            self.start("resume", {}, "resuming")
        else:
            self.start("pause", {}, "pausing")

    async def _ask(self, do: str, args: dict[str, Any]) -> None:
        try:
            await self.kernel.ask(do, args, ANSWER_MAX_S if do == "stop" else ACT_TIMEOUT_S)
        except RefusedError as error:
            self.say(f"{error.sentence} {error.next_step}")
        except KernelAbsentError as error:
            if do == "stop" and await asyncio.to_thread(self._stop_anew, args):
                return
            self.say(f"{do} was not confirmed: {error}")

    def _stop_anew(self, args: dict[str, Any]) -> bool:
        """Stop over a connection of its own, where ours has been lost."""
        try:
            return ask(self._socket, "stop", args, who(), ANSWER_MAX_S).get("ok") is True
        except (KernelAbsentError, OSError):
            return False

    def _show(self, snapshot: Snapshot) -> bool:
        """Show it unless the screen is halted or has just shown one; say whether it was shown."""
        loop = asyncio.get_running_loop()
        over = snapshot.treatment is not None and snapshot.treatment.over
        if not over and loop.time() - self._shown_s < SHOW_PERIOD_S:
            return False
        if not self._screen.takes_more:
            self._halted_s = self._halted_s or loop.time()
            return False
        if self._halted_s is not None:
            self._stood_s = max(self._stood_s, loop.time() - self._halted_s)
            self._halted_s = None
        self._screen.show(snapshot)
        self.newest = snapshot
        self._shown_s = loop.time()
        return True

    async def _say_that_it_stood(self) -> None:
        """Say so, and what became of the treatment: what waits to be read is old, so ask anew."""
        try:
            now = Snapshot.from_dict(await self.kernel.ask("status", {}, ANSWER_MAX_S))
        except (RefusedError, KernelAbsentError):
            return  # said after the next line, if there is one
        self.say(stood_still(self._stood_s, self.newest, now))
        self._stood_s = 0.0

    async def _lost(self, lost: LostError, shown: Snapshot) -> None:
        """Leave the treatment paused, unless the terminal was closed: its hang-up ends in order."""
        if self.ending:
            return
        outcome = await self._leave_unseen(shown)
        await asyncio.sleep(HANG_UP_MAX_S)
        if not self.ending:
            raise UnseenError(lost, shown, outcome) from lost

    async def _leave_unseen(self, shown: Snapshot) -> str | None:
        """Pause what this screen led, and say what became of it; None where it did not lead."""
        if not self.leads:
            return None
        try:
            await self.kernel.ask("pause", {}, ANSWER_MAX_S)
        except RefusedError:
            return shown.state  # nothing flows any more
        except KernelAbsentError:
            return "out of reach"
        return "paused"

    async def _next(self) -> WatchLine:
        try:
            async with asyncio.timeout(QUIET_MAX_S):
                return await anext(self._stream)
        except (TimeoutError, StopAsyncIteration, KernelAbsentError):
            return await self._ask_anew()

    async def _ask_anew(self) -> WatchLine:
        """Ask for a snapshot over this connection, or over a new one. Raises GoneError."""
        why = "it has hung up"
        for fresh in (False, True):
            try:
                async with asyncio.timeout(ANSWER_MAX_S):
                    if fresh:
                        await self.kernel.close()
                        self.kernel = await KernelClient.open(self._socket, who())
                    self._stream = aiter(self.kernel.watch())
                    return await anext(self._stream)
            except (TimeoutError, KernelAbsentError, StopAsyncIteration, RefusedError) as error:
                why = str(error) or why
        raise GoneError(why)

    async def _tick(self) -> None:
        """Notice when this process stood still, however long nothing else ran."""
        loop = asyncio.get_running_loop()
        while True:
            before_s = loop.time()
            await asyncio.sleep(TICK_S)
            late_s = loop.time() - before_s - TICK_S
            if late_s >= STOOD_MIN_S:
                self._stood_s = max(self._stood_s, late_s)
            else:
                self._grow_old(loop.time())

    @contextlib.contextmanager
    def _marking_old(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._came_s = math.inf

    def _grow_old(self, now_s: float) -> None:
        """Mark what is shown as old where the kernel sends nothing; a lost screen tells itself."""
        if self.newest is None or not now_s - self._came_s >= OLD_MIN_S:
            return
        with contextlib.suppress(LostError):
            if self._screen.takes_more:
                self._screen.show_old(self.newest, now_s - self._came_s)


def _is_nohup(number: signal.Signals) -> bool:
    """True for the hang-up of a command that was told to outlive its terminal."""
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


def stood_still(stood_s: float, before: Snapshot | None, now: Snapshot) -> str:
    """Say that this screen stood still, and what became of the treatment meanwhile."""
    words = f"this screen stood still for {stood_s:.0f} s"
    treatment = now.treatment
    if treatment is not None and treatment.over:
        return f"{words}; the treatment has ended meanwhile"
    if now.lead is not None and now.lead.gone:
        return (
            f"{words}, and the treatment was paused meanwhile: press p, or `corneum resume`, then "
            "release and press the hand switch"
        )
    if before is not None and before.lead != now.lead and now.lead is not None:
        return f"{words}; {now.lead.name or 'somebody'} leads the treatment now"
    return f"{words}; the treatment went on"
