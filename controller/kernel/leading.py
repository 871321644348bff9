"""The leading screen of a treatment: the one that proves that it lives and is read from.

The connection that asked for the treatment leads. Each line of a watch has a number, and a screen
confirms the numbers that it has shown; what counts is the age of the newest confirmed line, by the
kernel's own clock at sending. A screen that was closed, killed, suspended, or whose terminal stands
still confirms nothing. After `SILENT_MAX_S` the treatment pauses, and goes on only from a screen
at the unit whose person may treat. Who asks in the kernel's own process has no connection, and
leads as long as the kernel lives.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from controller.api.authority import Do
from controller.api.requests import Request, WhoSays
from controller.api.snapshot import LeadView
from controller.api.viewer import SILENT_MAX_S, Viewer
from controller.kernel.control import Control
from controller.record.journal import Row
from controller.safety.guide_texts import NO_SCREEN
from controller.safety.interlocks import LOOP_STALL_MAX_S
from controller.safety.refusal import Refusal, RefusedError
from controller.treatment.events import Command, Who
from controller.treatment.kinds import Kind
from controller.treatment.states import LIVE, State

LOOK_S: Final = 0.1
"""How often the age of the leading screen is judged; it adds to `SILENT_MAX_S`."""

UNLED_MAX_S: Final = 600.0
"""For so long a paused treatment waits for a screen, then it is stopped in order: long enough to
fetch somebody, and no longer than a treatment in which nobody treats (`supervisor.IDLE_MAX_S`)."""

KERNEL: Final = Who("kernel", "service", "local")
GONE: Final = "the leading screen is gone"

_HOLDABLE: Final = frozenset({State.PREPARING.value, *(state.value for state in LIVE)})

NO_SCREEN_LEADS: Final = Refusal(
    "no_screen",
    "No screen at the unit shows this treatment, so it stays paused.",
    "Open one with `corneum watch` beside the client, then press p there.",
)


class Leading:
    """Knows the screens and which of them leads, and pauses the treatment that has none."""

    def __init__(
        self, control: Control, commit: Callable[[Sequence[Row]], Awaitable[None]]
    ) -> None:
        self._control = control
        self._commit = commit
        self._viewers: set[Viewer] = set()
        self._leader: Viewer | None = None
        """None where nobody leads, and where the asker is in this process."""
        self._name = ""
        self._since_s = 0.0
        """From when the leader is judged, or when it was lost."""
        self._lost = False
        self._begun = False
        self._watched = asyncio.Event()
        """Set while a connection leads or its loss stands: else there is nothing to judge."""

    @property
    def view(self) -> LeadView | None:
        """Who leads, or led last; None before the first treatment."""
        return LeadView(self._name, gone=self._lost) if self._begun else None

    async def answer(
        self,
        request: Request,
        viewer: Viewer | None,
        answers: Callable[[Request], Awaitable[dict[str, Any]]],
    ) -> dict[str, Any]:
        """Answer a request and keep account of who leads. RefusedError where nobody could lead."""
        if request.do is Do.SEEN:
            return {}  # the server takes it where it reads; in the kernel's process nobody watches
        if request.do is Do.RESUME and self._lost and self._control.state in _HOLDABLE:
            await self._take(viewer, request.who)
        if request.do is not Do.TREAT:
            return await answers(request)
        if self._control.state not in _HOLDABLE:
            self._over()  # nobody who led the last one is judged in the next
        before = self._treatment()
        try:
            return await answers(request)
        finally:  # also where the answer is no: what has begun has a leader
            if self._treatment() != before:
                self._led_by(viewer, request.who.name)

    def watched(self, viewer: Viewer, who: WhoSays) -> None:
        """Take a connection that watches from now on for a screen."""
        viewer.who = who
        self._viewers.add(viewer)

    async def watch(self) -> None:
        """Judge the leading screen until cancelled."""
        loop = asyncio.get_running_loop()
        while await self._watched.wait():
            before_s = loop.time()
            await asyncio.sleep(LOOK_S)
            now_s = loop.time()
            if now_s - before_s - LOOK_S > LOOP_STALL_MAX_S and not self._lost:
                self._since_s = now_s  # this process did not run: what was confirmed waits unread
            await self.look(now_s)

    async def look(self, now_s: float) -> None:
        """Pause the treatment if its leading screen is gone at ``now_s``; stop one that waits."""
        self._viewers = {viewer for viewer in self._viewers if not viewer.closed}
        if self._control.state not in _HOLDABLE:
            self._over()
        elif self._lost and not now_s - self._since_s <= UNLED_MAX_S:
            self._control.stop_now(KERNEL)
        elif self._leader is not None and not self._is_read(self._leader, now_s):
            await self._pause(now_s)

    def _is_read(self, leader: Viewer, now_s: float) -> bool:
        """Return whether the leader has shown something new; its first line is on its way."""
        return min(leader.age_s(now_s), now_s - self._since_s) <= SILENT_MAX_S

    def _over(self) -> None:
        """Nothing can be paused any more: the treatment ends, or has tripped."""
        if self._lost:
            self._control.alarms.settle(NO_SCREEN.code)
        if self._leader is not None:
            self._leader.leads = False
        self._leader, self._lost = None, False
        self._watched.clear()

    async def _pause(self, now_s: float) -> None:
        self._lose(now_s)
        with contextlib.suppress(RefusedError):  # over by now, or held although its row is lost
            await self._control.person(Command.PAUSE, KERNEL, why=GONE)

    async def _take(self, viewer: Viewer | None, who: WhoSays) -> None:
        """Give the lead to the screen that asks, else to the one that was read from last."""
        now_s = asyncio.get_running_loop().time()
        able = [one for one in self._viewers if one.may_lead(now_s)]
        if not able:
            raise RefusedError(NO_SCREEN_LEADS)
        taker = viewer if viewer in able else min(able, key=lambda one: one.age_s(now_s))
        before, says = self._name, taker.who or who
        self._led_by(taker, says.name)
        body = {"who": says.model_dump(mode="json"), "from": before, "asked": who.name}
        try:
            await self._commit([Row(Kind.LEAD, body, self._treatment())])
        except BaseException:
            self._lose(now_s)
            raise
        self._control.alarms.settle(NO_SCREEN.code)

    def _led_by(self, viewer: Viewer | None, name: str) -> None:
        if self._leader is not None:
            self._leader.leads = False
        self._leader, self._name, self._lost, self._begun = viewer, name, False, True
        self._since_s = asyncio.get_running_loop().time()
        if viewer is not None:
            viewer.leads = True
            self._watched.set()

    def _lose(self, now_s: float) -> None:
        if self._leader is not None:
            self._leader.leads = False
        self._leader, self._lost, self._since_s = None, True, now_s
        self._control.alarms.put(NO_SCREEN, now_s)

    def _treatment(self) -> int:
        shown = self._control.snapshot().treatment
        return 0 if shown is None else shown.id
