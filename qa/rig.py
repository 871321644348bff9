"""The whole service on one loop in virtual time: the kernel, the bytes of the line, the device.

Nothing of them is replaced: the kernel gets an opener for its port, a writer for its journal that
works inline, a source of nonces and a wall clock, all from one seed; the device is the same
`DeviceHost` that serves a pty. Two rigs with the same spec and the same scenario exchange the same
bytes at the same times, and `Rig.trace_sha256` says so.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from controller.api.requests import Request
from controller.api.software import Software
from controller.device.handpiece import HandpieceClient, Listeners
from controller.kernel.service import Kernel, Outside, Place, running
from controller.record.chain import BODY, chained
from controller.record.clocks import Here
from controller.record.journal import Journal
from controller.record.planner import Purpose
from controller.record.store import Store
from controller.record.writer import InlineWriter
from controller.treatment.kinds import Kind
from firmware_protocol.catalogue import PROTOCOL_MINOR
from qa.planning import plan_beside, planned_request
from qa.screen import Screen
from qa.wire import VirtualWire
from simulator.firmware.memory import Memory
from simulator.handpiece import Handpiece, Happening
from simulator.host import DeviceHost
from simulator.line import Line, Weather
from simulator.plant.deposit import DepositLog
from simulator.plant.hand import Hand
from simulator.plant.spec import PlantSpec

WALL_START_S: Final = (
    1_900_000_000.0  # a morning in March 2030; only written down, never decided on
)
LINE_DELAY_S: Final = 0.003  # one frame of 39 bytes at 115200 baud takes 3.4 ms
SOFTWARE: Final = Software("virtual", "virtual")  # the same record from every version
BOOT: Final = "virtual"  # all kernels of a run share its loop, whose clock never stands still
PID: Final = 1  # the record names the process; in virtual time there is only one
LOOK_S: Final = 0.05  # how often a scenario looks whether what it waits for has come
WAIT_MAX_S: Final = 600.0  # the longest zone of any program is shorter
FLOWING: Final = 0.05  # the lowest preset, 1 g/min, holds the valve open by 7 %

PRACTITIONER: Final = {"name": "qa", "role": "practitioner", "origin": "local"}


@dataclass(frozen=True, slots=True)
class RigSpec:
    """Everything that a run follows from, beside the scenario itself."""

    seed: int = 1
    hand: Hand | str = "average"
    plant: PlantSpec = field(default_factory=PlantSpec)
    weather: Weather = field(default_factory=lambda: Weather(delay_s=LINE_DELAY_S))
    configs: Path | None = None
    """Folder of the configuration; None is the shipped one."""
    record: Path | None = None
    """Folder of the journal; None keeps it in memory."""
    memory: Memory | None = None
    """What the unit kept of an earlier run; None is a unit as delivered."""
    minor: int = PROTOCOL_MINOR
    """The newest minor version of the protocol that the unit speaks."""
    deposit: bool = False
    """Keep a record of where the crystals went: `Rig.deposit`."""


class Rig:
    """A device on a line, ready for a host; made inside of `run_virtual`."""

    def __init__(self, spec: RigSpec) -> None:
        loop = asyncio.get_running_loop()
        self.spec = spec
        self.events: list[Happening] = []
        """What the device really did, as in the event file of `corneum-sim serve`."""
        self.handpiece = Handpiece(
            spec.seed,
            spec.hand,
            spec.plant,
            events=self.events.append,
            memory=spec.memory,
            minor=spec.minor,
        )
        self.deposit = DepositLog() if spec.deposit else None
        """Where the crystals went on the skin, zone by zone."""
        self.handpiece.plant.deposit = self.deposit
        self.screen: Screen | None = None
        """Who reads the zone off the screen; None while there is no kernel to show one."""
        self.wire = VirtualWire(self._line("to device"), self._line("to host"))
        self.device = DeviceHost(self.handpiece, loop, self._write)
        self._send = self.wire.attach_device(self.device.receive)
        self._nonces = random.Random(f"{spec.seed} host")  # noqa: S311 - a simulation must repeat
        self._names = random.Random(f"{spec.seed} journal")  # noqa: S311 - it goes to the unit
        self._store = Store(None)

    def client(self, listeners: Listeners) -> HandpieceClient:
        """Return a handpiece client for this line, with nonces from the seed."""
        return HandpieceClient(self.wire.open, listeners, nonces=self.nonce)

    def outside(self) -> Outside:
        """Return what the kernel reaches outside of itself: all of it deterministic."""
        folder = self.spec.record
        path = None if folder is None else folder / "journal.sqlite3"
        self._store = Store(path, name=self.journal_name())
        journal = Journal(InlineWriter(self._store), self.wall_clock, folder=folder)
        return Outside(
            self.client, journal, Here(self.wall_clock, self._boot()), pid=PID, software=SOFTWARE
        )

    def _boot(self) -> str:
        """Return the boot of the computer: another one where the loop began after the record."""
        rows = self._store.ask("SELECT id, text, hash FROM journal ORDER BY id DESC LIMIT 1")
        boots = self._store.ask(
            f"SELECT json_extract({BODY}, '$.boot') FROM journal WHERE kind = ?"  # noqa: S608
            " ORDER BY id DESC LIMIT 1",
            (Kind.KERNEL,),
        )
        if not rows or not boots:
            return BOOT
        (row,), ((before,),) = rows, boots
        newest = chained(*row)
        later = newest.mono_s <= asyncio.get_running_loop().time()
        return str(before) if later else f"{BOOT}-{newest.hash[:8]}"

    def journal_name(self) -> str:
        """Return the name of the next journal that is made: the same in each run of this seed."""
        return f"{self._names.getrandbits(64):016x}"

    def nonce(self) -> int:
        """Return the next nonce of the host."""
        return self._nonces.getrandbits(32)

    def wall_clock(self) -> float:
        """Return the wall time that belongs to the loop's time."""
        return WALL_START_S + asyncio.get_running_loop().time()

    def trace_sha256(self) -> str:
        """Return the hash over every byte of both directions, with their times."""
        return self.wire.trace.sha256()

    def journal_sha256(self) -> str:
        """Return the hash of the newest row of the journal: the chain stands for all of them."""
        (head,) = self._store.connection().execute("SELECT hash FROM head").fetchone()
        return str(head)

    @property
    def flows(self) -> bool:
        """Whether the valve stands open as far as a treatment has it."""
        return self.handpiece.plant.truth.valve_open > FLOWING

    def close(self) -> None:
        """Power off."""
        self.device.stop()
        self.wire.close()

    def _line(self, way: str) -> Line:
        weather = self.spec.weather
        line = Line(random.Random(f"{self.spec.seed} {way}").getrandbits(32))  # noqa: S311
        line.weather = weather
        return line

    def _write(self, data: bytes) -> None:
        self._send(data)
        if self.screen is not None:
            self.screen.look()


