"""What the stop and link tests share: a service under a witness, its states, and a slow journal."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from controller.api.requests import Request
from controller.kernel.service import Outside, Place, running
from controller.record.clocks import Here
from controller.record.journal import Journal, Row
from controller.record.store import Store
from controller.record.writer import InlineWriter
from qa.loop import VirtualLoop
from qa.matrix.witness import Due, Witness, injected
from qa.rig import PRACTITIONER, Rig, RigSpec, Service, rig
from simulator.handpiece import Happening

BLOCK_STEP_S = 0.02  # one telemetry period
COMMIT_S = 0.4  # a disk that takes its time: commits wait in the queue when STOP comes
STATES = (
    "idle", "preparing", "arming", "armed", "active", "paused", "stopping", "tripped",
    "completed", "stopped", "refused",
)  # fmt: skip


class SlowJournal(Journal):
    """A journal whose commits take long, from when it is told to."""

    slow = False

    async def commit(self, rows: Sequence[Row]) -> None:
        if self.slow:
            await asyncio.sleep(COMMIT_S)
        await super().commit(rows)


class Watched(Service):
    """A whole service whose device is held by a witness."""

    witness: Witness
    journal: SlowJournal

    def stop(self, *, emergency: bool = False) -> None:
        """Ask for STOP as any client of the API does, without waiting for anything."""
        args = {"emergency": True} if emergency else {}
        self.kernel.stop(Request.model_validate({"do": "stop", "who": PRACTITIONER, "args": args}))

    def of(self, kind: str) -> list[Happening]:
        return [event for event in self.witness.happened if event["kind"] == kind]

    def _on_from_active(self, state: str) -> None:
        if state == "paused":
            self.witness.hand.working = False
        elif state == "tripped":
            self.rig.handpiece.set_fault("tip-swapped")
        elif state in ("stopping", "stopped"):
            self.stop()

    async def bring_to(self, state: str) -> None:
        """Bring a treatment into ``state``, with the hand of the witness."""
        hand, handpiece = self.witness.hand, self.rig.handpiece
        hand.working = state not in ("preparing", "arming", "armed")
        if state == "idle":
            return
        if state == "refused":
            handpiece.set_fault("waste-full")
        await self.ask("treat", program="refresh", client="demo", zones=["nose"])
        if state in ("paused", "stopping", "tripped", "stopped"):
            await self.until(lambda: self.rig.flows, 30.0)
        self._on_from_active(state)
        async with asyncio.timeout(120.0):
            while self.state != state:
                await asyncio.sleep(0.002)
        if state == "active":
            await self.until(lambda: self.rig.flows, 30.0)


@asynccontextmanager
async def watched(spec: RigSpec | None = None) -> AsyncIterator[Watched]:
    """Run a whole service around a scenario, with the witness looking at every tick."""
    witness = Witness()
    spec = replace(RigSpec() if spec is None else spec, hand=witness)
    async with rig(spec) as made:
        witness.device = made.handpiece
        made.handpiece.record_to(witness.record)
        witness.begin(injected, Due.NEVER, jammed=False)
        journal = SlowJournal(InlineWriter(Store(None)), made.wall_clock, folder=None)
        outside = Outside(made.client, journal, Here(made.wall_clock))
        async with running(Place("virtual"), outside) as kernel:
            service = Watched(made, kernel)
            service.witness, service.journal = witness, journal
            yield service


def block(made: Rig, seconds: float) -> None:
    """Hold up the host's loop while the device goes on: what a long callback does."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    for _ in range(round(seconds / BLOCK_STEP_S)):
        loop.jumping.now_s += BLOCK_STEP_S
        made.device.flush()


def frames_down(made: Rig) -> list[tuple[float, bytes]]:
    """Return a list that keeps every chunk that the host writes from now on, with its time."""
    kept: list[tuple[float, bytes]] = []
    send = made.wire.send_down

    def keep(data: bytes) -> None:
        kept.append((asyncio.get_running_loop().time(), data))
        send(data)

    made.wire.send_down = keep  # type: ignore[method-assign]  # a tap on the line
    return kept
