"""Which processes hold the lock of a port, looked at without taking any lock."""

import os
from pathlib import Path
from typing import Final, NamedTuple

LOCKS: Final = Path("/proc/locks")
LOCKS_MAX_BYTES: Final = 16_000_000
_KIND: Final = 1
_PID: Final = 4
_FILE: Final = 5
_COLUMNS: Final = 8


class HeldPort(NamedTuple):
    """A lock of a port that some process holds."""

    lock: str
    """File name of the lock."""
    pid: int
    """0 or less where the process is not of this container."""


def held_ports(run_dir: Path) -> list[HeldPort]:
    """Return the locks of ports in the folder that are held; OSError where nobody may look.

    The table names a file by its inode; the device that it names is another one than that of the
    file on some file systems, so that it is not compared: a foreign lock may look like ours, never
    the other way round.
    """
    try:
        with os.scandir(run_dir) as entries:
            files = {
                entry.inode(): entry.name
                for entry in entries
                if entry.name.startswith("port-") and entry.name.endswith(".lock")
            }
    except FileNotFoundError:
        return []
    if not files:
        return []
    with LOCKS.open("rb") as table:
        lines = table.read(LOCKS_MAX_BYTES).splitlines()
    found = []
    for line in lines:
        columns = line.split()
        if len(columns) != _COLUMNS or columns[_KIND] != b"FLOCK":
            continue
        inode = columns[_FILE].rpartition(b":")[2]
        if inode.isdigit() and int(inode) in files:
            found.append(HeldPort(files[int(inode)], int(columns[_PID])))
    return found
