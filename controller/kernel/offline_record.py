"""What is done to a whole record beside no kernel: check it, and make its lists anew.

ApiError says in one sentence why not.
"""

from collections.abc import Callable
from pathlib import Path

from controller.config.paths import journal_path, run_dir
from controller.kernel import record_words
from controller.kernel.api import ApiError
from controller.kernel.locks import LockState, look
from controller.kernel.store import RecordError, Store
from controller.kernel.verify import Verdict, verify


def check(state: Path, told: Callable[[int, int], None]) -> tuple[Verdict, str | None]:
    """Check every row of the record in a state folder; also say what it lacks as a whole."""
    path = journal_path(state)
    if not path.exists():
        raise ApiError(
            "no_record",
            f"There is no record {path}.",
            "Name the folder of the record in CORNEUM_STATE; a first treatment makes one.",
        )
    found = verify(path, told)
    if found.unreadable is not None:
        return found, None
    store = Store(path)
    try:
        return found, store.lacking_sentence
    except RecordError as error:
        return found, str(error)
    finally:
        store.close()


def recover(state: Path) -> Path:
    """Make indexes and lists of the record anew from its rows, and return its file."""
    locks = run_dir(state).glob("port-*.lock")
    if any(look(lock) is not LockState.FREE for lock in locks):
        raise ApiError(
            "kernel_running",
            "A kernel runs, or it cannot be seen that none does; it would have to wait for this.",
            "End it, then ask again.",
        )
    path = journal_path(state)
    store = Store(path)
    try:
        if store.recover():
            return path
    except RecordError as error:
        raise ApiError("record", str(error), "Nothing was changed.") from error
    finally:
        store.close()
    raise ApiError(
        "record",
        f"The rows of the record {path} are damaged too, so nothing was changed.",
        f"To go on, {record_words.RESTORE}.",
    )
