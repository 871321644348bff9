"""A handpiece without a controller: the device on a virtual line, and a tiny host where wanted.

The tiny host keeps the lease and has no interlock of its own: whatever becomes safe, the device
did it. Who wants to speak to the device otherwise leaves it alone and opens the line themselves:
`rig.wire.open` gives the bytes, `rig.client` the controller's own client.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from firmware_protocol.vocabulary import Mode
from qa.matrix.host import TinyHost
from qa.rig import Rig, RigSpec, rig
from simulator.control_verbs import RefusedError
from simulator.plant.steps import SAMPLE_S

WAYS: Final = (Mode.DISARMED, Mode.READY, Mode.ARMED, Mode.ACTIVE, Mode.PAUSED)
"""The modes that a device can be brought into, in this order."""
REACHED_MAX_S: Final = 30.0
WELL_OPEN: Final = 0.1


class Alone:
    """The device, and the way into a treatment."""

    def __init__(self, made: Rig, tasks: asyncio.TaskGroup) -> None:
        self.rig = made
        self.peer = TinyHost()
        """What keeps the lease once `bring_to` was called; see `qa.matrix.host`."""
        self._tasks = tasks
        self._pump: asyncio.Task[None] | None = None

    async def bring_to(self, mode: str) -> None:
        """Bring the device into a mode; in ACTIVE the tip is on the skin and the valve is open.

        Raises:
            RefusedError: the mode is none of DISARMED, READY, ARMED, ACTIVE, PAUSED.
            TimeoutError: the device did not get there.
        """
        names = [each.name for each in WAYS]
        if mode not in names:
            raise RefusedError(f"a device is brought to one of {', '.join(names)}, not to {mode}")
        if self._pump is None:
            self._pump = self._tasks.create_task(self._pumping(), name="tiny-host")
        step = names.index(mode)
        self.peer.eager = True
        until = Mode.ARMED if step >= names.index("ARMED") else Mode[mode]
        await self._until(lambda: self.mode is until)
        self.peer.eager = False
        if step >= names.index("ACTIVE"):
            hand, truth = self.rig.handpiece.hand, self.rig.handpiece.plant.truth
            hand.place()
            hand.press()
            await self._until(lambda: truth.valve_open > WELL_OPEN)
            if mode == "PAUSED":
                hand.release()
                await self._until(lambda: self.mode is Mode.PAUSED)

    @property
    def mode(self) -> Mode:
        """The mode of the firmware."""
        return self.rig.handpiece.firmware.mode

    def hang_up(self) -> None:
        """Let the tiny host go: the line stays, nobody speaks."""
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    async def _until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(REACHED_MAX_S):
            while not reached():
                await asyncio.sleep(SAMPLE_S)
                self.rig.device.flush()

    async def _pumping(self) -> None:
        """Let the tiny host write whenever it wants to, 200 times a second."""
        loop = asyncio.get_running_loop()
        peer = self.peer
        stream = await self.rig.wire.open(
            lambda data: peer.hear(data, loop.time()), lambda _why: None
        )
        while True:
            said = peer.write(loop.time())
            if said:
                stream.write(said)
            await asyncio.sleep(SAMPLE_S)


@asynccontextmanager
async def alone(spec: RigSpec) -> AsyncIterator[Alone]:
    """Power a device on and off around a test."""
    async with rig(spec) as made, asyncio.TaskGroup() as tasks:
        pumped = Alone(made, tasks)
        yield pumped
        pumped.hang_up()
