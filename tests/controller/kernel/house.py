"""A kernel whose parts keep what they are asked, in the list of its unit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from controller.api.snapshot import UnfinishedView
from controller.api.software import Software
from controller.device.answers import LinkState, SilentError
from controller.kernel.service import Kernel, Outside, Place
from controller.record.clocks import Here
from controller.record.journal import Row
from controller.record.store import RecordError
from controller.safety.reading import Identity
from controller.treatment.events import Who
from firmware_protocol.vocabulary import Capability
from qa.loop import run_virtual
from tests.controller.kernel.memory import Memory

UNIT = Identity(1001, 5, "1.0", Capability.SIMULATED)
KERNEL = Who("kernel", "service", "local")
LEFT = (UnfinishedView(3, "c-0042", "refresh"),)
PLACE = Place("/dev/a", "/state/journal.sqlite3", Path("/configs"), "port-7.lock")


class Unit(Memory):
    """A unit that is connected, or is not, and keeps how often it was asked."""

    witnesses = True

    def __init__(self) -> None:
        super().__init__()
        self.fails: Exception | None = None
        self.stays_s = 0.0

    async def connect(self) -> Identity:
        self.done.append(("connect", asyncio.get_running_loop().time()))
        if self.fails is not None:
            raise self.fails
        return UNIT

    async def stay_connected(self) -> None:
        await asyncio.sleep(self.stays_s)
        self.done.append(("gave up", asyncio.get_running_loop().time()))
        self.state = LinkState.DISCONNECTED
        raise SilentError("It does not answer.", "Look.")

    async def close(self) -> None:
        self.done.append("line closed")

    async def commit(self, rows: Sequence[Row]) -> None:
        self.done.append(list(rows))

    def note(self, row: Row) -> None:
        self.done.append(row)

    async def log_record(self, record_seq: int) -> None:
        self.done.append(("log", record_seq))


class House:
    """A kernel whose parts write down what they are asked, in the list of its unit."""

    def __init__(self) -> None:
        self.unit = Unit()
        self.lost: str | None = None
        self.stopped: list[tuple[Who, bool]] = []
        journal = SimpleNamespace(
            note=self.unit.note,
            commit=self.unit.commit,
            close=self._does("record closed"),
            health=self.unit.health,
            rows=12,
            failure=None,
            witness=None,
            path=None,
        )
        self.outside = Outside(
            make_client=cast("Any", lambda _listeners: self.unit),
            journal=cast("Any", journal),
            here=Here(lambda: 1.9e9, "a boot", lambda: 3.25),
            claim=lambda identity: self.unit.done.append(("claim", identity)),
            pid=7,
            hear_stops=lambda stop: self.unit.done.append(("hear stops", stop)),
            software=Software("0.9", "3.11.7"),
        )
        self.kernel = Kernel(PLACE, self.outside)
        self.kernel._booking = cast(
            "Any",
            SimpleNamespace(
                check_tables=self._does("tables"),
                check_record=self._checks,
                ready=self._ready,
            ),
        )
        self.kernel._upkeep = cast(
            "Any",
            SimpleNamespace(
                begin=self._takes("record"),
                note=self._takes("treatments to note"),
                unfinished=LEFT,
                clock="It is so.",
            ),
        )
        self.kernel._device_log = cast(
            "Any",
            SimpleNamespace(
                begin=self._takes("log"), last_look=self._takes("last look"), faults=()
            ),
        )

    @property
    def done(self) -> list[Any]:
        return self.unit.done

    def _does(self, what: str) -> Callable[[], Awaitable[None]]:
        async def does() -> None:
            self.done.append(what)

        return does

    def _takes(self, what: str) -> Callable[..., Awaitable[None]]:
        async def takes(*given: object) -> None:
            self.done.append((what, *given))

        return takes

    async def _checks(self) -> None:
        self.done.append("record")
        if self.lost is not None:
            raise RecordError(self.lost)

    async def _ready(self, look: Callable[[], Awaitable[object]]) -> None:
        self.done.append(("ready", await look()))

    def treats(self, state: str, *, idle: bool = False) -> None:
        """Let a treatment seem to be under way."""

        def stop_now(who: Who, *, emergency: bool) -> None:
            self.stopped.append((who, emergency))

        shown = SimpleNamespace(state=state, link="identified", idle=idle, stop_now=stop_now)
        self.kernel.control = self.kernel._treating._control = cast("Any", shown)


def at_home(play: Callable[[House], Awaitable[None]]) -> House:
    async def whole() -> House:
        house = House()
        await play(house)
        return house

    return run_virtual(whole())
