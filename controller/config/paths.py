"""Where the service keeps its state: journal, sockets and locks, one folder for each user.

Imported by `corneum status`, which must answer in 0.4 s: nothing heavy here.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from controller.safety.refusal import ENVIRONMENT, Refusal
from firmware_protocol.address import TCP_SCHEMES, address_of, tcp_url

STATE_VARIABLE: Final = "CORNEUM_STATE"
"""The environment variable that names another state folder."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

HASH_DIGITS: Final = 12
"""Hex digits of a port's name in file names: 48 bits, for the few ports of one machine."""


class NoStateFolderError(Exception):
    """No place for the state folder follows from options, environment and account."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        step = f"Name a folder in {STATE_VARIABLE}, by its whole path."
        self.refusal = Refusal(ENVIRONMENT, sentence, step)


def state_dir(named: str | Path | None = None) -> Path:
    """Return the state folder: ``named``, else ``$CORNEUM_STATE``, else the XDG state folder.

    Raises:
        NoStateFolderError: the account has no home folder, or the current folder is gone.
    """
    chosen = str(named or "") or os.environ.get(STATE_VARIABLE, "")
    xdg = os.environ.get("XDG_STATE_HOME", "")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        # The XDG base directory specification: a relative path there is to be ignored.
        base = Path(xdg) if xdg.startswith("/") else Path.home() / ".local" / "state"
    except RuntimeError as error:
        where = f" for {chosen}" if chosen else ""
        raise NoStateFolderError(
            f"No home folder is known{where}, so that the record has no place."
        ) from error
    except OSError as error:
        raise NoStateFolderError(
            f"The state folder {chosen} cannot be found: the current folder is gone."
        ) from error
    return base / "corneum"


def own_dir() -> Path:
    """Return the user's configuration folder: key, notes and list of witnesses of the record.

    Raises:
        NoStateFolderError: the account has no home folder.
    """
    xdg = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        base = Path(xdg) if xdg.startswith("/") else Path.home() / ".config"
    except RuntimeError as error:
        raise NoStateFolderError(
            "No home folder is known, so that the key of the record's notes has no place."
        ) from error
    return base / "corneum"


def run_dir(state: Path) -> Path:
    """Return the folder of sockets and locks."""
    return state / "run"


def journal_path(state: Path) -> Path:
    """Return the journal's database file."""
    return state / "journal.sqlite3"


def port_name(port: str) -> str:
    """Return ``port`` by a name that is the same from every folder; an address stays as it is."""
    there = not port.startswith("/") and os.path.lexists(port)
    return os.path.join(os.getcwd(), port) if there else port  # noqa: PTH118, PTH109 - keeps links


def canonical(port: str) -> str:
    """Return the one name of ``port`` that all its names lead to: links, folders, ways to write it.

    Locks, sockets, the file of a kernel and its way for STOP all go by this name.
    """
    scheme, mark, rest = port.partition("://")
    if not mark:
        return os.path.realpath(port)
    address = address_of(port)
    if address is None or scheme.lower() not in TCP_SCHEMES:
        return f"{scheme.lower()}://{rest}"
    host, number = address
    return tcp_url("localhost" if host in LOOPBACK else host, number)


def port_hash(port: str) -> str:
    """Return the short name of ``port`` that its files carry, the same for all its names."""
    return hashlib.sha256(canonical(port).encode(errors="surrogateescape")).hexdigest()[
        :HASH_DIGITS
    ]


def socket_path(state: Path, port: str) -> Path:
    """Return the socket of the kernel that serves ``port``."""
    return run_dir(state) / f"{port_hash(port)}.sock"


def kernel_file(state: Path, port: str) -> Path:
    """Return the file in which the kernel of ``port`` says its pid, port and socket."""
    return run_dir(state) / f"{port_hash(port)}.json"


def port_lock(state: Path, port: str) -> Path:
    """Return the lock of ``port``."""
    return run_dir(state) / f"port-{port_hash(port)}.lock"


def unit_lock(state: Path, serial: int) -> Path:
    """Return the lock of the unit with this serial number."""
    return run_dir(state) / f"unit-{serial}.lock"
