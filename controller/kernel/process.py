"""The kernel's process: locks, loop, journal thread, socket, signals, and one line on stdout.

The line is ``{"ready": true, "socket", "pid", "unit", "precedence"}`` or ``{"ready": false,
"error": {...}}``, which stands as a sentence on standard error too; after it nothing is printed
but the latter, where a fault of our own ends the kernel: that is called so and leaves a file for
support. The process ends at SIGTERM or SIGINT (in order; a
second one vents at once), at the request ``shutdown``, and, where it was started for a treatment:
with ``--until-idle`` when nobody is connected, nothing runs and no trip waits for its reset; with
``--once`` in order when its client has gone. Such a kernel holds nothing of the process that
started it.
"""

import argparse
import asyncio
import contextlib
import functools
import json
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NoReturn

from controller.api import own_output
from controller.api.fault_files import FAULT, Files, fault_sentence, support_step
from controller.api.faults import FaultHandler
from controller.api.interrupts import INTERRUPTED, end_at_once, unwind
from controller.api.peer import listen
from controller.api.server import Server
from controller.api.stop_way import StopWay
from controller.api.trouble import trouble_of
from controller.api.viewer import SILENT_MAX_S
from controller.config import paths
from controller.device.handpiece import HandpieceClient, Listeners
from controller.device.precedence import (
    Precedence,
    loop_factory,
    settle_memory,
    take_precedence,
)
from controller.device.transport import open_stream
from controller.kernel.service import Kernel, Outside, Place, running
from controller.record.claims import claimed_port, claimed_unit
from controller.record.computer import here
from controller.record.journal import Journal, Row
from controller.record.locks import Lock, LockState, look
from controller.record.notary_call import have_noted
from controller.record.store import Store
from controller.record.sweep import sweep
from controller.record.verifier import check_apart
from controller.record.waveform_feed import WaveformFeed
from controller.record.waveform_process import FOLDER, RecorderProcess
from controller.record.writer import ThreadWriter
from controller.safety.reading import Identity
from controller.safety.refusal import ENVIRONMENT, Refusal, RefusedError, refusing
from controller.treatment.kinds import Kind

EXIT_OK: Final = 0
EXIT_REFUSED: Final = 1
EXIT_USAGE: Final = 2
EXIT_PORT: Final = 3
EXIT_FAULT: Final = 70  # EX_SOFTWARE of sysexits.h

PORT_CODES: Final = frozenset({"port", "unit", "device", "kernel", "link", ENVIRONMENT})
"""First words of the error codes that mean port or device, or that something was out of reach."""

PROGRAM: Final = "controller.kernel"
USAGE: Final = "usage"

ONCE_WAIT_S: Final = 30.0
"""How long a kernel for one treatment waits for somebody to ask for it."""

TRIP_STAY_S: Final = 600.0
"""How long a kernel for one treatment stays after a trip, for somebody to acknowledge and reset."""

LOOK_S: Final = 0.1
"""How often a kernel for one treatment looks whether it is done."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    port: str
    state: Path
    configs: Path | None
    socket: Path
    once: bool
    until_idle: bool = False

    @property
    def for_treatment(self) -> bool:
        """True where another process started this one for its treatment."""
        return self.once or self.until_idle


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a kernel until it is told to end; returns the exit code."""
    own_output.keep_low_descriptors()
    unwind()
    files = Files(PROGRAM)
    try:
        options = _options(arguments)
        files = Files(PROGRAM, options.state)
        threading.excepthook = functools.partial(_thread_failed, files)
        with (
            claimed_port(options.state, options.port),
            asyncio.Runner(loop_factory=loop_factory()) as runner,
        ):
            runner.run(_serve(options, FaultHandler(files.leave)))
    except KeyboardInterrupt:
        return INTERRUPTED
    except RefusedError as error:
        return _refused(error.refusal)
    except Exception as error:  # noqa: BLE001 - nothing that ends a kernel is a traceback
        return _refused(_unforeseen(error, files))
    finally:
        end_at_once()
    return EXIT_OK


def _thread_failed(files: Files, said: threading.ExceptHookArgs) -> None:
    if said.exc_value is not None:
        step = support_step(files.leave(said.exc_value, "a thread"))
        own_output.write_line(sys.stderr, f"{fault_sentence(said.exc_value, 'the kernel')} {step}")


def _refused(why: Refusal) -> int:
    """Say why there is no kernel, or none any more, and return the exit code."""
    said = {"code": why.code, "sentence": why.sentence, "next_step": why.next_step}
    own_output.write_line(sys.stderr, f"{why.sentence} {why.next_step}".strip())
    _say({"ready": False, "error": said})
    kind = why.code.partition("_")[0]
    if kind in {USAGE, FAULT}:
        return EXIT_USAGE if kind == USAGE else EXIT_FAULT
    return EXIT_PORT if kind in PORT_CODES else EXIT_REFUSED


def _unforeseen(error: Exception, files: Files) -> Refusal:
    trouble = trouble_of(error)
    if trouble is not None:
        return trouble
    path = files.leave(error, "its start or run")
    return Refusal(FAULT, fault_sentence(error, "the kernel"), support_step(path))


class _Parser(argparse.ArgumentParser):
    """Tells a mistake on the command line as every other refusal is told."""

    def error(self, message: str) -> NoReturn:
        """Refuse."""
        step = f"`python -m {PROGRAM} --help` lists the options."
        raise refusing(USAGE, f"The command line of the kernel is wrong: {message}.", step)


