"""`corneum records verify|accept|recover`: the record itself. Needs no unit and no kernel."""

import json
import sys
import time
from typing import Any, Final

from controller.cli.outcome import ExitCode, Failure
from controller.cli.session import asked, running, who
from controller.config.paths import state_dir
from controller.kernel import offline_record
from controller.kernel.api import ApiError
from controller.kernel.decisions import accept_here
from controller.kernel.verify import Verdict

QUIET_S: Final = 2.0
"""How long a check says nothing; after that a line on standard error tells how far it is."""


def check(*, as_json: bool) -> ExitCode:
    """Check the whole chain and say which rows are wrong; 0 where none is, else 1."""
    try:
        found, lacking = offline_record.check(state_dir(), _Progress())
    except ApiError as error:
        raise _failure(error) from error
    if as_json:
        sys.stdout.write(json.dumps(_as_json(found, lacking)) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(found, lacking)) + "\n")
    return ExitCode.DONE if found.ok and lacking is None else ExitCode.REFUSED


def _as_json(found: Verdict, lacking: str | None) -> dict[str, Any]:
    return {
        "ok": found.ok and lacking is None,
        "record": str(found.path),
        "rows": found.rows,
        "breaks": [{"row": each.row, "found": each.what} for each in found.breaks],
        "sentence": found.sentence,
        "lacking": lacking,
    }


def _lines(found: Verdict, lacking: str | None) -> list[str]:
    said = [found.sentence]
    said += [f"  row {each.row}: {each.what}" for each in found.breaks]
    if found.breaks:
        said.append(
            "Put the newest backup back (journal.sqlite3 together with its -wal and -shm), or "
            "decide as a technician: `corneum records accept row N --reason TEXT`."
        )
    if found.lists is not None:
        said.append("Make indexes and lists anew from the rows: `corneum records recover`.")
    return said if lacking is None else [*said, lacking]


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
            return accept_here(args, who(), state_dir())
        except ApiError as error:
            raise _failure(error) from error
    return asked(address.socket, "accept", args)


def recover(*, as_json: bool) -> ExitCode:
    """Make indexes and lists of the record anew from its rows, which are not touched."""
    try:
        path = offline_record.recover(state_dir())
    except ApiError as error:
        raise _failure(error) from error
    if as_json:
        sys.stdout.write(json.dumps({"done": "recover", "record": str(path)}) + "\n")
    else:
        sys.stdout.write(f"The lists of the record {path} were made anew from its rows.\n")
    return ExitCode.DONE


def _failure(error: ApiError) -> Failure:
    return Failure(error.sentence, error.next_step, name=error.code)
