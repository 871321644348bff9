"""Which kernels run: what the system says of sockets, never what files say that were left behind.

Finding one asks nothing of any kernel, so that a frozen one delays nobody, and takes as long with
ten thousand leftovers as with none.
"""

import contextlib
import json
from pathlib import Path
from typing import Final, NamedTuple

from controller.api.stop_address import CUT, SOCKETS, StopAddress, Table, table
from controller.config.paths import canonical, kernel_file, run_dir

LOOKS: Final = 2
"""One look at the table of sockets may miss one while others come and go."""

FILES_MAX: Final = 100_000
"""Files of kernels that are read where the system does not say which sockets are alive."""


class KernelAddress(NamedTuple):
    """A kernel that runs and has its file under the state folder."""

    pid: int
    port: str
    socket: Path


class Running(NamedTuple):
    """All kernels that run on this computer, as far as one may know."""

    here: tuple[KernelAddress, ...]
    """Those of the state folder, which may be spoken to."""
    elsewhere: tuple[StopAddress, ...]
    """Those of other state folders or accounts, which may only be stopped."""
    blind: str = ""
    """What could not be looked at, so that more may run; empty where all was seen."""


def running_kernels(state: Path) -> Running:
    """Return the kernels that run now."""
    try:
        seen = _seen()
    except OSError as error:  # not this system's way: what the files say has to do
        found, _ = _read(run_dir(state), _all_files(state))
        return Running(tuple(found), (), f"{SOCKETS}: {error.strerror or error}")
    pids = {address.pid for address in seen.addresses}
    found, blind = _read(run_dir(state), _names(state, seen))
    if any(
        one.port.startswith(CUT) and one.pid not in {k.pid for k in found} for one in seen.addresses
    ):
        found, blind = _read(run_dir(state), _all_files(state))
    here = tuple(one for one in found if one.socket.name in seen.bound or one.pid in pids)
    known = {one.pid for one in here}
    others = tuple(one for one in seen.addresses if one.pid not in known)
    return Running(here, others, blind)


def kernels(state: Path) -> list[KernelAddress]:
    """Return the kernels of the state folder that run; a file that a killed one left is none."""
    return list(running_kernels(state).here)


def serves(kernel: KernelAddress, port: str) -> bool:
    """Return True where the kernel serves ``port``, under any name of it."""
    return kernel.port == port or canonical(kernel.port) == canonical(port)


def _seen() -> Table:
    looks = [table() for _ in range(LOOKS)]
    addresses = dict.fromkeys(address for look in looks for address in look.addresses)
    return Table(tuple(addresses), frozenset().union(*(look.bound for look in looks)))


def _names(state: Path, seen: Table) -> list[str]:
    """Return the file names that living kernels of this folder have: by socket, and by port."""
    by_socket = {f"{Path(name).stem}.json" for name in seen.bound}
    by_port = {kernel_file(state, address.port).name for address in seen.addresses}
    return sorted(by_socket | by_port)


def _all_files(state: Path) -> list[str]:
    return sorted(path.name for path in run_dir(state).glob("*.json"))[:FILES_MAX]


def _read(folder: Path, names: list[str]) -> tuple[list[KernelAddress], str]:
    """Return the kernels of these files, and why one of them could not be read."""
    found, blind = [], ""
    for name in names:
        path = folder / name
        try:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                if not path.is_file():  # to open a pipe would wait for its other end, for ever
                    continue
                said = dict(json.loads(path.read_bytes()))
                socket_at = Path(said.get("socket") or path.with_suffix(".sock"))
                found.append(KernelAddress(int(said["pid"]), str(said["port"]), socket_at))
        except (FileNotFoundError, NotADirectoryError):
            continue  # a kernel of another folder, or one that has just ended
        except OSError as error:
            blind = f"{path}: {error.strerror or error}"
    return found, blind
