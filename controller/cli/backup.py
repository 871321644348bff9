"""`corneum records backup`: the record as one file, checked."""

import json
import sys
from pathlib import Path

from controller.cli import output, verify
from controller.cli.outcome import ExitCode, failure_of
from controller.config.paths import state_dir
from controller.record import read
from controller.safety.refusal import RefusedError


def run(file: Path, *, as_json: bool) -> ExitCode:
    """Copy the record to ``file``; progress after two seconds. Failure says why not."""
    try:
        done = read.backup(state_dir(), file, verify.Progress("page"), verify.Progress())
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
    head = done.head
    if as_json:
        said = {
            "done": "backup",
            "record": str(done.record),
            "file": str(done.file),
            "rows": head.row,
            "hash": head.hash,
            "journal": head.journal,
        }
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        sys.stdout.write(
            output.clean(
                f"The record {done.record} is copied to {done.file}, and the copy is whole: "
                f"{head.row} rows, the newest with hash {head.hash}."
            )
            + "\n"
        )
    return ExitCode.DONE
