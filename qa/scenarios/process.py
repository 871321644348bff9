"""The kernel as a process of its own inside of a run: it can be killed, frozen and ended.

What leaves it are bytes on the line and rows in the record. A kill takes both away in the same
instant: the tasks still unwind, as Python has it, but nothing that they do can be noticed.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any, Final, TypeVar

from controller.api.requests import Request
from controller.device.answers import PortError, PortTrouble
from controller.device.handpiece import HandpieceClient, Listeners
from controller.device.transport import ByteStream, OnData, OnLost, Rank
from controller.kernel.service import Kernel, Outside, Place, running
from controller.record.chain import Stamped
from controller.record.clocks import Here
from controller.record.journal import Journal
from controller.record.store import RecordError, Store
from controller.record.writer import InlineWriter
from controller.safety.refusal import RefusedError, refusing
from qa.planning import planned_request
from qa.rig import SOFTWARE, Rig
from qa.scenarios.freeze import Frozen, context_of

T = TypeVar("T")

PORT_BUFFER_MAX_BYTES: Final = 65_536  # what a frozen reader does not fetch; a real tty keeps less
UNWIND_MAX_S: Final = 30.0  # virtual seconds for the tasks of a killed kernel


class KeptStore(Store):
    """A journal in memory that outlives its kernels, as a file would; its disk may fail or lag."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(None, name=name)
        self.full = False
        self.slow_s = 0.0
        """How long the disk takes for a job; it keeps their order."""
        self.on_row: Callable[[str], None] = _dropped
        """Hears the kind of each row that has become durable."""

    def close(self) -> None:
        """Do nothing: another kernel may open it."""

    def discard(self) -> None:
        """Close it for good."""
        super().close()

    def _transact(
        self, rows: Sequence[Stamped], refused: Callable[[], bool] = lambda: False
    ) -> int:
        if self.full:
            raise RecordError(
                "The journal in memory cannot be used (the disk is full): free space, or name "
                "another folder with CORNEUM_STATE."
            )
        return super()._transact(rows, refused)

    def _written(self, rows: Sequence[Stamped]) -> None:
        super()._written(rows)
        for row in rows:
            self.on_row(row.kind)


class _Port:
    """The kernel's end of the line, at the border of the process."""

    def __init__(self, made: Rig, process: "KernelProcess") -> None:
        self._wire = made.wire
        self._process = process
        self._outside = copy_context()
        self._inside = process.context.copy()
        self._on_data: OnData = _dropped
        self._on_lost: OnLost = _dropped
        self._stream: ByteStream | None = None
        self._waiting = b""
        self._lost: str | None = None

    async def open(self, on_data: OnData, on_lost: OnLost) -> ByteStream:
        """Open the line; fits `controller.device.transport.OpenStream`."""
        if self._process.killed:
            raise PortError(PortTrouble.NOT_FOUND, "the process is gone", "start another")
        self._on_data, self._on_lost = on_data, on_lost
        self._waiting, self._lost = b"", None
        self._stream = await self._wire.open(self._data, self._gone)
        return self

    def write(self, data: bytes, rank: Rank = Rank.ORDERLY) -> None:
        """Put bytes on the line, unless the process is gone."""
        if self._stream is not None and not self._process.killed:
            self._outside.run(self._stream.write, data, rank)

    def close(self) -> None:
        """Close this end."""
        if self._stream is not None:
            self._stream.close()

    def thaw(self) -> None:
        """Hand over what came meanwhile."""
        waiting, self._waiting = self._waiting, b""
        if waiting:
            self._data(waiting)
        if self._lost is not None:
            self._gone(self._lost)

    def _data(self, data: bytes) -> None:
        if self._process.frozen:
            self._waiting = (self._waiting + data)[:PORT_BUFFER_MAX_BYTES]
        elif not self._process.killed:
            self._inside.run(self._on_data, data)

    def _gone(self, why: str) -> None:
        if self._process.frozen:
            self._lost = why
        elif not self._process.killed:
            self._inside.run(self._on_lost, why)


