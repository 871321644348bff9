"""The check of a whole record in a process of its own, at the lowest priority.

A thread of the kernel would share the interpreter lock with the control loop. The process gets what
no other wants (SCHED_IDLE, nice 19), says one line of JSON, and ends; nothing of a treatment waits
for it.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from controller.record.verify import Break, CheckResult, verify

NICEST: Final = 19

CHECK_MAX_S: Final = 6 * 3600.0
"""A check that takes longer hangs: 30,000 rows a second are a thousand million rows by then."""


async def check_apart(path: Path) -> CheckResult:
    """Check the record at ``path`` in another process; the result says if that failed."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "controller.record.verifier",
            str(path),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:  # no memory or no descriptor is left: tomorrow again
        return CheckResult(path, unreadable=f"The record {path} cannot be checked ({error}).")
    try:
        async with asyncio.timeout(CHECK_MAX_S):
            said, _ = await process.communicate()
    except TimeoutError:
        said = b""
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has ended
            process.kill()
    return _result(path, said)


def _result(path: Path, said: bytes) -> CheckResult:
    try:
        told: dict[str, Any] = json.loads(said)
        breaks = [Break(int(row), str(what), bool(by)) for row, what, by in told["breaks"]]
        return CheckResult(path, int(told["rows"]), breaks, told["unreadable"], told["lists"])
    except (ValueError, KeyError, TypeError):
        return CheckResult(
            path, unreadable=f"The check of the record {path} did not come to its end."
        )


def main(arguments: Sequence[str]) -> int:
    """Check the one record that is named, and say what was found."""
    with contextlib.suppress(OSError, AttributeError):  # not every system has it
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with contextlib.suppress(OSError):
        os.nice(NICEST)
    found = verify(Path(arguments[0]))
    said = {
        "rows": found.rows,
        "breaks": found.breaks,
        "unreadable": found.unreadable,
        "lists": found.lists,
    }
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
