"""A kernel and a handpiece in two times: the kernel can be killed or frozen, the device goes on.

Each kernel lives on a virtual loop of its own; the device and the line are stepped beside it, 5 ms
at a time. A killed kernel is simply never run again, and what it still holds cannot reach the line;
a frozen one finds, when it goes on, that its clock has jumped and its input has piled up.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from controller.api.requests import Request
from controller.device.answers import PortError, PortTrouble, StreamLostError
from controller.device.handpiece import HandpieceClient, Listeners
from controller.device.transport import READ_MAX, ByteStream, OnData, OnLost, Rank
from controller.kernel.service import Kernel, Outside, Place, running
from controller.record.clocks import Here
from controller.record.journal import Journal
from controller.record.store import Store
from controller.record.writer import InlineWriter
from controller.safety.refusal import RefusedError
from firmware_protocol.session import tick_of
from qa.ledger import Ledger
from qa.loop import VirtualLoop
from qa.planning import planned_request
from qa.rig import LINE_DELAY_S, WALL_START_S
from simulator.handpiece import Handpiece, Happening
from simulator.line import Line, Weather

TICK_S = 0.005
CALM = Weather(delay_s=LINE_DELAY_S)
FOR_EVER_S = 1e9
BURY_MAX_S = 30.0
RECORDED_MAX = 400  # twenty seconds of setpoints


async def asked(kernel: Kernel, request: Request) -> dict[str, Any]:
    """Ask as any client does: a treatment is planned first."""
    return await kernel.handle(await planned_request(kernel, request))


class KeptStore(Store):
    """A journal in memory that outlives the kernels that write it."""

    def close(self) -> None:
        """Stay open: the next kernel reads what this one wrote."""

    def close_for_good(self) -> None:
        super().close()


class HostEnd:
    """The byte stream of one kernel."""

    def __init__(self, process: "Process", on_data: OnData, on_lost: OnLost) -> None:
        self.on_data = on_data
        self.on_lost = on_lost
        self._process = process

    def write(self, data: bytes, rank: Rank = Rank.ORDERLY) -> None:
        del rank
        if self._process.end is not self:
            raise StreamLostError("the line is closed", "reconnect")
        self._process.send(data)

    def close(self) -> None:
        if self._process.end is self:
            self._process.end = None


class Process:
    """One kernel from its start to its death."""

    def __init__(self, pair: "Pair", seed: str) -> None:
        self.pair = pair
        self.kernel: Kernel | None = None
        self.end: HostEnd | None = None
        self.dead = False
        self.frozen = False
        self.inbox = b""
        self.asked: list[tuple[str, asyncio.Task[dict[str, Any]]]] = []
        self.refusals: list[tuple[str, RefusedError]] = []
        self.loop = VirtualLoop()
        self.loop.jumping.limit_s = FOR_EVER_S
        self.loop.jumping.now_s = pair.now_s
        self._nonces = random.Random(f"{seed} nonces")  # noqa: S311 - a test must repeat
        self._enough = asyncio.Event()
        self.main = self.loop.create_task(self._main(), name="kernel process")

    async def _main(self) -> None:
        journal = Journal(InlineWriter(self.pair.store), self._wall_s, folder=None)
        outside = Outside(self._client, journal, Here(self._wall_s))
        async with running(Place("pair"), outside) as kernel:
            self.kernel = kernel
            await self._enough.wait()

    def _client(self, listeners: Listeners) -> HandpieceClient:
        return HandpieceClient(self._open, listeners, nonces=lambda: self._nonces.getrandbits(32))

    def _wall_s(self) -> float:
        return WALL_START_S + self.loop.time()

    async def _open(self, on_data: OnData, on_lost: OnLost) -> ByteStream:
        await asyncio.sleep(0)
        if not self.pair.plugged:
            raise PortError(PortTrouble.NOT_FOUND, "the line is unplugged", "plug it in")
        self.end = HostEnd(self, on_data, on_lost)
        return self.end

    def send(self, data: bytes) -> None:
        if not self.dead and self.pair.plugged:
            self.pair.down.send(data, self.loop.time())

    def ask(self, do: str, who: dict[str, str], **args: object) -> None:
        """Ask as any client of the API would; the answer is looked at when it has come."""
        if self.kernel is None:
            return
        request = Request.model_validate({"do": do, "who": who, "args": args})
        task = self.loop.create_task(asked(self.kernel, request), name=f"ask {do}")
        self.asked.append((do, task))

    def snapshot(self) -> dict[str, Any] | None:
        """Return what the kernel shows, or None from one that cannot answer."""
        kernel = self.kernel
        if kernel is None or self.dead or self.frozen:
            return None

        async def look() -> dict[str, Any]:
            return kernel.snapshot()

        return self.loop.run_until_complete(look())

    def step(self, to_s: float) -> None:
        """Run everything that is due by ``to_s``."""
        if self.frozen or self.dead:
            return
        if self.loop.time() < to_s - 2 * TICK_S:  # thawed: the clock went on without it
            self.loop.jumping.now_s = to_s - TICK_S
        if self.inbox and self.end is not None:
            self.loop.call_soon(self.end.on_data, self.inbox)
        self.inbox = b""
        self.loop.call_at(to_s, self.loop.stop)
        self.loop.run_forever()
        for do, task in [one for one in self.asked if one[1].done()]:
            self.asked.remove((do, task))
            error = task.exception()
            if isinstance(error, RefusedError):
                self.refusals.append((do, error))
            elif error is not None:
                raise error

    def hear(self, data: bytes) -> None:
        """Let bytes arrive; a kernel that does not read keeps what a tty holds."""
        self.inbox = (self.inbox + data)[:READ_MAX]

    def lose(self, why: str) -> None:
        """Tell the host that its line is gone."""
        end, self.end = self.end, None
        self.inbox = b""
        if end is not None and not self.dead:
            self.loop.call_soon(end.on_lost, why)

    def bury(self) -> None:
        """Let go of everything, after the scenario."""
        self.dead = True
        self.loop.jumping.limit_s = self.loop.time() + BURY_MAX_S
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        gathered = asyncio.all_tasks(self.loop)
        if gathered:
            self.loop.run_until_complete(asyncio.wait(gathered, timeout=BURY_MAX_S / 2))
        for task in gathered:
            if task.done() and not task.cancelled():
                task.exception()  # looked at: nobody is left to be told
        self.loop.close()


class Pair:
    """Device, line, and whichever kernel is alive."""

    def __init__(
        self, seed: int, look: Callable[[], None], happened: Callable[[Happening], None]
    ) -> None:
        self.seed = seed
        self.now_s = 0.0
        self.plugged = True
        self.store = KeptStore(None, name=f"{seed:016x}")
        self.handpiece = Handpiece(seed, "average", events=happened)
        self.ledger = Ledger()
        self.down, self.up = Line(f"{seed} down"), Line(f"{seed} up")
        self.down.weather = self.up.weather = CALM
        self.process: Process | None = None
        self.graves: list[Process] = []
        self.recorded: deque[bytes] = deque(maxlen=RECORDED_MAX)
        """What has arrived at the device, for somebody to play it back."""
        self._look = look
        self._started = 0

    # -- the kernel --------------------------------------------------------------------------------
    def start(self) -> None:
        """Start a kernel, if there is none."""
        if self.process is not None and self.process.main.done():
            self.kill()  # it never got to the unit
        if self.process is None:
            self._started += 1
            self.process = Process(self, f"{self.seed} {self._started}")

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.dead = True
            self.graves.append(self.process)
            self.process = None

    # -- time --------------------------------------------------------------------------------------
    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK_S)):
            self.tick()

    def until(self, holds: Callable[[], bool], at_most_s: float) -> bool:
        for _ in range(round(at_most_s / TICK_S)):
            if holds():
                return True
            self.tick()
        return holds()

    def tick(self) -> None:
        """Let 5 ms pass for everybody."""
        to_s = round(self.now_s + TICK_S, 6)
        process, device = self.process, self.handpiece
        if process is not None:
            process.step(to_s)
            if self.process is process and process.main.done() and process.kernel is not None:
                process.main.result()
                raise AssertionError("the kernel has ended by itself")
        arrived = self.down.deliver(to_s)
        if arrived and self.plugged:
            self.recorded.append(arrived)
            self.arrive(arrived)
        device.advance(to_s)
        self.now_s = to_s
        self._say()
        self._look()

    def arrive(self, data: bytes) -> None:
        """Hand over what has arrived, one frame at a time, so that each answer is understood."""
        device = self.handpiece
        if device.plant.faults.effects.firmware_halted:
            return  # nobody reads
        at_s = device.now_s + 0.004
        tick_ms = tick_of(at_s, device.firmware.board.identity.boot_tick_ms)
        runs = data.split(b"\0")
        for number, run in enumerate(runs):
            piece = run if number == len(runs) - 1 else run + b"\0"
            self.ledger.hear(piece, at_s * 1000, tick_ms)
            device.receive(piece, at_s)
            self._say()

    def _say(self) -> None:
        said = self.handpiece.outgoing()
        if said:
            self.ledger.say(said, self.handpiece.firmware.link.session)
            if self.plugged:
                self.up.send(said, self.now_s)
        arrived = self.up.deliver(self.now_s)
        if arrived and self.plugged and self.process is not None:
            self.process.hear(arrived)

    def forget(self) -> None:
        """The device has restarted: it knows nothing of what it was told."""
        self.ledger = Ledger()

    # -- the line ----------------------------------------------------------------------------------
    def unplug(self) -> None:
        self.plugged = False
        if self.process is not None:
            self.process.lose("unplugged")

    def close(self) -> None:
        """Bury every kernel. Nothing of them is looked at any more."""
        self.kill()
        for process in self.graves:
            process.bury()
        self.store.close_for_good()
