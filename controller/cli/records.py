"""`corneum records verify|accept|recover|list`: the record itself. Needs no unit and no kernel."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from controller.cli import output, waveforms
from controller.cli.outcome import ExitCode, Failure, failure_of
from controller.cli.session import asked, running, who
from controller.cli.sheet import Sheet
from controller.cli.words import UNKNOWN, instant
from controller.config.paths import state_dir
from controller.record import offline, read
from controller.record.offline import Accepted
from controller.record.read import Checked, Past
from controller.safety.refusal import RefusedError

MINUTES: Final = len("2026-01-31 12:00")
QUIET_S: Final = 2.0
"""How long a check says nothing; after that a line on standard error tells how far it is."""


def check(*, as_json: bool) -> ExitCode:
    """Check the whole chain and say which rows are wrong; 1 where one is that nobody accepted."""
    try:
        checked = read.check(state_dir(), _Progress())
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
    files = [] if checked.found.unreadable else waveforms.check(state_dir(), _Progress("file"))
    if as_json:
        said = {**_as_json(checked), "waveforms": waveforms.check_json(files)}
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        lines = [*_lines(checked), *waveforms.check_lines(files)]
        sys.stdout.write("\n".join(map(output.clean, lines)) + "\n")
    wrong = any(each.found in waveforms.WRONG for each in files)
    return ExitCode.DONE if checked.ok and not wrong else ExitCode.REFUSED


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
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
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

    def __init__(self, what: str = "row") -> None:
        self._what = what
        self._told_s = time.monotonic()

    def __call__(self, row: int, rows: int) -> None:
        if time.monotonic() - self._told_s < QUIET_S:
            return
        self._told_s = time.monotonic()
        sys.stderr.write(f"{self._what} {row} of {rows}\n")


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
    done, failed = waveforms.recover_all(state_dir(), _Progress("file"))
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
