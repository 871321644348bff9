"""``corneum-sim record``: a tap between a host and a unit that writes down every byte."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from simulator.refusals import PORT, USAGE, Refusal

if TYPE_CHECKING:
    from qa.traffic.recording import Recorder

DIFFERS: Final = 1
BYTES_PER_MB: Final = 2**20
MB_MAX: Final = 64

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def record(
    port: Annotated[str, typer.Option(metavar="URL", help="The port of the unit.")],
    out: Annotated[Path, typer.Option(help="The file to write; it must not exist.")],
    pty: Annotated[
        Path | None, typer.Option(help="Make this link to the pty that the host opens instead.")
    ] = None,
    max_mb: Annotated[
        int, typer.Option(min=1, max=MB_MAX, help="Record no more than this; the line goes on.")
    ] = MB_MAX,
    *,
    as_json: JsonOption = False,
) -> None:
    """Sit between a host and a unit and write down every byte, until Ctrl-C."""
    from qa.traffic.recording import Recorder, RecordingError  # noqa: PLC0415

    try:
        recorder = Recorder(out, port, max_mb * BYTES_PER_MB)
    except RecordingError as error:
        raise Refusal(str(error), USAGE) from error
    why, code, began = _tapped(port, pty, recorder, as_json=as_json)
    recorder.close(why)
    if code == 0 and recorder.ended != why:
        why, code = f"the recording is not complete: {recorder.ended}", DIFFERS
    if not began:
        out.unlink(missing_ok=True)  # nothing was recorded, so the name is free again
    if code:
        raise Refusal(why, code)
    typer.echo(f"{recorder.chunks} pieces in {out}", err=True)


def _tapped(
    port: str, pty: Path | None, recorder: "Recorder", *, as_json: bool
) -> tuple[str, int, bool]:
    """Tap to the end and return why it ended, the exit code, and whether it ever began."""
    from controller.device.answers import PortError  # noqa: PLC0415
    from qa.traffic.tap import STOPPED, run_tap  # noqa: PLC0415
    from simulator.ports import PortUnusableError  # noqa: PLC0415
    from simulator.serve import run  # noqa: PLC0415

    ended: list[str] = []

    def ready(name: str) -> None:
        if as_json:
            typer.echo(json.dumps({"ready": True, "port": name}))
        else:
            typer.echo(f"The host opens {name} instead of {port}; end the tap with Ctrl-C.")

    async def main() -> None:
        ended.append(await run_tap(port, pty, recorder, ready))

    try:
        run(main())
    except PortError as error:
        return f"{error.sentence}; {error.next_step}", PORT, False
    except PortUnusableError as error:
        return str(error), USAGE if error.usage else PORT, False
    return ended[0], 0 if ended[0] == STOPPED else PORT, True