@asynccontextmanager
async def rig(spec: RigSpec | None = None) -> AsyncIterator[Rig]:
    """Power a device on and off around a scenario."""
    made = Rig(RigSpec() if spec is None else spec)
    made.device.start()
    try:
        yield made
    finally:
        made.close()


class Service:
    """A kernel that runs on a rig, and the words to drive it as any client of its API would."""

    def __init__(self, made: Rig, kernel: Kernel) -> None:
        self.rig = made
        self.kernel = kernel

    async def ask(self, do: str, **args: object) -> dict[str, Any]:
        """Ask as a practitioner at the unit; RefusedError is a refusal."""
        request = Request.model_validate({"do": do, "who": PRACTITIONER, "args": args})
        return await self.kernel.handle(await planned_request(self.kernel, request))

    async def plan(self, **args: object) -> dict[str, Any]:
        """Plan as `corneum plan` does, beside the kernel; or a RefusedError."""
        return await plan_beside(self.kernel, args, self.kernel.now(), Purpose.LOOK)

    def snapshot(self) -> dict[str, Any]:
        """Return everything there is to see."""
        return self.kernel.snapshot()

    @property
    def state(self) -> str:
        """The state of the treatment, or idle."""
        return str(self.snapshot()["state"])

    async def until(self, reached: Callable[[], bool], max_s: float = WAIT_MAX_S) -> float:
        """Wait until ``reached`` and return how long it took; TimeoutError after ``max_s``."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with asyncio.timeout(max_s):
            while not reached():
                await asyncio.sleep(LOOK_S)
        return loop.time() - began_s

    async def treat(self, program: str, client: str = "demo", **args: object) -> dict[str, Any]:
        """Run one treatment to its end and return the last snapshot."""
        await self.ask("treat", program=program, client=client, **args)
        await self.until(lambda: self.kernel.idle)
        return self.snapshot()


@asynccontextmanager
async def service(spec: RigSpec | None = None) -> AsyncIterator[Service]:
    """Run the whole service around a scenario: device, line and kernel."""
    async with rig(spec) as made:
        place = Place("virtual", configs=made.spec.configs)
        async with running(place, made.outside()) as kernel:
            made.screen = Screen(kernel, made.handpiece, made.spec.configs)
            yield Service(made, kernel)