def _options(arguments: Sequence[str] | None) -> Options:
    parser = _Parser(prog=PROGRAM, description="The control process.")
    parser.add_argument("--port", required=True, help="device, pty or tcp://host:port")
    parser.add_argument("--state", help="state folder; default as for the command line")
    parser.add_argument("--configs", type=Path, help="configuration folder; default: as shipped")
    parser.add_argument("--socket", type=Path, help="where to listen; default: under the state")
    ending = parser.add_mutually_exclusive_group()
    ending.add_argument(
        "--until-idle", action="store_true", help="end when nothing runs and no trip stands"
    )
    ending.add_argument("--once", action="store_true", help="end with the client")
    said = parser.parse_args(arguments)
    state, port = paths.state_dir(said.state), paths.port_name(said.port)
    return Options(
        port=port,
        state=state,
        configs=said.configs.absolute() if said.configs is not None else None,
        socket=(said.socket or paths.socket_path(state, port)).absolute(),
        once=said.once,
        until_idle=said.until_idle,
    )


async def _serve(options: Options, faults: FaultHandler) -> None:
    asyncio.get_running_loop().set_exception_handler(faults.heard)
    unit_lock: list[Lock] = []
    ended = asyncio.Event()
    listening = False
    way = _way_for_stops(options)
    try:
        outside = replace(_outside(options, unit_lock), hear_stops=way.serve, faults=faults)
        async with running(_place(options), outside) as kernel:
            server = Server(kernel, on_shutdown=ended.set, faults=faults)
            await server.open(_listener(options))
            listening = True
            _write_kernel_file(options)
            sweep(options.state)
            _on_signals(kernel, ended)
            settle_memory()
            granted = take_precedence()  # now that all its threads are there
            kernel.control.timing.precedence = granted
            outside.journal.note(Row(Kind.PRECEDENCE, granted.as_dict()))
            _say(_ready(options, kernel, granted))
            if options.for_treatment:
                own_output.hold_nothing()
            await _until(ended, kernel, server, options)
            await kernel.end()
            await server.close()
            way.close()  # from here on nothing moves, and `corneum stop` finds no kernel
    finally:
        way.close()
        if listening:
            _remove_files(options)
        for lock in unit_lock:
            lock.release()


def _listener(options: Options) -> socket.socket:
    try:
        return listen(options.socket)
    except OSError as error:
        raise refusing(
            "kernel_socket",
            f"The kernel cannot listen at {options.socket} ({error.strerror}).",
            "Name another place with --socket.",
        ) from error


def _way_for_stops(options: Options) -> StopWay:
    way = StopWay(options.port, os.getpid())
    try:
        way.open()
    except OSError as error:
        raise refusing(
            "kernel_stop",
            f"The kernel cannot listen for STOP ({error.strerror}), and without it nothing starts.",
            "Look with `ss -xl | grep corneum/stop` who holds its name.",
        ) from error
    return way


def _place(options: Options) -> Place:
    return Place(
        port=options.port,
        record_path=str(paths.journal_path(options.state)),
        configs=options.configs,
        lock=paths.port_lock(options.state, options.port).name,
    )


def _outside(options: Options, unit_lock: list[Lock]) -> Outside:
    def make_client(listeners: Listeners) -> HandpieceClient:
        return HandpieceClient(functools.partial(open_stream, options.port), listeners)

    def alive(lock: str) -> LockState:
        return look(paths.run_dir(options.state) / Path(lock).name)

    def claim(identity: Identity) -> None:
        unit_lock.append(claimed_unit(options.state, identity.serial))

    store = Store(paths.journal_path(options.state))
    # Wall time is only written down (journal, intervals of days); nothing that moves depends on it.
    clocks = here()
    journal = Journal(
        ThreadWriter(store),
        clocks.wall_clock,
        folder=options.state,
        check=check_apart,
        witness=have_noted,
    )
    waves = WaveformFeed(journal, clocks, RecorderProcess(options.state / FOLDER))
    return Outside(make_client, journal, clocks, alive, claim, waves=waves)


async def _until(ended: asyncio.Event, kernel: Kernel, server: Server, options: Options) -> None:
    """Wait for the end: told so, or as a kernel that was started for a treatment."""
    if not options.for_treatment:
        await ended.wait()
        return
    loop = asyncio.get_running_loop()
    patience_s = loop.time() + ONCE_WAIT_S
    stay_s, alone_s = math.inf, math.inf
    while not ended.is_set():
        now_s = loop.time()
        waiting = kernel.treatments == 0 and now_s < patience_s and not server.had_clients
        stay_s = min(stay_s, now_s + TRIP_STAY_S) if kernel.tripped else math.inf
        alone_s = min(alone_s, now_s) if server.clients == 0 else math.inf
        tripped = kernel.tripped and now_s < stay_s and not options.once
        left = options.once and now_s >= alone_s + SILENT_MAX_S
        if server.clients == 0 and not waiting and not tripped and (kernel.idle or left):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await ended.wait()


def _on_signals(kernel: Kernel, ended: asyncio.Event) -> None:
    def told() -> None:
        if ended.is_set():
            kernel.vent()
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)


def _ready(options: Options, kernel: Kernel, granted: Precedence) -> dict[str, Any]:
    return {
        "ready": True,
        "socket": str(options.socket),
        "pid": os.getpid(),
        "unit": kernel.snapshot()["unit"],
        "precedence": granted.as_dict(),
    }


def _write_kernel_file(options: Options) -> None:
    path = paths.kernel_file(options.state, options.port)
    said = {"pid": os.getpid(), "port": options.port, "socket": str(options.socket)}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(said))
    fresh.chmod(0o600)
    fresh.replace(path)


def _remove_files(options: Options) -> None:
    for path in (options.socket, paths.kernel_file(options.state, options.port)):
        with contextlib.suppress(OSError):
            path.unlink()


def _say(said: dict[str, Any]) -> None:
    own_output.write_line(sys.stdout, json.dumps(said))
