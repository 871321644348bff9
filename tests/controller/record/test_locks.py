"""Locks: one holder, named; what a dead holder leaves behind holds nothing."""

import errno
import fcntl
import gc
import os
import resource
import threading
from pathlib import Path

import pytest

from controller.record.locks import HeldError, Lock, LockState, look


def test_the_second_one_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "run" / "port.lock"), Lock(tmp_path / "run" / "port.lock")
    first.take()
    with pytest.raises(HeldError) as caught:
        second.take()
    assert caught.value.pid == os.getpid()
    assert look(first.path) is LockState.HELD
    first.release()
    assert look(first.path) is LockState.FREE
    second.take()
    second.release()


def test_a_file_that_a_dead_process_left_locks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "port.lock"
    path.write_text("4194305")
    lock = Lock(path)
    lock.take()
    assert path.read_text() == str(os.getpid())
    lock.release()


def test_a_lock_whose_file_says_nonsense_is_still_a_lock(tmp_path: Path) -> None:
    first = Lock(tmp_path / "port.lock")
    first.take()
    first.path.write_text("?" * 200)
    with pytest.raises(HeldError) as caught:
        Lock(first.path).take()
    assert caught.value.pid is None
    first.release()


def test_taking_it_twice_and_releasing_it_twice_is_no_harm(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "port.lock")
    lock.take()
    lock.take()
    lock.release()
    lock.release()
    assert not lock.held


def test_a_lock_that_was_never_made_is_free(tmp_path: Path) -> None:
    assert look(tmp_path / "run" / "port.lock") is LockState.FREE


def test_who_only_looks_never_makes_a_start_fail(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "port.lock")
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            look(lock.path)

    watchers = [threading.Thread(target=watch) for _ in range(4)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(500):
            lock.take()
            lock.release()
    finally:
        over.set()
        for watcher in watchers:
            watcher.join()


@pytest.mark.hazard("H24")
def test_a_kernel_that_starts_in_the_middle_of_a_look_gets_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, close = Lock(tmp_path / "port.lock"), os.close
    lock.take()
    lock.release()  # its file is there now

    def start_and_close(descriptor: int) -> None:  # with this the look gives back what it has
        monkeypatch.undo()
        lock.take()
        close(descriptor)

    monkeypatch.setattr(os, "close", start_and_close)
    assert look(lock.path) is LockState.FREE
    assert lock.held
    lock.release()


def test_the_holder_itself_sees_its_lock_as_held(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "port.lock")
    lock.take()
    assert look(lock.path) is LockState.HELD
    assert look(lock.path) is LockState.HELD
    lock.release()


def test_a_lock_that_cannot_be_looked_at_is_unknown_and_not_free(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "port.lock")
    lock.take()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)  # the next descriptor would have this number, and none above may be had
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        assert look(lock.path) is LockState.UNKNOWN
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    lock.release()


def test_a_folder_in_the_place_of_a_lock_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "port.lock").write_text("")
    assert look(tmp_path / "port.lock" / "deeper") is LockState.UNKNOWN


def test_a_pipe_in_the_place_of_a_lock_is_looked_at_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "port.lock")
    assert look(tmp_path / "port.lock") is not LockState.HELD


def test_a_lock_that_a_build_of_november_holds_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "port.lock"
    with path.open("w") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        with pytest.raises(HeldError):
            Lock(path).take()


# -- the file --------------------------------------------------------------------------------------
def descriptors() -> int:
    """How many files this process has open, without those that nobody holds any more."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_lock_is_a_file_of_the_own_user_that_names_only_who_has_it_now(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "run" / "port.lock"
    lock, before = Lock(path), descriptors()
    assert (lock.path, lock.held) == (path, False)
    lock.take()
    assert lock.held
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    lock.release()
    assert (path.read_bytes(), lock.held, descriptors()) == (b"", False, before)
    path.write_text("9" * 40)  # of a process that was killed
    lock.take()
    assert path.read_text() == str(os.getpid())
    lock.release()


def test_a_file_that_cannot_be_emptied_is_given_up_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, before = Lock(tmp_path / "port.lock"), descriptors()
    lock.take()

    def refuses(_descriptor: int, _length: int) -> None:
        raise OSError(errno.EIO, "so")

    monkeypatch.setattr(os, "ftruncate", refuses)
    lock.release()
    assert (look(lock.path), descriptors()) == (LockState.FREE, before)


@pytest.mark.parametrize(
    ("text", "pid"),
    [("77", 77), (" 77\n", 77), ("", None), ("seven", None), ("7" * 64 + "x", int("7" * 64))],
)
def test_a_lock_that_is_not_had_leaves_nothing_open_and_tells_who_has_it(
    tmp_path: Path, text: str, pid: int | None
) -> None:
    holder = Lock(tmp_path / "port.lock")
    holder.take()
    holder.path.write_text(text)
    before = descriptors()
    with pytest.raises(HeldError) as caught:
        Lock(holder.path).take()
    assert (caught.value.pid, descriptors()) == (pid, before)
    assert holder.path.read_text() == text
    holder.release()


def test_a_look_that_fails_sees_nothing_and_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "port.lock").touch()
    before = descriptors()

    def refuses(_descriptor: int, _what: int, _lock: bytes) -> bytes:
        raise OSError(errno.EINVAL, "so")

    monkeypatch.setattr(fcntl, "fcntl", refuses)
    assert (look(tmp_path / "port.lock"), descriptors()) == (LockState.UNKNOWN, before)


def test_who_was_given_a_lock_by_an_earlier_build_does_not_have_it_twice(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "port.lock")
    lock.take()
    with lock.path.open() as theirs, pytest.raises(BlockingIOError):
        fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)
    lock.release()
