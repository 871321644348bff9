"""One kernel for each port and each unit: who has it already, and why a lock cannot be had."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.config.paths import port_lock, run_dir, unit_lock
from controller.record import claims
from controller.record.locks import HeldError, Lock, LockState, look
from controller.record.store import RecordError, record_refused
from controller.safety.refusal import RefusedError

PORT, UNIT = "/dev/ttyX", 4711
END_IT = "Use that one, or end it first."


def claim_port(state: Path) -> None:
    with claims.claimed_port(state, PORT):
        pass


def claim_unit(state: Path) -> None:
    claims.claimed_unit(state, UNIT).release()


def refused(act: Callable[[Path], None], state: Path) -> tuple[str, str, str]:
    with pytest.raises(RefusedError) as caught:
        act(state)
    return caught.value.code, caught.value.sentence, caught.value.next_step


def test_a_port_is_held_as_long_as_its_kernel_lives(tmp_path: Path) -> None:
    path = port_lock(tmp_path, PORT)
    with claims.claimed_port(tmp_path, PORT):
        assert look(path) is LockState.HELD
        assert path.read_text() == str(os.getpid())
    assert look(path) is LockState.FREE


def test_a_kernel_that_fails_gives_its_port_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), claims.claimed_port(tmp_path, PORT):
        raise ZeroDivisionError
    assert look(port_lock(tmp_path, PORT)) is LockState.FREE


def test_a_unit_is_held_until_its_lock_is_given_back(tmp_path: Path) -> None:
    lock = claims.claimed_unit(tmp_path, UNIT)
    assert (lock.path, lock.held) == (unit_lock(tmp_path, UNIT), True)
    assert look(lock.path) is LockState.HELD
    lock.release()
    assert look(lock.path) is LockState.FREE


@pytest.mark.hazard("H14")
@pytest.mark.parametrize("pid", [None, 77])
@pytest.mark.parametrize(
    ("claim", "code", "sentence"),
    [
        (claim_port, "kernel_running", f"Another kernel, process {{}}, serves {PORT} already."),
        (claim_unit, "unit_held", f"Unit {UNIT} belongs to another kernel, process {{}}."),
    ],
)
def test_what_another_kernel_has_is_told_with_its_process(
    tmp_path: Path, claim: Callable[[Path], None], code: str, sentence: str, pid: int | None
) -> None:
    path = port_lock(tmp_path, PORT) if claim is claim_port else unit_lock(tmp_path, UNIT)
    holder = Lock(path)
    holder.take()
    path.write_text("" if pid is None else str(pid))
    assert refused(claim, tmp_path) == (code, sentence.format(pid or "?"), END_IT)
    holder.release()
    claim(tmp_path)


@pytest.mark.parametrize(
    ("pid", "words"), [(7, "held by process 7"), (None, "held by another process")]
)
def test_who_holds_a_lock_is_told_as_far_as_it_is_known(pid: int | None, words: str) -> None:
    error = HeldError(pid)
    assert (str(error), error.pid) == (words, pid)


@pytest.mark.parametrize("claim", [claim_port, claim_unit])
def test_a_lock_that_cannot_be_made_names_its_file_and_what_to_do(
    tmp_path: Path, claim: Callable[[Path], None]
) -> None:
    run_dir(tmp_path).write_text("a file where the folder has to be")
    assert refused(claim, tmp_path) == (
        "record",
        f"{run_dir(tmp_path)} cannot be used for the locks of this kernel (File exists).",
        "Something else lies there: move it away, or name another place.",
    )


@pytest.mark.parametrize("claim", [claim_port, claim_unit])
def test_a_lock_of_another_account_is_given_back_by_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, claim: Callable[[Path], None]
) -> None:
    theirs = run_dir(tmp_path)
    theirs.mkdir()
    path = port_lock(tmp_path, PORT) if claim is claim_port else unit_lock(tmp_path, UNIT)

    def take(_lock: Lock) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    asked: list[tuple[Path, Path]] = []

    def owner(place: Path, state: Path) -> str:
        asked.append((place, state))
        return "Ask ben."

    monkeypatch.setattr(Lock, "take", take)
    monkeypatch.setattr(claims, "owner_step", owner)
    assert refused(claim, tmp_path) == (
        "record",
        f"{path} cannot be used for the locks of this kernel (Permission denied).",
        "Ask ben.",
    )
    assert asked == [(path, tmp_path)]


def test_an_error_that_nobody_knows_has_no_next_step(tmp_path: Path) -> None:
    told = claims._not_ours(OSError("by a proxy"), tmp_path)
    assert (told.code, told.next_step) == ("record", "")
    assert told.sentence.startswith(f"{run_dir(tmp_path)} cannot be used")


def test_a_folder_that_cannot_keep_a_record_has_no_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "free_bytes", lambda folder: 7_000_000 if folder == tmp_path else 0)
    assert refused(claim_port, tmp_path) == (
        "record",
        f"The record folder {tmp_path} has 7.0 MB free and a treatment needs 100 MB: free 93.0 MB "
        "there or name another folder with CORNEUM_STATE.",
        "Nothing has moved; start again when that is done.",
    )


def test_a_record_that_cannot_be_kept_is_a_refusal_with_its_own_sentence() -> None:
    with pytest.raises(RefusedError) as caught, record_refused():
        raise RecordError("It is full.")
    told = caught.value
    assert (told.code, told.sentence, told.next_step) == (
        "record", "It is full.", "Nothing has moved; start again when that is done.",
    )  # fmt: skip
