"""The locks that make one kernel for each port and each unit, and why one cannot be had."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from controller.api.trouble import owner_step, trouble_of
from controller.config import paths
from controller.record.journal import check_folder, free_bytes
from controller.record.locks import HeldError, Lock
from controller.record.store import record_refused
from controller.safety.refusal import RefusedError, refusing


@contextlib.contextmanager
def claimed_port(state: Path, port: str) -> Iterator[None]:
    """Hold the port's lock; RefusedError. A file that a killed kernel left behind locks nothing."""
    try:
        with record_refused():
            check_folder(state, free_bytes)
        lock = Lock(paths.port_lock(state, port))
        lock.take()
    except HeldError as error:
        raise refusing(
            "kernel_running",
            f"Another kernel, process {error.pid or '?'}, serves {port} already.",
            "Use that one, or end it first.",
        ) from error
    except OSError as error:
        raise _not_ours(error, state) from error
    try:
        yield
    finally:
        lock.release()


def claimed_unit(state: Path, serial: int) -> Lock:
    """Return the unit's lock, taken; RefusedError where another kernel has it."""
    lock = Lock(paths.unit_lock(state, serial))
    try:
        lock.take()
    except HeldError as error:
        raise refusing(
            "unit_held",
            f"Unit {serial} belongs to another kernel, process {error.pid or '?'}.",
            "Use that one, or end it first.",
        ) from error
    except OSError as error:
        raise _not_ours(error, state) from error
    return lock


def _not_ours(error: OSError, state: Path) -> RefusedError:
    """Return why a lock could not be taken: its folder or file belongs to another account."""
    path = Path(str(error.filename or paths.run_dir(state)))
    trouble = trouble_of(error)
    step = owner_step(path, state) or (trouble.next_step if trouble is not None else "")
    words = f"{path} cannot be used for the locks of this kernel ({error.strerror or error})."
    return refusing("record", words, step)
