"""Notes about the end of the record are written by a process of its own, which has the key.

The kernel only asks for them, when nothing moves: nothing of a treatment waits for that.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

NOTARY_MAX_S: Final = 5.0
"""A folder on a network that hangs must not keep a kernel from ending."""


async def have_noted(folder: Path) -> Mapping[str, object]:
    """Have the newest row of the record in a state folder noted by its witnesses.

    Returns the body of the row that tells which of them know it; an empty one where none does.
    """
    said = await _asked(folder)
    if not said.get("places"):
        return {}
    return {"row": said["row"], "hash": said["hash"], "places": said["places"]}


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
