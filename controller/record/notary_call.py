"""The notes about the end of the record are written by a process of its own, which signs.

The kernel only asks for them, when nothing moves, and writes down which witnesses know which row.
Nothing of a treatment waits for that.
"""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any, Final

from controller.record.journal import Journal, Row
from controller.record.store import RecordError
from controller.treatment.kinds import Kind

NOTARY_MAX_S: Final = 10.0
"""A folder on a network that hangs must not keep a kernel from ending."""


async def note_end(journal: Journal, state: Path) -> None:
    """Have the newest row noted by its witnesses, and write down which have; else nothing."""
    said = await _asked(state)
    if not said.get("places"):
        return
    body = {"row": said["row"], "hash": said["hash"], "places": said["places"]}
    with contextlib.suppress(RecordError):  # `failure` of the journal tells of it
        await journal.commit([Row(Kind.WITNESSED, body)])


async def _asked(state: Path) -> dict[str, Any]:
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "controller.archive.notary",
            str(state),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:  # no memory or no descriptor is left: at the next end again
        return {}
    try:
        async with asyncio.timeout(NOTARY_MAX_S):
            told, _ = await process.communicate()
        said: dict[str, Any] = json.loads(told)
    except (TimeoutError, ValueError):
        return {}
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has ended
            process.kill()
    return said
