"""What the environment refuses, each in full: the sentence, and what a person can do about it."""

import errno
import os
import pwd
from pathlib import Path

import pytest

from controller.api import trouble
from controller.api.trouble import account_of, owner_step, trouble_of
from controller.config.paths import STATE_VARIABLE, NoStateFolderError

RIGHTS = "Mend its rights, or name another place."
OTHER = "Something else lies there: move it away, or name another place."


def words_of(error: BaseException) -> tuple[str, str] | None:
    """What the environment refused; every refusal of it has the one code."""
    found = trouble_of(error)
    assert found is None or found.code == "environment"
    return None if found is None else (found.sentence, found.next_step)


def error(code: int, name: object = None) -> OSError:
    return OSError(code, "words", name)


@pytest.mark.parametrize(
    ("code", "step"),
    [
        (errno.EACCES, RIGHTS),
        (errno.EPERM, RIGHTS),
        (errno.EROFS, "Mount its disk writable, or name another place."),
        (errno.ENOENT, "Check the name."),
        (errno.ENAMETOOLONG, "Name a shorter path."),
        (errno.EEXIST, OTHER),
        (errno.EISDIR, OTHER),
        (errno.ENOTDIR, OTHER),
        (errno.ELOOP, "Its links lead in a circle: mend them, or name another place."),
        (errno.ENOSPC, "Free space on its disk."),
        (errno.EDQUOT, "Free space on its disk."),
        (errno.EIO, "Look at its disk: the system's log names it."),
        (errno.EBUSY, "Check the path and its rights."),
    ],
)
def test_what_is_wrong_with_a_path_is_told_with_the_step_that_mends_it(
    code: int, step: str
) -> None:
    said = ("/nowhere/x cannot be used (words).", step)
    assert words_of(error(code, "/nowhere/x")) == said
    assert words_of(error(code, b"/nowhere/x")) == said


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.EMFILE, ("This process may open no more files.", "Raise its limit: ulimit -n.")),
        (errno.ENFILE, ("This computer may open no more files.", "Close other programs.")),
        (errno.ENOMEM, ("This computer has no memory left.", "Close other programs.")),
        (errno.ENOSPC, ("The disk is full.", "Free space on it.")),
        (errno.EDQUOT, ("This account may use no more of the disk.", "Free space on it.")),
        (errno.EIO, ("A disk or line reports an error.", "The system's log names it.")),
        (errno.ENOENT, None),
        (errno.EBUSY, None),
    ],
)
def test_what_has_run_out_is_told_without_a_path(code: int, said: tuple[str, str] | None) -> None:
    assert words_of(error(code)) == said


def test_the_other_kinds_of_trouble_are_told_in_their_own_words() -> None:
    assert words_of(NoStateFolderError("There is none.")) == (
        "There is none.",
        f"Name a folder in {STATE_VARIABLE}, by its whole path.",
    )
    assert words_of(MemoryError()) == (
        "This computer has no memory left.",
        "Close other programs.",
    )
    without_words = OSError()
    without_words.errno, without_words.filename = errno.EIO, "/x"
    without_words.args = ("odd",)
    found = trouble_of(without_words)
    assert found is not None
    assert found.next_step == "Look at its disk: the system's log names it."
    assert trouble_of(ValueError("x")) is None


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EBUSY])
def test_a_folder_that_is_gone_explains_only_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def gone() -> Path:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "cwd", gone)
    said = ("The folder in which this was started is gone.", "Go to another one and try again.")
    assert words_of(error(code)) == (said if code == errno.ENOENT else None)


# -- whose it is -----------------------------------------------------------------------------------
@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Be another account than that of the files; return the names of the files' and of this one."""
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    return account_of(owner), "54321"


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_rights_in_a_state_folder_of_another_account_are_given_back_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, somebody: tuple[str, str], code: int
) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path))
    (tmp_path / "run").mkdir()
    owner, me = somebody
    found = trouble_of(error(code, str(tmp_path / "run" / "x.lock")))
    back = (
        f"{tmp_path / 'run'} belongs to {owner}: give the whole folder back with "
        f"`sudo chown -R {me} {tmp_path}`."
    )
    mount = "Mount its disk writable, or name another place."
    assert found is not None
    assert found.next_step == (mount if code == errno.EROFS else back)


def test_rights_elsewhere_or_without_a_state_folder_are_mended_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, somebody: tuple[str, str]
) -> None:
    def nowhere() -> Path:
        raise NoStateFolderError("There is none.")

    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    denied = error(errno.EACCES, str(tmp_path / "other"))
    assert words_of(denied) == (f"{tmp_path / 'other'} cannot be used (words).", RIGHTS)
    monkeypatch.setattr(trouble, "state_dir", nowhere)
    assert words_of(denied) == (f"{tmp_path / 'other'} cannot be used (words).", RIGHTS)
    assert somebody


def test_the_first_place_that_is_there_says_whose_it_is(
    tmp_path: Path, somebody: tuple[str, str]
) -> None:
    (tmp_path / "a").mkdir()
    owner, me = somebody
    said = owner_step(tmp_path / "a" / "b" / "c", tmp_path)
    assert said == (
        f"{tmp_path / 'a'} belongs to {owner}: give the whole folder back with "
        f"`sudo chown -R {me} {tmp_path}`."
    )
    assert owner_step(tmp_path / "a", tmp_path / "b") is None


def test_a_place_of_ones_own_needs_no_step_even_below_one_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert owner_step(tmp_path, tmp_path) is None
    (tmp_path / "a").mkdir()
    looked: list[Path] = []
    real = Path.stat

    def stat(self: Path) -> os.stat_result:
        looked.append(self)
        return real(self)

    monkeypatch.setattr(Path, "stat", stat)
    assert owner_step(tmp_path / "a", tmp_path) is None
    assert looked == [tmp_path / "a"]


def test_an_account_without_a_name_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert account_of(0) == "root"

    def broken(_uid: int) -> pwd.struct_passwd:
        raise OSError

    monkeypatch.setattr(pwd, "getpwuid", broken)
    assert account_of(0) == "0"
