"""What the environment refuses is told with what it is about and what to do."""

import errno
import os
from pathlib import Path

import pytest

from controller.api import trouble
from controller.api.trouble import account_of, owner_step, trouble_of
from controller.config.paths import STATE_VARIABLE


def _error(number: int, name: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), name)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (_error(errno.EACCES, "/a/b"), "/a/b cannot be used (Permission denied). Mend its rights"),
        (
            _error(errno.EROFS, "/a/b"),
            "/a/b cannot be used (Read-only file system). Mount its disk",
        ),
        (
            _error(errno.ENAMETOOLONG, "/a"),
            "/a cannot be used (File name too long). Name a shorter",
        ),
        (_error(errno.ENOTDIR, "/a"), "/a cannot be used (Not a directory). Something else lies"),
        (_error(errno.EMFILE), "This process may open no more files. Raise its limit"),
        (_error(errno.ENOSPC), "The disk is full. Free space"),
        (MemoryError(), "This computer has no memory left. Close other programs."),
    ],
)
def test_it_is_told_by_file_or_by_what_ran_out(error: BaseException, words: str) -> None:
    found = trouble_of(error)
    assert found is not None
    assert f"{found.sentence} {found.next_step}".startswith(words)


@pytest.mark.parametrize("error", [KeyError("x"), _error(errno.EBADF), _error(errno.EINVAL)])
def test_what_says_neither_is_a_fault_of_our_own(error: BaseException) -> None:
    assert trouble_of(error) is None


def test_a_current_folder_that_is_gone_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert trouble_of(_error(errno.ENOENT)) == trouble.FOLDER_GONE
    monkeypatch.setenv(STATE_VARIABLE, "relative")
    monkeypatch.chdir(tmp_path)
    assert trouble_of(_error(errno.ENOENT)) is None


def test_a_state_folder_of_another_account_is_given_back_as_a_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "run" / "port.lock"
    assert owner_step(lock, tmp_path) is None
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    said = owner_step(lock, tmp_path)
    assert said is not None
    assert said.startswith(f"{tmp_path} belongs to ")
    assert said.endswith(f"`sudo chown -R {account_of(mine + 1)} {tmp_path}`.")
    assert owner_step(Path("/etc/passwd"), tmp_path) is None  # nothing else is anybody's to give
