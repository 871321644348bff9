"""A handpiece without a controller: the device on a virtual line, and a scripted host where wanted.

The scripted host keeps the lease and has no interlock of its own: whatever becomes safe, the device
did it. Who wants to speak to the device otherwise leaves it alone and opens the line themselves:
`rig.wire.open` gives the bytes, `rig.client` the controller's own client.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from firmware_protocol.vocabulary import Mode
from qa.host import WAYS, ScriptedHost, way_to
from qa.rig import Rig, RigSpec, rig
from simulator.control_verbs import RefusedError
from simulator.plant.steps import SAMPLE_S

REACHED_MAX_S: Final = 30.0


class Alone:
    """The device, and the way into a treatment."""

    def __init__(self, made: Rig, tasks: asyncio.TaskGroup) -> None:
        self.rig = made
        self.peer = ScriptedHost()
        """What keeps the lease once `bring_to` was called."""
        self._tasks = tasks
        self._pump: asyncio.Task[None] | None = None

    async def bring_to(self, mode: str) -> None:
        """Bring the device into a mode; in ACTIVE the tip is on the skin and the valve is open.

        Raises:
            RefusedError: the mode is none of `qa.host.WAYS`.
            TimeoutError: the device did not get there.
        """
        names = [each.name for each in WAYS]
        if mode not in names:
            raise RefusedError(f"a device is brought to one of {', '.join(names)}, not to {mode}")
        if self._pump is None:
            self._pump = self._tasks.create_task(self._pumping(), name="scripted-host")
        device = self.rig.handpiece
        for holds in way_to(Mode[mode], self.peer, device, self._press, device.hand.release):
            async with asyncio.timeout(REACHED_MAX_S):
                while not holds():
                    await asyncio.sleep(SAMPLE_S)
                    self.rig.device.flush()

    def hang_up(self) -> None:
        """Let the scripted host go: the line stays, nobody speaks."""
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None

    def _press(self) -> None:
        self.rig.handpiece.hand.place()
        self.rig.handpiece.hand.press()

    async def _pumping(self) -> None:
        """Let the scripted host write whenever it wants to, 200 times a second."""
        loop = asyncio.get_running_loop()
        hear = self.peer.hear
        stream = await self.rig.wire.open(lambda data: hear(data, loop.time()), lambda _why: None)
        while True:
            said = self.peer.write(loop.time())
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
