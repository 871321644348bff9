"""Where a kernel listens for STOP, and how anybody on this computer finds it.

The address is a datagram socket in the abstract namespace of unix sockets: no file, so that no
rights, no folder and nothing that a killed kernel left behind can stand in the way; its name goes
with the process. Every local account may read the names in `/proc/net/unix` and send. Whatever
datagram arrives is a STOP; one that begins with `EMERGENCY` vents at once. The name is
``corneum/stop/VERSION/PID/HASH/PORT``: every version keeps the part before VERSION and the promise
that any datagram stops.

Imported by `corneum stop`, which must send within 0.3 s of its start: nothing heavy here.
"""

import os
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from controller.config.paths import canonical, port_hash

PREFIX: Final = "corneum/stop/"
VERSION: Final = 1
EMERGENCY: Final = b"emergency"
"""First word of a datagram that asks to vent at once; everything else is a normal stop."""

NORMAL: Final = b"stop"
FAULT: Final = "fault"
"""Stands in the answer of a kernel that met a fault of its own while it stopped."""

PORT_MAX: Final = 70
"""Characters of the port in a name, of which unix(7) leaves 107; names in /dev/serial/by-id fit."""

CUT: Final = "~"
"""Stands for the beginning of a port that is too long for a name."""

SOCKETS: Final = Path("/proc/net/unix")
TABLE_MAX_BYTES: Final = 64_000_000
"""About 500,000 sockets; a computer that has more cannot be looked through in time."""

_COLUMNS: Final = 8
_TYPE: Final = 4
_DATAGRAM: Final = b"0002"
_PLAIN: Final = "/:._-+,=[]"


class StopAddress(NamedTuple):
    """One kernel's address for STOP."""

    name: bytes
    """The socket's name, with the leading zero of abstract ones."""
    pid: int
    """0 where the name is of a version that this one cannot read."""
    hash: str
    """`port_hash` of the port when the kernel started."""
    port: str
    """The port as its kernel was given it, or the end of it after `CUT`."""


class Table(NamedTuple):
    """What `/proc/net/unix` says of kernels."""

    addresses: tuple[StopAddress, ...]
    bound: frozenset[str]
    """File names of the sockets that somebody holds; a file that is left behind is not there."""


def name_for(port: str, pid: int) -> bytes:
    """Return the name at which the kernel ``pid`` of ``port`` listens for STOP."""
    said = quote_from_bytes(os.fsencode(_given(port)), _PLAIN)
    if len(said) > PORT_MAX:
        said = CUT + _end_of(os.fsencode(_given(port)), PORT_MAX - len(CUT))
    return f"\0{PREFIX}{VERSION}/{pid}/{port_hash(port)}/{said}".encode()


def _end_of(raw: bytes, most: int) -> str:
    """Return as much of the end of ``raw`` as fits quoted into ``most`` characters."""
    said = ""
    for byte in reversed(raw):
        quoted = quote_from_bytes(bytes((byte,)), _PLAIN)
        if len(quoted) + len(said) > most:
            break
        said = quoted + said
    return said


def serves(address: StopAddress, port: str) -> bool:
    """Return True where ``address`` is of a kernel of ``port``, under any name of it."""
    if address.pid == 0 or address.hash == port_hash(port):
        return True
    given = _given(port)
    if address.port.startswith(CUT):
        return given.endswith(address.port.removeprefix(CUT))
    return given == address.port or canonical(given) == canonical(address.port)


def _given(port: str) -> str:
    return port if "://" in port else os.path.abspath(port)  # noqa: PTH100 - text in, text out


def table() -> Table:
    """Return the addresses of all kernels on this computer; OSError where nobody may look.

    The system writes the table piece by piece while sockets come and go, so that one look may miss
    a socket that was there all the time: look again before believing that there is none.
    """
    addresses: list[StopAddress] = []
    bound: set[str] = set()
    with SOCKETS.open("rb", buffering=0) as file:
        said = bytearray()
        while len(said) <= TABLE_MAX_BYTES and (piece := file.read(1_000_000)):
            said += piece
    for line in bytes(said).splitlines():
        columns = line.split(None, _COLUMNS - 1)
        if len(columns) < _COLUMNS:
            continue
        name = columns[-1]
        if name.startswith(b"@" + PREFIX.encode()) and columns[_TYPE] == _DATAGRAM:
            addresses.append(_address(b"\0" + name[1:]))
        elif name.endswith(b".sock"):
            bound.add(os.fsdecode(name.rpartition(b"/")[2]))
    return Table(tuple(addresses), frozenset(bound))


def _address(name: bytes) -> StopAddress:
    """Read a name; one of another version is an address all the same."""
    version, _, rest = name[1 + len(PREFIX) :].decode("ascii", "replace").partition("/")
    pid, _, rest = rest.partition("/")
    digest, _, port = rest.partition("/")
    if version != str(VERSION) or not pid.isdecimal():
        return StopAddress(name, 0, "", f"a kernel of another version ({rest or version})")
    return StopAddress(name, int(pid), digest, os.fsdecode(unquote_to_bytes(port)))
