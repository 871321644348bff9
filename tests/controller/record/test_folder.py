"""The folder of a record: what is asked of it before a treatment, and the way out of each no."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from controller.record.journal import FREE_MIN_BYTES, check_folder, free_bytes
from controller.record.store import RecordError
from tests.controller.record.books import PLENTY

NEED: Final = "and without a record there is no treatment"


def told(folder: Path, free: Callable[[Path], int] = lambda _folder: PLENTY) -> str:
    with pytest.raises(RecordError) as caught:
        check_folder(folder, free)
    return str(caught.value)


@pytest.mark.parametrize(
    ("number", "way"),
    [
        (errno.EROFS, "mount it writable"),
        (errno.ENOSPC, "free space there"),
        (errno.EDQUOT, "free space under its quota"),
        (errno.EACCES, "mend its rights"),
    ],
)
@pytest.mark.parametrize("has_record", [True, False])
def test_a_folder_that_cannot_be_written_is_told_with_its_way_out(
    tmp_path: Path, number: int, way: str, *, has_record: bool
) -> None:
    if has_record:
        (tmp_path / "journal.sqlite3").touch()

    def refuses(_folder: Path) -> int:
        raise OSError(number, os.strerror(number))

    step = (
        "move the whole folder, with each journal.sqlite3*, and name it with CORNEUM_STATE"
        if has_record
        else "name another folder with CORNEUM_STATE"
    )
    assert told(tmp_path, refuses) == (
        f"The record folder {tmp_path} cannot be written ({os.strerror(number)}), {NEED}: {way} "
        f"or {step}."
    )


def test_a_folder_that_is_read_only_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, int]] = []

    def access(folder: Path, mode: int) -> bool:
        asked.append((folder, mode))
        return False

    monkeypatch.setattr(os, "access", access)
    assert told(tmp_path) == (
        f"The record folder {tmp_path} is read-only, {NEED}: mend its rights or name another "
        "folder with CORNEUM_STATE."
    )
    assert asked == [(tmp_path, os.W_OK | os.X_OK)]


@pytest.mark.parametrize(
    ("free", "has", "more"),
    [(0, "0.0", "100.0"), (99_999_999, "99.9", "0.1"), (12_399_999, "12.3", "87.7")],
)
def test_room_that_is_missing_is_never_told_as_less_than_it_is(
    tmp_path: Path, free: int, has: str, more: str
) -> None:
    asked: list[Path] = []

    def free_of(folder: Path) -> int:
        asked.append(folder)
        return free

    assert told(tmp_path, free_of) == (
        f"The record folder {tmp_path} has {has} MB free and a treatment needs 100 MB: free {more} "
        "MB there or name another folder with CORNEUM_STATE."
    )
    assert asked == [tmp_path]
    check_folder(tmp_path, lambda _folder: FREE_MIN_BYTES)


def test_a_folder_is_made_for_its_own_user_with_all_above_it(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    check_folder(folder, free_bytes)
    assert folder.stat().st_mode & 0o777 == 0o700
    check_folder(folder, free_bytes)


def test_free_is_what_an_ordinary_user_may_still_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = os.statvfs(tmp_path)
    assert free_bytes(tmp_path) == pytest.approx(figures.f_bavail * figures.f_frsize, rel=0.05)

    class Figures:
        f_bavail, f_frsize, f_bfree, f_bsize = 3, 512, 5, 4096

    monkeypatch.setattr(os, "statvfs", lambda _folder: Figures)
    assert free_bytes(tmp_path) == 3 * 512
