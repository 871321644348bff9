"""Kernels of an older version, which have no way of their own for STOP: found by their locks."""

import contextlib
import hashlib
import time
from pathlib import Path
from typing import Final, NamedTuple

from controller.api.ask import KernelAbsentError, ask
from controller.api.finding import kernels
from controller.api.held_ports import HeldPort, held_ports
from controller.api.stop_address import table
from controller.api.stop_call import Answer, Called
from controller.config.paths import (
    HASH_DIGITS,
    NoStateFolderError,
    port_lock,
    run_dir,
    state_dir,
)

SETTLE_MAX_S: Final = 1.0
"""A kernel that starts or ends holds its lock for a moment without a way for STOP."""

LOOK_S: Final = 0.05
ANSWER_MAX_S: Final = 1.0


class Older(NamedTuple):
    """What came of them."""

    answers: tuple[Answer, ...]
    blind: str = ""
    """Why they could not be looked for; empty where they could."""
    fresh: bool = False
    """True where a kernel with a way for STOP has come meanwhile."""


def stop(port: str | None, called: Called, *, emergency: bool) -> Older:
    """Ask the kernels that hold a port and have no way for STOP to stop over their API."""
    try:
        state = state_dir()
    except NoStateFolderError:  # no folder where one could be
        return Older(())
    try:
        held, fresh = _settled(state, port, called.pids)
    except OSError as error:
        return Older((), f"{run_dir(state)}: {error.strerror}")
    return Older(tuple(_asked(state, one, emergency=emergency) for one in held), fresh=fresh)


def _settled(state: Path, port: str | None, called: frozenset[int]) -> tuple[list[HeldPort], bool]:
    """Return who holds a port for longer than a start or an end lasts, and if others have come."""
    end_s, known = time.monotonic() + SETTLE_MAX_S, called
    while (held := _held(state, port, known)) and time.monotonic() < end_s:
        time.sleep(LOOK_S)
        with contextlib.suppress(OSError):
            known |= {address.pid for address in table().addresses}
    return held, known != called


def _held(state: Path, port: str | None, known: frozenset[int]) -> list[HeldPort]:
    wanted = None if port is None else _locks_of(state, port)
    return [
        one
        for one in held_ports(run_dir(state))
        if one.pid not in known and (wanted is None or one.lock in wanted)
    ]


def _locks_of(state: Path, port: str) -> frozenset[str]:
    """Return the names of a port's lock: an older version hashed an address as it was written."""
    written = hashlib.sha256(port.encode(errors="surrogateescape")).hexdigest()[:HASH_DIGITS]
    return frozenset({port_lock(state, port).name, f"port-{written}.lock"})


def _asked(state: Path, held: HeldPort, *, emergency: bool) -> Answer:
    for kernel in kernels(state):
        if held.lock not in _locks_of(state, kernel.port):
            continue
        with contextlib.suppress(KernelAbsentError, OSError):
            args = {"emergency": True} if emergency else {}
            said = ask(kernel.socket, "stop", args, timeout_s=ANSWER_MAX_S)
            done = said.get("ok") is True
            state_said = str((said.get("result") or {}).get("state", ""))
            return Answer(kernel.port, held.pid, done, state_said, linked=done)
        return Answer(kernel.port, held.pid, answered=False)
    return Answer(f"the port of {held.lock}", held.pid, answered=False)
