"""``corneum-sim replay``: a recording in words, and what a simulated unit makes of it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from simulator.refusals import USAGE, Refusal

if TYPE_CHECKING:
    from qa.traffic.recording import Recording
    from qa.traffic.replaying import Comparison
    from qa.traffic.words import Teller

DIFFERS: Final = 1
SEED_DEFAULT: Final = 0x5EED


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated unit.")] = SEED_DEFAULT,
    hand: Annotated[str, typer.Option(help="Who holds the simulated unit.")] = "average",
    *,
    every: Annotated[
        bool, typer.Option("--every", help="Tell every frame with all fields.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Tell a recording in words, and play it to a simulated unit: 1 if it does what it must not."""
    from qa.traffic.recording import RecordingError, read_recording  # noqa: PLC0415
    from qa.traffic.replaying import SameUnitError, compare, play  # noqa: PLC0415
    from qa.traffic.words import Teller  # noqa: PLC0415
    from simulator.plant.hands import UnknownHandError  # noqa: PLC0415

    try:
        recording = read_recording(file)
        teller = Teller(every=every)
        for chunk in recording.chunks:
            teller.take(chunk)
        comparison = compare(teller, play(recording.chunks, seed, hand))
    except (RecordingError, SameUnitError, UnknownHandError) as error:
        raise Refusal(str(error), USAGE) from error
    told = (
        _object(file, recording, teller, comparison)
        if as_json
        else _text(recording, teller, comparison)
    )
    typer.echo(told)
    if comparison.differences:
        raise typer.Exit(DIFFERS)


def _object(file: Path, recording: "Recording", teller: "Teller", shown: "Comparison") -> str:
    bad = {reason.name: count for reason, count in teller.bad.items()}
    return json.dumps({
        "file": str(file), "port": recording.port, "end": recording.end,
        "protocol": recording.protocol, "schema": recording.schema,
        "frames": teller.frames, "bad_frames": bad,
        "differences": shown.differences, "notes": shown.notes,
    })  # fmt: skip


def _text(recording: "Recording", teller: "Teller", shown: "Comparison") -> str:
    lines = [*teller.lines(), f"{recording.port}: {recording.end}; {_summary(teller)}"]
    lines += [f"played back, and may differ: {note}" for note in shown.notes]
    lines += [f"PLAYED BACK AND WRONG: {difference}" for difference in shown.differences]
    if not shown.differences:
        lines.append("played back: only HELLO and STOP are understood, the valve stays shut")
    return "\n".join(lines)


def _summary(teller: "Teller") -> str:
    bad = ", ".join(f"{count} {reason.name}" for reason, count in teller.bad.items())
    frames = sum(teller.frames.values())
    return f"{frames} frames, bad: {bad}" if bad else f"{frames} frames, none bad"
