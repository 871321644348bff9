"""The command ``corneum-sim``: a simulated handpiece on a port, and its control channel."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from simulator.events import EventFile
from simulator.handpiece import SERIAL_NUMBER, Handpiece
from simulator.plant.faults import UnknownFaultError
from simulator.plant.hands import UnknownHandError
from simulator.plant.spec import PlantSpec
from simulator.ports import PortUnusableError
from simulator.serve import Ready, Where, run
from simulator.serve import serve as serve_until_told

REFUSED: Final = 1
USAGE: Final = 2
PORT: Final = 3
CONTROL_MAX_S: Final = 5.0  # an answer takes milliseconds; beyond this nobody is there
REPLY_MAX_BYTES: Final = 65_536
SEED_BYTES: Final = 4
TCP_PORT_MAX: Final = 65_535
U32_MAX: Final = 2**32 - 1

app = typer.Typer(
    help="A simulated handpiece: the controller cannot tell it from a real one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
ControlOption = Annotated[
    Path, typer.Option("--control", help="The control socket of a running simulator.")
]


@app.command()
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
    with _refusals(as_json=as_json):
        where = Where(pty, _address(tcp, pty), control, while_stdin)
        _refuse_taken_socket(control)
        seed = int.from_bytes(os.urandom(SEED_BYTES), "big") if seed is None else seed
        spec = PlantSpec(motion_sensor=motion_sensor)
        handpiece = Handpiece(seed, hand, spec, serial=serial_number)
        for entry in fault or []:
            handpiece.schedule_fault(*_fault_entry(entry))
        sink = None if events is None else _event_file(events)
        if sink is not None:
            handpiece.record_to(sink.write)
        run(serve_until_told(handpiece, where, lambda ready: _say(ready, handpiece, as_json), sink))
        if sink is not None and sink.failed is not None:
            raise _Refusal(f"the event file {events} is not complete: {sink.failed}", PORT)


@app.command()
def fault(
    name: Annotated[str, typer.Argument(help="Name of the fault.")],
    control: ControlOption,
    *,
    clear: Annotated[bool, typer.Option("--clear", help="End it instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a fault active in a running simulator, or end it."""
    with _refusals(as_json=as_json):
        reply = _ask(control, {"do": "fault", "name": name, "clear": clear})
        if not reply.get("ok"):
            raise _Refusal(str(reply.get("error")), USAGE)
        if as_json:
            typer.echo(json.dumps(reply))
        else:
            hazards = ", ".join(reply["hazards"])
            typer.echo(f"{reply['name']} ({hazards}) is {'over' if clear else 'active'}")


class _Refusal(Exception):  # noqa: N818 - it ends the command, it is no error of the program
    """One sentence for a person, and the exit code that goes with it."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


@contextlib.contextmanager
def _refusals(*, as_json: bool) -> Iterator[None]:
    """Turn what can be wrong with a request into one sentence and an exit code."""
    try:
        yield
    except _Refusal as error:
        _end(str(error), error.code, as_json=as_json)
    except (UnknownHandError, UnknownFaultError) as error:
        _end(str(error), USAGE, as_json=as_json)
    except PortUnusableError as error:
        _end(str(error), USAGE if error.usage else PORT, as_json=as_json)
    except OSError as error:
        _end(f"{error.filename or 'the port'}: {error.strerror or error}", PORT, as_json=as_json)


def _end(sentence: str, code: int, *, as_json: bool) -> NoReturn:
    if as_json:
        kind = "PORT" if code == PORT else "USAGE"
        problem = {"code": kind, "sentence": sentence, "next_step": ""}
        typer.echo(json.dumps({"ready": False, "error": problem}))
    typer.echo(f"corneum-sim: {sentence}", err=True)
    raise typer.Exit(code)


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
        raise _Refusal("--pty and --tcp are two places; choose one", USAGE)
    host, _, port = tcp.rpartition(":")
    if not (host and port.isdigit() and int(port) <= TCP_PORT_MAX):
        raise _Refusal(
            f"--tcp is '{tcp}', and must be HOST:PORT with a port of 0 to {TCP_PORT_MAX}, "
            "for example 127.0.0.1:7001",
            USAGE,
        )
    return host, int(port)


def _fault_entry(entry: str) -> tuple[str, float]:
    name, at, seconds = entry.partition("@")
    with contextlib.suppress(ValueError):
        at_s = float(seconds) if at else 0.0
        if 0.0 <= at_s < float("inf"):
            return name, at_s
    raise _Refusal(
        f"--fault is '{entry}', and must be NAME@SECONDS with seconds from 0, "
        "for example valve-stuck-open@12.5",
        USAGE,
    )


def _event_file(path: Path) -> EventFile:
    try:
        return EventFile(path)
    except OSError as error:
        raise _Refusal(
            f"cannot write the event file {path}: {error.strerror or error}; name another path",
            USAGE,
        ) from error


def _refuse_taken_socket(path: Path | None) -> None:
    """Remove a socket that nobody serves any more; refuse everything else that is there."""
    if path is None or not os.path.lexists(path):
        return
    if not path.is_socket():
        raise _Refusal(f"{path} exists and is not a socket; name another control socket", USAGE)
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(CONTROL_MAX_S)
        if probe.connect_ex(str(path)) == 0:
            raise _Refusal(f"another simulator serves the control socket {path}", PORT)
    path.unlink()


def _ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(CONTROL_MAX_S)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as replies:
                reply = json.loads(replies.readline(REPLY_MAX_BYTES))
    except (OSError, ValueError) as error:
        raise _Refusal(
            f"no simulator answers on the control socket {path}: {error}; "
            "start it with corneum-sim serve --control",
            PORT,
        ) from error
    return dict(reply)


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
