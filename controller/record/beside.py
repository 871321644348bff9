"""The door to a record for whoever writes beside no kernel: the same rules, the same rows.

No door makes a record: where there is none, what is asked is answered from an empty one, and
nothing is left behind. RefusedError says in one sentence why something was not written.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from controller.api.authority import Do, may, refusal_sentence
from controller.api.requests import WhoSays, read_args
from controller.config import paths
from controller.record.clocks import Here
from controller.record.computer import here
from controller.record.head_note import heads
from controller.record.journal import Journal
from controller.record.locks import LockState, look
from controller.record.store import Store, record_refused
from controller.record.writer import InlineWriter
from controller.safety.refusal import refusing
from controller.treatment.events import Who

Act = Callable[[Journal, Who, Here], Awaitable[dict[str, Any]]]


def write(
    do: Do, who: Mapping[str, str], state: Path, act: Act, whom_to_ask: str
) -> dict[str, Any]:
    """Let ``act`` write into the record of a state folder, if this person may."""
    says = read_args(WhoSays, dict(who))
    if not may(do, says.role, says.origin):
        raise refusing("not_allowed", refusal_sentence(do, says.role, says.origin), whom_to_ask)
    with record_refused("Nothing was recorded."):
        return asyncio.run(_write(says, state, act))


async def _write(says: WhoSays, state: Path, act: Act) -> dict[str, Any]:
    clocks = here()
    known = is_known(state)
    store = Store(paths.journal_path(state) if known else None)
    journal = Journal(InlineWriter(store), clocks.wall_clock, folder=state if known else None)
    try:
        await journal.preflight()
        return await act(journal, Who(says.name, says.role.value, says.origin.value), clocks)
    finally:
        await journal.close()


def is_known(state: Path) -> bool:
    """Return True where a record lies in the state folder, or is known to have lain there."""
    path = paths.journal_path(state)
    return _lies_at(path) or bool(heads(path))


def check_record(state: Path, *, lost_too: bool = False) -> Path:
    """Return the file of the record; RefusedError where there is none.

    With ``lost_too`` one that is known to have lain there is enough.
    """
    path = paths.journal_path(state)
    if not (_lies_at(path) or (lost_too and is_known(state))):
        raise refusing(
            "no_record",
            f"There is no record {path}.",
            "Name the folder of the record in CORNEUM_STATE; a first treatment makes one.",
        )
    return path


def check_no_kernel(state: Path, next_step: str) -> None:
    """Make sure that no kernel of the state folder lives; RefusedError where that is not sure."""
    if _may_be_locked(paths.run_dir(state)):
        raise refusing(
            "kernel_running",
            "A kernel of this record runs, or it cannot be seen that none does.",
            next_step,
        )


def _lies_at(path: Path) -> bool:
    """Return True unless surely no file is there; whoever opens it says what is wrong with it."""
    try:
        return path.exists()
    except OSError:
        return True


def _may_be_locked(folder: Path) -> bool:
    """Return True unless it can be seen that nobody holds the lock of a port."""
    try:
        locks = [path for path in folder.iterdir() if path.match("port-*.lock")]
    except FileNotFoundError:  # no kernel has ever run here
        return False
    except OSError:
        return True
    return any(look(lock) is not LockState.FREE for lock in locks)


def alive_in(state: Path) -> Callable[[str], bool]:
    """Return what says of a lock's name whether a kernel holds it; it does unless surely not."""
    return lambda lock: look(paths.run_dir(state) / Path(lock).name) is not LockState.FREE
