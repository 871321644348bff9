"""`corneum sterilised`: a tip may touch the next client. Needs no unit and no kernel."""

import json
import sys

from controller.cli.outcome import ExitCode, Failure, failure_of
from controller.cli.session import asked, running, who
from controller.config.paths import state_dir
from controller.record.offline import sterilised_here
from controller.safety.refusal import RefusedError


def run(tip: str, cycle: str, *, as_json: bool) -> ExitCode:
    """Record it where the treatments are recorded; Failure says why not."""
    said = _recorded({"tip": tip, "cycle": cycle})
    if as_json:
        sys.stdout.write(json.dumps({"done": "sterilised", **said}) + "\n")
    else:
        sys.stdout.write(f"noted: tip {said['tip']} was sterilised and may be used again.\n")
    return ExitCode.DONE


def _recorded(args: dict[str, str]) -> dict[str, object]:
    try:
        address = running(None)
    except Failure:  # none runs, or several do: the record is the same
        return _recorded_here(args)
    return asked(address.socket, "sterilised", args)


def _recorded_here(args: dict[str, str]) -> dict[str, object]:
    try:
        return sterilised_here(args, who(), state_dir())
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