class _Record:
    """The kernel's way to its journal, at the border of the process."""

    def __init__(self, store: KeptStore, process: "KernelProcess") -> None:
        self._writer = InlineWriter(store)
        self._store = store
        self._process = process
        self._done_at_s = 0.0
        """When the disk has done what it was given so far."""

    def submit(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Run ``job`` when the disk comes to it, unless the process is gone by then."""
        loop = asyncio.get_running_loop()
        self._done_at_s = max(self._done_at_s, loop.time() + self._store.slow_s)
        if self._done_at_s <= loop.time():
            return self._now(job)
        told: asyncio.Future[T] = loop.create_future()
        loop.call_at(self._done_at_s, self._later, job, told)
        return told

    def _now(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        return self._writer.submit(_nobody if self._process.killed else job)

    def _later(self, job: Callable[[Store], T], told: "asyncio.Future[T]") -> None:
        done = self._now(job)
        error = done.exception()
        if told.cancelled():
            return
        if error is None:
            told.set_result(done.result())
        else:
            told.set_exception(error)

    def close(self) -> None:
        """Leave the journal to the next kernel."""


def _nobody(_: Store) -> Any:  # noqa: ANN401  it never returns
    raise RecordError("the process is gone")


def _dropped(_: object) -> None:
    """Hear nothing."""


class KernelProcess:
    """One kernel from its start to its end."""

    def __init__(self, made: Rig, store: KeptStore, here: Here, configs: Path | None) -> None:
        self.context = context_of(self)
        self.killed = False
        self.kernel: Kernel | None = None
        """The kernel, from when it has started."""
        self._frozen: Frozen | None = None
        self._rig = made
        self._port = _Port(made, self)
        self._journal = Journal(_Record(store, self), here.wall_clock, folder=None)
        self._place = Place("virtual", configs=configs)
        self._outside = Outside(self._client, self._journal, here, software=SOFTWARE)
        self._started = asyncio.Event()
        self._told_to_end = asyncio.Event()
        self._inbox: list[Callable[[], None]] = []
        self._asks: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def frozen(self) -> bool:
        """True while it stands still."""
        return self._frozen is not None

    @property
    def over(self) -> bool:
        """True when nothing of it is left."""
        return self._task is not None and self._task.done() and not self._asks

    def start(self, ended: Callable[[RefusedError | None], None]) -> None:
        """Start; ``ended`` is called when it ends by itself, with the reason if it could not start.

        Whatever else goes wrong in it is raised by `unwound`.
        """
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(ended), name="kernel process", context=self.context)

    def ask(self, request: Request, answered: Callable[[RefusedError | None], None]) -> None:
        """Ask; a frozen kernel hears it when it goes on, a killed one never."""
        if self.killed or self.over:
            return
        if self.frozen:
            self._inbox.append(lambda: self.ask(request, answered))
            return
        task = asyncio.get_running_loop().create_task(
            self._answer(request, answered), name=f"ask {request.do.value}", context=self.context
        )
        self._asks.add(task)
        task.add_done_callback(self._asks.discard)

    def freeze(self) -> None:
        """Let it stand still while everything else goes on."""
        if self._frozen is None and not self.killed:
            self._frozen = Frozen(asyncio.get_running_loop(), self)

    def thaw(self) -> None:
        """Let it go on, with everything that came meanwhile."""
        frozen, self._frozen = self._frozen, None
        if frozen is None:
            return
        frozen.thaw()
        self._port.thaw()
        inbox, self._inbox = self._inbox, []
        for ask in inbox:
            ask()

    def kill(self) -> None:
        """End it at once: from now on nothing of it is heard, written or answered."""
        self.killed = True
        self.thaw()
        self._port.close()
        for task in (self._task, *self._asks):
            if task is not None:
                task.cancel()

    def end(self) -> None:
        """Tell it to end in order."""
        self._told_to_end.set()

    async def unwound(self) -> None:
        """Return when nothing of it is left; raises what went wrong in it."""
        async with asyncio.timeout(UNWIND_MAX_S):
            for task in (self._task, *self._asks):
                if task is None:
                    continue
                if self.killed:
                    await asyncio.wait([task])
                else:
                    await task

    def _client(self, listeners: Listeners) -> HandpieceClient:
        return HandpieceClient(self._port.open, listeners, nonces=self._rig.nonce)

    async def _run(self, ended: Callable[[RefusedError | None], None]) -> None:
        refused: RefusedError | None = None
        try:
            async with running(self._place, self._outside) as kernel:
                self.kernel = kernel
                self._started.set()
                await self._told_to_end.wait()
        except RefusedError as error:
            refused = error
        self._started.set()
        if not self.killed:
            ended(refused)

    async def _answer(
        self, request: Request, answered: Callable[[RefusedError | None], None]
    ) -> None:
        refused: RefusedError | None = None
        try:
            await self._started.wait()  # nobody can connect before
            if self.kernel is None:
                raise refusing("no_kernel", "The kernel did not start.", "Start it again.")
            await self.kernel.handle(await planned_request(self.kernel, request))
        except RefusedError as error:
            refused = error
        if not self.killed:
            answered(refused)
