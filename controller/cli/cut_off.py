"""What a crash has cut off, where no kernel runs that could show it."""

import json
import sys
from dataclasses import asdict
from typing import Final

from controller.cli.outcome import ExitCode, Failure
from controller.cli.output import clean, complain
from controller.cli.words import instant
from controller.config.paths import state_dir
from controller.record.read import CutOff, CutZone, cut_off
from controller.safety.refusal import RefusedError

UNIT_MAY_SAY_MORE: Final = "a unit that still runs may say then that it was more"


def show(failure: Failure, *, as_json: bool) -> ExitCode:
    """Say that no kernel runs, and what the last one left unfinished; the code of the failure."""
    found: tuple[CutOff, ...] = ()
    trouble = None
    try:
        found = cut_off(state_dir())
    except RefusedError as error:
        trouble = error.sentence
    if as_json:
        said = {
            **failure.as_object,
            "cut_off": [asdict(each) | {"next_step": next_step(each)} for each in found],
            "trouble": trouble,
        }
        sys.stdout.write(json.dumps(said) + "\n")
    complain(failure.words)
    if not as_json:
        said_lines = [line for each in found for line in lines(each)]
        said_lines += [] if trouble is None else [trouble]
        sys.stdout.write("".join(f"{clean(line)}\n" for line in said_lines))
    return failure.code


def lines(left: CutOff) -> list[str]:
    """Return what was cut off for people: who, where, since when, the charge, the next step."""
    unit = "a simulated handpiece" if left.simulated else f"unit {left.unit}"
    by = f", begun by {left.by} ({left.role})" if left.by else ""
    said = [
        f"cut off: treatment {left.treatment}, {left.display_name} for {left.client} on {unit}{by} "
        f"at {instant(left.begun_wall_s)}; its last word is of {instant(left.last_wall_s)}"
    ]
    if left.trouble is not None:
        said.append(f"  what its zones have had is not known: {left.trouble}")
    elif not left.zones:
        said.append("  the unit was not armed for it, so that nothing flowed unseen")
    said += [f"  {_charge(zone, left)}" for zone in left.zones]
    if left.zones and not left.marked:
        said.append(f"  the next start of a kernel writes this down; {UNIT_MAY_SAY_MORE}")
    return [*said, f"  next: {next_step(left)}"]


def _charge(zone: CutZone, left: CutOff) -> str:
    cap = "" if zone.cap_um is None else f" of {zone.cap_um:.2f}"
    charged = "are charged" if left.marked else "will be charged"
    return (
        f"{zone.display}: {left.unseen_s:.2f} s that nobody saw {charged} at the worst case, "
        f"{zone.charged_um:.2f} µm; exposure bound {zone.bound_um:.2f}{cap} µm"
    )


def next_step(left: CutOff) -> str:
    """Return the commands that end this: go on while it may be gone on with, or dismiss it."""
    dismiss = f"`corneum dismiss {left.treatment} --reason WHY` notes that it is not continued"
    if not left.resumable:
        return f"it can no longer be gone on with; {dismiss}"
    where = "--simulator" if left.simulated else "--port PORT"
    return (
        f"`corneum treat {left.program} --client {left.client} {where} --resume` goes on with it, "
        f"or {dismiss}"
    )
