"""The commands of ``corneum-sim``: a simulated handpiece on a port, and its control channel."""

import contextlib
import json
import os
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Annotated, Final

import typer

from firmware_protocol.address import NUMBER_MAX, address_of
from simulator import control_commands
from simulator.control_commands import JsonOption
from simulator.events import EventFile
from simulator.handpiece import SERIAL_NUMBER, Handpiece
from simulator.memory_file import MemoryFile, MemoryFileError
from simulator.plant.spec import PlantSpec
from simulator.refusals import PORT, USAGE, Refusal, refusals
from simulator.serve import Ready, Where, run
from simulator.serve import serve as serve_until_told

SEED_BYTES: Final = 4
U32_MAX: Final = 2**32 - 1

app = typer.Typer(
    help="A simulated handpiece: the controller cannot tell it from a real one.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 a check failed, 2 usage, 3 the port or the simulator could not "
    "be reached.",
)


def _say_version(asked: bool) -> None:  # noqa: FBT001 - a callback
    if asked:
        try:
            version = metadata.version("corneum")
        except metadata.PackageNotFoundError:
            version = "unknown"
        typer.echo(f"corneum-sim {version}")
        raise typer.Exit


@app.callback()
def _corneum_sim(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say which one."),
    ] = False,
) -> None:
    pass


@app.command(
    epilog="Examples:  corneum-sim serve --pty /tmp/handpiece --control /tmp/control   "
    "corneum-sim serve --tcp 127.0.0.1:7001 --hand careful --fault valve-stuck-open@12.5"
)
def serve(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    pty: Annotated[
        Path | None, typer.Option(help="Serve on a pty and make this link to it (the default).")
    ] = None,
    tcp: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Serve on TCP.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of everything by chance; drawn if not given.")
    ] = None,
    hand: Annotated[str, typer.Option(help="Who holds the handpiece.")] = "average",
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME@SECONDS", help="Make a fault active at this device time."),
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Write what really happens as JSON lines.")
    ] = None,
    control: Annotated[
        Path | None, typer.Option(help="Make a control socket for hand, faults and line.")
    ] = None,
    memory: Annotated[
        Path | None,
        typer.Option(help="Keep here what the unit keeps while it is off: its log, its witness."),
    ] = None,
    serial_number: Annotated[
        int, typer.Option(min=1, max=U32_MAX, help="Serial number of the unit.")
    ] = SERIAL_NUMBER,
    *,
    motion_sensor: Annotated[bool, typer.Option(help="Whether a motion sensor is fitted.")] = True,
    while_stdin: Annotated[
        bool, typer.Option("--while-stdin", help="End when standard input ends.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Be a handpiece on a port, in real time, until SIGTERM or Ctrl-C."""
    with refusals("ready", as_json=as_json):
        where = Where(pty, _address(tcp, pty), control, while_stdin)
        seed = int.from_bytes(os.urandom(SEED_BYTES), "big") if seed is None else seed
        spec = PlantSpec(motion_sensor=motion_sensor)
        kept = None if memory is None else _memory_file(memory, serial_number)
        with contextlib.ExitStack() as stack:
            if kept is not None:
                stack.callback(kept.close)
            handpiece = Handpiece(
                seed,
                hand,
                spec,
                serial=serial_number,
                memory=None if kept is None else kept.memory,
            )
            for entry in fault or []:
                handpiece.schedule_fault(*_fault_entry(entry))
            sink = None if events is None else _event_file(events)
            if sink is not None:
                handpiece.record_to(sink.write)
            said = partial(_say, handpiece=handpiece, as_json=as_json)
            run(serve_until_told(handpiece, where, said, sink, kept))
        if kept is not None and kept.failed is not None:
            raise Refusal(f"the memory file {memory} is not complete: {kept.failed}", PORT)
        if sink is not None and sink.failed is not None:
            raise Refusal(f"the event file {events} is not complete: {sink.failed}", PORT)


def _say(ready: Ready, handpiece: Handpiece, as_json: bool) -> None:  # noqa: FBT001
    if as_json:
        said = {
            "ready": True,
            "port": ready.port,
            "control": ready.control,
            "pid": ready.pid,
            "serial_number": handpiece.serial,
            "seed": handpiece.seed,
        }
        typer.echo(json.dumps(said))
    else:
        typer.echo(
            f"Simulated handpiece {handpiece.serial} on {ready.port} (seed {handpiece.seed}); "
            "end it with Ctrl-C."
        )


def _address(tcp: str | None, pty: Path | None) -> tuple[str, int] | None:
    if tcp is None:
        return None
    if pty is not None:
        raise Refusal("--pty and --tcp are two places; choose one", USAGE)
    address = address_of(tcp)
    if address is None:
        raise Refusal(
            f"--tcp is '{tcp}', and must be HOST:PORT with a port of 0 to {NUMBER_MAX}, "
            "for example 127.0.0.1:7001 or [::1]:7001",
            USAGE,
        )
    return address


def _fault_entry(entry: str) -> tuple[str, float]:
    name, at, seconds = entry.partition("@")
    with contextlib.suppress(ValueError):
        at_s = float(seconds) if at else 0.0
        if 0.0 <= at_s < float("inf"):
            return name, at_s
    raise Refusal(
        f"--fault is '{entry}', and must be NAME@SECONDS with seconds from 0, "
        "for example valve-stuck-open@12.5",
        USAGE,
    )


def _memory_file(path: Path, serial: int) -> MemoryFile:
    try:
        return MemoryFile(path, serial)
    except MemoryFileError as error:
        raise Refusal(str(error), USAGE) from error


def _event_file(path: Path) -> EventFile:
    try:
        return EventFile(path)
    except BlockingIOError as error:
        raise Refusal(
            f"another simulator that runs writes the event file {path}; name another path", PORT
        ) from error
    except OSError as error:
        raise Refusal(
            f"cannot write the event file {path}: {error.strerror or error}; name another path",
            USAGE,
        ) from error


control_commands.register(app)
