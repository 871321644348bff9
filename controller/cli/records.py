"""`corneum records accept|recover|upgrade|list`: the record itself, without a unit."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from controller.cli import output, verify, waveforms
from controller.cli.outcome import ExitCode, Failure, failure_of
from controller.cli.session import asked, running, who
from controller.cli.sheet import Sheet
from controller.cli.words import UNKNOWN, instant
from controller.config.paths import state_dir
from controller.record import offline, read
from controller.record.read import Past
from controller.safety.refusal import RefusedError

MINUTES: Final = len("2026-01-31 12:00")


def show_past(
    client: str | None,
    last: int,
    before: int | None,
    wanted: read.Wanted = read.ALL,
    *,
    as_json: bool,
) -> ExitCode:
    """Show the newest treatments on record that are wanted, the newest first."""
    try:
        found = read.past(state_dir(), client, last, before, wanted, verify.Progress("treatment"))
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
    if as_json:
        sys.stdout.write(json.dumps({"treatments": [asdict(each) for each in found]}) + "\n")
    elif found:
        output.console().print(sheet(found))
        if len(found) == last:
            sys.stdout.write(f"Older ones: the same with `--before {found[-1].treatment}`.\n")
    else:
        whose = "" if client is None else f" of {client}"
        whose += "" if before is None else f" before no. {before}"
        whose += "" if wanted == read.ALL else " that fits"
        sys.stdout.write(f"No treatment{whose} is on record in {state_dir()}.\n")
    return ExitCode.DONE


def moment(option: str, text: str | None) -> float | None:
    """Return an ISO date, or date and time, in seconds; without a zone on the clock of this room.

    Raises:
        Failure: it is none.
    """
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise Failure(
            f"{option} {text} is no date.",
            "Write it as 2026-11-30, or 2026-11-30T14:00+01:00.",
            ExitCode.USAGE,
        ) from error


def sheet(found: Sequence[Past]) -> Sheet:
    """Return treatments as rows, each by its number."""
    names = ("treatment", "begun", "client", "program", "unit", "zones", "on skin", "end")
    return Sheet(names, [_cells(each) for each in found], words_at=(1, 2, 3, 4, 7))


def _cells(one: Past) -> tuple[str, ...]:
    unit = UNKNOWN if one.unit is None else "simulated" if one.simulated else str(one.unit)
    begun = UNKNOWN if one.begun_wall_s is None else instant(one.begun_wall_s)[:MINUTES]
    return (
        f"no. {one.treatment}",
        begun,
        one.client or UNKNOWN,
        one.program or UNKNOWN,
        unit,
        str(len(one.zones)),
        f"{sum(zone.contact_s for zone in one.zones):.0f} s",
        one.outcome,
    )


def accept(subject: str, number: int | None, reason: str, *, as_json: bool) -> ExitCode:
    """Write a technician's decision on the record down; Failure says why not."""
    args: dict[str, Any] = {"subject": subject, "reason": reason}
    if number is not None:
        args["number"] = number
    if subject == "head" and (known := verify.against()):
        args["heads"] = known
    said = _accepted(args)
    if as_json:
        sys.stdout.write(json.dumps({"done": "accept", **said}) + "\n")
    else:
        named = subject if number is None else f"{subject} {number}"
        sys.stdout.write(f"noted: the record goes on with {named} as decided.\n")
    return ExitCode.DONE


def _accepted(args: dict[str, Any]) -> dict[str, Any]:
    try:
        address = running(None)
    except Failure:  # none runs, or several do: the record is the same
        try:
            return offline.accept_here(args, who(), state_dir())
        except RefusedError as error:
            raise failure_of(error.refusal, ExitCode.REFUSED) from error
    return asked(address.socket, "accept", args)


def recover(treatment: int | None, *, as_json: bool) -> ExitCode:
    """Make anew what can be: the waveforms of one treatment, or those of all and the lists."""
    if treatment is not None:
        one = waveforms.recover_one(state_dir(), treatment)
        lines = waveforms.recovered_lines(one)
        said = json.dumps({"done": "recover", **waveforms.recovered_json(one)})
        sys.stdout.write(said + "\n" if as_json else "\n".join(map(output.clean, lines)) + "\n")
        return ExitCode.DONE
    try:
        path = offline.recover(state_dir())
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
    done, failed = waveforms.recover_all(state_dir(), verify.Progress("file"))
    if as_json:
        files = [waveforms.recovered_json(each) for each in done]
        said = json.dumps(
            {"done": "recover", "record": str(path), "waveforms": files, "failed": failed}
        )
        sys.stdout.write(said + "\n")
    else:
        lines = [f"The lists of the record {path} were made anew from its rows."]
        lines += [line for each in done for line in waveforms.recovered_lines(each)]
        sys.stdout.write("\n".join(map(output.clean, [*lines, *failed])) + "\n")
    return ExitCode.REFUSED if failed else ExitCode.DONE


def upgrade(*, as_json: bool) -> ExitCode:
    """Convert a record of an earlier build, of whatever size; progress after two seconds."""
    try:
        done = offline.upgrade(state_dir(), verify.Progress())
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
    kept = None if done.kept is None else str(done.kept)
    if as_json:
        said = {"done": "upgrade", "record": str(done.path), "was": done.was, "kept": kept}
        sys.stdout.write(json.dumps(said) + "\n")
        return ExitCode.DONE
    sys.stdout.write(f"The record {done.path} is in the form of this build (it was {done.was}).\n")
    if kept is not None:
        sys.stdout.write(
            f"Rows on damaged pages are missing in it: the file as it was is {kept}. "
            "See which: `corneum records verify`.\n"
        )
    return ExitCode.DONE
