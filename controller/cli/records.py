"""`corneum records accept|recover|list`: the record itself. Needs no unit and no kernel."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from controller.api.requests import ApiError
from controller.cli import output, verify
from controller.cli.outcome import ExitCode, Failure
from controller.cli.session import asked, running, who
from controller.cli.sheet import Sheet
from controller.cli.words import UNKNOWN, instant
from controller.config.paths import state_dir
from controller.record import offline, read
from controller.record.read import Past

MINUTES: Final = len("2026-01-31 12:00")


def show_past(client: str | None, last: int, before: int | None, *, as_json: bool) -> ExitCode:
    """Show the newest treatments on record, the newest first."""
    try:
        found = read.past(state_dir(), client, last, before)
    except ApiError as error:
        raise _failure(error) from error
    if as_json:
        sys.stdout.write(json.dumps({"treatments": [asdict(each) for each in found]}) + "\n")
    elif found:
        output.console().print(sheet(found))
        if len(found) == last:
            sys.stdout.write(f"Older ones: `--before {found[-1].treatment}`.\n")
    else:
        whose = "" if client is None else f" of {client}"
        whose += "" if before is None else f" before no. {before}"
        sys.stdout.write(f"No treatment{whose} is on record in {state_dir()}.\n")
    return ExitCode.DONE


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
        except ApiError as error:
            raise _failure(error) from error
    return asked(address.socket, "accept", args)


def recover(*, as_json: bool) -> ExitCode:
    """Make indexes and lists of the record anew from its rows, which are not touched."""
    try:
        path = offline.recover(state_dir())
    except ApiError as error:
        raise _failure(error) from error
    if as_json:
        sys.stdout.write(json.dumps({"done": "recover", "record": str(path)}) + "\n")
    else:
        sys.stdout.write(f"The lists of the record {path} were made anew from its rows.\n")
    return ExitCode.DONE


def _failure(error: ApiError) -> Failure:
    return Failure(error.sentence, error.next_step, name=error.code)
