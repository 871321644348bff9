"""Locks: one holder, named; what a dead holder leaves behind holds nothing."""

import os
from pathlib import Path

import pytest

from controller.kernel.locks import HeldError, Lock, is_held


def test_the_second_one_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "run" / "port.lock"), Lock(tmp_path / "run" / "port.lock")
    first.take()
    with pytest.raises(HeldError) as caught:
        second.take()
    assert caught.value.pid == os.getpid()
    assert is_held(first.path)
    first.release()
    assert not is_held(first.path)
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


def test_a_lock_that_was_never_made_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "port.lock")
    assert not is_held(Path("/proc/corneum/port.lock"))
