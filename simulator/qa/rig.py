"""The whole service on one loop in virtual time: the kernel, the bytes of the line, the device.

Nothing of them is replaced: the kernel gets an opener for its port, a writer for its journal that
works inline, a source of nonces and a wall clock, all from one seed; the device is the same
`DeviceHost` that serves a pty. Two rigs with the same spec and the same scenario exchange the same
bytes at the same times, and `Rig.trace_sha256` says so.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from controller.device.handpiece import HandpieceClient, Listeners
from simulator.handpiece import Handpiece, Happening
from simulator.host import DeviceHost
from simulator.line import Line, Weather
from simulator.plant.hand import Hand
from simulator.plant.spec import PlantSpec
from simulator.qa.wire import VirtualWire

WALL_START_S: Final = (
    1_900_000_000.0  # a morning in March 2030; only written down, never decided on
)
LINE_DELAY_S: Final = 0.003  # one frame of 39 bytes at 115200 baud takes 3.4 ms


@dataclass(frozen=True, slots=True)
class RigSpec:
    """Everything that a run follows from, beside the scenario itself."""

    seed: int = 1
    hand: Hand | str = "average"
    plant: PlantSpec = field(default_factory=PlantSpec)
    weather: Weather = field(default_factory=lambda: Weather(delay_s=LINE_DELAY_S))


class Rig:
    """A device on a line, ready for a host; made inside of `run_virtual`."""

    def __init__(self, spec: RigSpec) -> None:
        loop = asyncio.get_running_loop()
        self.spec = spec
        self.events: list[Happening] = []
        """What the device really did, as in the event file of `corneum-sim serve`."""
        self.handpiece = Handpiece(spec.seed, spec.hand, spec.plant, events=self.events.append)
        self.wire = VirtualWire(self._line("to device"), self._line("to host"))
        self.device = DeviceHost(self.handpiece, loop, self._write)
        self._send = self.wire.attach_device(self.device.receive)
        self._nonces = random.Random(f"{spec.seed} host")  # noqa: S311 - a simulation must repeat

    def client(self, listeners: Listeners) -> HandpieceClient:
        """Return a handpiece client for this line, with nonces from the seed."""
        return HandpieceClient(self.wire.open, listeners, nonces=self.nonce)

    def nonce(self) -> int:
        """Return the next nonce of the host."""
        return self._nonces.getrandbits(32)

    def wall_clock(self) -> float:
        """Return the wall time that belongs to the loop's time."""
        return WALL_START_S + asyncio.get_running_loop().time()

    def trace_sha256(self) -> str:
        """Return the hash over every byte of both directions, with their times."""
        return self.wire.trace.sha256()

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


@asynccontextmanager
async def rig(spec: RigSpec | None = None) -> AsyncIterator[Rig]:
    """Power a device on and off around a scenario."""
    made = Rig(RigSpec() if spec is None else spec)
    made.device.start()
    try:
        yield made
    finally:
        made.close()
