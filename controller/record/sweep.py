"""Removes what killed kernels left in the folder of sockets, a bounded part at each start.

Nothing depends on it: a file that is left behind stops nobody. It only keeps the folder from
growing for ever.
"""

import contextlib
import json
import os
import time
from itertools import islice
from pathlib import Path
from stat import S_ISREG
from typing import Final

from controller.api.stop_address import table
from controller.config import paths
from controller.record.locks import LockState, look

SWEPT_MAX: Final = 200
"""Files looked at in one start, of thousands that may lie there: at most about 10 ms."""

AGE_MIN_S: Final = 60.0
"""A younger file may be of a kernel that starts at this moment."""


def sweep(state: Path) -> int:
    """Remove files of kernels that surely are no more and return how many kernels those were.

    Surely: old, the process that the file names is gone, nobody holds a socket of that name, and
    nobody the lock of the port.
    """
    try:
        bound = table().bound
        with os.scandir(paths.run_dir(state)) as entries:
            said = (Path(entry.path) for entry in entries if entry.name.endswith(".json"))
            files = list(islice(said, SWEPT_MAX))
    except OSError:
        return 0  # what cannot be looked at is left alone
    return sum(
        _removed(state, path) for path in files if path.with_suffix(".sock").name not in bound
    )


def _removed(state: Path, path: Path) -> bool:
    # A folder of sockets is the user's own; who may not remove there leaves it.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        seen = path.stat()
        # Files carry wall time; a clock that was set back only makes a file look young.
        if not (S_ISREG(seen.st_mode) and time.time() - seen.st_mtime >= AGE_MIN_S):
            return False  # and to open a pipe would wait for its other end, for ever
        said = json.loads(path.read_bytes())
        lock = paths.port_lock(state, str(said["port"]))
        if not _is_gone(int(said["pid"])) or look(lock) is not LockState.FREE:
            return False
        left = path.with_suffix(".sock")
        if path.stat().st_ino == seen.st_ino:
            path.unlink()
            if Path(str(said.get("socket", left))) == left:
                left.unlink(missing_ok=True)
            return True
    return False


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
