"""`corneum records verify|accept|recover|upgrade|list`: the record itself, without a unit."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from controller.api.requests import ApiError
from controller.cli import output
from controller.cli.outcome import ExitCode, Failure
from controller.cli.session import asked, running, who
from controller.cli.sheet import Sheet
from controller.cli.words import UNKNOWN, instant
from controller.config.paths import state_dir
from controller.record import offline, read
from controller.record.offline import Accepted
from controller.record.read import Checked, Past

MINUTES: Final = len("2026-01-31 12:00")
QUIET_S: Final = 2.0
"""How long a check says nothing; after that a line on standard error tells how far it is."""


def check(*, as_json: bool) -> ExitCode:
    """Check the whole chain and say which rows are wrong; 1 where one is that nobody accepted."""
    try:
        checked = read.check(state_dir(), _Progress())
    except ApiError as error:
        raise _failure(error) from error
    if as_json:
        sys.stdout.write(json.dumps(_as_json(checked)) + "\n")
    else:
        sys.stdout.write("\n".join(map(output.clean, _lines(checked))) + "\n")
    return ExitCode.DONE if checked.ok else ExitCode.REFUSED


def _as_json(checked: Checked) -> dict[str, Any]:
    found = checked.found
    return {
        "ok": checked.ok,
        "record": str(found.path),
        "rows": found.rows,
        "breaks": [{"row": each.row, "found": each.what} for each in found.breaks],
        "accepted": [
            {
                "row": each.row,
                "found": each.what,
                "who": dict(each.who),
                "reason": each.reason,
                "at_s": each.wall_s,
            }
            for each in checked.accepted
        ],
        "sentence": checked.sentence,
        "lacking": checked.lacking,
    }


def _lines(checked: Checked) -> list[str]:
    found, lacking = checked.found, checked.lacking
    said = [checked.sentence]
    said += [f"  row {each.row}: {each.what}" for each in found.breaks]
    said += [f"  row {each.row}: {each.what}; {_decision(each)}" for each in checked.accepted]
    if found.breaks:
        said.append(
            "Put the newest backup back (journal.sqlite3 together with its -wal and -shm), or "
            "decide as a technician: `corneum records accept row N --reason TEXT`."
        )
    if found.lists is not None:
        said.append("Make indexes and lists anew from the rows: `corneum records recover`.")
    return said if lacking is None else [*said, lacking]


def _decision(accepted: Accepted) -> str:
    name = accepted.who.get("name") or "somebody"
    role = accepted.who.get("role", "")
    return f"accepted by {name} ({role}) at {instant(accepted.wall_s)}: {accepted.reason}"


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


class _Progress:
    """Tells on a terminal how far a check is, once it takes long."""

    def __init__(self) -> None:
        self._told_s = time.monotonic()

    def __call__(self, row: int, rows: int) -> None:
        if time.monotonic() - self._told_s < QUIET_S:
            return
        self._told_s = time.monotonic()
        sys.stderr.write(f"row {row} of {rows}\n")


def accept(subject: str, number: int | None, reason: str, *, as_json: bool) -> ExitCode:
    """Write a technician's decision on the record down; Failure says why not."""
    args: dict[str, Any] = {"subject": subject, "reason": reason}
    if number is not None:
        args["number"] = number
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


def upgrade(*, as_json: bool) -> ExitCode:
    """Convert a record of an earlier build, of whatever size; progress after two seconds."""
    try:
        done = offline.upgrade(state_dir(), _Progress())
    except ApiError as error:
        raise _failure(error) from error
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


def _failure(error: ApiError) -> Failure:
    return Failure(error.sentence, error.next_step, name=error.code)
