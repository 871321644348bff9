"""Serving a handpiece in real time until somebody says that it is enough."""

import asyncio
import contextlib
import errno
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.claims import Claim, TakenError
from simulator.control import Control
from simulator.events import EventFile
from simulator.handpiece import Handpiece
from simulator.host import DeviceHost
from simulator.memory_file import SAVE_PERIOD_S, MemoryFile
from simulator.ports import Port, PortUnusableError, PtyPort, TcpPort

STDIN_CHUNK: Final = 4096
CONTROL_MAX_S: Final = 5.0  # whoever serves a socket accepts at once
PRIORITY: Final = 11
"""Above the kernel's 10, where the system permits it: a unit has a processor of its own, and one
that waits for that of the host would look like a line that is late."""
RUN_SOFT_US: Final = 500_000
RUN_HARD_US: Final = 2_000_000
"""How long this process may run without resting before it loses its priority, and its life: a
tick takes 0.1 ms, so that one which runs on is broken and must not lock the computer."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where the handpiece shall be found."""

    link: Path | None = None
    """A pty with this link; None and no ``tcp``: a pty without a link."""
    tcp: tuple[str, int] | None = None
    control: Path | None = None
    while_stdin: bool = False
    """End when standard input does: whoever holds its other end is gone."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a host needs to know."""

    port: str
    control: str | None
    pid: int


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run to the end, on uvloop where there is one: its timers keep better time.

    Ctrl-C is a KeyboardInterrupt from here on, so that what ``main`` has begun is ended.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        import uvloop  # noqa: PLC0415 - not there on every system
    except ImportError:
        asyncio.run(main)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)


def take_precedence() -> None:
    """Ask to run before ordinary processes, within a bound; where it is refused, go on without."""
    if sys.platform != "linux":
        return

    def give_up(_number: int, _frame: object) -> None:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))

    with contextlib.suppress(OSError, ValueError):  # ValueError: the limit was lower already
        signal.signal(signal.SIGXCPU, give_up)
        resource.setrlimit(resource.RLIMIT_RTTIME, (RUN_SOFT_US, RUN_HARD_US))
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(PRIORITY))


async def serve(
    handpiece: Handpiece,
    where: Where,
    on_ready: Callable[[Ready], None],
    events: EventFile | None = None,
    memory: MemoryFile | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or, where asked, the end of standard input.

    Raises:
        PortUnusableError: the port cannot be made.
        OSError: the control socket cannot be made.
    """
    loop = asyncio.get_running_loop()
    enough = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        outlet = _Outlet()
        host = DeviceHost(handpiece, loop, outlet.write)
        outlet.port = await stack.enter_async_context(_port(where, loop, host.receive))
        control = Control(host)
        if where.control is not None:
            await stack.enter_async_context(_listening(control, where.control))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, enough.set)
        if where.while_stdin:
            _end_with_stdin(loop, enough)
        gc.collect()
        gc.freeze()  # a collection over everything imported would hold up the device
        take_precedence()
        host.start()
        stack.callback(host.stop)
        if memory is not None:
            saving = loop.create_task(_keep_saved(memory, handpiece), name="memory")
            stack.callback(saving.cancel)
        on_ready(Ready(outlet.port.name, _text(where.control), os.getpid()))
        await enough.wait()
        handpiece.events({"t_s": round(handpiece.now_s, 6), "kind": "end"})
    if events is not None:
        events.close()


async def _keep_saved(memory: MemoryFile, handpiece: Handpiece) -> None:
    """Write what the unit keeps while nothing is armed: a disk may take long."""
    while True:
        await asyncio.sleep(SAVE_PERIOD_S)
        if not handpiece.firmware.board.policy.running:
            memory.save()


class _Outlet:
    """Where the device's bytes go, once there is a port."""

    port: Port | None = None

    def write(self, data: bytes) -> None:
        """Write to the port."""
        if self.port is not None:
            self.port.write(data)


@contextlib.asynccontextmanager
async def _port(
    where: Where, loop: asyncio.AbstractEventLoop, on_data: Callable[[bytes], None]
) -> AsyncIterator[Port]:
    if where.tcp is None:
        pty = PtyPort(where.link)
        with contextlib.closing(pty):
            pty.start(loop, on_data)
            yield pty
    else:
        tcp = TcpPort()
        with contextlib.closing(tcp):
            await tcp.start(loop, on_data, *where.tcp)
            yield tcp


@contextlib.asynccontextmanager
async def _listening(control: Control, path: Path) -> AsyncIterator[None]:
    claim = _claimed(path)
    try:
        _remove_dead(path)
        await control.start(path)
        ours = os.stat(path)  # noqa: PTH116 - nothing here waits for a disk
        try:
            yield
        finally:
            control.close()
            with contextlib.suppress(OSError):
                if os.path.samestat(ours, os.lstat(path)):
                    os.unlink(path)  # noqa: PTH108
    finally:
        claim.release()


def _claimed(path: Path) -> Claim:
    try:
        return Claim(path)
    except TakenError as error:
        sentence = (
            f"another simulator serves the control socket {path} ({error}); end it, or name another"
        )
        raise PortUnusableError(sentence, usage=False) from error
    except OSError as error:
        sentence = f"cannot make the control socket {path}: {error.strerror or error}"
        raise PortUnusableError(f"{sentence}; name another path", usage=False) from error


def _remove_dead(path: Path) -> None:
    """Remove a socket that nobody serves any more; refuse everything else that is there."""
    if not os.path.lexists(path):
        return
    if not path.is_socket():
        sentence = f"{path} exists and is not a socket; name another control socket"
        raise PortUnusableError(sentence, usage=True)
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(CONTROL_MAX_S)
        if probe.connect_ex(str(path)) != errno.ECONNREFUSED:  # full, denied: not known to be dead
            sentence = f"another program serves the control socket {path}; name another"
            raise PortUnusableError(sentence, usage=False)
    path.unlink()


def _end_with_stdin(loop: asyncio.AbstractEventLoop, enough: asyncio.Event) -> None:
    try:
        loop.add_reader(sys.stdin.fileno(), _watch_stdin, loop, enough)
    except OSError as error:  # a file or /dev/null cannot be waited for
        sentence = "--while-stdin needs a pipe or a terminal on standard input"
        raise PortUnusableError(sentence, usage=True) from error


def _watch_stdin(loop: asyncio.AbstractEventLoop, enough: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), STDIN_CHUNK):
        loop.remove_reader(sys.stdin.fileno())
        enough.set()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
